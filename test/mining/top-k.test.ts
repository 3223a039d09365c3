import { describe, expect, it } from 'vitest'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { topK } from '../../lib/mining/top-k'
import type { Matrix } from '../../lib/data/matrix'
import { metrics, type Metric } from '../../lib/mining/metric'
import { gaussian, matrixOf } from '../matrices'
import { ranking, scoresOf } from '../reference/scores'

const scenes: Record<string, { queries: Matrix; corpus: Matrix; k: number }> = {
  'one dimension': { queries: gaussian(15, 1, 21), corpus: gaussian(700, 1, 22), k: 50 },
  'seventeen dimensions, odd sizes': {
    queries: gaussian(33, 17, 23),
    corpus: gaussian(1001, 17, 24),
    k: 50,
  },
  'k of all rows': { queries: gaussian(9, 24, 27), corpus: gaussian(333, 24, 28), k: 333 },
  'all rows equal': {
    queries: gaussian(3, 8, 1),
    corpus: matrixOf(500, 8, (_, j) => j + 1),
    k: 40,
  },
  'zero rows': {
    queries: matrixOf(4, 8, (i, j) => (i === 1 ? 0 : i + j)),
    corpus: matrixOf(60, 8, (i, j) => (i % 3) * (j - 3)),
    k: 60,
  },
  'norms of 1e18': {
    queries: gaussian(20, 17, 31, 1e18),
    corpus: gaussian(800, 17, 32, 1e18),
    k: 30,
  },
  subnormals: { queries: gaussian(20, 16, 33, 1e-40), corpus: gaussian(800, 16, 34, 1e-40), k: 30 },
  'far from the origin': {
    queries: matrixOf(5, 64, (i, j) => 1e4 + ((i * 31 + j * 17) % 97) / 31),
    corpus: matrixOf(900, 64, (i, j) => 1e4 + ((i * 37 + j * 11) % 101) / 29),
    k: 20,
  },
}

async function expectExact(metric: Metric, queries: Matrix, corpus: Matrix, k: number) {
  const { indices, scores, certified, fallback } = await topK(queries, corpus, { k, metric })
  for (let query = 0; query < queries.rows; query++) {
    const right = scoresOf(metric, queries, corpus, query)
    const rows = ranking(right).slice(0, k)
    expect([...indices.subarray(query * k, (query + 1) * k)], `query ${query}`).toEqual(rows)
    expect([...scores.subarray(query * k, (query + 1) * k)]).toEqual(
      rows.map((row) => Math.fround(right[row]!) + 0),
    )
  }
  expect(certified + fallback).toBe(queries.rows)
}

