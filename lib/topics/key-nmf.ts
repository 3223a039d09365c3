// Topics of keywords, and how their words change over time.
import { resultMatrix, type Matrix, type MatrixInput } from '../data/matrix'
import { inTurns } from '../data/slices'
import { checkSparse, type SparseMatrix } from '../data/sparse'
import { isList } from '../data/typed-array'
import { invalid } from '../errors'
import { FactorizationModel } from '../factorization/factorization-model'
import type { Factorization } from '../factorization/fit'
import { fitArguments } from '../factorization/fit-options'
import { nmf, nmfDefaults, type NmfOptions } from '../factorization/nmf'
import {
  checkInteger,
  frozen,
  jobDefaults,
  memoryDefaults,
  withDefaults,
  type JobOptions,
  type Overrides,
} from '../options'
import { keywordMatrix, keywordMatrixDefaults } from './keywords'
import { SparseRows } from './sparse-rows'

const ownDefaults = frozen({
  /**
   * The time slice of each document, [n], numbered from 0: the words of each topic in each slice are returned too;
   * none unless given.
   */
  timeSlices: undefined as ArrayLike<number> | undefined,
})

/** The only place where the defaults of {@link keyNmf} are written; `nmf` has those of the factorization. */
export const keyNmfDefaults: typeof nmfDefaults &
  typeof keywordMatrixDefaults &
  typeof ownDefaults = frozen({ ...nmfDefaults, ...keywordMatrixDefaults, ...ownDefaults })

export type KeyNmfOptions = NmfOptions &
  Overrides<typeof keywordMatrixDefaults> &
  Overrides<typeof ownDefaults>

/** Topics of keywords. */
export interface KeyNmf {
  /** The factorization of the keywords: `W` are the topics of documents, `H` the weights of terms in topics. */
  readonly model: Factorization
  /** The keywords of each document, [n × T]. */
  readonly keywords: SparseMatrix
  /**
   * The topics in each time slice, [K × T] each: the least squares of its keywords for the `W` of its documents.
   * Empty without `timeSlices`.
   */
  readonly slices: readonly Matrix[]
}

/** Every option, so that an unknown one is refused before the keywords are weighed. */
const allDefaults = {
  ...fitArguments,
  graph: undefined,
  ...keyNmfDefaults,
  ...jobDefaults,
  ...memoryDefaults,
}

/** The documents of each slice. */
function documentsOf(timeSlices: ArrayLike<number>, n: number): number[][] {
  const expected = `${n} numbers, one for each document,`
  if (!isList(timeSlices)) throw invalid('timeSlices', expected, timeSlices)
  if (timeSlices.length !== n) throw invalid('timeSlices', expected, timeSlices.length)
  const documents: number[][] = []
  for (let i = 0; i < n; i++) {
    const at = timeSlices[i]!
    if (!Number.isInteger(at) || at < 0 || at >= n)
      throw invalid(`timeSlices[${i}]`, `the number of a slice, an integer in 0..${n - 1}`, at)
    ;(documents[at] ??= []).push(i)
  }
  for (let at = 0; at < documents.length; at++)
    if (!documents[at]) throw invalid('timeSlices', `a document in slice ${at}`, 'none')
  return documents
}

/** The chosen rows as columns, [cols × rows chosen]. */
const transposed = ({ cols, indptr, indices, values }: SparseMatrix, rows: readonly number[]) =>
  inTurns<SparseMatrix>(function* (slice) {
    const columns = Array.from({ length: cols }, (): [number, number][] => [])
    for (const [to, row] of rows.entries()) {
      for (let at = Number(indptr[row]); at < Number(indptr[row + 1]); at++)
        columns[indices[at]!]!.push([to, values[at]!])
      if (slice.spend(16)) yield
    }
    const all = new SparseRows(cols, rows.length)
    for (const column of columns) {
      for (const [row, value] of column) all.add(row, value)
      all.endRow()
    }
    return all.finish()
  })

/**
 * The H of one slice: Xᵀ ≈ Hᵀ Wᵀ has the codes Hᵀ for the components Wᵀ. Components of W that are 0 in the slice get
 * no words.
 */
async function sliceTopics(
  keywords: SparseMatrix,
  { data, cols: K }: Matrix,
  documents: readonly number[],
  job: JobOptions,
): Promise<Matrix> {
  const components = resultMatrix(K, documents.length)
  for (const [to, row] of documents.entries())
    for (let j = 0; j < K; j++) components.data[j * documents.length + to] = data[row * K + j]!
  const topics = resultMatrix(K, keywords.cols)
  const { W } = await new FactorizationModel('nmf', components, {}).transform(
    await transposed(keywords, documents),
    job,
  )
  for (let term = 0; term < keywords.cols; term++)
    for (let j = 0; j < K; j++) topics.data[j * keywords.cols + term] = W.data[term * K + j]!
  return topics
}

/**
 * Finds topics by factorizing the keywords of documents, which embeddings of documents and terms weigh.
 *
 * @param documents Embeddings of the documents [n × d], in memory.
 * @param terms Embeddings of the terms [T × d], in memory.
 * @param occurrences [n × T], not 0 where a term occurs in a document. Lent: see {@link DenseMatrix}.
 * @param options Those of {@link nmf} and {@link keywordMatrix}, and `timeSlices`.
 * @throws {TypeError | RangeError} if shapes disagree, an entry is not finite, a slice has no document, or an option
 *   is wrong or unknown.
 * @throws {GemmineError} as {@link nmf}.
 * @see Kristensen-McLachlan, Hicke, Kardos & Thunø (2024), "Context is Key(NMF): Modelling topical information
 *   dynamics in Chinese diaspora media"
 *
 * @example
 * const { model, slices } = await keyNmf(documentEmbeddings, termEmbeddings, counts, { rank: 10, timeSlices: years })
 * const words = await topWords(model.H, vocabulary)
 */
export async function keyNmf(
  documents: MatrixInput,
  terms: MatrixInput,
  occurrences: SparseMatrix,
  options: KeyNmfOptions,
): Promise<KeyNmf> {
  const { rank, topTerms, timeSlices } = withDefaults(allDefaults, options)
  checkInteger('rank', rank, 1)
  const { topTerms: _, timeSlices: __, ...ofFit } = options
  checkSparse('occurrences', occurrences)
  const ofSlices = timeSlices === undefined ? [] : documentsOf(timeSlices, occurrences.rows)
  const keywords = await keywordMatrix(documents, terms, occurrences, { topTerms })
  if (keywords.values.length === 0)
    throw invalid('documents', 'embeddings with a positive cosine to a term that occurs', 'none')
  const model = await nmf(keywords, ofFit)
  const { threads, device, priority, signal } = ofFit
  const slices: Matrix[] = []
  for (const of of ofSlices)
    slices.push(await sliceTopics(keywords, model.W, of, { threads, device, priority, signal }))
  return { model, keywords, slices }
}
