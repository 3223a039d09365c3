import { describe, expect, it } from 'vitest'
import { curEmbeddings, type AnchorScores } from '../../lib/mining/cur-embeddings'
import { jacobiSvd } from '../../lib/mining/jacobi'
import { judgeNegatives } from '../../lib/mining/judge-negatives'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { scorePairs } from '../../lib/mining/score-pairs'
import { topK } from '../../lib/mining/top-k'
import { gaussian, normal, uniform } from '../matrices'
import { approximated } from '../reference/cur'
import { scorerOf } from './judging'

type Score = (query: number, row: number) => number

/** Scores of a rank, with noise that depends on the pair. */
function lowRank(queries: number, corpus: number, rank: number, noise = 0): Score {
  const [A, B] = [gaussian(queries, rank, 1), gaussian(corpus, rank, 2)]
  return (query, row) => {
    let sum = noise === 0 ? 0 : noise * normal(query * corpus + row)()
    for (let t = 0; t < rank; t++) sum += A.data[query * rank + t]! * B.data[row * rank + t]!
    return sum
  }
}

const matrix = (rows: number, cols: number, at: Score) => ({
  data: Float64Array.from({ length: rows * cols }, (_, i) => at(Math.floor(i / cols), i % cols)),
  rows,
  cols,
})

/** The first `anchors` queries are the anchors. */
function inputs(
  score: Score,
  anchors: number,
  queries: number,
  corpus: number,
  anchorRows: number[],
) {
  return {
    anchorScores: matrix(anchors, corpus, score),
    anchorRows,
    queryScores: matrix(queries, anchorRows.length, (q, i) => score(anchors + q, anchorRows[i]!)),
  }
}

const everyTenth = (corpus: number, count: number) =>
  Array.from({ length: count }, (_, i) => (i * 7) % corpus)

const dotOf = (
  { data, cols }: { data: Float32Array; cols: number },
  i: number,
  other: typeof data,
  j: number,
) => {
  let sum = 0
  for (let t = 0; t < cols; t++) sum += data[i * cols + t]! * other[j * cols + t]!
  return sum
}

describe('curEmbeddings', () => {
  it.each([
    [12, 6, 6],
    [9, 9, 5],
    [6, 12, 6],
  ])(
    'is exact for scores of a rank that %i anchor queries and %i rows span',
    async (m, k, rank) => {
      const score = lowRank(m + 20, 100, rank)
      const given = inputs(score, m, 20, 100, everyTenth(100, k))
      const cur = await curEmbeddings(given, { tolerance: 1e-8 })
      expect(cur.rank).toBe(rank)
      expect(cur.relativeError).toBeLessThan(1e-6)
      for (let q = 0; q < 20; q++)
        for (let j = 0; j < 100; j++)
          expect(dotOf(cur.queries, q, cur.corpus.data, j)).toBeCloseTo(score(m + q, j), 4)
    },
  )

  it.each([1e100, 1e-60])(
    'refuses scores times %d, beyond the range of embeddings',
    async (scale) => {
      const score = lowRank(30, 40, 3)
      const scaled = inputs((q, row) => scale * score(q, row), 10, 20, 40, [3, 1, 4, 15, 9])
      await expect(curEmbeddings(scaled)).rejects.toThrow("in float32's range")
    },
  )

  it('is C · pinv(A) · R of the normal equations', async () => {
    const score = lowRank(30, 40, 3, 1)
    const given = inputs(score, 10, 20, 40, [3, 1, 4, 15, 9])
    const cur = await curEmbeddings(given, { tolerance: 0 })
    expect(cur.rank).toBe(5)
    const rows = ({ data, rows: n, cols }: AnchorScores['queryScores']) =>
      Array.from({ length: n }, (_, i) => [...data.subarray(i * cols, (i + 1) * cols)])
    const wanted = approximated(rows(given.anchorScores), given.anchorRows, rows(given.queryScores))
    wanted.forEach((row, q) =>
      row.forEach((value, j) =>
        expect(dotOf(cur.queries, q, cur.corpus.data, j)).toBeCloseTo(value, 4),
      ),
    )
  })

  it('reads strides and both precisions', async () => {
    const score = lowRank(12, 20, 2)
    const given = inputs(score, 4, 8, 20, [0, 5, 11])
    const wide = new Float32Array(4 * 25).fill(NaN)
    for (let i = 0; i < 80; i++)
      wide[Math.floor(i / 20) * 25 + (i % 20)] = given.anchorScores.data[i]!
    const [plain, strided] = await Promise.all([
      curEmbeddings(given),
      curEmbeddings({ ...given, anchorScores: { data: wide, rows: 4, cols: 20, stride: 25 } }),
    ])
    plain.corpus.data.forEach((x, i) => expect(strided.corpus.data[i]).toBeCloseTo(x, 4))
  })

  it.each<[string, Partial<AnchorScores>, string]>([
    ['a row twice', { anchorRows: [1, 1] }, 'every anchor row once for anchorRows[1], received 1'],
    ['a row that does not exist', { anchorRows: [1, 9] }, 'an integer in 0..8 for anchorRows[1]'],
    [
      'too few rows',
      { anchorRows: [1] },
      '1, one for each anchor row for queryScores.cols, received 2',
    ],
    ['no rows', { anchorRows: 2 as never }, 'an array of corpus rows for anchorRows, received 2'],
    ['no matrix', { queryScores: undefined as never }, 'for queryScores.data, received undefined'],
    ['short data', { queryScores: { data: new Float32Array(3), rows: 2, cols: 2 } }, '4 elements'],
    [
      'NaN',
      { anchorScores: { data: new Float64Array(18).fill(NaN), rows: 2, cols: 9 } },
      'a finite number at row 0, column 0 of anchorScores, received NaN',
    ],
    [
      'only zeros',
      { anchorScores: { data: new Float64Array(18), rows: 2, cols: 9 } },
      'rows with a score that is not 0 for anchorRows',
    ],
  ])('refuses %s', async (_, change, message) => {
    const given = { ...inputs(lowRank(4, 9, 2), 2, 2, 9, [0, 1]), ...change }
    await expect(curEmbeddings(given)).rejects.toThrow(message)
  })
})