describe('topK', () => {
  for (const [name, { queries, corpus, k }] of Object.entries(scenes))
    for (const metric of metrics)
      it(`equals brute force in float64: ${name}, ${metric}`, () =>
        expectExact(metric, queries, corpus, k))

  it('pads what exclusions leave short', async () => {
    const corpus = gaussian(6, 4, 5)
    const { indices, scores } = await topK(gaussian(1, 4, 6), corpus, {
      k: 3,
      exclude: [[0, 1, 2, 4, 5]],
    })
    expect([...indices]).toEqual([3, -1, -1])
    expect([...scores].map(Number.isNaN)).toEqual([false, true, true])
  })

  it('answers the same from a prepared corpus, for any number of threads', async () => {
    const [queries, corpus] = [gaussian(70, 40, 7), gaussian(2100, 40, 8)]
    const plain = await topK(queries, corpus, { k: 12 })
    const prepared = await prepareCorpus(corpus)
    expect(prepared.bytes).toBeGreaterThan(0)
    for (const threads of [1, 2, 3]) {
      const again = await topK(queries, prepared, { k: 12, threads })
      expect(again.indices).toEqual(plain.indices)
      expect(again.scores).toEqual(plain.scores)
    }
    prepared.dispose()
    expect(prepared.bytes).toBe(0)
    await expect(topK(queries, prepared, { k: 12 })).rejects.toMatchObject({
      code: 'ERR_GEMMINE_DISPOSED',
    })
  })

  it('fills the arrays of the caller', async () => {
    const out = { indices: new Int32Array(4), scores: new Float32Array(4) }
    const result = await topK(gaussian(2, 3, 1), gaussian(9, 3, 2), { k: 2, out })
    expect(result.indices).toBe(out.indices)
    expect(out.indices.every((row) => row >= 0)).toBe(true)
  })

  it('reads other element types as float32', async () => {
    const values = Array.from({ length: 40 }, (_, i) => (i * 7) % 23)
    const as = (data: Float32Array | Float64Array | Int8Array | Uint8Array) => ({
      data,
      rows: 10,
      cols: 4,
    })
    const plain = await topK(as(Float32Array.from(values)), as(Float32Array.from(values)), {
      k: 3,
      metric: 'l2',
    })
    for (const Kind of [Float64Array, Int8Array, Uint8Array])
      expect(
        (await topK(as(Kind.from(values)), as(Kind.from(values)), { k: 3, metric: 'l2' })).indices,
      ).toEqual(plain.indices)
  })

  it('names the bound a bad k breaks', async () => {
    await expect(topK(gaussian(1, 3, 1), gaussian(9, 3, 2), { k: 0 })).rejects.toThrow(
      'Expected an integer of at least 1 for k, received 0',
    )
  })

  it('pads where k is above the corpus, and says so', async () => {
    const [queries, corpus] = [gaussian(2, 3, 1), gaussian(3, 3, 2)]
    const { indices, scores, warnings } = await topK(queries, corpus, { k: 5 })
    const whole = await topK(queries, corpus, { k: 3 })
    for (const query of [0, 1]) {
      expect([...indices.subarray(5 * query, 5 * query + 5)]).toEqual([
        ...whole.indices.subarray(3 * query, 3 * query + 3),
        -1,
        -1,
      ])
      expect(scores[5 * query + 4]).toBeNaN()
    }
    expect(warnings).toEqual([
      'k 5 is above the 3 rows of the corpus: the places beyond hold -1 and NaN',
    ])
    expect(whole.warnings).toEqual([])
  })

  it('answers no queries with no rows', async () => {
    const corpus = gaussian(5, 3, 2)
    const none = { data: new Float32Array(0), rows: 0, cols: 3 }
    for (const exclude of [undefined, []] as const) {
      const found = await topK(none, corpus, { k: 2, exclude })
      expect(found).toMatchObject({ queries: 0, certified: 0, fallback: 0, warnings: [] })
      expect([found.indices.length, found.scores.length]).toEqual([0, 0])
    }
    const tensor = { data: new Float32Array(0), dims: [0, 3] }
    expect((await topK(tensor, corpus, { k: 2 })).queries).toBe(0)
    await expect(topK({ ...none, cols: 4 }, corpus, { k: 2 })).rejects.toThrow('queries.cols')
    await expect(topK(corpus, { ...none }, { k: 2 })).rejects.toThrow('corpus.rows')
  })

  it('tells of zero vectors, whose cosine is 0 with everything', async () => {
    const queries = matrixOf(3, 2, (i) => (i === 1 ? 0 : 1))
    const corpus = matrixOf(4, 2, (i) => (i < 2 ? 0 : i))
    const { warnings, zeroQueries, zeroRows } = await topK(queries, corpus, { k: 1 })
    expect([zeroQueries, zeroRows]).toEqual([1, 2])
    expect(warnings).toEqual([
      '1 of 3 queries is a zero vector: the cosine with every row is 0, and the first rows are the answer',
      '2 of 4 corpus rows are zero vectors: the cosine with every query is 0',
    ])
    expect((await topK(queries, corpus, { k: 1, metric: 'dot' })).warnings).toEqual([])
    const prepared = await prepareCorpus(corpus)
    expect((await topK(queries, prepared, { k: 1 })).zeroRows).toBe(2)
    prepared.dispose()
  })

  it('leaves out the row that an array says is the query itself', async () => {
    const corpus = gaussian(9, 3, 2)
    const queries = { ...corpus, data: corpus.data.subarray(3 * 3, 7 * 3), rows: 4 }
    const ask = (rows: number[]) =>
      topK(queries, corpus, { k: 9, excludeSelf: Int32Array.from(rows) })
    const { indices } = await ask([3, 4, -1, 6])
    expect([0, 1, 2, 3].map((query) => indices[9 * query + 8])).not.toContain(undefined)
    expect(
      [0, 1, 2, 3].map((q) => [...indices.subarray(9 * q, 9 * q + 9)].includes(3 + q)),
    ).toEqual([false, false, true, false])
    await expect(ask([3, 4, 9, 6])).rejects.toThrow(
      'Expected a corpus row in 0..8, or -1 for none for excludeSelf[2], received 9',
    )
    await expect(ask([3])).rejects.toThrow('4 rows, one for each query for excludeSelf, received 1')
  })

  it('runs also where the corpus is disposed of right after the call', async () => {
    const prepared = await prepareCorpus(gaussian(9, 3, 2))
    const exclude = { indptr: Int32Array.of(0, 2), indices: Int32Array.of(4, 1) }
    const answer = topK(gaussian(1, 3, 1), prepared, { k: 9, exclude })
    prepared.dispose()
    expect([...(await answer).indices.subarray(7)]).toEqual([-1, -1])
  })

  it('does not hold the event loop while it checks long exclude lists', async () => {
    const [queries, corpus] = [gaussian(100, 4, 1), gaussian(20_000, 4, 2)]
    const rows = Int32Array.from({ length: 100 * 19_800 }, (_, t) => t % 19_800)
    const indptr = Int32Array.from({ length: 101 }, (_, q) => q * 19_800)
    const held: number[] = []
    for (let call = 0; call < 5; call++) {
      const start = performance.now()
      const answer = topK(queries, corpus, { k: 1, exclude: { indptr, indices: rows } })
      await Promise.resolve()
      held.push(performance.now() - start)
      await answer
    }
    // Checking them there takes about 5 ms.
    expect(Math.min(...held)).toBeLessThan(1)
  })

  it('names the row and column of an entry that is not finite', async () => {
    const corpus = gaussian(9, 3, 2)
    corpus.data[4 * 3 + 1] = NaN
    await expect(topK(gaussian(1, 3, 1), corpus, { k: 2 })).rejects.toMatchObject({
      argument: 'corpus',
      row: 4,
      column: 1,
      received: 'NaN',
    })
  })

  it('refuses unknown options by name', async () => {
    await expect(
      topK(gaussian(1, 3, 1), gaussian(9, 3, 2), { k: 2, metrik: 'dot' } as never),
    ).rejects.toThrow('metrik')
  })
})

describe('topK over a small prepared corpus', () => {
  it('lets timers run while a program awaits one search after another', async () => {
    const corpus = await prepareCorpus(gaussian(200, 32, 1))
    const query = gaussian(1, 32, 2)
    let fired = false
    setTimeout(() => (fired = true), 1)
    for (let i = 0; i < 20_000 && !fired; ++i) await topK(query, corpus, { k: 10 })
    expect(fired).toBe(true)
  })
})
