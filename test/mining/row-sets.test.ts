// Searches of a part of a corpus, compared with a plain computation over the rows that are left.
import { describe, expect, it } from 'vitest'
import type { Matrix } from '../../lib/data/matrix'
import { metrics, type Metric } from '../../lib/mining/metric'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { rangeSearch } from '../../lib/mining/range-search'
import { prepareRowSet } from '../../lib/mining/row-set'
import { topK } from '../../lib/mining/top-k'
import { gaussian, matrixOf, uniform } from '../matrices'
import { ranking, scoresOf } from '../reference/scores'

const nc = 1003
const nq = 9
const queries = gaussian(nq, 24, 1)
const corpus = gaussian(nc, 24, 2)

function bitmapOf(rows: Iterable<number>, size = nc): Uint32Array {
  const words = new Uint32Array(Math.ceil(size / 32))
  for (const row of rows) words[row >>> 5]! |= 1 << (row & 31)
  return words
}

/** About a part of the rows. */
function some(part: number, seed: number, size = nc): number[] {
  const next = uniform(seed)
  return Array.from({ length: size }, (_, row) => row).filter(() => next() < part)
}

interface Rules {
  readonly isAllowed?: (query: number, row: number) => boolean
  readonly minScore?: number
  readonly Q?: Matrix
  readonly C?: Matrix
}

function expected(metric: Metric, k: number, { isAllowed, minScore, Q, C }: Rules) {
  const [left, right] = [Q ?? queries, C ?? corpus]
  return Array.from({ length: left.rows }, (_, query) => {
    const scores = scoresOf(metric, left, right, query)
    return ranking(scores)
      .filter((row) => isAllowed?.(query, row) ?? true)
      .filter((row) => minScore === undefined || scores[row]! >= minScore)
      .slice(0, k)
  })
}

const rowsOf = ({
  indices,
  k,
  queries: count,
}: {
  indices: Int32Array
  k: number
  queries: number
}) =>
  Array.from({ length: count }, (_, query) =>
    [...indices.subarray(query * k, (query + 1) * k)].filter((row) => row !== -1),
  )

describe('sets of rows', () => {
  for (const metric of metrics)
    for (const part of [0, 0.001, 0.01, 0.3, 0.95])
      it(`allow and exclude give what is left: ${metric}, a share of ${part}`, async () => {
        const rows = some(part, 7)
        const chosen = new Set(rows)
        const prepared = await prepareCorpus(corpus, { metric })
        const set = await prepareRowSet(rows, prepared)
        expect([set.size, set.corpusRows]).toEqual([rows.length, nc])
        for (const [allow, threads] of [
          [set, 1],
          [bitmapOf(rows), 2],
          [Array.from({ length: nq }, () => rows), 3],
        ] as const) {
          const found = await topK(queries, prepared, { k: 12, allow, threads })
          const right = expected(metric, 12, { isAllowed: (_, row) => chosen.has(row) })
          expect(rowsOf(found)).toEqual(right)
          expect(found.certified + found.fallback).toBe(nq)
        }
        for (const exclude of [set, bitmapOf(rows)])
          expect(rowsOf(await topK(queries, corpus, { k: 12, metric, exclude }))).toEqual(
            expected(metric, 12, { isAllowed: (_, row) => !chosen.has(row) }),
          )
      })

  it('a set for each query, together with exclusions of all forms', async () => {
    const sets = [some(0.5, 1), some(0.02, 2), some(0.9, 3)]
    const prepared = await Promise.all(sets.map((rows) => prepareRowSet(rows, nc)))
    const banned = some(0.3, 4)
    const lists = Array.from({ length: nq }, (_, query) => some(0.1, 50 + query))
    const allow = Array.from({ length: nq }, (_, query) => prepared[query % 4])
    const isAllowed = (query: number, row: number) => sets[query % 4]?.includes(row) ?? true
    for (const [exclude, isBanned] of [
      [lists, (query: number, row: number) => lists[query]!.includes(row)],
      [bitmapOf(banned), (_: number, row: number) => banned.includes(row)],
      [undefined, () => false],
    ] as const) {
      const right = expected('dot', 10, {
        isAllowed: (query, row) => isAllowed(query, row) && !isBanned(query, row),
      })
      const options = { k: 10, metric: 'dot', allow, exclude } as const
      expect(rowsOf(await topK(queries, corpus, options))).toEqual(right)
      const { indptr, indices } = await rangeSearch(queries, corpus, {
        ...{ metric: 'dot', threshold: -1e9, limit: 10, allow, exclude },
      })
      expect(right).toEqual(
        Array.from({ length: nq }, (_, q) => [...indices.subarray(indptr[q], indptr[q + 1])]),
      )
    }
  })

  it('an array without any set chooses nothing', async () => {
    const none = Array.from({ length: nq }, () => undefined)
    const found = await topK(queries, corpus, { k: 3, metric: 'dot', allow: none, exclude: none })
    expect(rowsOf(found)).toEqual(expected('dot', 3, {}))
  })

  it('equal rows come in the order of their numbers', async () => {
    const same = matrixOf(500, 8, (_, j) => j + 1)
    const allow = some(0.2, 9, 500)
    const found = await topK(gaussian(3, 8, 1), same, { k: 500, allow: bitmapOf(allow, 500) })
    expect(rowsOf(found)).toEqual([allow, allow, allow])
  })

  it('searches that wait share a scan, each with its own rows', async () => {
    const prepared = await prepareCorpus(corpus)
    const sets = await Promise.all(
      [0.5, 0.01, 0.2].map((part, seed) => prepareRowSet(some(part, seed), nc)),
    )
    const calls = Array.from({ length: 12 }, (_, i) => ({
      k: 3 + i,
      ...(i % 4 < 3 ? { [i % 2 ? 'allow' : 'exclude']: sets[i % 4] } : {}),
      ...(i % 5 === 0 ? { minScore: 0.2 } : {}),
    }))
    const found = await Promise.all(calls.map((options) => topK(queries, prepared, options)))
    for (const [i, options] of calls.entries())
      expect(found[i]!.indices).toEqual((await topK(queries, corpus, options)).indices)
  })

  it('refuses sets, bitmaps and lists of another corpus', async () => {
    const set = await prepareRowSet([1, 2], nc)
    const ask = (allow: never) => topK(queries, gaussian(40, 24, 3), { k: 2, allow })
    await expect(ask(set as never)).rejects.toThrow(
      'a set of rows of a corpus of 40 rows for allow, received 1003',
    )
    await expect(ask(new Uint32Array(3) as never)).rejects.toThrow(
      'a bitmap of 2 words for 40 corpus rows for allow.length, received 3',
    )
    await expect(ask(Uint32Array.of(0, 256) as never)).rejects.toThrow('allow[1]')
    await expect(ask([set] as never)).rejects.toThrow('9 sets of rows, one for each query')
    await expect(ask('all' as never)).rejects.toThrow('a RowSet, a bitmap')
    await expect(prepareRowSet([3, 1003], nc)).rejects.toThrow(
      'a corpus row in 0..1002 for rows[1], received 1003',
    )
    await expect(prepareRowSet([1.5], nc)).rejects.toThrow('a corpus row for rows[0]')
    await expect(prepareRowSet(Int32Array.of(-1), nc)).rejects.toThrow('rows[0]')
    await expect(prepareRowSet(new Uint32Array(3), nc)).rejects.toThrow('rows.length')
    await expect(prepareRowSet('x' as never, nc)).rejects.toThrow('a bitmap')
    await expect(prepareRowSet([1], 0)).rejects.toThrow('corpus')
  })

  it('a set does not change with the array that it was made of', async () => {
    const words = bitmapOf([4, 40])
    const set = await prepareRowSet(words, nc)
    words.fill(0)
    const found = [4, 5, 40, -1, 2e9, 2 ** 32 + 4].map((row) => set.has(row))
    expect(found).toEqual([true, false, true, false, false, false])
  })
})

