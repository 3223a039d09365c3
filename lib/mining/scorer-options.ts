// The options of every function that asks a scorer of the caller: defaults and checks.
import type { AbortSignalLike } from '../cancellation'
import { invalid, invalidText } from '../errors'
import {
  checkInteger,
  checkJob,
  checkNumber,
  frozen,
  required,
  withDefaults,
  type Overrides,
  type Progress,
} from '../options'
import type { Scorer } from './scorer-answers'
import { checkTexts } from './text-classes'

/** A file that keeps answers between runs. */
export interface JudgementCache {
  /** Path of the file; it is made if it does not exist. */
  readonly path: string
  /** Names the scorer, and the data unless texts or ids are given. */
  readonly fingerprint?: string | undefined
}

/** The progress of a scorer's answers. */
export interface ScorerProgress extends Progress {
  /** Pairs that have answers. */
  readonly done: number
  /** Pairs in all, at most: a judge needs no more of a query that has its negatives. */
  readonly total: number
  /** Pairs that the scorer answered in a second; 0 before its first answer. */
  readonly rate: number
  /** Seconds that the remaining pairs take at this rate, at most; Infinity before the first answer. */
  readonly eta: number
}

/** The only place where the defaults of {@link ScorerOptions} are written. */
export const scorerDefaults = frozen({
  /** Pairs in one call of the scorer; 32 unless given. */
  batchSize: 32,
  /** Calls of the scorer that run at the same time; 4 unless given. */
  concurrency: 4,
  /** Further calls for a batch after the scorer threw or rejected; 2 unless given. */
  retries: 2,
  /** Time before the first further call, in milliseconds; it doubles each time; 1000 unless given. */
  retryDelay: 1000,
  /** Text of each query, [all queries], for the scorer; none unless given. */
  queryTexts: undefined as readonly string[] | undefined,
  /** Text of each corpus row, [corpus]; none unless given. */
  corpusTexts: undefined as readonly string[] | undefined,
  /** Id of each query, [all queries]; none unless given. */
  queryIds: undefined as readonly (string | number)[] | undefined,
  /** Id of each corpus row, [corpus]; none unless given. */
  corpusIds: undefined as readonly (string | number)[] | undefined,
  /** A file that keeps the answers, so that a later run asks about no pair twice; none unless given. */
  cache: undefined as JudgementCache | undefined,
  /** Aborts the run; the promise rejects with the signal's reason at once; none unless given. */
  signal: undefined as AbortSignalLike | undefined,
  /**
   * Called at most ten times a second, and once at the end, with rate and remaining time. If it throws, the
   * run stops and rejects with that value. None unless given.
   */
  onProgress: undefined as ((progress: ScorerProgress) => void) | undefined,
})

/** Options of every function that asks a scorer. */
export type ScorerOptions = {
  /** The scorer, to be given. */
  score: Scorer
} & Overrides<typeof scorerDefaults>

const all = { score: required as Scorer, ...scorerDefaults }

/** The options of a scorer with their defaults. */
export const settleScorer = (given: ScorerOptions) =>
  withDefaults<typeof all, ScorerOptions>(all, given)

export type ScorerSettings = ReturnType<typeof settleScorer>

/** The number of queries and of corpus rows to which texts and ids belong. */
export interface ScoredExtent {
  readonly queries: number
  readonly corpus: number
}

function checkIds(name: string, ids: unknown, count: number) {
  if (!Array.isArray(ids)) throw invalid(name, 'an array of ids', ids)
  if (ids.length !== count)
    throw invalidText(name, `${count} ids, one for each row`, `${ids.length} ids`)
}

function checkWords(options: ScorerSettings, { queries, corpus }: ScoredExtent) {
  const { queryTexts, corpusTexts, queryIds, corpusIds } = options
  if (queryTexts !== undefined) checkTexts('queryTexts', queryTexts, queries)
  if (corpusTexts !== undefined) checkTexts('corpusTexts', corpusTexts, corpus)
  if (queryIds !== undefined) checkIds('queryIds', queryIds, queries)
  if (corpusIds !== undefined) checkIds('corpusIds', corpusIds, corpus)
}

/** Whether pairs are known by more than their numbers, on both sides. */
const haveWords = ({ queryTexts, queryIds, corpusTexts, corpusIds }: ScorerSettings) =>
  (queryTexts ?? queryIds) !== undefined && (corpusTexts ?? corpusIds) !== undefined

function checkCache(options: ScorerSettings) {
  const { cache } = options
  if (cache === undefined) return
  const { path, fingerprint } = withDefaults(
    { path: undefined, fingerprint: undefined },
    cache,
    'cache',
  )
  if (typeof path !== 'string' || path === '') throw invalid('cache.path', 'a path', path)
  if (fingerprint === undefined ? haveWords(options) : typeof fingerprint === 'string') return
  throw invalid(
    'cache.fingerprint',
    fingerprint === undefined
      ? 'a text that names the data and the scorer, as neither texts nor ids of both sides are given,'
      : 'a text that names the scorer',
    fingerprint,
  )
}

/** @throws {TypeError | RangeError} naming the first option that is wrong. */
export function checkScorer(options: ScorerSettings, extent: ScoredExtent) {
  if (typeof options.score !== 'function')
    throw invalid('score', 'a function that answers a batch of pairs', options.score)
  checkInteger('batchSize', options.batchSize, 1)
  checkInteger('concurrency', options.concurrency, 1)
  checkInteger('retries', options.retries, 0)
  checkNumber('retryDelay', options.retryDelay, 0)
  checkWords(options, extent)
  checkCache(options)
  const { signal, onProgress } = options
  checkJob({ signal, onProgress: onProgress as never })
}
