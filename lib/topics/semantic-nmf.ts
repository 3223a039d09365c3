// Topics of documents and of the contexts of their words, with a number of topics that is stable.
import { type Matrix } from '../data/matrix'
import { inSlices } from '../data/slices'
import { toSparseView, type SparseMatrix, type SparseView } from '../data/sparse'
import { resultArray } from '../data/typed-array'
import { invalid, invalidEntry } from '../errors'
import type { Missing } from '../factorization/entry-options'
import { FactorizationModel } from '../factorization/factorization-model'
import type { Factorization } from '../factorization/fit'
import {
  selectRank,
  selectRankDefaults,
  type RankSelection,
  type SelectRankOptions,
} from '../factorization/select-rank'
import type { volumeDefaults } from '../factorization/surveyed-models'
import { planMemory } from '../memory'
import {
  checkNumber,
  frozen,
  jobDefaults,
  memoryDefaults,
  required,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import { topicUbiquity, type TopicUbiquity } from './reading'

/** What has rows of X, is always the same, or belongs to other models. */
const { model: _, mask, sampleWeight, ...ofModels } = selectRankDefaults
const { volume, volumeOffset, rowSums, ...ofSurvey } = ofModels

const ownDefaults = frozen({
  /**
   * How much the contexts of words count: they are multiplied by this times ‖X‖ / ‖semantics‖, norms of the entries
   * that are not missing; 1 unless given. 0 is a plain NMF of X.
   */
  weight: 1,
})

/** The only place where the defaults of {@link semanticNmf} are written; `selectRank` has those of the survey. */
export const semanticNmfDefaults: Omit<
  typeof selectRankDefaults,
  'model' | 'mask' | 'sampleWeight' | keyof typeof volumeDefaults
> &
  typeof ownDefaults = frozen({ ...ofSurvey, ...ownDefaults })

export type SemanticNmfOptions = Pick<SelectRankOptions, 'ranks'> &
  Overrides<typeof semanticNmfDefaults> &
  JobOptions &
  MemoryOptions

/** The topics, with the survey of their number. */
export interface SemanticNmf extends Omit<RankSelection, 'model'> {
  /** What codes new documents: `H` are the topics. */
  readonly model: FactorizationModel
  /** The topics, [K × T]: their weights for each term. */
  readonly topics: Matrix
  /** The topics of each document, [n × K]. */
  readonly documents: Matrix
  /** The topics of the contexts of each term, [T × K]; zeros for a `weight` of 0. */
  readonly contexts: Matrix
  /** In how many documents each topic is. */
  readonly ubiquity: TopicUbiquity
  /** ‖A − W H‖ / ‖A‖ for the documents and the weighted contexts, one above the other. */
  readonly relativeError: number
}

const largestFloat = 2 ** 128 - 2 ** 104

/** The row of an entry. */
function rowAt(indptr: Float64Array, at: number): number {
  let [row, above] = [0, indptr.length - 1]
  while (above - row > 1) {
    const middle = Math.floor((row + above) / 2)
    if (indptr[middle]! <= at) row = middle
    else above = middle
  }
  return row
}

/**
 * ‖M‖ and the largest entry of a sparse matrix, without entries that are NaN where these are missing.
 *
 * @throws {RangeError} naming the entry that is below 0 or not finite.
 */
async function measured(name: string, matrix: SparseView, missing: Missing | undefined) {
  const { values, indptr, indices } = matrix
  let [squares, largest] = [0, 0]
  await inSlices(values.length, (begin, end) => {
    for (let at = begin; at < end; at++) {
      const value = values[at]!
      if (Number.isNaN(value) && missing === 'nan') continue
      if (!(value >= 0 && value < Infinity))
        throw invalidEntry(
          name,
          'a finite number of at least 0',
          value,
          rowAt(indptr, at),
          indices[at]!,
        )
      squares += value ** 2
      largest = Math.max(largest, value)
    }
  })
  return { norm: Math.sqrt(squares), largest }
}

/**
 * What the semantics are multiplied by; 0 if either matrix is zero.
 *
 * @throws {RangeError} if a product would leave the range of float32.
 */
async function factorOf(
  weight: number,
  X: SparseView,
  semantics: SparseView,
  missing: Missing | undefined,
): Promise<number> {
  const ofX = await measured('X', X, missing)
  const ofTerms = await measured('semantics', semantics, missing)
  if (ofTerms.norm === 0) return 0
  const perWeight = ofX.norm / ofTerms.norm
  const most = largestFloat / perWeight / ofTerms.largest
  if (weight > most)
    throw invalid(
      'weight',
      `at most ${most.toPrecision(3)}, so that float32 holds the weighted semantics,`,
      weight,
    )
  return weight * perWeight
}

/** The rows of X, then those of the semantics, times `factor`. */
async function stacked(X: SparseView, semantics: SparseView, factor: number) {
  const [ofX, all] = [X.values.length, X.values.length + semantics.values.length]
  planMemory('The documents with the contexts of their words', 8 * all)
  const indptr = resultArray(Float64Array, X.rows + semantics.rows + 1)
  const indices = resultArray(Int32Array, all)
  const values = resultArray(Float32Array, all)
  indptr.set(X.indptr)
  semantics.indptr.forEach((start, i) => (indptr[X.rows + i] = ofX + start))
  indices.set(X.indices)
  indices.set(semantics.indices, ofX)
  values.set(X.values)
  await inSlices(semantics.values.length, (begin, end) => {
    for (let at = begin; at < end; at++) values[ofX + at] = factor * semantics.values[at]!
  })
  return { rows: X.rows + semantics.rows, cols: X.cols, indptr, indices, values }
}

const rowsOf = ({ data, cols }: Matrix, begin: number, end: number): Matrix => {
  const part = resultArray(Float32Array, (end - begin) * cols)
  part.set(data.subarray(begin * cols, end * cols))
  return { data: part, rows: end - begin, cols }
}

/**
 * Finds topics that describe both documents and the contexts of words, and their number: a survey of NMFs of the
 * documents and the contexts together, whose components, the topics, are shared.
 *
 * @param X [n × T], at least 0, such as tf-idf: one document per row, one term per column. Lent: see {@link
 *   DenseMatrix}. Do not write to it before the promise settles.
 * @param semantics [T × T], at least 0: the contexts of each term, such as {@link shiftedPpmi} gives. Lent too.
 * @param options Those of {@link selectRank} except `model`, `mask` and `sampleWeight`.
 * @throws {TypeError | RangeError} if X or `semantics` is no sparse matrix of finite numbers at least 0 (or NaN, with
 *   `missing: 'nan'`), their terms differ, a rank is not in 1..min(n + T, T), or an option is wrong or unknown.
 * @throws {GemmineError} as {@link selectRank}.
 * @see Vangara et al. (2021), "Finding the number of latent topics with semantic non-negative matrix
 *   factorization", IEEE Access 9
 *
 * @example
 * const semantics = await shiftedPpmi(await cooccurrences(tokens, { terms: X.cols }))
 * const { topics, ubiquity } = await semanticNmf(X, semantics, { ranks: { from: 2, to: 12 } })
 */
export async function semanticNmf(
  X: SparseMatrix,
  semantics: SparseMatrix,
  options: SemanticNmfOptions,
): Promise<SemanticNmf> {
  const { weight, ...rest } = withDefaults(
    { ranks: required, ...semanticNmfDefaults, ...jobDefaults, ...memoryDefaults },
    options,
  )
  checkNumber('weight', weight, 0)
  const [ofDocuments, ofTerms] = [
    await toSparseView('X', X),
    await toSparseView('semantics', semantics),
  ]
  const [n, T] = [ofDocuments.rows, ofDocuments.cols]
  for (const side of ['rows', 'cols'] as const)
    if (ofTerms[side] !== T)
      throw invalid(`semantics.${side}`, `${T}, the number of terms of X,`, ofTerms[side])
  const factor = await factorOf(weight, ofDocuments, ofTerms, rest.missing)
  const isPlain = !(factor > 0)
  const A = isPlain ? X : await stacked(ofDocuments, ofTerms, factor)
  const asked = { ...rest, solver: options?.solver, model: 'nmf' } as SelectRankOptions
  const { model, ...found } = await selectRank(A, asked)
  const documents = isPlain ? model.W : rowsOf(model.W, 0, n)
  const none = { data: new Float32Array(T * model.rank), rows: T, cols: model.rank }
  return {
    ...found,
    model,
    topics: model.H,
    documents,
    contexts: isPlain ? none : rowsOf(model.W, n, n + T),
    ubiquity: await topicUbiquity(documents, model.H),
    relativeError: (model as Factorization).relativeError,
  }
}
