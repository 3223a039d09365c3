import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { joined, mapped } from '../data/pieces'
import type { RowListsInput } from '../data/row-lists'
import { toQueries } from '../data/source'
import { GemmineError, invalid } from '../errors'
import { planMemory } from '../memory'
import { runJob, type NativeMined, type NativeMineRules } from '../native'
import { checkJob } from '../options'
import { ceilingsOf } from './ceiling-rules'
import { answerOf } from './mined-answer'
import { firstLists, minedArrays, positiveArrays } from './mined-arrays'
import { mineQueries, mineWithCheckpoints, type MiningCall } from './mined-blocks'
import type { MinedNegatives } from './mined-negatives'
import { mineStream } from './mine-stream'
import type { CorpusStream } from './corpus-stream'
import { identityOf } from './mining-checkpoint'
import {
  nativeOptions,
  nativeRules,
  type MineHardNegativesOptions,
  type SettledMining,
} from './mining-options'
import { settleSweep, type MiningSweep } from './mining-sweep'
import { nothingMined } from './merge-mined'
import { holderOf, keeping, scanned, type CorpusInput, type Scanned } from './prepare-corpus'
import { listStartsOf, mostLists } from './query-lists'
import {
  fingerprintOf,
  fingerprintsOf,
  plainOptions,
  type JobInputs,
  type shardRange,
} from './query-shard'
import { checkSampledMetric } from './samplings'
import { budgetBesideTexts } from './text-memory'

/** The positives that were used for the mined queries, and their scores. */
async function positivesOf(
  { positiveStarts, positiveRows, positiveScores }: ReturnType<typeof positiveArrays>,
  { firstQuery, queryCount }: ReturnType<typeof shardRange>,
) {
  const starts = positiveStarts.subarray(firstQuery, firstQuery + queryCount + 1)
  const [begin, end] = [starts[0]!, starts.at(-1)!]
  if (starts.length === positiveStarts.length)
    return {
      positives: { indptr: positiveStarts, indices: positiveRows.subarray(0, end) },
      positiveScores: positiveScores.subarray(0, end),
    }
  return {
    positives: {
      indptr: await mapped(starts, (start) => start - begin),
      indices: await joined([positiveRows.subarray(begin, end)], Int32Array),
    },
    positiveScores: await joined([positiveScores.subarray(begin, end)], Float64Array),
  }
}

/**
 * Mines, for each query, the hardest corpus rows that are not likely to be unlabelled positives.
 *
 * A candidate is dropped if it is, in this order: the query itself; a positive; excluded; barred by its
 * group; equal in text to the query, to a positive (of any query with its text) or to a better candidate;
 * near a positive; above the ceiling; below the floor; or outside the requested ranks. The ceiling is the lowest of
 * `maxScore`, p − absoluteMargin and p − relativeMargin · |p|, with p the reference score of the positives,
 * and is applied inside the exact scan, so the best admissible rows are found at any depth. A query without
 * positives is mined only if `maxScore` is given.
 *
 * @param queries [nq × d], dense or a file; no rows give an answer without rows. Lent until the promise
 *   settles: see {@link DenseMatrix}.
 * @param corpus [nc × d], dense, a file, or prepared by {@link prepareCorpus}; or for one that is larger than
 *   memory a function that gives its shards one after the other, see {@link CorpusStream}.
 * @param positives Corpus rows that belong to each query: a list of lists, an Int32Array of one row a
 *   query (−1 for none), or {@link RowLists}.
 * @param given With `sweep` (several sets of rules) the result is an array of answers in their order, each
 *   equal to the answer of a separate call. One scan serves all sets, and `seconds` is the time of all.
 * @returns Arrays padded with −1 and NaN, exact counters for each rule, and lazy lists.
 * @throws {TypeError | RangeError} naming the wrong argument, row and value.
 * @see "NV-Retriever: Improving text embedding models with effective hard-negative mining" (2024), section 3
 *
 * @example
 * const mined = await mineHardNegatives(queries, corpus, [[3], [0, 7]], { numNegatives: 8 })
 * for (const { query, positive, negative } of mined.triplets()) console.log(query, positive, negative)
 *
 * const inShards = await mineHardNegatives(
 *   queries,
 *   async function* () {
 *     for (const { corpus } of shards) yield corpus
 *   },
 *   positives,
 * )
 *
 * const [wide, narrow] = await mineHardNegatives(queries, corpus, [[3], [0, 7]], {
 *   sweep: [{ relativeMargin: 0.05 }, { relativeMargin: 0.2 }],
 * })
 */
export function mineHardNegatives(
  queries: MatrixInput,
  corpus: CorpusInput | CorpusStream,
  positives: RowListsInput,
  given?: MineHardNegativesOptions & { readonly sweep?: undefined },
): Promise<MinedNegatives>
export function mineHardNegatives(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: RowListsInput,
  given: MiningSweep,
): Promise<MinedNegatives[]>
export async function mineHardNegatives(
  queries: MatrixInput,
  corpus: CorpusInput | CorpusStream,
  positives: RowListsInput,
  given: MineHardNegativesOptions | MiningSweep = {},
): Promise<MinedNegatives | MinedNegatives[]> {
  const settled = settleSweep(given)
  const isSweep = 'sweep' in given && given.sweep !== undefined
  if (typeof corpus === 'function') {
    if (isSweep) throw invalid('sweep', 'none beside a corpus in shards', given.sweep)
    return mineStream(queries, corpus, positives, settled[0]!)
  }
  const answers = await keeping(corpus, () => mineAll(queries, corpus, positives, settled))
  return isSweep ? answers : answers[0]!
}

