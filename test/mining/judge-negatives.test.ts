import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { minedLines } from '../../lib/data/mined-lines'
import { auditMined } from '../../lib/mining/audit-mined'
import { judgeNegatives } from '../../lib/mining/judge-negatives'
import { outcomeNames } from '../../lib/mining/judge-rules'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { mergeJudged } from '../../lib/mining/merge-judged'
import type { Scorer } from '../../lib/mining/scorer-answers'
import { temporaryFolder } from '../data/files'
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

const folder = temporaryFolder()
const [nq, nc] = [30, 200]
const queries = gaussian(nq, 8, 1)
const corpus = gaussian(nc, 8, 2)
const positives = Int32Array.from({ length: nq }, (_, q) => (q % 7 === 6 ? -1 : 3 * q))
const words = { query: (row: number) => `q${row}`, document: (row: number) => `d${row}` }

/** Scores that have nothing to do with the embeddings. */
const hashed = (query: number, row: number) => uniform(1000 * query + row)()

const pool = (options = {}) =>
  mineHardNegatives(queries, corpus, positives, {
    numNegatives: 25,
    relativeMargin: null,
    ...options,
  })

describe('what a judge leaves of mined negatives', () => {
  const rules = { numNegatives: 3, absoluteMargin: 0.2, minPositiveScore: 0.97 }

  it('has the rows, scores and ranks of the mining, and lines and statistics', async () => {
    const mined = await pool()
    const judged = await judgeNegatives(mined, { score: scorerOf(hashed).score, ...rules })
    expect(judged.queries).toBe(nq)
    expect(judged.found).toBeGreaterThan(nq)
    expect(judged.newPositives.indices.length).toBe(judged.outcomes.positive)
    for (let q = 0; q < nq; q++)
      judged.negativesOf(q).forEach((row, i) => {
        const at = mined.negativesOf(q).indexOf(row)
        const [from, to] = [q * 25 + at, q * 3 + i]
        expect([judged.scores[to], judged.ranks[to]]).toEqual([
          mined.scores[from],
          mined.ranks[from],
        ])
        expect(judged.judgeScores[to]).toBe(hashed(q, row))
        expect(hashed(q, row)).toBeLessThanOrEqual(hashed(q, positives[q]!) - 0.2)
      })
    expect([...minedLines('triplet', judged, words)].length).toBe([...judged.triplets()].length)
    const { negativeScore, negativeRank } = await judged.statistics()
    expect(negativeScore.max).toBe(
      Math.max(...judged.scores.filter((score) => !Number.isNaN(score))),
    )
    expect(negativeRank.min).toBeGreaterThanOrEqual(0)
    expect(judged.queriesWithoutPositives).toBe([...positives].filter((row) => row === -1).length)
  })

  it('makes relevant candidates positives, of which a new run gives none', async () => {
    const mined = await pool()
    const { score } = scorerOf((q, row) => (row % 5 === q % 5 ? 'positive' : 'keep'))
    const judged = await judgeNegatives(mined, { score, numNegatives: 4 })
    expect(judged.outcomes.positive).toBeGreaterThan(10)
    for (let q = 0; q < nq; q++) {
      const own = [...judged.positivesOf(q)]
      expect(own).toEqual([...new Set(own)].sort((a, b) => a - b))
      expect(own.filter((row) => row !== positives[q]).every((row) => row % 5 === q % 5)).toBe(true)
    }
    const places = new Map<string, number | undefined>(
      Array.from({ length: nq }, (_, q) =>
        [...mined.negativesOf(q)].map(
          (row, i) => [`${q} ${row}`, mined.scores[q * 25 + i]] as const,
        ),
      ).flat(),
    )
    const { indptr, indices } = judged.positives
    for (let q = 0; q < nq; q++)
      for (let t = indptr[q]!; t < indptr[q + 1]!; t++)
        if (indices[t] !== positives[q])
          expect(judged.positiveScores[t]).toBe(places.get(`${q} ${indices[t]}`))
    const again = await mineHardNegatives(queries, corpus, judged.positives, {
      numNegatives: 9,
      relativeMargin: null,
    })
    for (let q = 0; q < nq; q++)
      expect(
        [...again.negativesOf(q)].filter((row) => judged.positivesOf(q).includes(row)),
      ).toEqual([])
  })

  it('is refused where its arrays were transferred', async () => {
    const mined = await pool()
    structuredClone(0, { transfer: [mined.scores.buffer as ArrayBuffer] })
    await expect(judgeNegatives(mined, { score: scorerOf(hashed).score })).rejects.toThrow(
      'for candidates.scores, received one whose buffer was detached',
    )
  })

  it('can be judged again by a stronger scorer', async () => {
    const cheap = scorerOf((q, row) => (hashed(q, row) < 0.5 ? 'keep' : 'drop'))
    const strong = scorerOf((q, row) => (hashed(row, q) < 0.5 ? 'keep' : 'drop'))
    const first = await judgeNegatives(await pool(), { score: cheap.score, numNegatives: 10 })
    const second = await judgeNegatives(first, { score: strong.score, numNegatives: 2 })
    for (let q = 0; q < nq; q++)
      for (const row of second.negativesOf(q))
        expect([hashed(q, row) < 0.5, hashed(row, q) < 0.5]).toEqual([true, true])
    expect(strong.asked.length).toBeLessThan(cheap.asked.length)
  })

  it('can have only its relevant candidates judged again, as in a cascade', async () => {
    const cheap: Scorer = (pairs) =>
      pairs.map(({ query, row }) => (hashed(query, row) < 0.5 ? 'keep' : 'positive'))
    const first = await judgeNegatives(await pool(), { score: cheap, falseNegatives: 'remove' })
    const { newPositives: rows, positives: known } = first
    const { score, asked } = scorerOf((q, row) => (hashed(row, q) < 0.5 ? 'drop' : 'positive'))
    const second = await judgeNegatives(
      { queries: nq, corpus: nc, rows, positives: known },
      { score },
    )
    expect(asked).toHaveLength(rows.indices.length)
    expect(second.outcomes.positive).toBeGreaterThan(0)
    expect(second.positives.indices).toHaveLength(known.indices.length + second.outcomes.positive)
  })

  it("has the judge's scores in lines for distillation", async () => {
    const { score } = scorerOf(hashed)
    const judged = await judgeNegatives(await pool(), { score, ...rules })
    const lists = await judged.byJudge()
    for (const { query, rows, scores } of lists.labeledLists())
      rows.forEach((row, i) => expect(scores[i]).toBeCloseTo(hashed(query, row), 6))
    expect([...minedLines('labeled', lists, words)].length).toBe([...judged.labeledLists()].length)
    expect((await lists.statistics()).positiveScore.min).not.toBeNaN()
    const path = folder.write('judged.jsonl', [...minedLines('labeled', lists, words)].join('\n'))
    const ids = (name: string, count: number) =>
      new Map(Array.from({ length: count }, (_, row) => [`${name}${row}`, row]))
    const audit = await auditMined(path, {
      ...{ queries: nq, corpus: nc, positives: judged.positives },
      ...{ queryIds: ids('q', nq), corpusIds: ids('d', nc) },
    })
    expect(audit).toMatchObject({
      scoresAbovePositive: 0,
      positivesAmongNegatives: 0,
      unknownIds: 0,
    })
    const unscored = await judgeNegatives(await pool(), { score: scorerOf(() => 'keep').score })
    await expect(unscored.byJudge()).rejects.toThrow('received none for the negative')
    const halfScored = await judgeNegatives(await pool(), { score })
    await expect(halfScored.byJudge()).rejects.toThrow('with judgePositives, to every positive')
    const wholly = await judgeNegatives(await pool(), { score, judgePositives: true })
    expect((await wholly.byJudge()).found).toBe(wholly.found)
  })

  it('in parts merges to that of one run, for any cut', async () => {
    const { score } = scorerOf(hashed)
    const whole = await judgeNegatives(await pool(), { score, ...rules })
    for (const count of [1, 4, 31]) {
      const parts = await Promise.all(
        Array.from({ length: count }, async (_, index) =>
          judgeNegatives(await pool({ shard: { index, count } }), { score, ...rules }),
        ),
      )
      expect(await mergeJudged(parts.reverse())).toEqual(whole)
    }
  })

  it('in parts warns of a small pool and of margins without scores as one run does', async () => {
    const options = { ...scorerOf(() => 'keep' as const), numNegatives: 60, relativeMargin: 0.1 }
    const { score, numNegatives, relativeMargin } = options
    const judge = async (more: object) =>
      judgeNegatives(await pool(more), { score, numNegatives, relativeMargin })
    const { warnings } = await judge({})
    expect(warnings).toHaveLength(2)
    const parts = [
      await judge({ shard: { index: 0, count: 2 } }),
      await judge({ shard: { index: 1, count: 2 } }),
    ]
    expect((await mergeJudged(parts)).warnings).toEqual(warnings)
  })

  it('in parts that other judges judged is refused', async () => {
    const { score } = scorerOf(hashed)
    const part = async (index: number, options: object) =>
      judgeNegatives(await pool({ shard: { index, count: 2 } }), { score, ...options })
    const [first, other] = [await part(0, rules), await part(1, { ...rules, absoluteMargin: 0.3 })]
    await expect(mergeJudged([first, other])).rejects.toThrow(
      'with absoluteMargin of judge 1 0.2 for parts[1], received 0.3',
    )
    await expect(mergeJudged([first])).rejects.toThrow('received no part 1/2')
    await expect(mergeJudged([await judgeNegatives(await pool(), { score })])).rejects.toThrow(
      'what judgeNegatives() gave for a part of a job',
    )
  })
})

