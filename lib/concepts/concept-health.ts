import { resultMatrix, type Matrix } from '../data/matrix'
import { inTurns } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { invalid } from '../errors'
import { rangeSearch } from '../mining/range-search'
import {
  checkNumber,
  frozen,
  jobDefaults,
  withDefaults,
  type JobOptions,
  type Overrides,
} from '../options'
import { checkedModel, squaredNorms, type CodedActivations } from './coded-activations'
import { checkAttached } from './dense'

/** The only place where the defaults of {@link conceptHealth} are written. */
export const conceptHealthDefaults = frozen({
  /** Components whose cosine has at least this magnitude are collinear, in (0, 1]; 0.99 unless given. */
  collinearAt: 0.99,
})

export type ConceptHealthOptions = Overrides<typeof conceptHealthDefaults> & JobOptions

/** Two components with nearly the same direction, or opposite ones. */
export interface CollinearPair {
  /** The lower component. */
  readonly first: number
  /** The higher one. */
  readonly second: number
  /** Their cosine, in [−1, 1]. */
  readonly cosine: number
}

/** What each component does in a model, and which components do nothing of their own. */
export interface ConceptHealth {
  /** ‖codes of the component‖² · ‖component‖², the squared norm of its part of the approximation, [K]. */
  readonly energy: Float64Array
  /** `energy` as a share of the sum, [K]; zeros if all are 0. */
  readonly share: Float64Array
  /** Number of rows whose code is not 0, [K]. */
  readonly activeRows: Float64Array
  /** Components without energy: no row uses them, or they are 0 themselves. */
  readonly dead: readonly number[]
  /** Pairs of collinear components, by the first, then the second; components of zeros are in none. */
  readonly collinear: readonly CollinearPair[]
}

/** The squared norm and the number of non-zero entries of each column. */
async function columnSums({ data, rows, cols }: Matrix) {
  const squares = new Float64Array(cols)
  const activeRows = resultArray(Float64Array, cols)
  await inTurns(function* (slice) {
    for (let i = 0, at = 0; i < rows; i++) {
      for (let c = 0; c < cols; c++, at++) {
        const code = data[at]!
        squares[c]! += code * code
        if (code !== 0) activeRows[c]!++
      }
      checkAttached('codes', data, rows * cols)
      if (slice.spend(2 * cols)) yield
    }
  })
  return { squares, activeRows }
}

async function negated({ data, rows, cols }: Matrix): Promise<Matrix> {
  const negative = resultMatrix(rows, cols)
  await inTurns(function* (slice) {
    for (let at = 0; at < data.length; at++) {
      negative.data[at] = -data[at]!
      if (slice.spend(1)) yield
    }
  })
  return negative
}

/** Pairs of rows whose cosine has at least this magnitude: of the rows, and of the rows with their negatives. */
async function collinearPairs(H: Matrix, threshold: number, job: JobOptions) {
  const pairs: CollinearPair[] = []
  for (const sign of [1, -1]) {
    const queries = sign === 1 ? H : await negated(H)
    const found = await rangeSearch(queries, H, { ...job, threshold, metric: 'cosine' })
    for (let first = 0; first < H.rows; first++)
      for (let at = found.indptr[first]!; at < found.indptr[first + 1]!; at++) {
        const second = found.indices[at]!
        if (second > first) pairs.push({ first, second, cosine: sign * found.scores[at]! })
      }
  }
  return pairs.sort((a, b) => a.first - b.first || a.second - b.second)
}

/**
 * The energy of each component, and the components that are dead or collinear: a model with such components
 * has fewer concepts than its rank says.
 *
 * @param model Codes and components, such as a fitted `Reducer`, or `{ codes: W, components: H }`.
 * @throws {TypeError | RangeError} if the codes have not one column for each component, an entry of the components
 *   is not finite, or `collinearAt` is not in (0, 1].
 *
 * @example
 * const { dead, collinear, share } = await conceptHealth(reducer)
 */
export async function conceptHealth(
  model: CodedActivations,
  given?: ConceptHealthOptions,
): Promise<ConceptHealth> {
  const { collinearAt, ...job } = withDefaults({ ...conceptHealthDefaults, ...jobDefaults }, given)
  checkNumber('collinearAt', collinearAt, 0, 1)
  if (collinearAt === 0) throw invalid('collinearAt', 'a number above 0, at most 1', collinearAt)
  const { codes, H } = await checkedModel(model)
  const { squares, activeRows } = await columnSums(codes)
  const norms = await squaredNorms(H)
  const energy = resultArray(Float64Array, H.rows).map((_, c) => squares[c]! * norms[c]!)
  const total = energy.reduce((sum, each) => sum + each, 0)
  return {
    energy,
    share: energy.map((each) => (total === 0 ? 0 : each / total)),
    activeRows,
    dead: Array.from(energy.keys()).filter((c) => energy[c] === 0),
    collinear: await collinearPairs(H, collinearAt, job),
  }
}
