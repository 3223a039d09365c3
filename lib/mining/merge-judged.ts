// Merges judged parts of a mining job.
import { joined, joinedStarts, type Numbers } from '../data/pieces'
import type { RowLists } from '../data/row-lists'
import { outcomeNames } from './judge-rules'
import { judgeWarnings, partHasMargin } from './judge-warnings'
import { JudgedNegatives } from './judged-negatives'
import { checkParts, sumOf } from './merge-mined'
import type { MinedShard } from './query-shard'

type JudgedPart = JudgedNegatives & { readonly shard: MinedShard }

const joinedLists = async (lists: readonly RowLists[]): Promise<RowLists> => ({
  indptr: await joinedStarts(lists.map(({ indptr }) => indptr)),
  indices: await joined(
    lists.map(({ indices }) => indices),
    Int32Array,
  ),
})

/**
 * Merges what {@link judgeNegatives} gave for the parts of a mining job (`shard`). The result is that of
 * judging all queries at once, unless a `budget` was given, which is that of each part.
 *
 * @param parts All parts of one job, each once, in any order, judged with the same options.
 * @throws {TypeError | RangeError} naming the part that belongs to another job, is given twice or is missing.
 *
 * @example
 * const parts = await Promise.all(
 *   [0, 1].map(async (index) => {
 *     const shard = { index, count: 2 }
 *     const pool = await mineHardNegatives(queries, corpus, positives, { numNegatives: 50, shard })
 *     return judgeNegatives(pool, { score, maxScore: 0.5 })
 *   }),
 * )
 * const judged = await mergeJudged(parts)
 */
export async function mergeJudged(parts: readonly JudgedNegatives[]): Promise<JudgedNegatives> {
  checkParts(parts, JudgedNegatives, 'what judgeNegatives() gave for a part of a job')
  const ordered = [...(parts as readonly JudgedPart[])].sort(
    (a, b) => a.shard.index - b.shard.index,
  )
  const [{ shard, corpus, numNegatives }] = ordered as [JudgedPart]
  const all = <Kind extends Numbers>(
    of: (part: JudgedPart) => Kind,
    Kind: new (length: number) => Kind,
  ) => joined(ordered.map(of), Kind)
  const sum = (value: (part: JudgedPart) => number) => sumOf(ordered, value)
  const outcomes = outcomeNames.map((name) => [name, sum((part) => part.outcomes[name])])
  const run = {
    ...{ queries: shard.queries, firstQuery: 0, shard: undefined, corpus, numNegatives },
    positives: await joinedLists(ordered.map(({ positives }) => positives)),
    positiveScores: await all(({ positiveScores }) => positiveScores, Float64Array),
    judgePositiveScores: await all(({ judgePositiveScores: scores }) => scores, Float64Array),
    newPositives: await joinedLists(ordered.map(({ newPositives }) => newPositives)),
    indices: await all(({ indices }) => indices, Int32Array),
    scores: await all(({ scores }) => scores, Float32Array),
    judgeScores: await all(({ judgeScores }) => judgeScores, Float64Array),
    counts: await all(({ counts }) => counts, Int32Array),
    ranks: await all(({ ranks }) => ranks, Int32Array),
    judged: {
      indptr: await joinedStarts(ordered.map(({ judged }) => judged.indptr)),
      rows: await all(({ judged }) => judged.rows, Int32Array),
      scores: await all(({ judged }) => judged.scores, Float64Array),
      outcomes: await all(({ judged }) => judged.outcomes, Uint8Array),
    },
    outcomes: Object.fromEntries(outcomes) as JudgedNegatives['outcomes'],
    found: sum(({ found }) => found),
    served: sum(({ served }) => served),
    shortfall: sum(({ shortfall }) => shortfall),
    judgedPositives: sum(({ judgedPositives }) => judgedPositives),
    asked: sum(({ asked }) => asked),
    queriesWithoutPositives: sum(({ queriesWithoutPositives }) => queriesWithoutPositives),
    queriesRemoved: sum(({ queriesRemoved }) => queriesRemoved),
    overBudget: sum(({ overBudget }) => overBudget),
    mostCandidates: Math.max(...ordered.map(({ mostCandidates }) => mostCandidates)),
  }
  return new JudgedNegatives({ ...run, warnings: judgeWarnings(run, partHasMargin(shard.options)) })
}