describe('a scorer is told', () => {
  it('texts and ids of both sides', async () => {
    const seen: unknown[] = []
    await judgeNegatives(
      { queries: 2, corpus: 3, rows: [[2], [0, 1]] },
      {
        score: (pairs) => pairs.map((pair) => seen.push(pair)),
        queryTexts: ['what', 'why'],
        corpusTexts: ['a', 'b', 'c'],
        queryIds: ['q0', 'q1'],
        corpusIds: [10, 20, 30],
      },
    )
    expect(seen).toEqual([
      { query: 0, row: 2, queryText: 'what', corpusText: 'c', queryId: 'q0', corpusId: 30 },
      { query: 1, row: 0, queryText: 'why', corpusText: 'a', queryId: 'q1', corpusId: 10 },
      { query: 1, row: 1, queryText: 'why', corpusText: 'b', queryId: 'q1', corpusId: 20 },
    ])
  })

  it('about no row twice, and not about positives among the candidates', async () => {
    const { score, asked } = scorerOf(() => 'keep')
    const lists = { queries: 1, corpus: 9, rows: [[4, 7, 4, 1, 7, 2]], positives: [[7]] }
    expect(negativesOf(await judgeNegatives(lists, { score }))).toEqual([[4, 1, 2]])
    expect(asked.map(([, row]) => row)).toEqual([4, 1, 2])
  })

  it('about the best candidates first, and about no more than are needed', async () => {
    const { score, asked } = scorerOf((_, row) => (row < 3 ? 'drop' : 'keep'))
    const rows = [
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      [9, 8, 7, 6, 5],
    ]
    const judged = await judgeNegatives(
      { queries: 2, corpus: 10, rows },
      { score, numNegatives: 2 },
    )
    expect(negativesOf(judged)).toEqual([
      [3, 4],
      [9, 8],
    ])
    expect(asked.map(([query, row]) => `${query} ${row}`).sort()).toEqual([
      '0 0',
      '0 1',
      '0 2',
      '0 3',
      '0 4',
      '1 8',
      '1 9',
    ])
  })
})

