import { describe, expect, it } from 'vitest'
import { rangeSearch } from '../../lib/mining/range-search'
import type { Matrix } from '../../lib/data/matrix'
import { metrics, type Metric } from '../../lib/mining/metric'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { gaussian, matrixOf } from '../matrices'
import { ranking, scoresOf } from '../reference/scores'

const scenes: Record<string, { queries: Matrix; corpus: Matrix }> = {
  'one dimension': { queries: gaussian(15, 1, 21), corpus: gaussian(700, 1, 22) },
  'seventeen dimensions, odd sizes': {
    queries: gaussian(33, 17, 23),
    corpus: gaussian(1001, 17, 24),
  },
  'all rows equal': { queries: gaussian(3, 8, 1), corpus: matrixOf(500, 8, (_, j) => j + 1) },
  'zero rows': {
    queries: matrixOf(4, 8, (i, j) => (i === 1 ? 0 : i + j)),
    corpus: matrixOf(60, 8, (i, j) => (i % 3) * (j - 3)),
  },
  'far from the origin': {
    queries: matrixOf(5, 64, (i, j) => 1e4 + ((i * 31 + j * 17) % 97) / 31),
    corpus: matrixOf(900, 64, (i, j) => 1e4 + ((i * 37 + j * 11) % 101) / 29),
  },
}

/** Rows of one query at the threshold or above it, best first. */
function found(metric: Metric, { queries, corpus }: (typeof scenes)[string], query: number) {
  const scores = scoresOf(metric, queries, corpus, query)
  return {
    scores,
    above: (threshold: number) => ranking(scores).filter((row) => scores[row]! >= threshold),
  }
}

/** A score that exists, somewhere in the middle: rows of exactly this score must be found. */
const middling = (scores: Float64Array) => scores[ranking(scores)[scores.length >> 3]!]!

async function expectExact(metric: Metric, scene: (typeof scenes)[string], limit?: number) {
  const threshold = middling(found(metric, scene, 0).scores)
  const { queries, corpus } = scene
  const answer = await rangeSearch(queries, corpus, { threshold, metric, limit })
  expect(answer.indptr).toHaveLength(queries.rows + 1)
  for (let query = 0; query < queries.rows; query++) {
    const { scores, above } = found(metric, scene, query)
    const part = [answer.indptr[query]!, answer.indptr[query + 1]!] as const
    const rows = above(threshold).slice(0, limit)
    expect([...answer.indices.subarray(...part)], `query ${query}`).toEqual(rows)
    expect([...answer.scores.subarray(...part)]).toEqual(
      rows.map((row) => Math.fround(scores[row]!) + 0),
    )
  }
  expect(answer.certified + answer.fallback).toBe(queries.rows)
}

describe('rangeSearch', () => {
  for (const [name, scene] of Object.entries(scenes))
    for (const metric of metrics)
      it(`equals brute force in float64: ${name}, ${metric}`, async () => {
        await expectExact(metric, scene)
        await expectExact(metric, scene, 3)
      })

  it('leaves out what is excluded, and the query itself', async () => {
    const X = matrixOf(4, 2, () => 1)
    const { indptr, indices } = await rangeSearch(X, X, {
      threshold: 2,
      metric: 'dot',
      excludeSelf: true,
      exclude: [[1], [], [], []],
    })
    expect([...indptr]).toEqual([0, 2, 5, 8, 11])
    expect([...indices]).toEqual([2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2])
  })

  it('answers the same from a prepared corpus, for any number of threads', async () => {
    const [queries, corpus] = [gaussian(70, 40, 7), gaussian(2100, 40, 8)]
    const plain = await rangeSearch(queries, corpus, { threshold: 0.2 })
    const prepared = await prepareCorpus(corpus)
    for (const threads of [1, 2, 3]) {
      const { seconds: _, ...again } = await rangeSearch(queries, prepared, {
        threshold: 0.2,
        threads,
      })
      expect(plain).toMatchObject(again)
    }
    prepared.dispose()
  })

  it('finds every pair of more rows than are held at a time', async () => {
    const X = gaussian(2500, 4, 3)
    const { indptr } = await rangeSearch(X, X, { threshold: -1 })
    expect(indptr[2500]).toBe(2500 ** 2)
  })

  it('tells what zero vectors get under a limit, which is never every row', async () => {
    const [zero, corpus] = [matrixOf(1, 2, () => 0), matrixOf(5, 2, (i, j) => i + j + 1)]
    const told = async (limit?: number) =>
      (await rangeSearch(zero, corpus, { threshold: 0, limit })).warnings
    const sentence = '1 of 1 query is a zero vector: the cosine with every row is 0, and '
    expect(await told()).toEqual([`${sentence}every row or none is the answer`])
    expect(await told(2)).toEqual([`${sentence}the first rows (2 at most) or none are the answer`])
  })

  it('takes no queries', async () => {
    const none = { data: new Float32Array(0), rows: 0, cols: 3 }
    const answer = rangeSearch(none, gaussian(9, 3, 2), { threshold: 0 })
    await answer.then(
      ({ indptr }) => expect([...indptr]).toEqual([0]),
      (error: Error) => expect(error.message).toContain('queries'),
    )
  })

  it('names the option that is wrong', async () => {
    const [q, c] = [gaussian(1, 3, 1), gaussian(9, 3, 2)]
    await expect(rangeSearch(q, c, {} as never)).rejects.toThrow('a finite number for threshold')
    await expect(rangeSearch(q, c, { threshold: 0, limit: 0 })).rejects.toThrow(
      'an integer of at least 1 for limit, received 0',
    )
    await expect(rangeSearch(q, c, { threshold: 0, k: 1 } as never)).rejects.toThrow('option k')
  })
})