it('singular values by rotations: orthonormal vectors, falling values, the matrix again', async () => {
  const next = uniform(3)
  for (const [n, k] of [
    [1, 1],
    [7, 3],
    [5, 5],
    [40, 20],
  ] as const) {
    const A = Array.from({ length: k }, (_, c) =>
      Float64Array.from({ length: n }, () => (c === 1 ? 0 : next() - 0.5)),
    )
    const { left, values, right } = await jacobiSvd(A.map((column) => column.slice()))
    expect(values).toHaveLength(k > 1 ? k - 1 : 1)
    expect([...values].sort((a, b) => b - a)).toEqual(values)
    const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
    for (const vectors of [left, right])
      vectors.forEach((a, i) =>
        vectors.forEach((b, j) => expect(dot(a, b)).toBeCloseTo(Number(i === j), 10)),
      )
    A.forEach((column, j) =>
      column.forEach((x, i) =>
        expect(values.reduce((sum, s, c) => sum + left[c]![i]! * s * right[c]![j]!, 0)).toBeCloseTo(
          x,
          10,
        ),
      ),
    )
  }
})

describe('scorePairs', () => {
  it('gives the scores of all listed pairs in their order, each once', async () => {
    const { score, asked } = scorerOf((q, row) => (row === 3 ? null : 10 * q + row))
    const lists = { queries: 3, corpus: 5, rows: [[4, 0, 4], [], [3, 2]] }
    const scored = await scorePairs(lists, { score, batchSize: 2 })
    expect([...scored.indptr]).toEqual([0, 2, 2, 4])
    expect([...scored.indices]).toEqual([4, 0, 3, 2])
    expect([...scored.scores]).toEqual([4, 0, NaN, 22])
    expect(scored.asked).toBe(asked.length)
  })

  it('refuses what judgeNegatives refuses', async () => {
    const lists = { queries: 1, corpus: 5, rows: [[1]] }
    await expect(scorePairs(lists, {} as never)).rejects.toThrow('a function that answers a batch')
    await expect(scorePairs(lists, { score: () => [], stride: 2 } as never)).rejects.toThrow(
      'the unknown option stride',
    )
    await expect(scorePairs(lists, { score: () => [NaN] })).rejects.toThrow('received NaN')
  })
})

it('at one budget of calls finds more of the best rows than a bad encoder', async () => {
  const [m, nq, nc, rank] = [30, 20, 400, 6]
  const score = lowRank(m + nq, nc, rank, 0.1)
  const anchorRows = everyTenth(nc, 20)
  const budget = 40
  const { score: scorer, asked } = scorerOf((q, row) => score(m + q, row))
  const known = await scorePairs(
    { queries: nq, corpus: nc, rows: Array.from({ length: nq }, () => anchorRows) },
    { score: scorer },
  )
  const cur = await curEmbeddings({
    anchorScores: matrix(m, nc, score),
    anchorRows,
    queryScores: { data: known.scores, rows: nq, cols: anchorRows.length },
  })
  const rules = { metric: 'dot', relativeMargin: null, maxScore: 1e9, numNegatives: 40 } as const
  const none = Array.from({ length: nq }, () => [])
  const recallOf = async (pool: Parameters<typeof judgeNegatives>[0], queryBudget: number) => {
    const judged = await judgeNegatives(pool, {
      score: scorer,
      numNegatives: 5,
      queryBudget,
      rankBy: 'judge',
    })
    let hits = 0
    for (let q = 0; q < nq; q++) {
      const order = Array.from({ length: nc }, (_, j) => j).sort(
        (a, b) => score(m + q, b) - score(m + q, a),
      )
      hits += [...judged.negativesOf(q)].filter((row) => order.slice(0, 5).includes(row)).length
    }
    return hits / (5 * nq)
  }
  const ofCur = await recallOf(
    await mineHardNegatives(cur.queries, cur.corpus, none, rules),
    budget - 20,
  )
  expect(asked.length).toBe(nq * budget)
  // The encoder knows half of each factor.
  const half = (count: number, seed: number) => {
    const { data } = gaussian(count, rank, seed)
    return { data, rows: count, cols: rank / 2, stride: rank }
  }
  const [A, B] = [half(m + nq, 1), half(nc, 2)]
  const bad = await mineHardNegatives(
    { ...A, data: A.data.subarray(m * rank), rows: nq },
    B,
    none,
    rules,
  )
  const ofEncoder = await recallOf(bad, budget)
  expect(ofCur).toBeGreaterThan(0.9)
  expect(ofCur).toBeGreaterThan(ofEncoder + 0.2)
  expect((await topK(cur.queries, cur.corpus, { k: 5, metric: 'dot' })).indices).toHaveLength(
    5 * nq,
  )
})
