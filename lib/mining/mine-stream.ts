// Mines a corpus that is larger than memory, shard by shard: the answer is that of one call over all rows.
import type { MatrixInput } from '../data/matrix'
import { toRowLists, type RowLists, type RowListsInput } from '../data/row-lists'
import { toQueries } from '../data/source'
import { invalid } from '../errors'
import { holding } from '../jobs'
import type { NativeSource } from '../native'
import { checkJob, checkOneOf } from '../options'
import { compacted, type KeptRows } from './compact-candidates'
import { selfWithin } from './corpus-parts'
import { listsWithin } from './corpus-shard'
import type { CorpusStream } from './corpus-stream'
import { addRanks, rankDrawnRows, type DrawnRanks } from './drawn-rows'
import { canonicalScores } from './given-scores'
import { drawnRows, mergeCorpusShards, needsRanks } from './merge-corpus-shards'
import { metrics, type Metric } from './metric'
import { checkApart, mineCorpusShard, type MinedCorpusShard } from './mine-corpus-shard'
import type { MinedNegatives } from './mined-negatives'
import { excludedLists } from './mined-rows'
import { groupArray, scoresOf, type SettledMining } from './mining-options'
import { prepareCorpusDefaults } from './prepare-corpus'
import { checkSampledMetric, poolOf, samplingOf } from './samplings'
import { checkedSelf } from './self-rows'
import { mergePositiveScores, scorePositives, type PositiveScores } from './score-positives'
import { mostRows, StreamRuns } from './stream-run'
import { checkTexts } from './text-classes'
import { digestTexts, mergeTextDigests, type SharedTexts, type TextDigests } from './text-digests'

/** A checked job on a corpus in shards. */
interface StreamJob {
  readonly queries: MatrixInput
  readonly source: NativeSource
  readonly metric: Metric
  readonly positives: RowLists
  /** With lists as {@link RowLists}; `excludeSelf` names rows. */
  readonly settled: SettledMining
  /** Given scores of the positives. */
  readonly given: Awaited<ReturnType<typeof canonicalScores>> | undefined
  readonly runs: StreamRuns
}

/** Options that need the rows of all shards at once, or that each shard has for itself. */
function checkOptions(settled: SettledMining, queries: number, metric: Metric) {
  checkApart({ ...settled, positiveScores: undefined })
  if (settled.shard !== undefined)
    throw invalid('shard', 'all queries beside a corpus in shards', settled.shard)
  for (const name of ['corpusTexts', 'corpusGroups'] as const)
    if (settled[name] !== undefined)
      throw invalid(name, 'none, as each shard of the corpus has its own', settled[name])
  checkOneOf('metric', metric, metrics)
  checkSampledMetric(settled, metric)
  if (settled.queryTexts !== undefined) checkTexts('queryTexts', settled.queryTexts, queries)
  if (settled.groups !== undefined) groupArray('queryGroups', settled.queryGroups, queries)
}

async function checkedJob(
  queries: MatrixInput,
  stream: CorpusStream,
  given: RowListsInput,
  options: SettledMining,
): Promise<StreamJob> {
  const source = toQueries(queries)
  const metric = options.metric ?? prepareCorpusDefaults.metric
  checkOptions(options, source.rows, metric)
  const { candidates } = options
  const exclude = excludedLists(options)
  const lists = (name: string, from: RowListsInput | undefined) =>
    from && toRowLists(name, from, source.rows, mostRows)
  // All start at the same time, so that a resizable buffer is copied before the caller can shrink it.
  const [positives, scores, excluded, only] = await Promise.all([
    lists('positives', given),
    scoresOf(options.positiveScores, given),
    lists('exclude', exclude),
    lists('candidates', candidates),
  ])
  const settled: SettledMining = { ...options, metric, exclude: excluded, candidates: only }
  const checked = await listsWithin('positives', positives!, mostRows, (row) => row)
  return {
    ...{ queries, source, metric, settled, positives: checked },
    given: scores && (await canonicalScores(checked, scores)),
    runs: new StreamRuns(stream, source.cols, settled),
  }
}

/** @throws {RangeError} naming the entry of a list that is no row, once the number of rows is known. */
async function checkRows({ source, positives, settled, runs }: StreamJob) {
  const { exclude, candidates, excludeSelf } = settled
  const rows = runs.rows!
  const same = (row: number) => row
  for (const [name, lists] of Object.entries({ positives, exclude, candidates }))
    if (lists) await listsWithin(name, lists as RowLists, rows, same)
  await selfWithin(checkedSelf(excludeSelf, source.rows, rows), source.rows, rows, same)
}

/** The rows whose texts are also those of rows in other shards. */
async function sharedTextsOf({ runs }: StreamJob): Promise<SharedTexts> {
  const digests: TextDigests[] = []
  await runs.run('texts', async ({ corpusTexts, firstRow }) => {
    digests.push(await digestTexts(corpusTexts!, { firstRow, corpusRows: mostRows }))
  })
  return mergeTextDigests(digests.map((each) => ({ ...each, corpusRows: runs.rows! })))
}

