import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { toDenseSource } from '../data/source'
import { handOut } from '../lending'
import { runJob } from '../native'
import {
  checkJob,
  checkNumber,
  checkOneOf,
  frozen,
  jobDefaults,
  memoryDefaults,
  required,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import { metrics, type Metric } from './metric'
import type { FoundRows } from './range-search'
import { ofZeroVectors } from './search-warnings'

/** The only place where the defaults of {@link nearDuplicates} are written. */
export const nearDuplicatesDefaults = frozen({
  /** The metric; `cosine` unless given. */
  metric: 'cosine' as Metric,
})

export type NearDuplicatesOptions = {
  /** The lowest score of a pair, to be given; a pair of exactly this score is found. */
  threshold: number
} & Overrides<typeof nearDuplicatesDefaults> &
  JobOptions &
  MemoryOptions

/**
 * All pairs of rows that score at least `threshold` with each other, each pair once: the rows j > i of row i
 * are at indptr[i] .. indptr[i + 1] − 1, best first, equal scores by lower row. Exact, the comparison in
 * float64, the same bits on every machine and for any number of threads. About half of all products are
 * formed, and no score matrix is made. For pairs of two collections use `rangeSearch`.
 *
 * @param X [n × d], dense or a file. Lent until the promise settles: see {@link DenseMatrix}.
 * @returns The pairs in the form of `rangeSearch`; `queries`, `certified`, `fallback` and the zero vectors
 *   count rows of X.
 * @throws {TypeError | RangeError} if `threshold` is no finite number, or an entry is not finite.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` if the pairs do not fit in memory.
 * @see docs/math/collections.md
 *
 * @example
 * const { indptr, indices } = await nearDuplicates(X, { threshold: 0.95 })
 * const repeatsOfRow7 = indices.subarray(indptr[7], indptr[8])
 */
export async function nearDuplicates(
  X: MatrixInput,
  given: NearDuplicatesOptions,
): Promise<FoundRows> {
  const { threshold, metric, ...rest } = withDefaults(
    { threshold: required, ...nearDuplicatesDefaults, ...jobDefaults, ...memoryDefaults },
    given,
  )
  const { device, ...job } = checkJob(rest)
  checkNumber('threshold', threshold)
  checkOneOf('metric', metric, metrics)
  const source = toDenseSource('X', X)
  const loan = loanOf({ X: source })
  const { inputs, arrays } = loan instanceof Promise ? await loan : loan
  const found = await runJob(job, arrays, (addon, control) =>
    addon.nearDuplicates(inputs.X, { device, metric, threshold }, control),
  )
  for (const array of [found.indptr, found.indices, found.scores]) handOut(array)
  const zeros = { queries: source.rows, corpus: source.rows, ...found, zeroQueries: 0 }
  const warnings = ofZeroVectors(zeros, {
    row: 'row',
    ofRow: ', and each other row or none is its pair',
  })
  return { queries: source.rows, metric, ...found, warnings }
}
