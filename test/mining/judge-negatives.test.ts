import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { minedLines } from '../../lib/data/mined-lines'
import { judgeNegatives } from '../../lib/mining/judge-negatives'
import { outcomeNames } from '../../lib/mining/judge-rules'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import type { Scorer } from '../../lib/mining/scorer-answers'
import { gaussian, uniform } from '../matrices'
import { judgedBy, type JudgeRules } from '../reference/judging'
import { answerOf, judgeScene, mixedAnswer, negativesOf, scorerOf } from './judging'

/** Random rules; each limit is on in about half of them. */
function randomRules(seed: number): JudgeRules {
  const next = uniform(seed)
  const some = <T>(value: T) => (next() < 0.5 ? value : undefined)
  const rules = {
    maxScore: some(next() * 2 - 1),
    absoluteMargin: some(next()),
    relativeMargin: some(next()),
    minScore: some(next() - 1),
    reference: (['min', 'max', 'mean'] as const)[Math.floor(3 * next())],
    minPositiveScore: some(next()),
    falseNegatives: (['relabel', 'remove', 'remove-query'] as const)[Math.floor(3 * next())],
    rankBy: some('judge' as const),
    stride: some(1 + Math.floor(4 * next())),
    judgePositives: some(true),
    budget: some(Math.floor(150 * next())),
    queryBudget: some(Math.floor(12 * next())),
  }
  const given = Object.entries(rules).filter(([, value]) => value !== undefined)
  return { numNegatives: 1 + Math.floor(5 * next()), ...Object.fromEntries(given) }
}

/** Answers after a random time, in a random order. */
const slowly = (score: Scorer, seed: number): Scorer => {
  const next = uniform(seed)
  return async (pairs, call) => {
    await setTimeout(3 * next())
    return await score(pairs, call)
  }
}

describe('judgeNegatives', () => {
  it.each(Array.from({ length: 80 }, (_, seed) => [seed]))(
    'gives the answer of plain loops, scene %i',
    async (seed) => {
      const { each, lists } = judgeScene(seed)
      const rules = randomRules(seed)
      const { score, asked } = scorerOf(mixedAnswer(seed))
      const judged = await judgeNegatives(lists, { score, ...rules, batchSize: 1 + (seed % 7) })
      const wanted = judgedBy(each, rules, mixedAnswer(seed))
      expect(negativesOf(judged)).toEqual(wanted.map(({ negatives }) => negatives))
      const { indptr, indices } = judged.newPositives
      expect(each.map((_, q) => [...indices.subarray(indptr[q], indptr[q + 1])])).toEqual(
        wanted.map(({ found }) => found),
      )
      const outcomes = each.map((_, q) =>
        [
          ...judged.judged.outcomes.subarray(judged.judged.indptr[q], judged.judged.indptr[q + 1]),
        ].map((outcome) => outcomeNames[outcome]),
      )
      expect(outcomes).toEqual(wanted.map((query) => query.outcomes))
      const judgedPositives = wanted.reduce((sum, query) => sum + query.judgedPositives, 0)
      expect(judged.judgedPositives).toBe(judgedPositives)
      expect(asked).toHaveLength(outcomes.flat().length + judgedPositives)
      expect(new Set(asked.map(String)).size).toBe(asked.length)
      expect(asked.length).toBeLessThanOrEqual(rules.budget ?? Infinity)
    },
  )

  it.each([1, 2, 3])(
    'has one result for any batches and order of answers, scene %i',
    async (seed) => {
      const { lists } = judgeScene(seed)
      const rules = { ...randomRules(seed), budget: 60 }
      const answer = mixedAnswer(seed)
      const wanted = answerOf(
        await judgeNegatives(lists, { score: scorerOf(answer).score, ...rules }),
      )
      for (const [batchSize, concurrency] of [
        [1, 8],
        [3, 1],
        [5, 50],
        [1000, 2],
      ] as const) {
        const score = slowly(scorerOf(answer).score, batchSize)
        const options = { score, ...rules, batchSize, concurrency }
        expect(answerOf(await judgeNegatives(lists, options))).toEqual(wanted)
      }
    },
  )
})
