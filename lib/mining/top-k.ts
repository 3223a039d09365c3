import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { toRowLists, type RowLists, type RowListsInput } from '../data/row-lists'
import { arraysOf, toQueries } from '../data/source'
import { checkApart, outputArray } from '../data/typed-array'
import { planMemory } from '../memory'
import { nothingAsked } from '../native'
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
import { scanned, type CorpusInput } from './prepare-corpus'
import type { RowIdList } from './row-ids'
import { ofSmallCorpus, ofZeroVectors, type Naming, type Searched } from './search-warnings'
import { checkedSelf, type SelfRows } from './self-rows'
import { searchOnce, searchPrepared, type Search } from './shared-scan'

/** The only place where the defaults of {@link topK} are written. */
export const topKDefaults = frozen({
  /** The metric; `cosine`, or the metric of a prepared corpus, unless given. */
  metric: undefined as Metric | undefined,
  /** Corpus rows that each query must not get, as a list for each query; none unless given. */
  exclude: undefined as RowListsInput | undefined,
  /**
   * True if the queries are the corpus, so that query i does not get row i; or an array with the row that is
   * each query itself and that it does not get, [nq], −1 for none; false unless given.
   */
  excludeSelf: false as SelfRows,
  /** Arrays for the answers; new arrays unless given. */
  out: undefined as TopKOutputs | undefined,
})

/**
 * The caller's arrays for the answers. Their buffers must have a fixed size and must not overlap each other
 * or inputs; they are lent to the job ({@link DenseMatrix}).
 */
export interface TopKOutputs {
  /** [queries · k] */
  readonly indices?: Int32Array | undefined
  /** [queries · k] */
  readonly scores?: Float32Array | undefined
}

const outputDefaults: TopKOutputs = { indices: undefined, scores: undefined }

export type TopKOptions = {
  /** Rows wanted for each query, to be given; at least 1. */
  k: number
} & Overrides<typeof topKDefaults> &
  JobOptions &
  MemoryOptions

export interface Neighbours {
  /** Number of queries. */
  readonly queries: number
  /** Slots for each query. */
  readonly k: number
  /** Metric of the scores. */
  readonly metric: Metric
  /** Corpus rows, best first, [queries × k]; −1 if fewer than k candidates exist. */
  readonly indices: Int32Array
  /** Canonical scores rounded to float32, [queries × k]; NaN if fewer than k candidates exist. */
  readonly scores: Float32Array
  /** The ids of `indices`, null for −1, if the corpus has ids: in JSON, bigints are strings. */
  readonly ids?: RowIdList | undefined
  /** Queries with an answer that the certificate proved without a rescan. */
  readonly certified: number
  /**
   * Queries that were scanned again in float64; `certified + fallback` is all of the scan, also those of other
   * calls that shared it.
   */
  readonly fallback: number
  /** Queries that are zero vectors and have the cosine 0 with every row; 0 for the other metrics. */
  readonly zeroQueries: number
  /** The same for corpus rows. */
  readonly zeroRows: number
  /** Time inside the scan, in seconds. */
  readonly seconds: number
  /** Complete sentences about zero vectors, and about a `k` above the number of corpus rows. */
  readonly warnings: readonly string[]
}

/** The arrays of lists and of `excludeSelf`, by their names in messages. */
const arraysOfLists = (lists: RowLists | undefined, self: SelfRows) => ({
  'exclude.indptr': lists?.indptr,
  'exclude.indices': lists?.indices,
  excludeSelf: typeof self === 'boolean' ? undefined : self,
})

/** Warnings about the answer to a search. */
export const topKWarnings = (found: Searched, k: number, name: Naming): string[] => [
  ...ofSmallCorpus('k', k, found, name),
  ...ofZeroVectors(found, { ofQuery: ', and the first rows are the answer' }),
]

/**
 * The k best corpus rows for each query: exact, equal scores by lower row, the same bits on every machine and
 * for any number of threads. No score matrix is made. Calls of few queries that wait for one prepared corpus
 * share a scan, with the same answers.
 *
 * @param queries [nq × d], dense or a file; no rows give an answer without rows. Lent until the promise
 *   settles: see {@link DenseMatrix}.
 * @param corpus [nc × d], dense, a file, or prepared by {@link prepareCorpus}.
 * @throws {TypeError | RangeError} if shapes disagree, k is not at least 1, or an entry is not finite.
 * @throws {GemmineError} `ERR_GEMMINE_DISPOSED` for a corpus that was disposed of, or a file that was closed.
 *
 * @example
 * const { indices, scores } = await topK(queries, corpus, { k: 10, metric: 'cosine' })
 */
export async function topK(
  queries: MatrixInput,
  corpus: CorpusInput,
  given: TopKOptions,
): Promise<Neighbours> {
  const {
    k,
    metric: asked,
    exclude,
    excludeSelf,
    out,
    ...rest
  } = withDefaults({ k: required, ...topKDefaults, ...jobDefaults, ...memoryDefaults }, given)
  const { device, ...job } = checkJob(rest)
  const outputs = withDefaults(outputDefaults, out, 'out')
  const source = toQueries(queries)
  const { rows, liveRows, ids, metric, matrix, handle, memory } = scanned(corpus, asked, source)
  checkInteger('k', k, 1)
  const self = checkedSelf(excludeSelf, source.rows, rows)
  const excluded =
    exclude === undefined ? undefined : toRowLists('exclude', exclude, source.rows, rows)
  // The job starts before the call returns (unless lists, or large lent arrays, are copied), so a `dispose()`
  // right after the call does not affect it.
  const lists = excluded instanceof Promise ? await excluded : excluded
  planMemory(`An answer of ${k} rows for each of ${source.rows} queries`, 8 * source.rows * k)
  const indices = outputArray('out.indices', outputs.indices, Int32Array, source.rows * k)
  const scores = outputArray('out.scores', outputs.scores, Float32Array, source.rows * k)
  const inputs = { ...arraysOf(source), ...memory, ...arraysOfLists(lists, self) }
  checkApart({ 'out.indices': indices.own, 'out.scores': scores.own }, inputs)
  const loan = loanOf({ queries: source, corpus: matrix, exclude: lists, excludeSelf: self })
  const { inputs: lent, arrays } = loan instanceof Promise ? await loan : loan
  const own = { ...arrays, 'out.indices': outputs.indices, 'out.scores': outputs.scores }
  const search: Search = {
    ...{ queries: lent.queries, k, exclude: lent.exclude, excludeSelf: lent.excludeSelf },
    ...{ indices: indices.array, scores: scores.array, device, metric, job, arrays: own },
  }
  const proof =
    source.rows === 0
      ? nothingAsked
      : handle
        ? await searchPrepared(handle, search)
        : await searchOnce(lent.corpus!, search)
  const warnings = topKWarnings({ queries: source.rows, corpus: liveRows, ...proof }, k, String)
  return {
    queries: source.rows,
    k,
    metric,
    indices: await indices.settle(),
    scores: await scores.settle(),
    ...(ids && { ids: await ids.idsOf(indices.array) }),
    ...proof,
    warnings,
  }
}
