import { resultMatrix, type Matrix, type MatrixInput } from '../data/matrix'
import { inTurns } from '../data/slices'
import { sidesOf } from '../data/source'
import { resultArray } from '../data/typed-array'
import { invalid } from '../errors'
import { topK } from '../mining/top-k'
import {
  checkInteger,
  frozen,
  jobDefaults,
  withDefaults,
  type JobOptions,
  type Overrides,
} from '../options'
import { steeringVectors } from './directions'

/** The only place where the defaults of {@link vocabularyProjection} are written. */
export const vocabularyProjectionDefaults = frozen({
  /** Tokens wanted at either end; 10 unless given. */
  count: 10,
})

export type VocabularyProjectionOptions = Overrides<typeof vocabularyProjectionDefaults> &
  JobOptions

/** Tokens at one end of the logits of each direction. */
export interface ProjectedTokens {
  /** Rows of the unembedding, most extreme first, equal ones by lower row, [K × count]; −1 for none. */
  readonly tokens: Int32Array
  /** Their logits for a direction of length 1, [K × count]; NaN for none. */
  readonly logits: Float32Array
}

export interface VocabularyProjection {
  /** Number of directions, K. */
  readonly directions: number
  /** Slots for each direction at either end. */
  readonly count: number
  /** The tokens that a direction promotes most. */
  readonly top: ProjectedTokens
  /** The tokens that it suppresses most. */
  readonly bottom: ProjectedTokens
}

/** The directions, then their negatives. */
async function bothSigns({ data, rows, cols }: Matrix): Promise<Matrix> {
  const both = resultMatrix(2 * rows, cols)
  const { length } = data
  await inTurns(function* (slice) {
    for (let i = 0; i < rows; i++) {
      for (let at = i * cols; at < (i + 1) * cols; at++) {
        both.data[at] = data[at]!
        both.data[length + at] = -data[at]!
      }
      if (slice.spend(2 * cols)) yield
    }
  })
  return both
}

/** The part of an answer for the queries from `first` on; a direction of zeros has no tokens. */
function ofDirections(
  found: { readonly indices: Int32Array; readonly scores: Float32Array },
  first: number,
  unit: Matrix,
  count: number,
): ProjectedTokens {
  const tokens = resultArray(Int32Array, unit.rows * count)
  const logits = resultArray(Float32Array, unit.rows * count)
  const sign = first === 0 ? 1 : -1
  for (let i = 0; i < unit.rows; i++) {
    const isZero = unit.data.subarray(i * unit.cols, (i + 1) * unit.cols).every((x) => x === 0)
    for (let slot = 0; slot < count; slot++) {
      const from = (first + i) * count + slot
      tokens[i * count + slot] = isZero ? -1 : found.indices[from]!
      logits[i * count + slot] = isZero ? NaN : sign * found.scores[from]! + 0
    }
  }
  return { tokens, logits }
}

/**
 * The tokens of a vocabulary that components promote and suppress: the largest and smallest logits of their
 * directions, which are scaled to length 1. A normalisation before the unembedding is the caller's: multiply
 * its weights into the unembedding.
 *
 * @param directions [K × m], in memory: components, or the result of {@link steeringVectors} with an `output`.
 * @param unembedding [V × m], a row for each token; in memory or a file.
 * @throws {TypeError | RangeError} if the columns differ, an entry is not finite, or `count` is not in 1..V.
 * @see Shafran, Geiger & Geva (2025), arXiv 2506.10920; Geva, Caciularu, Wang & Goldberg (2022), "Transformer
 *   Feed-Forward Layers Build Predictions by Promoting Concepts in the Vocabulary Space", EMNLP
 *
 * @example
 * const { top } = await vocabularyProjection(vectors, W_U, { count: 20 })
 * const words = Array.from(top.tokens.subarray(0, 20), (row) => vocabulary[row])
 */
export async function vocabularyProjection(
  directions: MatrixInput,
  unembedding: MatrixInput,
  given?: VocabularyProjectionOptions,
): Promise<VocabularyProjection> {
  const { count, ...job } = withDefaults({ ...vocabularyProjectionDefaults, ...jobDefaults }, given)
  const { rows: tokens, cols } = sidesOf('unembedding', unembedding)
  checkInteger('count', count, 1, tokens)
  const unit = await steeringVectors(directions)
  if (unit.cols !== cols)
    throw invalid('unembedding.cols', `${unit.cols} columns, as in the directions`, cols)
  const queries = await bothSigns(unit)
  const found = await topK(queries, unembedding, { ...job, k: count, metric: 'dot' })
  return {
    directions: unit.rows,
    count,
    top: ofDirections(found, 0, unit, count),
    bottom: ofDirections(found, unit.rows, unit, count),
  }
}
