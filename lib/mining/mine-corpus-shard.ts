import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { filled, mapped } from '../data/pieces'
import { toRowLists, type RowLists } from '../data/row-lists'
import { inSlices, inTurns } from '../data/slices'
import { toQueries } from '../data/source'
import { resultArray } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import { detached } from '../lending'
import { planMemory } from '../memory'
import { runJob, type Addon, type JobControl, type NativeRejected } from '../native'
import { checkInteger, checkJob, required, withDefaults, jobDefaults } from '../options'
import { ceilingsOf, type Ceilings } from './ceiling-rules'
import { checkRange, listsWithin, shardRows, type CorpusRange } from './corpus-shard'
import { minedArrays, positiveArrays } from './mined-arrays'
import {
  checkRules,
  mineHardNegativesDefaults,
  nativeOptions,
  nativeRules,
  type MineHardNegativesOptions,
  type SettledMining,
} from './mining-options'
import type { CorpusInput, Scanned } from './prepare-corpus'
import { fingerprintOf, plainOptions, type MinedShard } from './query-shard'
import type { PositiveScores } from './score-positives'
import { checkedSelf, type SelfRows } from './self-rows'

/** Options of {@link mineHardNegatives}, and which shard is mined. */
export type MineCorpusShardOptions = MineHardNegativesOptions & {
  /** The first row of the shard among all rows of the corpus, to be given. */
  firstRow: number
}

/** What `mergeCorpusShards` needs of a shard: plain data, to be sent from machine to machine. */
export interface MinedCorpusShard extends CorpusRange {
  /** Of the whole corpus, as given. */
  readonly positiveScores: PositiveScores
  /** The numbers and names among the options, as they were settled. */
  readonly options: MinedShard['options']
  /** The ceilings in force, defaults included. */
  readonly ceilings: Ceilings
  /** Of queries, positives and lists: the shards of one job have the same. */
  readonly fingerprint: string
  /** Places for each query: as many of its best rows as the answer may need, or all rows of the shard. */
  readonly depth: number
  /** Rows that the rules without ranks admit, numbered as in the whole corpus, best first, [nq × depth]. */
  readonly indices: Int32Array
  /** Their canonical scores in float64, [nq × depth]. */
  readonly scores: Float64Array
  /** Rows written for each query, [nq]. */
  readonly counts: Int32Array
  /**
   * Exact numbers of candidates, [nq × 12]: dropped by each of `ruleNames`, admitted, above the ceiling,
   * above the reference score where `maxPositiveRank` asks, and 1 for a query that was scanned again.
   */
  readonly populations: Int32Array
  /** The best rejected candidates of each mined query, when `explain` asked for them. */
  readonly rejected: NativeRejected
  /** Queries that are zero vectors, whose cosine is 0 with everything; 0 for the other metrics. */
  readonly zeroQueries: number
  /** The same of the shard's rows. */
  readonly zeroRows: number
  /** Time inside the scan, in seconds. */
  readonly seconds: number
}

/** Numbers for each query in {@link MinedCorpusShard.populations}. */
export const populationSize = 12

/** A message names the option that a shard of the corpus cannot have. */
function checkOffered(options: SettledMining) {
  if (options.sampling !== 'top')
    throw invalid('sampling', "'top', as shards of a corpus draw nothing", options.sampling)
  for (const name of ['queryTexts', 'corpusTexts'] as const)
    if (options[name] !== undefined)
      throw invalidText(
        name,
        'no texts for a shard of a corpus, whose texts are not compared',
        'texts',
      )
  if (options.shard !== undefined)
    throw invalid('shard', 'all queries for a shard of a corpus', options.shard)
}

function checkPositives(scores: PositiveScores, queries: number, cols: number, metric: string) {
  if (typeof scores !== 'object' || scores === null || !('scores' in scores))
    throw invalid('positives', 'what mergePositiveScores() gave', scores)
  const { firstRow, rows, corpusRows } = scores
  if (firstRow !== 0 || rows !== corpusRows)
    throw invalidText(
      'positives',
      `scores for all ${corpusRows} rows, merged by mergePositiveScores()`,
      `those of ${rows} rows from row ${firstRow} on`,
    )
  const found = { queries, dimensions: cols, metric }
  for (const name of ['queries', 'dimensions', 'metric'] as const)
    if (scores[name] !== found[name])
      throw invalid('positives', `scores with ${name} ${found[name]}`, scores[name])
}

