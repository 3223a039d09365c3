import { describe, expect, it } from 'vitest'
import type { Matrix } from '../../lib/data/matrix'
import { metrics, type Metric } from '../../lib/mining/metric'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { reverseTopK } from '../../lib/mining/reverse-top-k'
import { topK } from '../../lib/mining/top-k'
import { gaussian, matrixOf } from '../matrices'
import { ranking, scoresOf } from '../reference/scores'

const scenes: Record<string, { queries: Matrix; corpus: Matrix; k: number }> = {
  'odd sizes': { queries: gaussian(333, 17, 23), corpus: gaussian(101, 17, 24), k: 50 },
  'many ties': {
    queries: matrixOf(300, 3, (i, j) => ((i % 4) + j) % 2),
    corpus: matrixOf(12, 3, (i, j) => (i * j) % 3),
    k: 20,
  },
  'far from the origin': {
    queries: matrixOf(900, 64, (i, j) => 1e4 + ((i * 37 + j * 11) % 101) / 29),
    corpus: matrixOf(5, 64, (i, j) => 1e4 + ((i * 31 + j * 17) % 97) / 31),
    k: 9,
  },
  'lengths far apart': {
    queries: gaussian(200, 9, 5, 1e18),
    corpus: gaussian(40, 9, 6, 1e-20),
    k: 30,
  },
}

/** Scores are symmetric in every bit: the definition may take them from either side. */
async function expectExact(metric: Metric, { queries, corpus, k }: (typeof scenes)[string]) {
  const { rows, indices, scores, certified, fallback } = await reverseTopK(queries, corpus, {
    k,
    metric,
  })
  expect(rows).toBe(corpus.rows)
  const ofQueries = Array.from({ length: queries.rows }, (_, query) =>
    scoresOf(metric, queries, corpus, query),
  )
  for (let row = 0; row < rows; row++) {
    const right = Float64Array.from(ofQueries, (ofQuery) => ofQuery[row]!)
    const best = ranking(right).slice(0, k)
    expect([...indices.subarray(row * k, (row + 1) * k)], `row ${row}`).toEqual(best)
    expect([...scores.subarray(row * k, (row + 1) * k)]).toEqual(
      best.map((query) => Math.fround(right[query]!) + 0),
    )
  }
  expect(certified + fallback).toBe(rows)
}

describe('reverseTopK', () => {
  for (const [name, scene] of Object.entries(scenes))
    for (const metric of metrics)
      it(`equals brute force in float64: ${name}, ${metric}`, () => expectExact(metric, scene))

  it('is topK with its sides exchanged, from a prepared corpus too', async () => {
    const [queries, corpus] = [gaussian(400, 24, 1), gaussian(150, 24, 2)]
    const prepared = await prepareCorpus(corpus, { metric: 'dot', verify: true })
    const { indices, scores } = await topK(corpus, queries, { k: 7, metric: 'dot' })
    for (const threads of [1, 3])
      expect(await reverseTopK(queries, prepared, { k: 7, threads })).toMatchObject({
        metric: 'dot',
        indices,
        scores,
      })
    prepared.dispose()
    await expect(reverseTopK(queries, prepared, { k: 7 })).rejects.toThrow('disposed')
  })

  it('asks the rows that were prepared, whatever became of the memory that they came from', async () => {
    const [queries, corpus] = [gaussian(40, 24, 1), gaussian(1500, 24, 2)]
    const { indices } = await reverseTopK(queries, corpus, { k: 3 })
    const prepared = await prepareCorpus(corpus)
    corpus.data.fill(0)
    expect(await reverseTopK(queries, prepared, { k: 3 })).toMatchObject({ indices })
    prepared.dispose()
  })

  it('reads exclude and excludeSelf as topK does: by query', async () => {
    const X = matrixOf(4, 2, () => 1)
    const one = await reverseTopK(X, X, {
      k: 4,
      excludeSelf: true,
      exclude: [[1], [], [], [0, 0]],
    })
    expect([...one.indices]).toEqual([1, 2, -1, -1, 2, 3, -1, -1, 0, 1, 3, -1, 0, 1, 2, -1])
    const queries = matrixOf(5, 2, () => 1)
    const several = await reverseTopK(queries, X, {
      k: 3,
      excludeSelf: Int32Array.of(2, 2, -1, 0, 2),
    })
    expect([...several.indices]).toEqual([0, 1, 2, 0, 1, 2, 2, 3, -1, 0, 1, 2])
  })

  it('pads what is short, and says so', async () => {
    const queries = matrixOf(1, 3, () => 0)
    const { indices, scores, warnings } = await reverseTopK(queries, gaussian(2, 3, 1), { k: 2 })
    expect([...indices]).toEqual([0, -1, 0, -1])
    expect([...scores]).toEqual([0, NaN, 0, NaN])
    expect(warnings).toEqual([
      'k 2 is above the 1 query: the places beyond hold -1 and NaN',
      '1 of 1 query is a zero vector: the cosine with every row is 0',
    ])
  })

  it('takes no queries', async () => {
    const none = { data: new Float32Array(0), rows: 0, cols: 3 }
    const { indices, scores, certified } = await reverseTopK(none, gaussian(2, 3, 1), { k: 1 })
    expect([[...indices], [...scores], certified]).toEqual([[-1, -1], [NaN, NaN], 2])
  })

  it('names the argument that is wrong', async () => {
    const [q, c] = [gaussian(3, 3, 1), gaussian(9, 3, 2)]
    await expect(reverseTopK(q, c, {} as never)).rejects.toThrow('for k')
    await expect(reverseTopK(q, c, { k: 1, excludeSelf: true })).rejects.toThrow('excludeSelf')
    await expect(reverseTopK(q, c, { k: 1, exclude: [[], [9], []] })).rejects.toThrow('exclude')
    const hostile = matrixOf(3, 3, (i) => (i === 2 ? NaN : 1))
    await expect(reverseTopK(hostile, c, { k: 1 })).rejects.toThrow('row 2, column 0 of queries')
    await expect(reverseTopK(q, hostile, { k: 1 })).rejects.toThrow('row 2, column 0 of corpus')
  })
})
