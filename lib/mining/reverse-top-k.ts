import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { filled } from '../data/pieces'
import { toQueries } from '../data/source'
import { resultArray } from '../data/typed-array'
import { planMemory } from '../memory'
import { nothingAsked, runJob } from '../native'
import {
  checkInteger,
  checkJob,
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
import { ofFewQueries, ofZeroVectors } from './search-warnings'
import { checkedSelf, type SelfRows } from './self-rows'

/** The only place where the defaults of {@link reverseTopK} are written. */
export const reverseTopKDefaults = frozen({
  /** The metric; `cosine`, or the metric of a prepared corpus, unless given. */
  metric: undefined as Metric | undefined,
  /** Corpus rows that must not get a query: a set for all, or a set or list for each; none unless given. */
  exclude: undefined as RowChoiceInput | undefined,
  /**
   * The only corpus rows that may get a query, in the same forms; all rows unless given. Rows that may get none
   * have no answer.
   */
  allow: undefined as RowChoiceInput | undefined,
  /**
   * True if the queries are the corpus, so that row i does not get query i; or an array with the row that is
   * each query itself and that does not get the query, [nq], −1 for none; false unless given.
   */
  excludeSelf: false as SelfRows,
})

export type ReverseTopKOptions = {
  /** Queries wanted for each corpus row, to be given; at least 1. */
  k: number
} & Overrides<typeof reverseTopKDefaults> &
  JobOptions &
  MemoryOptions

export interface ReverseNeighbours {
  /** Number of corpus rows. */
  readonly rows: number
  /** Slots for each corpus row. */
  readonly k: number
  /** Metric of the scores. */
  readonly metric: Metric
  /** Queries, best first, [rows × k]; −1 if fewer than k candidates exist. */
  readonly indices: Int32Array
  /** Canonical scores rounded to float32, [rows × k]; NaN if fewer than k candidates exist. */
  readonly scores: Float32Array
  /** Corpus rows with an answer that the certificate proved without a rescan. */
  readonly certified: number
  /** Corpus rows for which all queries were scanned again in float64; `certified + fallback` is all of them. */
  readonly fallback: number
  /** Queries that are zero vectors and have the cosine 0 with every row; 0 for the other metrics. */
  readonly zeroQueries: number
  /** The same for corpus rows. */
  readonly zeroRows: number
  /** Time inside the scan, in seconds. */
  readonly seconds: number
  /** Complete sentences about zero vectors, and about a `k` above the number of queries. */
  readonly warnings: readonly string[]
}

/**
 * The k best queries for each corpus row: exact, equal scores by lower query, the same bits on every machine
 * and for any number of threads. Scores have the bits of `topK`. The answer is that of `topK` with exchanged
 * sides, but `exclude` and `excludeSelf` have the same form as for `topK`.
 *
 * @param queries [nq × d], dense or a file; without any, each row's answer is empty. Lent until the promise
 *   settles: see {@link DenseMatrix}.
 * @param corpus [nc × d], dense, a file, or prepared by `prepareCorpus`, of which only the rows are used,
 *   because the queries are packed.
 * @throws {TypeError | RangeError} if shapes disagree, k is not at least 1, or an entry is not finite.
 * @throws {GemmineError} `ERR_GEMMINE_DISPOSED` for a corpus that was disposed of, or a file that was closed.
 *
 * @example
 * const { indices } = await reverseTopK(users, items, { k: 10 }) // the ten users nearest to each item
 */
export function reverseTopK(
  queries: MatrixInput,
  corpus: CorpusInput,
  given: ReverseTopKOptions,
): Promise<ReverseNeighbours> {
  return keeping(corpus, () => nearestQueries(queries, corpus, given))
}

async function nearestQueries(
  queries: MatrixInput,
  corpus: CorpusInput,
  given: ReverseTopKOptions,
): Promise<ReverseNeighbours> {
  const { k, exclude, excludeSelf, allow, ...rest } = withDefaults(
    { k: required, ...reverseTopKDefaults, ...jobDefaults, ...memoryDefaults },
    given,
  )
  const { metric: asked, ...jobOptions } = rest
  const { device, ...job } = checkJob(jobOptions, holderOf(corpus))
  const source = toQueries(queries)
  const { rows, liveRows, metric, matrix, handle } = scanned(corpus, asked, source)
  checkInteger('k', k, 1)
  const self = checkedSelf(excludeSelf, source.rows, rows)
  const both = toRowChoices({ exclude, allow }, source.rows, rows)
  const choices = both instanceof Promise ? await both : both
  planMemory(`An answer of ${k} queries for each of ${rows} corpus rows`, 8 * rows * k)
  const isEmpty = source.rows === 0
  const indices = isEmpty
    ? await filled(Int32Array, rows * k, -1)
    : resultArray(Int32Array, rows * k)
  const scores = isEmpty
    ? await filled(Float32Array, rows * k, NaN)
    : resultArray(Float32Array, rows * k)
  const loan = loanOf({
    ...{ queries: source, corpus: matrix, excludeSelf: self },
    ...lentChoices(choices),
  })
  const { inputs: lent, arrays } = loan instanceof Promise ? await loan : loan
  const options = {
    ...{ device, metric, k, excludeSelf: lent.excludeSelf },
    ...chosenRows(choices, lent),
  }
  const proof = isEmpty
    ? { ...nothingAsked, certified: rows }
    : await runJob(job, arrays, (addon, control) =>
        addon.reverseTopK(lent.queries, handle ?? lent.corpus!, options, indices, scores, control),
      )
  const sizes = { queries: source.rows, corpus: liveRows, ...proof }
  const warnings = [
    ...ofFewQueries(k, source.rows),
    ...ofZeroVectors(sizes, { ofRow: ', and the first queries are the answer' }),
  ]
  return { rows, k, metric, indices, scores, ...proof, warnings }
}