/** The reference score of each query, NaN for one without positives; means add in the order of rows. */
async function referencesOf(
  { positives, scores, queries }: PositiveScores,
  reference: SettledMining['reference'],
): Promise<Float64Array> {
  const references = await filled(Float64Array, queries, NaN)
  const better = {
    min: (score: number, best: number) => (score < best ? score : best),
    max: (score: number, best: number) => (score > best ? score : best),
    mean: (score: number, sum: number) => sum + score,
  }[reference]
  await inTurns(function* (slice) {
    for (let q = 0; q < queries; q++) {
      const [begin, end] = [positives.indptr[q]!, positives.indptr[q + 1]!]
      if (slice.spend(4)) yield
      if (begin === end) continue
      let found = scores[begin]!
      for (let t = begin + 1; t < end; t++) {
        if (slice.spend(1)) yield
        found = better(scores[t]!, found)
      }
      references[q] = reference === 'mean' ? found / (end - begin) : found
    }
  })
  return references
}

/** How many of a query's best admissible rows decide its answer, wherever they lie. */
export function answerDepth({ skipRanks, skipSurvivors, numNegatives, maxRank, explain }: Wanted) {
  const taken = skipRanks + skipSurvivors + numNegatives
  if (maxRank === undefined) return taken
  return explain > 0 ? maxRank + explain : Math.min(taken, maxRank)
}

/** The options that say how many rows are wanted. */
export type Wanted = Pick<
  SettledMining,
  'skipRanks' | 'skipSurvivors' | 'numNegatives' | 'maxRank' | 'explain'
>

/** The row of the shard that each query is, −1 for none. */
async function selfWithin(given: SelfRows, queries: number, range: CorpusRange): Promise<SelfRows> {
  const self = checkedSelf(given, queries, range.corpusRows)
  if (self === false) return false
  const local = new Int32Array(queries)
  await inSlices(queries, (begin, end) => {
    if (self !== true && self.length !== queries) throw detached('excludeSelf')
    for (let q = begin; q < end; q++) {
      const row = self === true ? q : self[q]!
      if (row < -1 || row >= range.corpusRows)
        throw invalid(
          `excludeSelf[${q}]`,
          `a corpus row in 0..${range.corpusRows - 1}, or -1 for none`,
          row,
        )
      const isWithin = row >= range.firstRow && row < range.firstRow + range.rows
      local[q] = isWithin ? row - range.firstRow : -1
    }
  })
  return local
}

/** Lists of the whole corpus: as they were given, for the fingerprint, and within the shard. */
async function listsOf(settled: SettledMining, queries: number, range: CorpusRange) {
  const whole: Record<string, RowLists> = {}
  const within: { exclude?: RowLists; candidates?: RowLists } = {}
  for (const name of ['exclude', 'candidates'] as const) {
    const given = settled[name]
    if (given === undefined) continue
    whole[name] = await toRowLists(name, given, queries, range.corpusRows)
    within[name] = await listsWithin(name, whole[name], range)
  }
  const { excludeSelf, queryGroups } = settled
  const excludedSelf = await selfWithin(excludeSelf, queries, range)
  return {
    within: { ...within, excludeSelf: excludedSelf },
    whole: { ...whole, excludeSelf, queryGroups },
  }
}

/** The rules of a shard: those without ranks, which only the whole corpus has. */
function rulesOf(settled: SettledMining, ceilings: Ceilings, scores: PositiveScores, rows: number) {
  const rules = nativeRules(settled, ceilings, scores.queries, scores.corpusRows)
  const depth = Math.max(1, Math.min(answerDepth(settled), rows))
  planMemory(
    `${depth} candidates for each of ${scores.queries} queries`,
    scores.queries * (20 * depth + 4 * populationSize + 50 * rules.explain),
  )
  return {
    ...rules,
    numNegatives: depth,
    pool: depth,
    explain: Math.min(rules.explain, rows),
    skipRanks: 0,
    skipSurvivors: 0,
    maxRank: undefined,
    // So that rows above the reference are counted and no query is left out.
    maxPositiveRank: settled.maxPositiveRank === undefined ? undefined : rows + 1,
  }
}

const nothingRejected = (): NativeRejected => ({
  queries: new Int32Array(0),
  indptr: new Int32Array(1),
  rows: new Int32Array(0),
  scores: new Float64Array(0),
  rules: new Uint8Array(0),
})

/** With rows numbered as in the whole corpus; −1 stays. */
const renumbered = (rows: Int32Array, { firstRow }: CorpusRange) =>
  mapped(rows, (row) => (row < 0 ? row : row + firstRow))

/** A call as it was checked. */
interface Checked {
  readonly settled: SettledMining
  readonly source: ReturnType<typeof toQueries>
  readonly target: Scanned
  readonly range: CorpusRange
  readonly scores: PositiveScores
}

