// What mineHardNegatives() can be told: every default, its checks, and what the addon gets.
import { isInt32Array } from 'node:util/types'
import { toRowLists, type RowListsInput } from '../data/row-lists'
import { borrowable } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import type { NativeMineOptions, NativeMineRules } from '../native'
import {
  checkInteger,
  checkNumber,
  checkOneOf,
  frozen,
  jobDefaults,
  withDefaults,
  type JobOptions,
  type Overrides,
} from '../options'
import { ceilingDefaults, checkCeilings, type CeilingOptions, type Ceilings } from './ceiling-rules'
import type { Metric } from './metric'
import type { Scanned } from './prepare-corpus'
import { checkShard, shardRange, type QueryShard } from './query-shard'
import { checkedSelf, type SelfRows } from './self-rows'
import { textClasses } from './text-classes'

/** All defaults of `mineHardNegatives` but those of its ceilings. */
const ownDefaults = {
  /** Negatives wanted for each query; 4 unless given. */
  numNegatives: 4,
  /** The metric; `cosine`, or that for which the corpus was prepared, unless given. */
  metric: undefined as Metric | undefined,
  /** A negative scores at least this; no limit unless given. */
  minScore: undefined as number | undefined,
  /** Which score of several positives the ceilings refer to; `min` unless given. */
  reference: 'min' as 'min' | 'max' | 'mean',
  /** The best raw ranks that are skipped, those above the ceiling counted; 0 unless given. */
  skipRanks: 0,
  /** Only raw ranks below this; no limit unless given. */
  maxRank: undefined as number | undefined,
  /**
   * A query whose reference score is below that of so many candidates or more is not mined; no limit
   * unless given.
   */
  maxPositiveRank: undefined as number | undefined,
  /** The best survivors that are skipped, after every rule; 0 unless given. */
  skipSurvivors: 0,
  /**
   * Which survivors are taken; `top` unless given: the best. `random`: drawn from the pool; `top1-random`:
   * the best and others drawn; `band`: drawn from all survivors, each with the same chance, so that floor
   * and ceiling alone say how hard they are. A second scan counts the raw ranks of the rows that `band`
   * draws, and none does where `maxRank` is given.
   */
  sampling: 'top' as 'top' | 'random' | 'top1-random' | 'band',
  /**
   * Best survivors to draw from; max(10, 2 · numNegatives) unless given, see {@link defaultPool}. An error
   * with `band`, which draws from all.
   */
  pool: undefined as number | undefined,
  /** Seed of the draws, which depend on it, the query and the row alone; 0 unless given. */
  seed: 0,
  /**
   * True where the queries are the corpus, so that query i does not get row i; or the row that each query
   * is itself and does not get, [nq], −1 for none; false unless given.
   */
  excludeSelf: false as SelfRows,
  /** Corpus rows that each query must not get, as a list for each query; none unless given. */
  exclude: undefined as RowListsInput | undefined,
  /**
   * The only rows that each query may get, as a list for each query, such as those of a lexical search:
   * their scores are computed, and ranks and `dropped` count them alone. A row that is listed twice counts
   * once. Every row of the corpus unless given.
   */
  candidates: undefined as RowListsInput | undefined,
  /**
   * A query gets rows of `different` groups only, or of the `same`; group −1 passes. Groups do not matter
   * unless given.
   */
  groups: undefined as 'different' | 'same' | undefined,
  /** Group of each query, [nq]; none unless given. */
  queryGroups: undefined as Int32Array | undefined,
  /** Group of each corpus row, [nc]; none unless given. */
  corpusGroups: undefined as Int32Array | undefined,
  /**
   * Text of each query, [nq], with `corpusTexts`: a row is dropped that has the text of the query, of one
   * of its positives, or of a positive of another query with the query's text; and of rows with one text
   * only the best is a candidate. An empty text equals none. None unless given.
   */
  queryTexts: undefined as readonly string[] | undefined,
  /** Text of each corpus row, [nc]; none unless given. */
  corpusTexts: undefined as readonly string[] | undefined,
  /** Best rejected candidates to report for each mined query; 0 unless given. */
  explain: 0,
  /**
   * Mines number `index` (from 0) of `count` parts of the queries: rows ⌊index·nq/count⌋ to
   * ⌊(index + 1)·nq/count⌋ − 1. All arguments are those of the whole job, since texts and positives of other
   * queries count and draws go by rows of the whole; `mergeMined` puts the parts together. All queries
   * unless given.
   */
  shard: undefined as QueryShard | undefined,
} as const

/** The defaults of `mineHardNegatives`: those of its ceilings, and its own. */
export const mineHardNegativesDefaults: typeof ownDefaults & typeof ceilingDefaults = frozen({
  ...ownDefaults,
  ...ceilingDefaults,
})

/** Best survivors to draw from unless `pool` is given: twice as many as wanted, and at least `least`. */
export const defaultPool = Object.assign(
  (numNegatives: number) => Math.max(defaultPool.least, defaultPool.times * numNegatives),
  { least: 10, times: 2 },
)

export type MineHardNegativesOptions = Overrides<typeof ownDefaults> & CeilingOptions & JobOptions

export type SettledMining = ReturnType<typeof settleMining>

export const settleMining = (given: MineHardNegativesOptions) =>
  withDefaults({ ...mineHardNegativesDefaults, ...jobDefaults }, given)

