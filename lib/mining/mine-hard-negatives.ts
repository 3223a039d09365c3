import { isInt32Array } from 'node:util/types'
import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { ruleNames } from '../data/mined-lines'
import { toRowLists, type RowListsInput } from '../data/row-lists'
import { toQueries } from '../data/source'
import { borrowable, resultArray } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import { handOut } from '../lending'
import { planMemory } from '../memory'
import { nothingAsked, runJob, type NativeMined, type NativeMineOptions } from '../native'
import {
  checkInteger,
  checkJob,
  checkNumber,
  checkOneOf,
  frozen,
  jobDefaults,
  withDefaults,
  type JobOptions,
  type Overrides,
} from '../options'
import {
  ceilingDefaults,
  ceilingsOf,
  checkCeilings,
  type CeilingOptions,
  type Ceilings,
} from './ceiling-rules'
import type { Metric } from './metric'
import { MinedNegatives } from './mined-negatives'
import { miningWarnings } from './mining-warnings'
import { scanned, type CorpusInput, type Scanned } from './prepare-corpus'
import { textClasses } from './text-classes'
import { checkedSelf, type SelfRows } from './self-rows'

/** All defaults of {@link mineHardNegatives} but those of its ceilings. */
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
   * the best and others drawn.
   */
  sampling: 'top' as 'top' | 'random' | 'top1-random',
  /** Best survivors to draw from; max(10, 2 · numNegatives) unless given, see {@link defaultPool}. */
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
} as const

/** The defaults of {@link mineHardNegatives}: those of its ceilings, and its own. */
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

type Settled = ReturnType<typeof settle>

const settle = (given: MineHardNegativesOptions) =>
  withDefaults({ ...mineHardNegativesDefaults, ...jobDefaults }, given)

export const references = ['min', 'max', 'mean'] as const
export const samplings = ['top', 'random', 'top1-random'] as const
export const groupModes = ['different', 'same'] as const

function checkRules(options: Settled) {
  checkInteger('numNegatives', options.numNegatives, 1)
  checkCeilings(options)
  if (options.minScore !== undefined) checkNumber('minScore', options.minScore)
  checkOneOf('reference', options.reference, references)
  checkOneOf('sampling', options.sampling, samplings)
  for (const name of ['skipRanks', 'skipSurvivors', 'explain'] as const)
    checkInteger(name, options[name], 0)
  for (const name of ['maxRank', 'maxPositiveRank'] as const)
    if (options[name] !== undefined) checkInteger(name, options[name], 1)
  if (options.pool !== undefined) checkInteger('pool', options.pool, options.numNegatives)
  checkInteger('seed', options.seed, 0, Number.MAX_SAFE_INTEGER)
}

/** Checks every option that is a number or a name, before any row is read. */
export function checkMiningOptions(
  given: MineHardNegativesOptions,
  queries: number,
  corpus: number,
) {
  const settled = settle(given)
  checkRules(settled)
  checkedSelf(settled.excludeSelf, queries, corpus)
}

function groupArray(name: string, groups: Int32Array | undefined, count: number): Int32Array {
  if (!isInt32Array(groups)) throw invalid(name, `an Int32Array of ${count} groups`, groups)
  if (groups.length !== count)
    throw invalidText(name, `${count} groups, one for each row`, `${groups.length} groups`)
  return borrowable(groups)
}

