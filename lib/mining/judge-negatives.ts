// Judges mined candidates by a scorer of the caller.
import { throwIfAborted } from '../cancellation'
import type { RowLists } from '../data/row-lists'
import { planMemory } from '../memory'
import { checkedJudge, type JudgeNegativesOptions, type JudgeSettings } from './judge-options'
import { JudgeRounds } from './judge-rounds'
import { hasMargin, judgesWithoutReference } from './judge-rules'
import {
  isRemoved,
  judgedArrays,
  judgedCandidates,
  judgedPositives,
  type Judged,
} from './judge-selection'
import { judgedExtent, judgeSource, type CandidateLists, type JudgeSource } from './judge-source'
import { judgeWarnings } from './judge-warnings'
import { JudgedNegatives } from './judged-negatives'
import { summedCounts } from './mined-arrays'
import type { NegativeLists } from './negative-lists'
import type { MinedShard } from './query-shard'
import { withScorer } from './scorer-session'

/** Bytes of a slot: row, rank, score and score of the scorer. */
const bytesOfNegative = 20

/** Asks the scorer, round by round. */
const judge = (source: JudgeSource, options: JudgeSettings): Promise<Judged & { asked: number }> =>
  withScorer(source, options, async (session) => {
    const { pairs } = session
    const rounds = new JudgeRounds(pairs, options)
    for (;;) {
      session.expect(await rounds.most())
      const { taken, numbers } = await rounds.next()
      if (numbers.length === 0) return { source, pairs, rounds, options, asked: session.asked }
      await session.ask(numbers.length, (i) => numbers[i]!)
      await rounds.settle(taken)
    }
  })

/** Counts of queries by what kept them from having all negatives. */
function queryCounts(judged: Judged, counts: Int32Array) {
  const { source, rounds, options } = judged
  const { indptr } = source.candidates
  const isLimited = options.budget !== undefined || options.queryBudget !== undefined
  let [queriesWithoutPositives, queriesRemoved, overBudget] = [0, 0, 0]
  for (let q = 0; q < source.queries; q++) {
    const positives = source.positives.indptr[q + 1]! - source.positives.indptr[q]!
    const isLeftOut = positives === 0 && !judgesWithoutReference(options)
    const removed = isRemoved(q, judged)
    const wasShort = counts[q]! < options.numNegatives
    const hasMore = rounds.asked[q]! < indptr[q + 1]! - indptr[q]!
    queriesWithoutPositives += Number(isLeftOut)
    queriesRemoved += Number(removed)
    overBudget += Number(isLimited && wasShort && hasMore && !isLeftOut && !removed)
  }
  return { queriesWithoutPositives, queriesRemoved, overBudget }
}

/** The shard with the options of the judge beside those of the mining and of judges before. */
/** Candidates of the query that has most. */
const mostIn = ({ indptr }: RowLists) =>
  indptr.reduce((most, start, q) => Math.max(most, (indptr[q + 1] ?? start) - start), 0)

function shardOf(shard: MinedShard | undefined, options: JudgeSettings): MinedShard | undefined {
  if (!shard) return undefined
  const names = [
    'numNegatives',
    'maxScore',
    'absoluteMargin',
    'relativeMargin',
    'minScore',
    'reference',
    'minPositiveScore',
    'falseNegatives',
    'rankBy',
    'stride',
    'judgePositives',
    'budget',
    'queryBudget',
  ] as const
  const { judges: before = 0, ...others } = shard.options
  const judges = Number(before) + 1
  const judged = names.flatMap((name) => {
    const value = options[name]
    return value === undefined ? [] : [[`${name} of judge ${judges}`, value] as const]
  })
  const scorer = { [`scorer of judge ${judges}`]: options.cache?.fingerprint ?? null }
  const all = { ...others, judges, ...scorer, ...Object.fromEntries(judged) }
  return { ...shard, options: all }
}

/**
 * Asks a scorer of the caller, such as a cross-encoder or a language model, about mined candidates, and keeps
 * the best that it does not find relevant. As few pairs as possible are asked about: the candidates of a
 * query in their order, until it has its negatives. The result depends on the scorer's answers alone, not on
 * batches, concurrency or a resumed run.
 *
 * @param candidates What {@link mineHardNegatives} gave with as many `numNegatives` as a query may need, what
 *   an earlier judge gave, or {@link CandidateLists}.
 * @throws {TypeError | RangeError} naming the wrong argument and value.
 * @throws {GemmineError} `ERR_GEMMINE_SCORER`, naming the batch, if the scorer fails after all retries or
 *   gives an answer of a wrong form; `ERR_GEMMINE_FILE` if the cache cannot be read or written, or is that of
 *   other inputs; or the signal's reason.
 * @see "Fixing Data That Hurts Performance: Cascading LLMs to Relabel Hard Negatives for Robust Information
 *   Retrieval" (2025); "UniME-V2: MLLM-as-a-Judge for Universal Multimodal Embedding Learning" (2025)
 *
 * @example
 * const pool = await mineHardNegatives(queries, corpus, [[3], [0, 7]], { numNegatives: 50 })
 * const judged = await judgeNegatives(pool, {
 *   score: async (pairs) => pairs.map(({ query, row }) => (query + row) % 10),
 *   relativeMargin: 0.05,
 * })
 * for (const { query, positive, negative } of judged.triplets()) console.log(query, positive, negative)
 */
export async function judgeNegatives(
  candidates: NegativeLists | CandidateLists,
  given: JudgeNegativesOptions,
): Promise<JudgedNegatives> {
  const options = checkedJudge(given, judgedExtent(candidates))
  const { numNegatives, signal } = options
  throwIfAborted(signal)
  const source = await judgeSource(candidates)
  const wanted = `${numNegatives} negatives for each of ${source.queries} queries`
  planMemory(wanted, bytesOfNegative * source.queries * numNegatives)
  const judged = await judge(source, options)
  const { rounds, asked } = judged
  const { queries, firstQuery, corpus } = source
  const arrays = await judgedArrays(judged)
  const run = {
    ...{ queries, firstQuery, corpus, numNegatives },
    shard: shardOf(source.shard, options),
    ...arrays,
    ...(await summedCounts(arrays.counts, numNegatives)),
    ...(await judgedPositives(judged)),
    ...(await judgedCandidates(judged)),
    ...queryCounts(judged, arrays.counts),
    judgedPositives: rounds.askedPositives,
    asked,
    mostCandidates: mostIn(source.candidates),
  }
  return new JudgedNegatives({ ...run, warnings: judgeWarnings(run, hasMargin(options)) })
}