/** What is known of the positives before the shards are mined. */
async function scoredPositives(job: StreamJob): Promise<PositiveScores> {
  const { queries, source, metric, positives, settled, given, runs } = job
  const sharedTexts = settled.queryTexts && (await sharedTextsOf(job))
  if (given && !sharedTexts)
    return {
      ...{ firstRow: 0, rows: mostRows, corpusRows: mostRows, queries: source.rows },
      ...{ dimensions: source.cols, metric, fingerprint: 'given', shared: undefined, ...given },
    }
  const { threads, device, priority, signal } = settled
  let scored: PositiveScores | undefined
  await runs.run('positives', async ({ corpus, corpusGroups, firstRow }, onProgress) => {
    const part = await scorePositives(queries, corpus, positives, {
      ...{ firstRow, corpusRows: runs.rows ?? mostRows, metric, sharedTexts, corpusGroups },
      ...{ threads, device, priority, signal, onProgress },
    })
    const corpusRows = firstRow + part.rows
    const parts = scored ? [scored, part] : [part]
    scored = await mergePositiveScores(parts.map((each) => ({ ...each, corpusRows })))
  })
  return { ...scored!, ...given }
}

/** How many candidates of each query the answer may depend on; undefined if that cannot be told by rank. */
function keptRows(settled: SettledMining): KeptRows | undefined {
  const { skipRanks, skipSurvivors, numNegatives, sampling, maxRank = 0, explain } = settled
  const { from } = samplingOf(sampling)
  if (from === 'all' || settled.candidates !== undefined) return undefined
  const pool = from === 'best' ? poolOf(settled) : 0
  const taken = skipRanks + skipSurvivors + Math.max(numNegatives, pool)
  return { admissible: Math.max(taken, maxRank) + explain, rejected: explain }
}

/** Consecutive shards as one. */
async function joinedShards(
  shards: readonly [MinedCorpusShard, ...MinedCorpusShard[]],
  kept: KeptRows,
): Promise<MinedCorpusShard> {
  const candidates = shards.flatMap((shard) => shard.candidates)
  const sum = (of: (shard: MinedCorpusShard) => number) =>
    shards.reduce((total, shard) => total + of(shard), 0)
  return {
    ...shards[0],
    rows: sum(({ rows }) => rows),
    liveRows: sum(({ liveRows }) => liveRows),
    candidates: candidates.length > 1 ? [await compacted(candidates, kept)] : candidates,
    zeroQueries: Math.max(...shards.map(({ zeroQueries }) => zeroQueries)),
    zeroRows: sum(({ zeroRows }) => zeroRows),
    seconds: sum(({ seconds }) => seconds),
  }
}

/** The options for one shard of the corpus. */
const shardOptions = ({ settled, source }: StreamJob) => ({
  ...settled,
  positiveScores: undefined,
  // The number of rows may not be known yet, and is compared with that of the queries at the end.
  excludeSelf:
    settled.excludeSelf === true
      ? Int32Array.from({ length: source.rows }, (_, q) => q)
      : settled.excludeSelf,
})

async function minedShards(job: StreamJob, scored: PositiveScores): Promise<MinedCorpusShard[]> {
  const { queries, settled, runs } = job
  const kept = keptRows(settled)
  const options = shardOptions(job)
  let parts: MinedCorpusShard[] = []
  await runs.run('mine', async ({ corpus, rows: _, ...own }, onProgress) => {
    const part = await mineCorpusShard(queries, corpus, scored, { ...options, ...own, onProgress })
    const [first] = parts
    parts = kept && first ? [await joinedShards([first, part], kept)] : [...parts, part]
  })
  const positiveScores = { ...scored, rows: runs.rows!, corpusRows: runs.rows! }
  return parts.map((part) => ({ ...part, corpusRows: runs.rows!, positiveScores }))
}

/** Raw ranks of rows that are drawn from a band. */
async function ranksOf(
  job: StreamJob,
  parts: readonly MinedCorpusShard[],
  given: Parameters<typeof drawnRows>[1],
): Promise<readonly DrawnRanks[]> {
  const { queries, runs } = job
  const { positiveScores } = parts[0]!
  const options = shardOptions(job)
  const drawn = await drawnRows(parts, given)
  let all: DrawnRanks | undefined
  await runs.run('rank', async ({ corpus, rows: _, ...own }, onProgress) => {
    const more = { ...options, ...own, onProgress }
    const part = await rankDrawnRows(queries, corpus, positiveScores, drawn, more)
    if (all) await addRanks(all.ranks, part.ranks)
    all = all ? { ...all, rows: all.rows + part.rows } : part
  })
  return [all!]
}

/**
 * {@link mineHardNegatives} over a corpus in shards.
 *
 * @throws {TypeError | RangeError} naming the argument, shard, row and value that is wrong.
 */
export async function mineStream(
  queries: MatrixInput,
  stream: CorpusStream,
  positives: RowListsInput,
  options: SettledMining,
): Promise<MinedNegatives> {
  const { entry } = checkJob(options)
  return holding(entry, async () => {
    const job = await checkedJob(queries, stream, positives, options)
    const scored = await scoredPositives(job)
    if (job.runs.rows !== undefined) await checkRows(job)
    const parts = await minedShards(job, scored)
    await checkRows(job)
    const { threads, device, priority, signal } = options
    const control = { threads, device, priority, signal }
    if (!needsRanks(parts[0]!.options)) return mergeCorpusShards(parts, control)
    const ranks = await ranksOf(job, parts, control)
    return mergeCorpusShards(parts, { ranks, ...control })
  })
}