async function mined({ settled, source, target, range, scores }: Checked) {
  const { device, ...job } = checkJob(settled)
  const { queries } = scores
  const ceilings = ceilingsOf(settled, target.metric)
  const { within, whole } = await listsOf(settled, queries, range)
  const positives = await listsWithin('positives', scores.positives, range)
  const references = await referencesOf(scores, settled.reference)
  const local = { ...settled, ...within }
  const { excludeSelf, exclude, candidates, queryGroups, corpusGroups, ...options } =
    await nativeOptions(local, positives, queries, target, device)
  const lists = { excludeSelf, exclude, candidates, queryGroups, corpusGroups, whole }
  const rules = rulesOf(settled, ceilings, scores, range.rows)
  const given = { queries: source, corpus: target.matrix, ...lists }
  const { inputs, arrays } = await loanOf(given)
  const { queries: asked, corpus: matrix, whole: named, ...lent } = inputs
  const run = <Result>(start: (addon: Addon, control: JobControl) => Promise<Result>) =>
    runJob(job, arrays, start)
  const known = { ...named, positives: scores.positives, scores: scores.scores }
  const fingerprint = await fingerprintOf({ matrices: [asked], options: known, run })
  const out = {
    ...minedArrays(queries, rules.numNegatives),
    exactScores: resultArray(Float64Array, queries * rules.numNegatives),
    populations: resultArray(Int32Array, queries * populationSize),
  }
  const listed = positiveArrays(positives.indices.length, queries)
  const sweep = [{ options: { ...rules, references }, out }]
  const isAsked = queries > 0 && range.rows > 0
  const [found] = isAsked
    ? await run((addon, control) =>
        addon.mine(
          asked,
          target.handle ?? matrix!,
          { ...options, ...lent },
          listed,
          sweep,
          control,
        ),
      )
    : []
  return { out, found, ceilings, fingerprint, depth: rules.numNegatives }
}

/**
 * The second stage of mining a corpus in shards: mines one shard under the reference scores of all
 * positives. A machine needs the rows of its shard only; {@link mergeCorpusShards} gives, from all shards,
 * the answer of {@link mineHardNegatives} over the whole corpus, bit for bit.
 *
 * Not offered, and an error: `sampling` other than `top`, `queryTexts` and `corpusTexts`, `shard`, `sweep`.
 *
 * @param queries [nq × d], all of them, dense or a file. Lent until the promise settles.
 * @param corpus [rows × d], rows firstRow .. firstRow + rows − 1 of the corpus, dense, a file or prepared; a
 *   shard may have no rows.
 * @param positives What {@link mergePositiveScores} gave.
 * @param given The options of {@link mineHardNegatives}, the same for all shards but `firstRow`,
 *   `corpusGroups` and those of the job. Rows in `exclude`, `candidates` and `excludeSelf` are those of the
 *   whole corpus; `corpusGroups`, [rows], is of the shard's rows.
 * @throws {TypeError | RangeError} naming the argument, row and value that is wrong.
 *
 * @example
 * const scored = await mergePositiveScores(
 *   await Promise.all(
 *     shards.map(({ corpus, firstRow }) =>
 *       scorePositives(queries, corpus, positives, { firstRow, corpusRows }),
 *     ),
 *   ),
 * )
 * const parts = await Promise.all(
 *   shards.map(({ corpus, firstRow }) => mineCorpusShard(queries, corpus, scored, { firstRow })),
 * )
 * const mined = await mergeCorpusShards(parts)
 */
export async function mineCorpusShard(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: PositiveScores,
  given: MineCorpusShardOptions,
): Promise<MinedCorpusShard> {
  const { firstRow, ...settled } = withDefaults(
    { firstRow: required, ...mineHardNegativesDefaults, ...jobDefaults },
    given,
  )
  checkInteger('firstRow', firstRow, 0)
  checkRules(settled)
  checkOffered(settled)
  const source = toQueries(queries)
  const target = shardRows(corpus, settled.metric, source)
  checkPositives(positives, source.rows, source.cols, target.metric)
  const range = { firstRow, rows: target.rows, corpusRows: positives.corpusRows }
  checkRange(range)
  const { out, found, ...rest } = await mined({ settled, source, target, range, scores: positives })
  const rejected = found?.rejected ?? nothingRejected()
  return {
    ...range,
    ...rest,
    positiveScores: positives,
    options: plainOptions({ ...settled, metric: target.metric }, rest.ceilings),
    indices: await renumbered(out.indices, range),
    scores: out.exactScores,
    counts: out.counts,
    populations: out.populations,
    rejected: { ...rejected, rows: await renumbered(rejected.rows, range) },
    zeroQueries: found?.zeroQueries ?? 0,
    zeroRows: found?.zeroRows ?? 0,
    seconds: found?.seconds ?? 0,
  }
}
