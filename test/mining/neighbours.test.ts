import { describe, expect, it } from 'vitest'
import { Neighbours } from '../../lib/mining/neighbours'
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