describe('minScore', () => {
  for (const metric of metrics)
    it(`is the lowest score, itself included: ${metric}`, async () => {
      const scores = scoresOf(metric, queries, corpus, 0)
      const minScore = scores[ranking(scores)[4]!]!
      const found = await topK(queries, corpus, { k: 10, metric, minScore })
      expect(rowsOf(found)).toEqual(expected(metric, 10, { minScore }))
      expect(rowsOf(found)[0]).toHaveLength(5)
      expect(found.indices[5]).toBe(-1)
      expect(found.scores[5]).toBeNaN()
    })

  it('must be a number', async () => {
    await expect(topK(queries, corpus, { k: 1, minScore: NaN })).rejects.toThrow('minScore')
  })
})

describe('dims', () => {
  const cut = ({ data, rows, cols }: Matrix, dims: number) =>
    matrixOf(rows, dims, (i, j) => data[i * cols + j]!)

  for (const metric of metrics)
    it(`answers are those of the first columns, bit for bit: ${metric}`, async () => {
      const [Q, C] = [cut(queries, 7), cut(corpus, 7)]
      const right = await topK(Q, C, { k: 9, metric })
      const prepared = await prepareCorpus(corpus, { metric, dims: 7 })
      expect(prepared.cols).toBe(7)
      for (const found of [
        await topK(queries, corpus, { k: 9, metric, dims: 7 }),
        await topK(queries, prepared, { k: 9, dims: 7 }),
        await topK(Q, prepared, { k: 9 }),
      ]) {
        expect(found.indices).toEqual(right.indices)
        expect(found.scores).toEqual(right.scores)
      }
    })

  it('are at most the columns, and those that a corpus was prepared for', async () => {
    await expect(topK(queries, corpus, { k: 1, dims: 25 })).rejects.toThrow('dims')
    await expect(topK(queries, corpus, { k: 1, dims: 0 })).rejects.toThrow('dims')
    const prepared = await prepareCorpus(corpus, { dims: 8 })
    await expect(topK(queries, prepared, { k: 1, dims: 9 })).rejects.toThrow(
      '8, for which the corpus was prepared',
    )
  })
})
