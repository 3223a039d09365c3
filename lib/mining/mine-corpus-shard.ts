import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { toQueries } from '../data/source'
import { invalid, invalidText } from '../errors'
import { handOut } from '../lending'
import { planMemory } from '../memory'
import {
  runJob,
  type Addon,
  type JobControl,
  type NativeCandidates,
  type NativeLists,
} from '../native'
import {
  checkInteger,
  checkJob,
  jobDefaults,
  memoryDefaults,
  required,
  withDefaults,
} from '../options'
import { ceilingsOf, type Ceilings } from './ceiling-rules'
import { partsOf, wholeInputs, type Part, type ShardCall, type WholeInputs } from './corpus-parts'
import { checkRange, shardRows, type CorpusRange } from './corpus-shard'
import {
  checkRules,
  mineHardNegativesDefaults,
  nativeRules,
  type MineHardNegativesOptions,
  type SettledMining,
} from './mining-options'
import { holderOf, keeping, type CorpusInput } from './prepare-corpus'
import { fingerprintOf, plainOptions, type MinedShard } from './query-shard'
import { referencesOf } from './query-lists'
import { checkSampledMetric, poolOf, samplingOf } from './samplings'
import { checkPositiveScores, type PositiveScores } from './score-positives'

/** Options of {@link mineHardNegatives}, and which shard is mined. */
export type MineCorpusShardOptions = MineHardNegativesOptions & {
  /** The first row of the shard among all rows of the corpus, to be given. */
  firstRow: number
}

/** What tells the shards of one job from those of others. */
export interface ShardIdentity {
  /** The numbers and names among the options, as they were settled, and whether `candidates` were given. */
  readonly options: MinedShard['options']
  /** Of queries, positives, lists and texts: the shards of one job have the same. */
  readonly fingerprint: string
}

export const identityOf = ({ options, fingerprint }: ShardIdentity) => ({
  ...options,
  'fingerprint of the inputs': fingerprint,
})

/** What `mergeCorpusShards` needs of a shard: plain data, to be sent from machine to machine. */
export interface MinedCorpusShard extends CorpusRange, ShardIdentity {
  /** Of the whole corpus, as given. */
  readonly positiveScores: PositiveScores
  /** The ceilings in force, defaults included. */
  readonly ceilings: Ceilings
  /**
   * By query, the best candidates on which its answer may depend, best first, and exact counts: of the shard's
   * rows, and for the shard that has row 0 also of the rows with shared texts. Rows are numbered as in the
   * whole corpus.
   */
  readonly candidates: readonly NativeCandidates[]
  /** Rows of the shard that were not removed. */
  readonly liveRows: number
  /** Queries that are zero vectors, whose cosine is 0 with everything; 0 for the other metrics. */
  readonly zeroQueries: number
  /** The same of the shard's rows. */
  readonly zeroRows: number
  /** Time inside the scans, in seconds. */
  readonly seconds: number
}

/** How many of a query's candidates a shard may list, at least. */
function listedAtLeast(options: SettledMining, rows: number): number {
  const { skipRanks, skipSurvivors, numNegatives, sampling, maxRank, explain } = options
  const pool = samplingOf(sampling).from === 'best' ? poolOf(options) : 0
  const taken = skipRanks + skipSurvivors + Math.max(numNegatives, pool)
  return Math.min(rows, (maxRank === undefined ? taken : Math.min(taken, maxRank)) + explain)
}

/** Options that need the rows or the candidates of all shards at once. */
export function checkApart(settled: SettledMining) {
  const { sampling, nearPositiveScore, nearDuplicateScore, hubCap } = settled
  const { positiveScores, candidateMode } = settled
  if (positiveScores !== undefined)
    throw invalid(
      'positiveScores',
      'none: the scores of positives are those that mergePositiveScores() gave',
      positiveScores,
    )
  if (candidateMode !== 'only')
    throw invalid('candidateMode', 'only, as lists have ranks in all shards', candidateMode)
  if (sampling === 'mmr')
    throw invalid('sampling', 'one that compares no rows of different shards', sampling)
  if (nearPositiveScore !== undefined)
    throw invalid(
      'nearPositiveScore',
      'none, as no machine has the positives of all shards',
      nearPositiveScore,
    )
  if (nearDuplicateScore !== undefined)
    throw invalid(
      'nearDuplicateScore',
      'none, as no machine has the rows of all shards',
      nearDuplicateScore,
    )
  for (const name of ['checkpoint', 'resume'] as const)
    if (settled[name] !== undefined)
      throw invalid(name, 'none: a shard of a corpus has no checkpoints', settled[name])
  if (hubCap !== undefined)
    throw invalid('hubCap', 'none, as a merge cannot ask the shards for more candidates', hubCap)
}

/** A checked call on a shard, ready for the addon. */
interface PreparedCall extends ShardIdentity {
  readonly ceilings: Ceilings
  readonly parts: readonly Part[]
  readonly rules: ReturnType<typeof nativeRules> & NativeLists
  run<Result>(
    part: Part,
    start: (addon: Addon, control: JobControl) => Promise<Result>,
  ): Promise<Result>
}