describe('known answers', () => {
  const scores = [0.9, 0.75, 0.50000006, 0.5, 0.25, 0.125]
  const one = { queries: 1, corpus: 7, rows: [[0, 1, 2, 3, 4, 5]], positives: [[6]] }
  const score: Scorer = (pairs) => pairs.map(({ row }) => (row === 6 ? 0.75 : scores[row]!))
  const rowsFor = async (options: object) =>
    negativesOf(await judgeNegatives(one, { score, numNegatives: 6, ...options }))[0]

  it('of a closed ceiling at .5 and a closed floor at .25', async () => {
    expect(await rowsFor({ absoluteMargin: 0.25 })).toEqual([3, 4, 5])
    expect(await rowsFor({ relativeMargin: 0 })).toEqual([1, 2, 3, 4, 5])
    expect(await rowsFor({ absoluteMargin: 0.25, minScore: 0.25 })).toEqual([3, 4])
  })

  it("of UniME-V2's pick of every fifth, which repeats none", async () => {
    expect(await rowsFor({ stride: 5, numNegatives: 2 })).toEqual([0, 5])
    expect(await rowsFor({ stride: 5, numNegatives: 3 })).toEqual([0, 1, 5])
    expect(await rowsFor({ stride: 2, numNegatives: 3 })).toEqual([0, 2, 4])
    expect(await rowsFor({ stride: 100, numNegatives: 3 })).toEqual([0, 1, 2])
  })

  it("of RocketQA's limits", async () => {
    const judged = await judgeNegatives(one, { score, maxScore: 0.25, minPositiveScore: 0.75 })
    expect(negativesOf(judged)).toEqual([[4, 5]])
    expect([...judged.newPositives.indices]).toEqual([0, 1])
    expect([...judged.positives.indices]).toEqual([0, 1, 6])
    const { outcomes } = judged
    expect(outcomes).toEqual({ unanswered: 0, positive: 2, drop: 0, ceiling: 2, floor: 0, keep: 2 })
  })
})