/** Rows of a query, at least, that are kept until rows are shared out among all queries. */
const keptForHubs = ({ hubCap, pool, numNegatives }: NativeMineRules, rows: number) =>
  hubCap === undefined ? 0 : Math.min(rows, Math.max(pool, 2 * numNegatives + 8))

/** @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` if rows kept for hub caps take more than half of the budget. */
function checkBudget(kept: number, memoryBudget = Infinity) {
  if (kept <= memoryBudget / 2) return
  throw new GemmineError(
    'ERR_GEMMINE_OUT_OF_MEMORY',
    `The rows that hubCap shares out need about ${kept} bytes of memory, and the budget has ${memoryBudget / 2} for them`,
  )
}

/** The rules of each answer in the form for the addon, after a check that there is memory for all answers. */
async function sweptRules(
  settled: readonly SettledMining[],
  { metric, rows }: Scanned,
  dimensions: number,
  native: Awaited<ReturnType<typeof nativeOptions>>,
) {
  const { queryCount, positives } = native
  const sweep = []
  for (const each of settled) {
    checkSampledMetric(each, metric)
    const ceilings = ceilingsOf(each, metric)
    const lists = await mostLists(each.reference, positives, native)
    sweep.push({
      ceilings,
      lists,
      options: nativeRules(each, ceilings, { lists, rows, dimensions }),
    })
  }
  const places = sweep.reduce((sum, { options }) => sum + options.numNegatives, 0)
  const bytes = sweep.map(({ lists, options: rules }) => {
    return lists * (12 * rules.numNegatives + 50 * rules.explain + 60 * keptForHubs(rules, rows))
  })
  const shared = sweep.reduce(
    (sum, { lists, options: rules }) => sum + lists * keptForHubs(rules, rows),
    0,
  )
  checkBudget(60 * shared, settled[0]!.memoryBudget)
  planMemory(
    `${places} negatives for each of ${queryCount} queries`,
    bytes.reduce((sum, each) => sum + each, 12 * positives.indices.length),
  )
  return sweep
}

/** The inputs of a call, for fingerprints. */
const inputsOf = ({ queries, corpus, options, job, arrays }: MiningCall): JobInputs => ({
  matrices: { queries, corpus },
  options: { ...options, liveRows: 'live' in corpus ? corpus.live() : undefined },
  run: (start) => runJob(job, arrays, start),
})

/** Mines at once, or in blocks if there are checkpoints. */
async function minedBy(
  call: MiningCall,
  { rows, metric }: Scanned,
  files: SettledMining,
  told: readonly ReturnType<typeof plainOptions>[],
): Promise<NativeMined[]> {
  const { queryCount } = call.options
  if (files.checkpoint === undefined && files.resume === undefined)
    return queryCount === 0 ? told.map(() => nothingMined) : mineQueries(call)
  const fingerprints = await fingerprintsOf(inputsOf(call))
  const identity = identityOf(files, metric, told, fingerprints)
  return mineWithCheckpoints(call, { rows, cols: call.queries.cols }, { files, identity })
}

/** One answer for each of several options with the same lists. */
async function mineAll(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: RowListsInput,
  settled: readonly SettledMining[],
): Promise<MinedNegatives[]> {
  const [first] = settled as [SettledMining]
  const { device, ...job } = checkJob(first, holderOf(corpus))
  const source = toQueries(queries)
  const target = scanned(corpus, first.metric, source)
  const options = await nativeOptions(first, positives, source.rows, target, device)
  const { firstQuery, queryCount, excludeSelf, positives: listed, exclude, candidates } = options
  const sweep = await sweptRules(settled, target, source.cols, options)
  const out = sweep.map(({ lists, options: rules }) =>
    minedArrays(lists, rules.numNegatives, options.beside),
  )
  const listedOut = positiveArrays(listed.indices.length, source.rows)
  const { queryGroups, corpusGroups } = options
  const lists = { excludeSelf, positives: listed, exclude, candidates, queryGroups, corpusGroups }
  const { inputs, arrays } = await loanOf({ queries: source, corpus: target.matrix, ...lists })
  const { queries: asked, corpus: matrix, ...lent } = inputs
  const call: MiningCall = {
    queries: asked,
    corpus: target.handle ?? matrix!,
    options: { ...options, ...lent },
    positives: listedOut,
    answers: sweep.map(({ options: rules }, i) => ({ options: rules, out: out[i]! })),
    job: { ...job, memoryBudget: budgetBesideTexts(first, source, target, listed) },
    arrays,
  }
  const told = settled.map((each, i) => plainOptions(each, sweep[i]!.ceilings))
  const fingerprint = first.shard && (await fingerprintOf(inputsOf(call)))
  const mined = await minedBy(call, target, first, told)
  const shared = {
    queries: queryCount,
    firstQuery,
    corpus: target.rows,
    liveRows: target.liveRows,
    dimensions: source.cols,
    metric: target.metric,
    ...(await positivesOf(listedOut, options)),
  }
  const starts = await listStartsOf(shared.positives)
  const positiveIds = await target.ids?.idsOf(shared.positives.indices)
  const answers = settled.map(async (each, i) => {
    const { ceilings } = sweep[i]!
    const listStarts = each.reference === 'each' ? starts : undefined
    const arrays = firstLists(out[i]!, listStarts?.at(-1) ?? queryCount, each.numNegatives)
    const ofJob = { queries: source.rows, options: told[i]!, fingerprint: fingerprint! }
    const shard = each.shard && { ...each.shard, ...ofJob }
    const found = {
      ...{ ...shared, numNegatives: each.numNegatives, shard, ceilings, listStarts },
      ...(listStarts ? arrays : out[i]!),
      ...(target.ids && { ids: await target.ids.idsOf(arrays.indices), positiveIds }),
    }
    return answerOf(found, mined[i]!, each)
  })
  return await Promise.all(answers)
}
