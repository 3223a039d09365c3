import type { MatrixInput } from '../data/matrix'
import { filled } from '../data/pieces'
import { inSlices, inTurns, sortedInTurns } from '../data/slices'
import { holding } from '../jobs'
import { handOut } from '../lending'
import {
  checkInteger,
  checkJob,
  checkOneOf,
  frozen,
  jobDefaults,
  memoryDefaults,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import { metrics, type Metric } from './metric'
import { NearRows, type Bounded, type NearOptions } from './near-rows'
import { amongOwnRows } from './own-rows'
import { checkRange, rangeSearch, type FoundRows } from './range-search'
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
function centres(sizes: Int32Array, minSize: number): Promise<number[]> {
  const rows = Array.from(sizes.keys()).filter((row) => sizes[row]! + 1 >= minSize)
  return sortedInTurns(rows, (a, b) => sizes[b]! - sizes[a]! || a - b)
}

/** The near rows of some rows: those of row i of `rows` are list `placeOf(i)` of `found`. */
interface Lists {
  readonly rows: ArrayLike<number>
  readonly found: Pick<FoundRows, 'indptr' | 'indices'>
  readonly placeOf: (i: number) => number
}

/** Each centre in turn takes what is near it and free; a community that is too small takes nothing. */
const take = ({ rows, found, placeOf }: Lists, minSize: number, free: Uint8Array) =>
  inTurns<number[][]>(function* (slice) {
    const groups: number[][] = []
    for (let i = 0; i < rows.length; i++) {
      const centre = rows[i]!
      const [begin, end] = [found.indptr[placeOf(i)]!, found.indptr[placeOf(i) + 1]!]
      const members = free[centre] ? [centre] : []
      for (let t = begin; t < end; t++) if (free[found.indices[t]!]) members.push(found.indices[t]!)
      if (slice.spend(1 + end - begin)) yield
      if (members.length < minSize) continue
      for (const row of members) free[row] = 0
      groups.push(members)
    }
    return groups
  })

/** What a search for communities found. */
interface Groups {
  readonly groups: number[][]
  readonly rows: number
  readonly zeroRows: number
  readonly seconds: number
}

/** From the near rows of all rows at once. */
async function groupsOf(X: MatrixInput, minSize: number, options: NearOptions): Promise<Groups> {
  const found = await rangeSearch(X, X, { ...options, excludeSelf: true })
  const { indptr, queries: rows, zeroRows, seconds } = found
  const sizes = new Int32Array(rows)
  await inSlices(rows, (begin, end) => {
    for (let row = begin; row < end; row++) sizes[row] = indptr[row + 1]! - indptr[row]!
  })
  const order = await centres(sizes, minSize)
  const lists = { rows: order, found, placeOf: (i: number) => order[i]! }
  const groups = await take(lists, minSize, new Uint8Array(rows).fill(1))
  return { groups, rows, zeroRows, seconds }
}

/** The same within a budget, by two searches of each row: one counts, the other lists block by block. */
async function groupsWithin(X: MatrixInput, minSize: number, options: Bounded): Promise<Groups> {
  const near = new NearRows(X, options)
  const { rows } = near
  const sizes = await near.sizes()
  const free = new Uint8Array(rows).fill(1)
  const groups: number[][] = []
  for await (const lists of near.lists(await centres(sizes, minSize), sizes))
    for (const group of await take({ ...lists, placeOf: (i) => i }, minSize, free))
      groups.push(group)
  return { groups, rows, ...near.sums }
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
 * @param given With `memoryBudget` every row is searched twice, block by block: the lists of all near rows are
 *   never in memory together.
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
  const { memoryBudget, metric } = search
  const { entry } = checkJob(search)
  checkOneOf('metric', metric, metrics)
  checkRange(search.threshold, undefined)
  const found = await amongOwnRows(X, () =>
    holding(entry, () =>
      memoryBudget === undefined
        ? groupsOf(X, minSize, search)
        : groupsWithin(X, minSize, { ...search, memoryBudget }),
    ),
  )
  const { seconds } = found
  const groups = await sortedInTurns(found.groups, (a, b) => b.length - a.length)
  const labels = await filled(Int32Array, found.rows, -1)
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
  const rows = { queries: found.rows, corpus: found.rows, zeroQueries: 0, zeroRows: found.zeroRows }
  const warnings = ofZeroVectors(rows, { row: 'row' })
  return { count: groups.length, indptr, indices, labels, metric, seconds, warnings }
}
