import type { MatrixInput } from '../data/matrix'
import { filled } from '../data/pieces'
import { inTurns, sortedInTurns } from '../data/slices'
import { handOut } from '../lending'
import {
  checkInteger,
  frozen,
  jobDefaults,
  memoryDefaults,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import type { Metric } from './metric'
import { amongOwnRows } from './own-rows'
import { rangeSearch, type FoundRows } from './range-search'
import { ofZeroVectors } from './search-warnings'

/** The only place where the defaults of {@link communities} are written. */
export const communitiesDefaults = frozen({
  /** A row belongs to the community of a centre if it scores at least this with it; 0.75 unless given. */
  threshold: 0.75,
  /** Rows of a community, at least; 10 unless given. */
  minSize: 10,
  /** The metric; `cosine` unless given. */
  metric: 'cosine' as Metric,
})

export type CommunitiesOptions = Overrides<typeof communitiesDefaults> & JobOptions & MemoryOptions

/** Communities of rows, the largest first; equal sizes: first the one whose centre has more near rows. No row is in two of them. */
export interface Communities {
  /** Number of communities. */
  readonly count: number
  /** Start of each community in `indices`, then the number of all members, [count + 1]. */
  readonly indptr: Int32Array
  /** Members: the centre first, then the others, best first, equal scores by lower row. */
  readonly indices: Int32Array
  /** Community of each row, [n]; −1 for none. */
  readonly labels: Int32Array
  /** Metric of the scores. */
  readonly metric: Metric
  /** Time inside the scan, in seconds. */
  readonly seconds: number
  /** Complete sentences about zero vectors. */
  readonly warnings: readonly string[]
}

/** Rows by their number of near rows, the most first, equal numbers by lower row. */
function centres({ indptr, queries }: FoundRows, minSize: number): Promise<number[]> {
  const sizeOf = (row: number) => indptr[row + 1]! - indptr[row]! + 1
  const rows = Array.from({ length: queries }, (_, row) => row).filter(
    (row) => sizeOf(row) >= minSize,
  )
  return sortedInTurns(rows, (a, b) => sizeOf(b) - sizeOf(a) || a - b)
}

/** Each centre in turn takes what is near it and free; a community that is too small takes nothing. */
async function taken(found: FoundRows, minSize: number): Promise<number[][]> {
  const free = await filled(Int32Array, found.queries, 1)
  const order = await centres(found, minSize)
  return inTurns<number[][]>(function* (slice) {
    const groups: number[][] = []
    for (const centre of order) {
      const members = free[centre] ? [centre] : []
      for (let t = found.indptr[centre]!; t < found.indptr[centre + 1]!; t++)
        if (free[found.indices[t]!]) members.push(found.indices[t]!)
      if (slice.spend(1 + found.indptr[centre + 1]! - found.indptr[centre]!)) yield
      if (members.length < minSize) continue
      for (const row of members) free[row] = 0
      groups.push(members)
    }
    return groups
  })
}

/**
 * Communities of rows that score at least `threshold` with a common centre, by the algorithm of
 * `community_detection` of sentence-transformers: rows with the most near rows come first; each takes the
 * near rows that no earlier community has, if there are at least `minSize`.
 *
 * Differences: scores are compared exactly, in float64, and ties are by row, so the answer is the same on
 * every machine; the centre is always the first member, if it is free; `minSize` above the number of rows
 * gives no community.
 *
 * @param X [n × d], dense or a file. Lent until the promise settles: see {@link DenseMatrix}.
 * @throws {TypeError | RangeError} if an option is wrong, or an entry is not finite.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` if the near rows of all rows do not fit in memory.
 * @see docs/math/collections.md
 *
 * @example
 * const { count, indptr, indices } = await communities(X, { threshold: 0.8, minSize: 5 })
 * for (let c = 0; c < count; c++) console.log(indices.subarray(indptr[c], indptr[c + 1]))
 */
export async function communities(
  X: MatrixInput,
  given: CommunitiesOptions = {},
): Promise<Communities> {
  const { minSize, ...search } = withDefaults(
    { ...communitiesDefaults, ...jobDefaults, ...memoryDefaults },
    given,
  )
  checkInteger('minSize', minSize, 1)
  const found = await amongOwnRows(X, () => rangeSearch(X, X, { ...search, excludeSelf: true }))
  const groups = await sortedInTurns(await taken(found, minSize), (a, b) => b.length - a.length)
  const labels = await filled(Int32Array, found.queries, -1)
  const indptr = handOut(new Int32Array(groups.length + 1))
  const members = groups.reduce((sum, { length }) => sum + length, 0)
  const indices = handOut(new Int32Array(members))
  await inTurns<void>(function* (slice) {
    let at = 0
    for (const [community, rows] of groups.entries()) {
      for (const row of rows) {
        labels[row] = community
        indices[at++] = row
        if (slice.spend(1)) yield
      }
      indptr[community + 1] = at
    }
  })
  const { metric, seconds } = found
  const rows = { ...found, corpus: found.queries, zeroQueries: 0 }
  const warnings = ofZeroVectors(rows, { row: 'row' })
  return { count: groups.length, indptr, indices, labels, metric, seconds, warnings }
}
