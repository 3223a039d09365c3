import { describe, expect, it } from 'vitest'
import { Neighbours } from '../../lib/mining/neighbours'
import { judgeNegatives } from '../../lib/mining/judge-negatives'
import type { JudgedNegativesJson } from '../../lib/mining/judged-negatives'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import type { MinedNegativesJson } from '../../lib/mining/mined-negatives'
import { topK } from '../../lib/mining/top-k'
import { matrixOf } from '../matrices'

const queries = matrixOf(2, 2, (i, j) => (i === j ? 1 : 0))
const corpus = matrixOf(3, 2, (i, j) => i + j)

describe('Neighbours', () => {
  it('lists the rows of a query, best first, without missing places', async () => {
    const found = await topK(queries, corpus, { k: 5, metric: 'dot', minScore: 1 })
    expect([...found.of(0)]).toEqual([
      { row: 2, score: 2 },
      { row: 1, score: 1 },
    ])
    expect([...found.of(1)].map(({ row }) => row)).toEqual([2, 1, 0])
    expect(() => [...found.of(2)]).toThrow('query')
  })

  it('is readable as JSON', async () => {
    const found = await topK(queries, corpus, { k: 1, metric: 'dot' })
    const { seconds, ...rest } = JSON.parse(JSON.stringify(found)) as { seconds: number }
    expect(seconds).toBeGreaterThanOrEqual(0)
    expect(rest).toEqual({
      ...{ queries: 2, k: 1, metric: 'dot' },
      neighbours: [[{ row: 2, score: 2 }], [{ row: 2, score: 3 }]],
      ...{ certified: found.certified, fallback: found.fallback, zeroQueries: 0, zeroRows: 0 },
      warnings: [],
    })
  })

  it('tells ids where there are some; bigints are strings in JSON', async () => {
    const found = await topK(queries, corpus, { k: 2, metric: 'dot' })
    const named = new Neighbours({ ...found, ids: [7n, 'a', 7n, 'a'] })
    expect([...named.of(0)][0]).toEqual({ id: 7n, row: 2, score: 2 })
    expect(named.toJSON().neighbours[0]![0]).toEqual({ id: '7', row: 2, score: 2 })
  })
})

describe('mined negatives', () => {
  it('are readable as JSON', async () => {
    const mined = await mineHardNegatives(queries, corpus, [[2], [0]], {
      ...{ numNegatives: 2, metric: 'dot', relativeMargin: 0, explain: 1 },
    })
    const { lists, found, rejected } = JSON.parse(JSON.stringify(mined)) as MinedNegativesJson
    expect(found).toBe(2)
    expect(lists).toEqual([
      {
        ...{ query: 0, positives: [2] },
        negatives: [
          { row: 1, score: 1, rank: 0 },
          { row: 0, score: 0, rank: 1 },
        ],
      },
      expect.objectContaining({ query: 1, positives: [0] }),
    ])
    expect(rejected[0]!.candidates[0]!.rule).toBe('positive')
  })
})

describe('judged negatives', () => {
  it('are readable as JSON', async () => {
    const mined = await mineHardNegatives(queries, corpus, [[2], [0]], {
      ...{ numNegatives: 2, metric: 'dot', relativeMargin: 0 },
    })
    const judged = await judgeNegatives(mined, {
      ...{ numNegatives: 2, maxScore: 5 },
      score: async (pairs) => pairs.map(({ row }) => row),
    })
    const { lists, judged: seen } = JSON.parse(JSON.stringify(judged)) as JudgedNegativesJson
    expect(lists.map(({ query }) => query)).toEqual([0, 1])
    expect(seen[0]!.map(({ row }) => row)).toEqual([1, 0])
  })
})
