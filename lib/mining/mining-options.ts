// The options of mineHardNegatives(): all defaults, the checks, and their form for the addon.
import { isInt32Array } from 'node:util/types'
import { checkCheckpointOptions } from '../data/checkpoint-file'
import { filled } from '../data/pieces'
import { toRowLists, type RowLists, type RowListsInput } from '../data/row-lists'
import { inSlices } from '../data/slices'
import { borrowable, checkKind } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import type { NativeMineOptions, NativeMineRules } from '../native'
import {
  checkInteger,
  checkNumber,
  checkOneOf,
  frozen,
  jobDefaults,
  memoryDefaults,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import { ceilingDefaults, checkCeilings, type CeilingOptions, type Ceilings } from './ceiling-rules'
import type { Metric } from './metric'
import { minedRows } from './mined-rows'
import type { Scanned } from './prepare-corpus'
import { checkShard, shardRange, type QueryShard } from './query-shard'
import type { RowSet } from './row-set'
import { checkSampling, nativeSampling, samplingDefaults, samplingOf } from './samplings'
import { checkedSelf, type SelfRows } from './self-rows'
import { budgetBesideTexts } from './text-memory'
import { textClasses } from './text-classes'

/** Which score of several positives counts as that of their query. */
export const jointReferences = ['min', 'max', 'mean'] as const
export type JointReferenceName = (typeof jointReferences)[number]

/** Which score of several positives the ceilings refer to; with `each` every positive has its own negatives. */
export const references = [...jointReferences, 'each'] as const
export type ReferenceName = (typeof references)[number]

/** Whether lists of candidates replace the scan of the corpus or join it. */
export const candidateModes = ['only', 'beside'] as const
export type CandidateMode = (typeof candidateModes)[number]

/** Which groups a query may get rows of. */
export const groupModes = ['different', 'same'] as const
export type GroupMode = (typeof groupModes)[number]

/** All defaults of `mineHardNegatives` except those of its ceilings and of the choice of negatives. */
const ownDefaults = {
  /** Negatives wanted for each query; 4 unless given. */
  numNegatives: 4,
  /** The metric; `cosine`, or the metric of a prepared corpus, unless given. */
  metric: undefined as Metric | undefined,
  /** A negative scores at least this; no limit unless given. */
  minScore: undefined as number | undefined,
  /**
   * The score of several positives that ceilings use as reference; `min` unless given. With `each` every pair
   * of a query and a positive has its own ceiling and its own list of negatives: the arrays of the result have
   * a row for each pair, in the order of queries and of their positives, and one for a query without.
   */
  reference: 'min' as ReferenceName,
  /**
   * Scores of the positives, parallel to `positives.indices`, for example from a model that was trained on
   * them; they must be comparable to the scores of the metric, as ceilings refer to them. `positives` must
   * then be `{ indptr, indices }`. Their canonical scores unless given.
   */
  positiveScores: undefined as Float32Array | Float64Array | undefined,
  /** Number of best raw ranks to skip, counting rows above the ceiling; 0 unless given. */
  skipRanks: 0,
  /** Only raw ranks below this; no limit unless given. */
  maxRank: undefined as number | undefined,
  /**
   * A query is not mined if at least this many candidates score above its reference score; no limit unless
   * given.
   */
  maxPositiveRank: undefined as number | undefined,
  /** Number of best survivors to skip, after all rules; 0 unless given. */
  skipSurvivors: 0,
  /**
   * True if the queries are the corpus, so that query i does not get row i; or an array with the row that is
   * each query itself and that it does not get, [nq], −1 for none; false unless given.
   */
  excludeSelf: false as SelfRows,
  /**
   * A row that scores at least this with a positive of the query, under the metric of the job, is dropped as a
   * copy of it. An exact scan of the corpus for every positive; not for shards of a corpus. No limit unless
   * given.
   */
  nearPositiveScore: undefined as number | undefined,
  /**
   * Corpus rows that queries must not get: a RowSet or a bitmap for all queries, or a list of rows for each;
   * none unless given. Those of a set are not in `explain`. For shards of a corpus only lists.
   */
  exclude: undefined as RowSet | Uint32Array | RowListsInput | undefined,
  /**
   * The only corpus rows that queries may get, a RowSet or a bitmap; all rows unless given. Others count as
   * `excluded`, have no ranks and are not in `explain`; they may be positives. `candidates` are lists for each
   * query. Not for shards of a corpus.
   */
  allow: undefined as RowSet | Uint32Array | undefined,
  /**
   * The only rows that each query may get, as a list for each query, for example from a lexical search. Their
   * scores are computed, and ranks and `dropped` count only them. A row that is listed twice counts once.
   * Every row of the corpus unless given.
   */
  candidates: undefined as RowListsInput | undefined,
  /**
   * What `candidates` are: the `only` rows that a query may get, or `beside` the scan, so that the pool of a
   * query is its best `pool` survivors of the whole corpus and all survivors of its list, each once; ranks
   * and `dropped` then count the whole corpus, and `sources` tells where negatives come from. `beside` needs
   * a sampling that takes from a pool, and is not for shards of a corpus. `only` unless given.
   */
  candidateMode: 'only' as CandidateMode,
  /**
   * A query gets only rows of `different` groups, or only rows of the `same` group; group −1 always passes.
   * Groups have no effect unless given.
   */
  groups: undefined as GroupMode | undefined,
  /** Group of each query, [nq]; none unless given. */
  queryGroups: undefined as Int32Array | undefined,
  /** Group of each corpus row, [nc]; none unless given. */
  corpusGroups: undefined as Int32Array | undefined,
  /**
   * Text of each query, [nq], with `corpusTexts`. A row is dropped if its text is that of the query, of one
   * of its positives, or of a positive of another query with the same text. Of several rows with the same
   * text only the best is a candidate. An empty text equals no other. None unless given.
   */
  queryTexts: undefined as readonly string[] | undefined,
  /** Text of each corpus row, [nc]; none unless given. */
  corpusTexts: undefined as readonly string[] | undefined,
  /** Number of best rejected candidates to report for each mined query; 0 unless given. */
  explain: 0,
  /**
   * Mines number `index` (from 0) of `count` parts of the queries: rows ⌊index·nq/count⌋ to ⌊(index +
   * 1)·nq/count⌋ − 1. All other arguments must be those of the whole job, because texts and positives of
   * other queries count and draws depend on rows of the whole. `mergeMined` merges the parts. All queries
   * unless given.
   */
  shard: undefined as QueryShard | undefined,
  /**
   * A file for the answers of the queries that are done; none unless given. It is written completely and
   * renamed: at the start, at the end of the first block of queries after every `checkpointSeconds`, when the
   * job fails or is aborted, and at the end.
   */
  checkpoint: undefined as string | undefined,
  /** Seconds between two checkpoints, 60 unless given; 0 for one after every block. */
  checkpointSeconds: 60,
  /**
   * A checkpoint whose queries are not mined again; none unless given. The answer has the bits of a run without
   * interruption. Inputs and options except `threads`, `priority`, `memoryBudget` and checkpoints must equal
   * those of the run that wrote it.
   */
  resume: undefined as string | undefined,
} as const

/** All defaults of `mineHardNegatives`, including those of its ceilings and of the choice of negatives. */
export const mineHardNegativesDefaults: typeof ownDefaults &
  typeof samplingDefaults &
  typeof ceilingDefaults = frozen({
  ...ownDefaults,
  ...samplingDefaults,
  ...ceilingDefaults,
})

export type MineHardNegativesOptions = Overrides<typeof ownDefaults> &
  Overrides<typeof samplingDefaults> &
  CeilingOptions &
  JobOptions &
  MemoryOptions

export type SettledMining = ReturnType<typeof settleMining>

export const settleMining = (given: MineHardNegativesOptions) =>
  withDefaults({ ...mineHardNegativesDefaults, ...jobDefaults, ...memoryDefaults }, given)

/** @param at Prefix of names in messages: `sweep[1].`, or nothing. */
export function checkRules(options: SettledMining, at = '') {
  checkInteger(`${at}numNegatives`, options.numNegatives, 1)
  checkCeilings(options, at)
  if (options.minScore !== undefined) checkNumber(`${at}minScore`, options.minScore)
  checkOneOf(`${at}reference`, options.reference, references)
  for (const name of ['skipRanks', 'skipSurvivors', 'explain'] as const)
    checkInteger(`${at}${name}`, options[name], 0)
  for (const name of ['maxRank', 'maxPositiveRank'] as const)
    if (options[name] !== undefined) checkInteger(`${at}${name}`, options[name], 1)
  if (options.nearPositiveScore !== undefined)
    checkNumber('nearPositiveScore', options.nearPositiveScore)
  checkSampling(options, at)
  checkCandidateMode(options, at)
  if (options.hubCap !== undefined && options.shard !== undefined)
    throw invalid(
      `${at}hubCap`,
      'none beside a shard, as the other queries of the job take rows too',
      options.hubCap,
    )
  const file = options.checkpoint ?? options.resume
  if (options.hubCap !== undefined && file !== undefined)
    throw invalid(
      `${at}hubCap`,
      'none beside a checkpoint, as no query is done before rows are shared out among all',
      options.hubCap,
    )
  checkCheckpointOptions(options)
}

function checkCandidateMode({ candidateMode, sampling }: SettledMining, at: string) {
  checkOneOf('candidateMode', candidateMode, candidateModes)
  if (candidateMode === 'beside' && samplingOf(sampling).from !== 'best')
    throw invalid(
      `${at}sampling`,
      `one that takes from a pool beside candidateMode '${candidateMode}', as ${sampling} gets no rows from lists`,
      sampling,
    )
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

export function groupArray(
  name: string,
  groups: Int32Array | undefined,
  count: number,
): Int32Array {
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

async function textsOf(options: SettledMining, queries: number, corpus: number) {
  const { queryTexts, corpusTexts } = options
  if (queryTexts === undefined && corpusTexts === undefined) return {}
  if (queryTexts === undefined || corpusTexts === undefined)
    throw invalid(
      queryTexts ? 'corpusTexts' : 'queryTexts',
      'texts for both sides or for neither',
      undefined,
    )
  budgetBesideTexts(options, { rows: queries }, { rows: corpus })
  return textClasses(queryTexts, corpusTexts, queries, corpus)
}

/** Rejected candidates to report for each list; their places in one array must fit in int32. */
function explained(explain: number, lists: number, rows: number): number {
  const most = Math.floor((2 ** 31 - 1) / lists)
  if (Math.min(explain, rows) > most)
    throw invalid('explain', `at most ${most} for ${lists} lists of negatives`, explain)
  return Math.min(explain, rows)
}

/** The checked numbers and names, in the form for the addon. */
export const nativeRules = (
  options: SettledMining,
  ceilings: Ceilings,
  { lists, rows, dimensions }: { lists: number; rows: number; dimensions: number },
): NativeMineRules & Ceilings => ({
  ...ceilings,
  numNegatives: options.numNegatives,
  minScore: options.minScore,
  reference: options.reference,
  skipRanks: options.skipRanks,
  maxRank: options.maxRank,
  maxPositiveRank: options.maxPositiveRank,
  skipSurvivors: options.skipSurvivors,
  ...nativeSampling(options),
  dimensions,
  explain: explained(options.explain, lists, rows),
})

/** The given scores of positives, as a copy in float64. */
export async function scoresOf(
  scores: Float32Array | Float64Array | undefined,
  positives: RowListsInput,
): Promise<Float64Array | undefined> {
  if (scores === undefined) return undefined
  if (isInt32Array(positives) || Array.isArray(positives) || !('indptr' in positives))
    throw invalid('positives', '{ indptr, indices } beside positiveScores', positives)
  checkKind(
    'positiveScores',
    scores,
    ['Float32Array', 'Float64Array'],
    'a Float32Array or Float64Array of scores',
  )
  const { length } = (positives as RowLists).indices
  if (scores.length !== length)
    throw invalidText(
      'positiveScores',
      `${length} scores, one for each of positives.indices`,
      `${scores.length} scores`,
    )
  const copy = await filled(Float64Array, length, 0)
  await inSlices(length, (begin, end) => {
    for (let t = begin; t < end; t++) {
      copy[t] = scores[t]!
      if (!Number.isFinite(copy[t])) checkNumber(`positiveScores[${t}]`, scores[t])
    }
  })
  return copy
}

/** The other options in the form for the addon, checked except for the elements of lists. */
export async function nativeOptions(
  options: SettledMining,
  positives: RowListsInput,
  queries: number,
  { rows, metric }: Scanned,
  device: string,
): Promise<NativeMineOptions> {
  const { candidates, candidateMode } = options
  if (candidateMode !== 'only' && candidates === undefined)
    throw invalid('candidates', `lists of rows beside candidateMode '${candidateMode}'`, candidates)
  checkShard(options.shard)
  const excludeSelf = checkedSelf(options.excludeSelf, queries, rows)
  const groups = groupsOf(options, queries, rows)
  // All start at the same time, so that a resizable buffer is copied before the caller can shrink it.
  const [listed, scores, chosen, only, texts] = await Promise.all([
    toRowLists('positives', positives, queries, rows),
    scoresOf(options.positiveScores, positives),
    minedRows(options, queries, rows),
    candidates === undefined ? undefined : toRowLists('candidates', candidates, queries, rows),
    textsOf(options, queries, rows),
  ])
  return {
    device,
    metric,
    ...shardRange(options.shard, queries),
    excludeSelf,
    positives: listed,
    positiveScores: scores,
    nearPositiveScore: options.nearPositiveScore,
    ...chosen,
    candidates: only,
    beside: candidateMode === 'beside',
    ...groups,
    ...texts,
  }
}
