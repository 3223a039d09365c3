import type { MatrixInput } from '../data/matrix'
import type { SparseMatrix } from '../data/sparse'
import { inTurns } from '../data/slices'
import { invalid } from '../errors'
import { handOut } from '../lending'
import { planMemory } from '../memory'
import {
  checkOneOf,
  frozen,
  jobDefaults,
  required,
  withDefaults,
  type JobOptions,
  type Overrides,
} from '../options'
import type { Metric } from './metric'
import { amongOwnRows } from './own-rows'
import { topK } from './top-k'

/** Which pairs of neighbours are edges. */
export const knnEdges = ['union', 'mutual'] as const
export type KnnEdges = (typeof knnEdges)[number]

/** The weights of edges. */
export const knnWeights = ['binary', 'score'] as const
export type KnnWeights = (typeof knnWeights)[number]

/** The only place where the defaults of {@link knnGraph} are written. */
export const knnGraphDefaults = frozen({
  /** The metric; `cosine` unless given. */
  metric: 'cosine' as Metric,
  /**
   * Two rows have an edge if one is among the k best of the other (`union`), or each is (`mutual`); `union`
   * unless given.
   */
  edges: 'union' as KnnEdges,
  /**
   * The weight of an edge: 1 (`binary`), or the score of the two rows (`score`, an error for l2; pairs that
   * score 0 or less get no edge); `binary` unless given.
   */
  weights: 'binary' as KnnWeights,
})

export type KnnGraphOptions = {
  /** Neighbours of each row, to be given; at least 1. */
  k: number
} & Overrides<typeof knnGraphDefaults> &
  JobOptions

/** The neighbours of all rows, best first, [n × k], −1 for none. */
interface Lists {
  readonly rows: number
  readonly k: number
  readonly indices: Int32Array
  readonly scores: Float32Array
}

/** Calls `edge` for every kept entry (row, column, score), in the order of the lists. */
function* entries(
  { rows, k, indices, scores }: Lists,
  { edges, weights }: { edges: KnnEdges; weights: KnnWeights },
  edge: (row: number, col: number, score: number) => void,
) {
  const has = (row: number, other: number) => {
    for (let t = row * k; t < (row + 1) * k; t++) if (indices[t] === other) return true
    return false
  }
  for (let row = 0; row < rows; row++) {
    for (let t = row * k; t < (row + 1) * k; t++) {
      const col = indices[t]!
      if (col < 0 || (weights === 'score' && !(scores[t]! > 0))) continue
      const isMutual = has(col, row)
      if (edges === 'mutual' && !isMutual) continue
      edge(row, col, scores[t]!)
      if (!isMutual) edge(col, row, scores[t]!)
    }
    yield
  }
}

/** The adjacency with ascending columns. It is symmetric, so entries are placed by their column. */
async function adjacencyOf(
  lists: Lists,
  kinds: { edges: KnnEdges; weights: KnnWeights },
): Promise<SparseMatrix> {
  const { rows, k } = lists
  const indptr = handOut(new Float64Array(rows + 1))
  const walk = (edge: (row: number, col: number, score: number) => void) =>
    inTurns<void>(function* (slice) {
      for (const _ of entries(lists, kinds, edge)) if (slice.spend(k * k)) yield
    })
  await walk((row) => indptr[row + 1]!++)
  for (let row = 0; row < rows; row++) indptr[row + 1]! += indptr[row]!
  const size = indptr[rows]!
  // First by row in any order, then by column: the second pass meets rows in ascending order.
  const next = indptr.slice()
  const columns = new Int32Array(size)
  const weights = new Float32Array(size)
  await walk((row, col, score) => {
    const at = next[row]!++
    columns[at] = col
    weights[at] = kinds.weights === 'score' ? score : 1
  })
  next.set(indptr)
  const indices = handOut(new Int32Array(size))
  const values = handOut(new Float32Array(size))
  await inTurns<void>(function* (slice) {
    for (let row = 0; row < rows; row++) {
      for (let t = indptr[row]!; t < indptr[row + 1]!; t++) {
        const at = next[columns[t]!]!++
        indices[at] = row
        values[at] = weights[t]!
      }
      if (slice.spend(1 + indptr[row + 1]! - indptr[row]!)) yield
    }
  })
  return { rows, cols: rows, indptr, indices, values }
}

/**
 * The graph of nearest neighbours of the rows, as a symmetric sparse adjacency without a diagonal: exact,
 * equal scores by lower row. It can be the `graph` of {@link nmf}.
 *
 * @param X [n × d], dense or a file. Lent until the promise settles: see {@link DenseMatrix}.
 * @throws {TypeError | RangeError} if an option is wrong, or an entry is not finite.
 * @see Cai, He, Han & Huang (2011), "Graph Regularized Nonnegative Matrix Factorization for Data
 *   Representation", TPAMI 33(8), section 3: 0-1 weights and dot-product weights, k = 5
 *
 * @example
 * const adjacency = await knnGraph(X, { k: 5 })
 * const { W } = await nmf(X, { rank: 10, solver: 'mu', graph: { adjacency, weight: 1 } })
 */
export async function knnGraph(X: MatrixInput, given: KnnGraphOptions): Promise<SparseMatrix> {
  const { edges, weights, ...search } = withDefaults(
    { k: required, ...knnGraphDefaults, ...jobDefaults },
    given,
  )
  checkOneOf('edges', edges, knnEdges)
  checkOneOf('weights', weights, knnWeights)
  if (weights === 'score' && search.metric === 'l2')
    throw invalid('weights', 'binary for the metric l2, whose scores are not positive', weights)
  const {
    queries: rows,
    k,
    indices,
    scores,
  } = await amongOwnRows(X, () => topK(X, X, { ...search, excludeSelf: true }))
  planMemory(`A graph of ${rows} rows with ${k} neighbours each`, 32 * rows * k)
  return adjacencyOf({ rows, k, indices, scores }, { edges, weights })
}
