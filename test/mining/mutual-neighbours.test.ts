import { describe, expect, it } from 'vitest'
import type { Matrix } from '../../lib/data/matrix'
import { metrics } from '../../lib/mining/metric'
import { mutualNeighbours, type MutualNeighboursOptions } from '../../lib/mining/mutual-neighbours'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { reverseTopK } from '../../lib/mining/reverse-top-k'
import { topK } from '../../lib/mining/top-k'
import { gaussian, matrixOf } from '../matrices'

/** Pairs [query, row, score] that topK and reverseTopK both find. */
async function expected(queries: Matrix, corpus: Matrix, options: MutualNeighboursOptions) {
  const { k } = options
  const there = await topK(queries, corpus, options)
  const back = await reverseTopK(queries, corpus, options)
  const pairs: [number, number, number][] = []
  for (let query = 0; query < queries.rows; query++)
    for (let slot = query * k; slot < (query + 1) * k; slot++) {
      const row = there.indices[slot]!
      const mutual = row >= 0 && back.indices.subarray(row * k, (row + 1) * k).includes(query)
      if (mutual) pairs.push([query, row, there.scores[slot]!])
    }
  return pairs
}

async function found(queries: Matrix, corpus: Matrix, options: MutualNeighboursOptions) {
  const { indptr, indices, scores, certified, fallback } = await mutualNeighbours(
    queries,
    corpus,
    options,
  )
  expect(certified + fallback).toBe(queries.rows + corpus.rows)
  expect(indptr).toHaveLength(queries.rows + 1)
  const pairs: [number, number, number][] = []
  for (let query = 0; query < queries.rows; query++)
    for (let at = indptr[query]!; at < indptr[query + 1]!; at++)
      pairs.push([query, indices[at]!, scores[at]!])
  return pairs
}

const ties = (rows: number, cols: number) => matrixOf(rows, cols, (i, j) => ((i * 7) % (j + 3)) - 1)

describe('mutualNeighbours', () => {
  it('finds the pairs that are each the best of the other', async () => {
    const queries = matrixOf(3, 1, (i) => [1, 2, 10][i]!)
    const corpus = matrixOf(3, 1, (i) => [2.1, 9, 100][i]!)
    // 1 is near 2.1, which is nearer to 2; 100 is nearest to 10, which is nearer to 9.
    expect(await found(queries, corpus, { k: 1, metric: 'l2' })).toEqual([
      [1, 0, expect.closeTo(-0.01)],
      [2, 1, -1],
    ])
  })

  for (const metric of metrics)
    it.each([
      ['few rows', gaussian(60, 5, 1), gaussian(300, 5, 2)],
      ['enough rows for a join', gaussian(800, 9, 3), gaussian(900, 9, 4)],
      ['ties', ties(900, 4), ties(800, 4)],
      ['a side far longer than the other', gaussian(50, 5, 1, 1e15), gaussian(2000, 5, 2, 1e-15)],
    ])(`finds what topK and reverseTopK both find: %s, ${metric}`, async (_, queries, corpus) => {
      const options = { k: 6, metric }
      expect(await found(queries, corpus, options)).toEqual(
        await expected(queries, corpus, options),
      )
    })

  it('of a corpus with itself, with and without lists', async () => {
    const X = gaussian(850, 8, 9)
    const alone = { k: 5, excludeSelf: true }
    const pairs = await found(X, X, alone)
    expect(pairs).toEqual(await expected(X, X, alone))
    const turned = new Set(pairs.map(([query, row]) => `${row} ${query}`))
    for (const [query, row] of pairs) expect(turned).toContain(`${query} ${row}`)
    const exclude = Array.from({ length: 850 }, (_, i) => [(i * 31) % 850, (i + 1) % 850])
    expect(await found(X, X, { ...alone, exclude })).toEqual(
      await expected(X, X, { ...alone, exclude }),
    )
  })

  it('answers the same from a prepared corpus, for any number of threads', async () => {
    const [queries, corpus] = [gaussian(1000, 20, 7), gaussian(1100, 20, 8)]
    const { seconds: _, ...plain } = await mutualNeighbours(queries, corpus, { k: 4 })
    const prepared = await prepareCorpus(corpus)
    for (const threads of [1, 2, 3])
      expect(await mutualNeighbours(queries, prepared, { k: 4, threads })).toMatchObject(plain)
    prepared.dispose()
  })

  it('takes no queries, and a k above both sides', async () => {
    const none = { data: new Float32Array(0), rows: 0, cols: 3 }
    const { indptr, certified } = await mutualNeighbours(none, gaussian(4, 3, 1), { k: 1 })
    expect([[...indptr], certified]).toEqual([[0], 4])
    const all = await mutualNeighbours(gaussian(3, 3, 1), gaussian(4, 3, 2), { k: 99 })
    expect([...all.indptr]).toEqual([0, 4, 8, 12])
  })

  it('tells how far it is, one total a phase, and stops when it is told to', async () => {
    const [queries, corpus] = [gaussian(3000, 60, 7), gaussian(3000, 60, 8)]
    const totals = new Map<string, number>()
    await mutualNeighbours(queries, corpus, {
      k: 4,
      onProgress: ({ phase, done, total }) => {
        expect(totals.get(phase) ?? total, phase).toBe(total)
        expect(done).toBeLessThanOrEqual(total)
        totals.set(phase, total)
      },
    })
    const signal = AbortSignal.abort()
    await expect(mutualNeighbours(queries, corpus, { k: 4, signal })).rejects.toThrow()
  })

  it('names the argument that is wrong', async () => {
    const [q, c] = [gaussian(3, 3, 1), gaussian(9, 3, 2)]
    await expect(mutualNeighbours(q, c, { k: 0 })).rejects.toThrow('an integer of at least 1 for k')
    await expect(mutualNeighbours(q, c, { k: 1, threshold: 1 } as never)).rejects.toThrow(
      'option threshold',
    )
    const hostile = matrixOf(3, 3, (i) => (i === 2 ? NaN : 1))
    await expect(mutualNeighbours(hostile, c, { k: 1 })).rejects.toThrow('row 2, column 0')
  })
})