export const references = ['min', 'max', 'mean'] as const
export const samplings = ['top', 'random', 'top1-random', 'band'] as const
export const groupModes = ['different', 'same'] as const

/** @param at What messages put before the names: `sweep[1].`, or nothing. */
export function checkRules(options: SettledMining, at = '') {
  checkInteger(`${at}numNegatives`, options.numNegatives, 1)
  checkCeilings(options, at)
  if (options.minScore !== undefined) checkNumber(`${at}minScore`, options.minScore)
  checkOneOf(`${at}reference`, options.reference, references)
  checkOneOf(`${at}sampling`, options.sampling, samplings)
  for (const name of ['skipRanks', 'skipSurvivors', 'explain'] as const)
    checkInteger(`${at}${name}`, options[name], 0)
  for (const name of ['maxRank', 'maxPositiveRank'] as const)
    if (options[name] !== undefined) checkInteger(`${at}${name}`, options[name], 1)
  if (options.pool !== undefined) checkInteger(`${at}pool`, options.pool, options.numNegatives)
  if (options.pool !== undefined && options.sampling === 'band')
    throw invalid(
      `${at}pool`,
      'no pool beside the sampling band, which is all survivors',
      options.pool,
    )
  checkInteger(`${at}seed`, options.seed, 0, Number.MAX_SAFE_INTEGER)
}

/** Checks every option that is a number or a name, before any row is read. */
export function checkMiningOptions(
  given: MineHardNegativesOptions,
  queries: number,
  corpus: number,
) {
  const settled = settleMining(given)
  checkRules(settled)
  checkShard(settled.shard)
  checkedSelf(settled.excludeSelf, queries, corpus)
}

function groupArray(name: string, groups: Int32Array | undefined, count: number): Int32Array {
  if (!isInt32Array(groups)) throw invalid(name, `an Int32Array of ${count} groups`, groups)
  if (groups.length !== count)
    throw invalidText(name, `${count} groups, one for each row`, `${groups.length} groups`)
  return borrowable(groups)
}

function groupsOf(
  { groups, queryGroups, corpusGroups }: SettledMining,
  queries: number,
  corpus: number,
) {
  if (groups === undefined) {
    const given = queryGroups ? 'queryGroups' : corpusGroups && 'corpusGroups'
    if (given) throw invalid('groups', `'different' or 'same' beside ${given}`, groups)
    return { groups: 'off' as const }
  }
  checkOneOf('groups', groups, groupModes)
  return {
    groups,
    queryGroups: groupArray('queryGroups', queryGroups, queries),
    corpusGroups: groupArray('corpusGroups', corpusGroups, corpus),
  }
}

async function textsOf(
  { queryTexts, corpusTexts }: SettledMining,
  queries: number,
  corpus: number,
) {
  if (queryTexts === undefined && corpusTexts === undefined) return {}
  if (queryTexts === undefined || corpusTexts === undefined)
    throw invalid(
      queryTexts ? 'corpusTexts' : 'queryTexts',
      'texts for both sides or for neither',
      undefined,
    )
  return textClasses(queryTexts, corpusTexts, queries, corpus)
}

/** Dropped candidates for each query; their places in one array are numbered in int32. */
function explained(explain: number, queries: number, rows: number): number {
  const most = Math.floor((2 ** 31 - 1) / queries)
  if (Math.min(explain, rows) > most)
    throw invalid('explain', `at most ${most} for ${queries} queries`, explain)
  return Math.min(explain, rows)
}

/** The numbers and names as the addon takes them; they were checked. */
export const nativeRules = (
  options: SettledMining,
  ceilings: Ceilings,
  queries: number,
  rows: number,
): NativeMineRules & Ceilings => ({
  ...ceilings,
  numNegatives: options.numNegatives,
  minScore: options.minScore,
  reference: options.reference,
  skipRanks: options.skipRanks,
  maxRank: options.maxRank,
  maxPositiveRank: options.maxPositiveRank,
  skipSurvivors: options.skipSurvivors,
  sampling: options.sampling,
  pool: options.pool ?? defaultPool(options.numNegatives),
  seed: options.seed,
  explain: explained(options.explain, queries, rows),
})

/** The other options as the addon takes them, checked up to the elements of lists. */
export async function nativeOptions(
  options: SettledMining,
  positives: RowListsInput,
  queries: number,
  { rows, metric }: Scanned,
  device: string,
): Promise<NativeMineOptions> {
  const { exclude, candidates } = options
  checkShard(options.shard)
  const excludeSelf = checkedSelf(options.excludeSelf, queries, rows)
  const groups = groupsOf(options, queries, rows)
  // All begin at once: a resizable buffer is copied before the caller can shrink it.
  const [listed, excluded, only, texts] = await Promise.all([
    toRowLists('positives', positives, queries, rows),
    exclude === undefined ? undefined : toRowLists('exclude', exclude, queries, rows),
    candidates === undefined ? undefined : toRowLists('candidates', candidates, queries, rows),
    textsOf(options, queries, rows),
  ])
  return {
    device,
    metric,
    ...shardRange(options.shard, queries),
    excludeSelf,
    positives: listed,
    exclude: excluded,
    candidates: only,
    ...groups,
    ...texts,
  }
}
