// The options of judgeNegatives(): all defaults and checks.
import { invalid, invalidText } from '../errors'
import {
  checkInteger,
  checkJob,
  checkNumber,
  checkOneOf,
  frozen,
  required,
  withDefaults,
  type Overrides,
  type Progress,
} from '../options'
import type { AbortSignalLike } from '../cancellation'
import { mineHardNegativesDefaults, references } from './mining-options'
import type { Scorer } from './scorer-answers'
import { checkTexts } from './text-classes'

/** What becomes of candidates that the scorer finds relevant. */
export const falseNegativeModes = ['relabel', 'remove', 'remove-query'] as const
export type FalseNegativeMode = (typeof falseNegativeModes)[number]

/** The orders of the candidates that survive. */
export const rankings = ['mined', 'judge'] as const
export type RankingName = (typeof rankings)[number]

/** A file that keeps answers between runs. */
export interface JudgementCache {
  /** Path of the file; it is made if it does not exist. */
  readonly path: string
  /** Names the scorer, and the data unless texts or ids are given. */
  readonly fingerprint?: string | undefined
}

/** The progress of a judge. */
export interface JudgeProgress extends Progress {
  /** Pairs that were judged. */
  readonly done: number
  /** Pairs in all, at most: a query that has its negatives needs no more. */
  readonly total: number
  /** Pairs that the scorer answered in a second; 0 before its first answer. */
  readonly rate: number
  /** Seconds that the remaining pairs take at this rate, at most; Infinity before the first answer. */
  readonly eta: number
}

/** The only place where the defaults of {@link judgeNegatives} are written. */
export const judgeNegativesDefaults = frozen({
  /** Negatives wanted for each query; 4 unless given. */
  numNegatives: mineHardNegativesDefaults.numNegatives,
  /** A negative has at most this score of the scorer; no limit unless given. */
  maxScore: undefined as number | undefined,
  /**
   * A negative has at most the score that the scorer gives the query's positives − this; no limit unless
   * given.
   */
  absoluteMargin: undefined as number | undefined,
  /** A negative has at most that score of the positives − this · |that score|; no limit unless given. */
  relativeMargin: undefined as number | undefined,
  /** A negative has at least this score of the scorer; no limit unless given. */
  minScore: undefined as number | undefined,
  /** The score of several positives that margins refer to; `min` unless given. */
  reference: mineHardNegativesDefaults.reference,
  /** A candidate with at least this score and without a verdict is relevant; no limit unless given. */
  minPositiveScore: undefined as number | undefined,
  /**
   * Candidates that are relevant: `relabel` makes them positives, `remove` drops them, `remove-query` also
   * drops the negatives of their queries; `relabel` unless given.
   */
  falseNegatives: 'relabel' as FalseNegativeMode,
  /**
   * The order of the survivors: `mined`, that of the candidates, of which only as many are asked about as
   * needed; or `judge`, by the score of the scorer, for which all are asked about; `mined` unless given.
   */
  rankBy: 'mined' as RankingName,
  /** Distance of the survivors that are taken, for diversity: 5 takes each fifth first; 1 unless given. */
  stride: 1,
  /** Whether to ask about positives although no margin needs it; `false` unless given. */
  judgePositives: false,
  /** Pairs to ask about at most, positives included; no limit unless given. */
  budget: undefined as number | undefined,
  /** Candidates of one query to ask about at most; no limit unless given. */
  queryBudget: undefined as number | undefined,
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
  onProgress: undefined as ((progress: JudgeProgress) => void) | undefined,
})

export type JudgeNegativesOptions = {
  /** The scorer, to be given. */
  score: Scorer
} & Overrides<typeof judgeNegativesDefaults>

/** The number of queries and of corpus rows to which texts and ids belong. */
export interface JudgedExtent {
  readonly queries: number
  readonly corpus: number
}

const finiteNames = ['maxScore', 'minScore', 'minPositiveScore'] as const
const marginNames = ['absoluteMargin', 'relativeMargin'] as const

export type JudgeSettings = ReturnType<typeof settleJudge>

const settleJudge = (given: JudgeNegativesOptions) =>
  withDefaults<typeof all, JudgeNegativesOptions>(all, given)
const all = { score: required as Scorer, ...judgeNegativesDefaults }

function checkNumbers(options: JudgeSettings) {
  checkInteger('numNegatives', options.numNegatives, 1)
  for (const name of finiteNames) if (options[name] !== undefined) checkNumber(name, options[name])
  for (const name of marginNames)
    if (options[name] !== undefined) checkNumber(name, options[name], 0)
  checkInteger('stride', options.stride, 1)
  for (const name of ['budget', 'queryBudget'] as const)
    if (options[name] !== undefined) checkInteger(name, options[name], 0)
  checkInteger('batchSize', options.batchSize, 1)
  checkInteger('concurrency', options.concurrency, 1)
  checkInteger('retries', options.retries, 0)
  checkNumber('retryDelay', options.retryDelay, 0)
}

function checkIds(name: string, ids: unknown, count: number) {
  if (!Array.isArray(ids)) throw invalid(name, 'an array of ids', ids)
  if (ids.length !== count)
    throw invalidText(name, `${count} ids, one for each row`, `${ids.length} ids`)
}

function checkWords(options: JudgeSettings, { queries, corpus }: JudgedExtent) {
  const { queryTexts, corpusTexts, queryIds, corpusIds } = options
  if (queryTexts !== undefined) checkTexts('queryTexts', queryTexts, queries)
  if (corpusTexts !== undefined) checkTexts('corpusTexts', corpusTexts, corpus)
  if (queryIds !== undefined) checkIds('queryIds', queryIds, queries)
  if (corpusIds !== undefined) checkIds('corpusIds', corpusIds, corpus)
}

/** Whether pairs are known by more than their numbers, on both sides. */
const haveWords = ({ queryTexts, queryIds, corpusTexts, corpusIds }: JudgeSettings) =>
  (queryTexts ?? queryIds) !== undefined && (corpusTexts ?? corpusIds) !== undefined

function checkCache(options: JudgeSettings) {
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
export function checkedJudge(given: JudgeNegativesOptions, extent: JudgedExtent): JudgeSettings {
  const options = settleJudge(given)
  if (typeof options.score !== 'function')
    throw invalid('score', 'a function that answers a batch of pairs', options.score)
  checkNumbers(options)
  checkOneOf('reference', options.reference, references)
  checkOneOf('falseNegatives', options.falseNegatives, falseNegativeModes)
  checkOneOf('rankBy', options.rankBy, rankings)
  if (typeof options.judgePositives !== 'boolean')
    throw invalid('judgePositives', 'true or false', options.judgePositives)
  checkWords(options, extent)
  checkCache(options)
  const { signal, onProgress } = options
  checkJob({ signal, onProgress: onProgress as never })
  return options
}