function groupsOf({ groups, queryGroups, corpusGroups }: Settled, queries: number, corpus: number) {
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

async function textsOf({ queryTexts, corpusTexts }: Settled, queries: number, corpus: number) {
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

async function nativeOptions(
  options: Settled,
  positives: RowListsInput,
  queries: number,
  { rows, metric }: Scanned,
  ceilings: Ceilings,
  device: string,
): Promise<NativeMineOptions & Ceilings> {
  const { numNegatives, exclude, candidates } = options
  checkRules(options)
  const excludeSelf = checkedSelf(options.excludeSelf, queries, rows)
  const explain = explained(options.explain, queries, rows)
  const groups = groupsOf(options, queries, rows)
  // All begin at once: a resizable buffer is copied before the caller can shrink it.
  const [listed, excluded, only, texts] = await Promise.all([
    toRowLists('positives', positives, queries, rows),
    exclude === undefined ? undefined : toRowLists('exclude', exclude, queries, rows),
    candidates === undefined ? undefined : toRowLists('candidates', candidates, queries, rows),
    textsOf(options, queries, rows),
  ])
  return {
    ...ceilings,
    device,
    metric,
    numNegatives,
    minScore: options.minScore,
    reference: options.reference,
    skipRanks: options.skipRanks,
    maxRank: options.maxRank,
    maxPositiveRank: options.maxPositiveRank,
    skipSurvivors: options.skipSurvivors,
    sampling: options.sampling,
    pool: options.pool ?? defaultPool(numNegatives),
    seed: options.seed,
    excludeSelf,
    explain,
    positives: listed,
    exclude: excluded,
    candidates: only,
    ...groups,
    ...texts,
  }
}

/** Arrays of the sizes that the addon fills. */
const minedArrays = (queries: number, numNegatives: number, pairs: number) => ({
  indices: resultArray(Int32Array, queries * numNegatives),
  scores: resultArray(Float32Array, queries * numNegatives),
  counts: resultArray(Int32Array, queries),
  ranks: resultArray(Int32Array, queries * numNegatives),
  positiveStarts: resultArray(Int32Array, queries + 1),
  positiveRows: resultArray(Int32Array, pairs),
  positiveScores: resultArray(Float64Array, pairs),
})

type MinedArrays = ReturnType<typeof minedArrays>

/** The positives as they were used, and their scores: as many as are left without repeats. */
function positivesOf({ positiveStarts, positiveRows, positiveScores }: MinedArrays) {
  const pairs = positiveStarts.at(-1)!
  return {
    positives: { indptr: positiveStarts, indices: positiveRows.subarray(0, pairs) },
    positiveScores: positiveScores.subarray(0, pairs),
  }
}

const nothingMined: NativeMined = {
  ...nothingAsked,
  dropped: new Float64Array(ruleNames.length),
  queriesWithoutPositives: 0,
  inconsistent: 0,
  candidatePairs: 0,
  rejected: {
    queries: new Int32Array(0),
    indptr: new Int32Array(1),
    rows: new Int32Array(0),
    scores: new Float64Array(0),
    rules: new Uint8Array(0),
  },
}

/**
 * Mines, for each query, the hardest corpus rows that are not likely to be unlabelled positives.
 *
 * A candidate is dropped when, in this order: it is the query itself, a positive, excluded, barred by its
 * group, equal in text to the query, a positive (of any query with its text) or a better candidate, above
 * the ceiling, below the floor, or outside the ranks asked for. The ceiling is the lowest of `maxScore`, p − absoluteMargin and
 * p − relativeMargin · |p|, with p the reference score of the positives, and is applied inside the exact
 * scan: the best admissible rows come back however deep they lie. A query without positives is mined
 * only under `maxScore`.
 *
 * @param queries [nq × d], dense or a file; no rows give an answer without rows. Lent until the promise
 *   settles: see {@link DenseMatrix}.
 * @param corpus [nc × d], dense, a file, or prepared by {@link prepareCorpus}.
 * @param positives Corpus rows that belong to each query: a list of lists, an Int32Array of one row a
 *   query (−1 for none), or {@link RowLists}.
 * @returns Arrays padded with −1 and NaN, exact counters for each rule, and lazy lists.
 * @throws {TypeError | RangeError} naming the argument, row and value that is wrong.
 * @see "NV-Retriever: Improving text embedding models with effective hard-negative mining" (2024), section 3
 *
 * @example
 * const mined = await mineHardNegatives(queries, corpus, [[3], [0, 7]], { numNegatives: 8 })
 * for (const { query, positive, negative } of mined.triplets()) console.log(query, positive, negative)
 */
export async function mineHardNegatives(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: RowListsInput,
  given: MineHardNegativesOptions = {},
): Promise<MinedNegatives> {
  const settled = settle(given)
  const { device, ...job } = checkJob(settled)
  const source = toQueries(queries)
  const target = scanned(corpus, settled.metric, source)
  const ceilings = ceilingsOf(settled, target.metric)
  const options = await nativeOptions(settled, positives, source.rows, target, ceilings, device)
  planMemory(
    `${options.numNegatives} negatives for each of ${source.rows} queries`,
    source.rows * (12 * options.numNegatives + 50 * options.explain) +
      12 * options.positives.indices.length,
  )
  const out = minedArrays(source.rows, options.numNegatives, options.positives.indices.length)
  const { excludeSelf, positives: listed, exclude, candidates } = options
  const { queryGroups, corpusGroups } = options
  const lists = { excludeSelf, positives: listed, exclude, candidates, queryGroups, corpusGroups }
  const { inputs, arrays } = await loanOf({ queries: source, corpus: target.matrix, ...lists })
  const { queries: asked, corpus: matrix, ...lent } = inputs
  const { dropped, ...run } =
    source.rows === 0
      ? nothingMined
      : await runJob(job, arrays, (addon, control) =>
          addon.mine(asked, target.handle ?? matrix!, { ...options, ...lent }, out, control),
        )
  for (const array of Object.values(run.rejected)) handOut(array as ArrayBufferView)
  const found = {
    queries: source.rows,
    corpus: target.rows,
    dimensions: source.cols,
    numNegatives: options.numNegatives,
    metric: target.metric,
    ...positivesOf(out),
    ceilings,
    dropped: Object.fromEntries(
      ruleNames.map((name, i) => [name, dropped[i]!]),
    ) as MinedNegatives['dropped'],
    indices: out.indices,
    scores: out.scores,
    counts: out.counts,
    ranks: out.ranks,
    ...run,
  }
  return new MinedNegatives({ ...found, warnings: miningWarnings(found, settled, String) })
}
