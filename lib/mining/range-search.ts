import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { toQueries } from '../data/source'
import { handOut } from '../lending'
import { nothingAsked, runJob } from '../native'
import {
  checkInteger,
  checkJob,
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
import type { Metric } from './metric'
import { holderOf, keeping, scanned, type CorpusInput } from './prepare-corpus'
import { chosenRows, lentChoices, toRowChoices, type RowChoiceInput } from './row-choice'
import { ofZeroVectors, type Searched } from './search-warnings'
import { checkedSelf, type SelfRows } from './self-rows'

/** The only place where the defaults of {@link rangeSearch} are written. */
export const rangeSearchDefaults = frozen({
  /**
   * Largest number of rows for a query, the best ones; every row at the threshold or above it unless given.
   */
  limit: undefined as number | undefined,
  /** The metric; `cosine`, or the metric of a prepared corpus, unless given. */
  metric: undefined as Metric | undefined,
  /** Corpus rows that queries must not get: a set for all, or a set or list for each; none unless given. */
  exclude: undefined as RowChoiceInput | undefined,
  /** The only corpus rows that queries may get, in the same forms; all rows unless given. */
  allow: undefined as RowChoiceInput | undefined,
  /**
   * True if the queries are the corpus, so that query i does not get row i; or an array with the row that is
   * each query itself and that it does not get, [nq], −1 for none; false unless given.
   */
  excludeSelf: false as SelfRows,
})

export type RangeSearchOptions = {
  /** The lowest score wanted, to be given; a row of exactly this score is found. */
  threshold: number
} & Overrides<typeof rangeSearchDefaults> &
  JobOptions &
  MemoryOptions

/** The rows of all queries in one array: the rows of query i are at indptr[i] .. indptr[i + 1] − 1. */
export interface FoundRows {
  /** Number of queries. */
  readonly queries: number
  /** Metric of the scores. */
  readonly metric: Metric
  /** Start of each query's rows, then the number of all rows, [queries + 1]; integers below 2^53. */
  readonly indptr: Float64Array
  /** Corpus rows, best first within a query, equal scores by lower row, [found]. */
  readonly indices: Int32Array
  /** Canonical scores rounded to float32, [found]. */
  readonly scores: Float32Array
  /** Queries with an answer that the certificate proved without a rescan. */
  readonly certified: number
  /** Queries that were scanned again in float64; `certified + fallback` is all of them. */
  readonly fallback: number
  /** Queries that are zero vectors and have the cosine 0 with every row; 0 for the other metrics. */
  readonly zeroQueries: number
  /** The same for corpus rows. */
  readonly zeroRows: number
  /** Time inside the scan, in seconds. */
  readonly seconds: number
  /** Complete sentences about zero vectors. */
  readonly warnings: readonly string[]
}

/** Warnings about the answer to a range search. */
export const rangeWarnings = (found: Searched, limit: number | undefined): string[] =>
  ofZeroVectors(found, {
    ofQuery:
      limit === undefined
        ? ', and every row or none is the answer'
        : `, and the first rows (${limit} at most) or none are the answer`,
  })

/**
 * All corpus rows that score at least `threshold` for each query: exact, the comparison in float64, the same
 * bits on every machine and for any number of threads. No score matrix is made, but the answer takes 8 bytes
 * for each row found, and about 30 bytes while a part of it is computed.
 *
 * @param queries [nq × d], dense or a file; no rows give an answer without rows. Borrowed until the promise
 *   settles.
 * @param corpus [nc × d], dense, a file, or prepared by {@link prepareCorpus}.
 * @throws {TypeError | RangeError} if shapes disagree, `threshold` is no finite number, or an entry is not
 *   finite.
 * @throws {GemmineError} `ERR_GEMMINE_DISPOSED` for a corpus that was disposed of,
 *   `ERR_GEMMINE_OUT_OF_MEMORY` if the rows found do not fit in memory.
 *
 * @example
 * const { indptr, indices } = await rangeSearch(X, X, { threshold: 0.95, excludeSelf: true })
 * const nearDuplicatesOfRow7 = indices.subarray(indptr[7], indptr[8])
 */
export function rangeSearch(
  queries: MatrixInput,
  corpus: CorpusInput,
  given: RangeSearchOptions,
): Promise<FoundRows> {
  return keeping(corpus, () => rowsInRange(queries, corpus, given))
}

async function rowsInRange(
  queries: MatrixInput,
  corpus: CorpusInput,
  given: RangeSearchOptions,
): Promise<FoundRows> {
  const { threshold, limit, exclude, excludeSelf, allow, ...rest } = withDefaults(
    { threshold: required, ...rangeSearchDefaults, ...jobDefaults, ...memoryDefaults },
    given,
  )
  const { metric: asked, ...jobOptions } = rest
  const { device, ...job } = checkJob(jobOptions, holderOf(corpus))
  const source = toQueries(queries)
  const { rows, liveRows, metric, matrix, handle } = scanned(corpus, asked, source)
  checkRange(threshold, limit)
  const self = checkedSelf(excludeSelf, source.rows, rows)
  const both = toRowChoices({ exclude, allow }, source.rows, rows)
  const choices = both instanceof Promise ? await both : both
  const loan = loanOf({
    ...{ queries: source, corpus: matrix, excludeSelf: self },
    ...lentChoices(choices),
  })
  const { inputs: lent, arrays } = loan instanceof Promise ? await loan : loan
  const options = {
    ...{ device, metric, threshold, limit, excludeSelf: lent.excludeSelf },
    ...chosenRows(choices, lent),
  }
  const found =
    source.rows === 0
      ? nothingFound()
      : await runJob(job, arrays, (addon, control) =>
          addon.rangeSearch(lent.queries, handle ?? lent.corpus!, options, control),
        )
  for (const array of [found.indptr, found.indices, found.scores]) handOut(array)
  const warnings = rangeWarnings({ queries: source.rows, corpus: liveRows, ...found }, limit)
  return { queries: source.rows, metric, ...found, warnings }
}

/** The answer without queries. */
export const nothingFound = () => ({
  indptr: new Float64Array(1),
  indices: new Int32Array(0),
  scores: new Float32Array(0),
  ...nothingAsked,
})

/** Checks the options that are numbers, before any row is read. */
export function checkRange(threshold: unknown, limit: unknown) {
  checkNumber('threshold', threshold)
  if (limit !== undefined) checkInteger('limit', limit, 1)
}