/** A hash of what all shards of a job have in common. */
async function fingerprintFor(
  { source, scores }: ShardCall,
  whole: WholeInputs,
  job: Parameters<typeof runJob>[0],
) {
  const { inputs, arrays } = await loanOf({ queries: source })
  const { positives, scores: positiveScores, shared } = scores
  const sharedTexts = whole.queryTexts && shared && { rows: shared.rows, digests: shared.digests }
  const options = { ...whole, positives, positiveScores, sharedTexts }
  return fingerprintOf({
    matrices: { queries: inputs.queries },
    options,
    run: (start) => runJob(job, arrays, start),
  })
}

/** @throws {TypeError | RangeError} naming the argument, row and value that is wrong. */
export async function preparedCall(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: PositiveScores,
  given: MineCorpusShardOptions,
): Promise<PreparedCall & { readonly range: CorpusRange; readonly liveRows: number }> {
  const { firstRow, ...settled } = withDefaults(
    { firstRow: required, ...mineHardNegativesDefaults, ...jobDefaults, ...memoryDefaults },
    given,
  )
  checkInteger('firstRow', firstRow, 0)
  checkRules(settled)
  checkApart(settled)
  if (settled.shard !== undefined)
    throw invalid('shard', 'all queries for a shard of a corpus', settled.shard)
  const source = toQueries(queries)
  const target = shardRows(corpus, settled.metric, source)
  checkPositives(positives, source.rows, source.cols, target.metric)
  await checkPositiveScores(positives)
  const range = { firstRow, rows: target.rows, corpusRows: positives.corpusRows }
  checkRange(range)
  const { device, ...job } = checkJob(settled, holderOf(corpus))
  const call: ShardCall = { settled, source, target, range, scores: positives }
  const ceilings = ceilingsOf(settled, target.metric)
  const whole = await wholeInputs(call)
  const parts = await partsOf(call, whole, device)
  const listed = listedAtLeast(settled, range.rows)
  const lists = await referencesOf(positives, settled.reference)
  const { length } = lists.references
  planMemory(`${listed} candidates for each of ${length} lists of negatives`, length * 26 * listed)
  checkSampledMetric(settled, target.metric)
  const sizes = { lists: length, rows: range.corpusRows, dimensions: source.cols }
  const rules = nativeRules(settled, ceilings, sizes)
  const plain = plainOptions({ ...settled, metric: target.metric }, ceilings)
  return {
    range,
    liveRows: target.liveRows,
    ceilings,
    parts,
    rules: { ...rules, ...lists },
    options: { ...plain, candidates: settled.candidates !== undefined },
    fingerprint: await fingerprintFor(call, whole, job),
    run: (part, start) => runJob(job, part.arrays, start),
  }
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

/**
 * The second stage of mining a corpus in shards: finds the candidates of one shard under the reference scores
 * of all positives. A machine needs the rows of its shard only; {@link mergeCorpusShards} gives, from all
 * shards, the answer of {@link mineHardNegatives} over the whole corpus, bit for bit.
 *
 * With texts, `positives` must be scored with `sharedTexts`, see {@link mergeTextDigests}. With the sampling
 * `band` and neither `maxRank` nor `candidates`, {@link drawnRows} and {@link rankDrawnRows} follow.
 *
 * Not offered, and an error: `shard`; `sweep`, as each set of rules is a job with its own parts; and `mmr`,
 * `nearPositiveScore`, `nearDuplicateScore` and `hubCap`, which compare rows or queries of all shards.
 *
 * @param queries [nq × d], all of them, dense or a file. Lent until the promise settles.
 * @param corpus [rows × d], rows firstRow .. firstRow + rows − 1 of the corpus, dense, a file or prepared; a
 *   shard may have no rows.
 * @param positives What {@link mergePositiveScores} gave.
 * @param given The options of {@link mineHardNegatives}, the same for all shards but `firstRow`,
 *   `corpusGroups`, `corpusTexts` and those of the job. Rows in `exclude`, `candidates` and `excludeSelf` are
 *   those of the whole corpus; `corpusGroups` and `corpusTexts`, [rows], are of the shard's rows.
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
export function mineCorpusShard(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: PositiveScores,
  given: MineCorpusShardOptions,
): Promise<MinedCorpusShard> {
  return keeping(corpus, () => mineShard(queries, corpus, positives, given))
}

async function mineShard(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: PositiveScores,
  given: MineCorpusShardOptions,
): Promise<MinedCorpusShard> {
  const call = await preparedCall(queries, corpus, positives, given)
  const { range, liveRows, ceilings, options, fingerprint, rules, parts, run } = call
  const found = []
  for (const part of parts)
    found.push(
      await run(part, (addon, control) =>
        addon.minePart(
          part.queries,
          part.target.handle ?? part.target.matrix!,
          part.options,
          { ...rules, ...part.rows },
          control,
        ),
      ),
    )
  for (const { candidates } of found)
    for (const array of Object.values(candidates)) handOut(array as ArrayBufferView)
  return {
    ...range,
    ...{ liveRows, options, fingerprint, ceilings },
    positiveScores: positives,
    candidates: found.map(({ candidates }) => candidates),
    zeroQueries: found[0]?.zeroQueries ?? 0,
    zeroRows: found[0]?.zeroRows ?? 0,
    seconds: found.reduce((sum, { seconds }) => sum + seconds, 0),
  }
}
