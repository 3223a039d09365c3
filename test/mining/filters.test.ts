// Searches and mining of a part of a corpus answer as those of a fresh corpus of this part.
import { describe, expect, it } from 'vitest'
import {
  logSumExp,
  maxSim,
  mineHardNegatives,
  mutualNeighbours,
  prepareCorpus,
  prepareRowSet,
  reverseTopK,
  type Matrix,
  type RowSet,
} from '../../lib/index'
import { mulberry32 } from '../data/mutations'

const cols = 5
const rows = 150
const queries = 17
type Next = ReturnType<typeof mulberry32>

const randomMatrix = (next: Next, count: number): Matrix => ({
  data: Float32Array.from({ length: count * cols }, () => next(7) - 3),
  rows: count,
  cols,
})

const rowsOf = ({ data }: Matrix, numbers: readonly number[]): Matrix => ({
  data: Float32Array.from(numbers.flatMap((row) => [...data.slice(row * cols, (row + 1) * cols)])),
  rows: numbers.length,
  cols,
})

const someRows = (next: Next, count: number, oneIn: number) =>
  [...Array(count).keys()].filter(() => next(oneIn) === 0)

const without = (count: number, gone: readonly number[]) =>
  [...Array(count).keys()].filter((row) => !gone.includes(row))

/** The lists of queries in an answer, by their numbers. */
const listsOf = ({ indptr, indices }: { indptr: Float64Array; indices: Int32Array }) =>
  Array.from({ length: indptr.length - 1 }, (_, i) => [
    ...indices.subarray(indptr[i], indptr[i + 1]),
  ])

/** A scene with a set of the rows, and other sets for some of the queries. */
async function scene(seed: number) {
  const next = mulberry32(seed)
  const corpus = randomMatrix(next, rows)
  const asked = randomMatrix(next, queries)
  const kept = someRows(next, rows, 2)
  const barred = someRows(next, rows, 10)
  const set = await prepareRowSet(kept, rows)
  const other = await prepareRowSet(barred, rows)
  const sets: (RowSet | undefined)[] = Array.from({ length: queries }, () =>
    next(3) === 0 ? undefined : next(2) === 0 ? set : other,
  )
  const allowed = (query: number, row: number) => sets[query]?.has(row) ?? true
  return { next, corpus, asked, kept, barred, set, other, sets, allowed }
}

describe.each([1, 2, 3])('a part of a corpus, scene %i', (seed) => {
  it('gets its best queries', async () => {
    const { corpus, asked, kept, barred, set, other, sets, allowed } = await scene(seed)
    using prepared = await prepareCorpus(corpus)
    const part = kept.filter((row) => !barred.includes(row))
    const found = await reverseTopK(asked, prepared, { k: 4, allow: set, exclude: other })
    const expected = await reverseTopK(asked, rowsOf(corpus, part), { k: 4 })
    const of = <T>(array: ArrayLike<T> & { slice(a: number, b: number): Iterable<T> }) =>
      part.flatMap((row) => [...array.slice(4 * row, 4 * row + 4)])
    expect(of(found.indices)).toEqual([...expected.indices])
    expect(of(found.scores)).toEqual([...expected.scores])
    const left = without(rows, part)
    expect(left.every((row) => found.indices[4 * row] === -1)).toBe(true)
    expect(found.certified + found.fallback).toBe(rows)

    const each = await reverseTopK(asked, corpus, { k: 4, allow: sets })
    for (let row = 0; row < rows; row += 7) {
      const may = without(queries, []).filter((query) => allowed(query, row))
      const best = await reverseTopK(rowsOf(asked, may), rowsOf(corpus, [row]), { k: 4 })
      const numbers = best.indices.map((query) => (query < 0 ? -1 : may[query]!))
      expect(each.indices.slice(4 * row, 4 * row + 4)).toEqual(numbers)
    }
  })

  it('has pairs of mutual neighbours', async () => {
    const { corpus, asked, kept, set, sets, allowed, next } = await scene(seed)
    const removed = someRows(next, rows, 8)
    using prepared = await prepareCorpus(corpus)
    await prepared.remove(removed)
    const part = kept.filter((row) => !removed.includes(row))
    const found = await mutualNeighbours(asked, prepared, { k: 3, allow: set })
    const expected = await mutualNeighbours(asked, rowsOf(corpus, part), { k: 3 })
    expect(listsOf(found)).toEqual(listsOf(expected).map((list) => list.map((row) => part[row])))
    expect(found.scores).toEqual(expected.scores)

    const lists = Array.from({ length: queries }, (_, query) =>
      without(rows, []).filter((row) => !allowed(query, row)),
    )
    const bySets = await mutualNeighbours(asked, prepared, { k: 3, allow: sets })
    const byLists = await mutualNeighbours(asked, prepared, { k: 3, exclude: lists })
    expect(listsOf(bySets)).toEqual(listsOf(byLists))
  })

  it('is summed', async () => {
    const { corpus, asked, kept, set, sets, allowed, barred } = await scene(seed)
    const whole = await logSumExp(asked, corpus, { temperature: 0.5, allow: set })
    const expected = await logSumExp(asked, rowsOf(corpus, kept), { temperature: 0.5 })
    const each = await logSumExp(asked, corpus, {
      ...{ temperature: 0.5, allow: sets },
      exclude: Array.from({ length: queries }, () => barred),
    })
    for (let query = 0; query < queries; query++) {
      const bound = whole.errorBounds[query]! + expected.errorBounds[query]!
      expect(Math.abs(whole.values[query]! - expected.values[query]!)).toBeLessThanOrEqual(bound)
      const own = without(rows, barred).filter((row) => allowed(query, row))
      if (own.length === 0) {
        expect(each.values[query]).toBe(-Infinity)
        continue
      }
      const one = await logSumExp(rowsOf(asked, [query]), rowsOf(corpus, own), { temperature: 0.5 })
      const ownBound = each.errorBounds[query]! + one.errorBounds[0]!
      expect(Math.abs(each.values[query]! - one.values[0]!)).toBeLessThanOrEqual(ownBound)
    }
  })

  it('has the best documents', async () => {
    const { corpus, asked, next } = await scene(seed)
    const starts = Array.from({ length: 31 }, (_, i) => 5 * i)
    const kept = someRows(next, 30, 2)
    const barred = someRows(next, 30, 6)
    const texts = { tokens: asked, starts: [0, 4, 9, queries] }
    const found = await maxSim(
      texts,
      { tokens: corpus, starts },
      {
        ...{ k: 6, allow: await prepareRowSet(kept, 30) },
        exclude: [barred, [], barred],
      },
    )
    for (let text = 0; text < 3; text++) {
      const own = kept.filter((document) => text === 1 || !barred.includes(document))
      const tokens = rowsOf(
        corpus,
        own.flatMap((document) => [0, 1, 2, 3, 4].map((i) => 5 * document + i)),
      )
      const part = { tokens, starts: own.map((_, i) => 5 * i).concat(5 * own.length) }
      const expected = await maxSim(texts, part, { k: 6 })
      const numbers = expected.indices.map((i) => (i < 0 ? -1 : own[i]!))
      expect(found.indices.slice(6 * text, 6 * text + 6)).toEqual(
        numbers.slice(6 * text, 6 * text + 6),
      )
      expect(found.scores.slice(6 * text, 6 * text + 6)).toEqual(
        expected.scores.slice(6 * text, 6 * text + 6),
      )
    }
  })

  it('is mined, and counts as lists of the other rows do', async () => {
    const { corpus, asked, kept, barred, set, other, next } = await scene(seed)
    using prepared = await prepareCorpus(corpus)
    const positives = Array.from({ length: queries }, () => [next(rows), next(rows)])
    const texts = Array.from({ length: rows }, () => `text ${next(60)}`)
    const options = {
      ...{ numNegatives: 5, corpusTexts: texts, groups: 'different' as const },
      queryTexts: Array.from({ length: queries }, (_, query) => `query ${query}`),
      queryGroups: new Int32Array(queries).map(() => next(3) - 1),
      corpusGroups: new Int32Array(rows).map(() => next(4) - 1),
    }
    const part = kept.filter((row) => !barred.includes(row))
    const lists = Array.from({ length: queries }, () => without(rows, part))
    const candidates = Array.from({ length: queries }, () => someRows(next, rows, 3))
    for (const more of [{}, { sampling: 'band' as const }, { candidates }]) {
      const bySets = await mineHardNegatives(asked, prepared, positives, {
        ...{ ...options, ...more, allow: set, exclude: other },
      })
      const byLists = await mineHardNegatives(asked, corpus, positives, {
        ...{ ...options, ...more, exclude: lists },
      })
      expect(bySets.indices).toEqual(byLists.indices)
      expect(bySets.scores).toEqual(byLists.scores)
      expect(bySets.ranks).toEqual(byLists.ranks)
      expect(bySets.dropped).toEqual(byLists.dropped)
      expect(bySets.candidatePairs).toBe(byLists.candidatePairs)
    }
    const beside = { candidates, candidateMode: 'beside' as const, sampling: 'random' as const }
    const bySets = await mineHardNegatives(asked, prepared, positives, {
      ...{ ...options, ...beside, allow: set },
    })
    const left = Array.from({ length: queries }, () => without(rows, kept))
    const byLists = await mineHardNegatives(asked, corpus, positives, {
      ...{ ...options, ...beside, exclude: left },
    })
    expect(bySets.indices).toEqual(byLists.indices)
    expect(bySets.dropped).toEqual(byLists.dropped)
  })
})

describe('sets of rows', () => {
  it('are refused with the name of the option', async () => {
    const next = mulberry32(9)
    const [corpus, asked] = [randomMatrix(next, rows), randomMatrix(next, 2)]
    const set = await prepareRowSet([1, 2], rows)
    const mined = (options: object) => mineHardNegatives(asked, corpus, [[1], [2]], options)
    await expect(mined({ allow: [[1], [2]] })).rejects.toThrow(
      'lists for each query are candidates',
    )
    await expect(mined({ exclude: [set, undefined] })).rejects.toThrow('one RowSet for all queries')
    await expect(mined({ allow: new Uint32Array(1) })).rejects.toThrow('allow.length')
    const shards = async function* () {
      yield corpus
    }
    await expect(mineHardNegatives(asked, shards, [[1], [2]], { allow: set })).rejects.toThrow(
      'none beside a corpus in shards',
    )
    await expect(mineHardNegatives(asked, shards, [[1], [2]], { exclude: set })).rejects.toThrow(
      'a list of rows for each query',
    )
    const small = await prepareRowSet([1], 3)
    for (const search of [reverseTopK, mutualNeighbours])
      await expect(search(asked, corpus, { k: 1, allow: small })).rejects.toThrow(
        'a corpus of 150 rows',
      )
    await expect(logSumExp(asked, corpus, { temperature: 1, allow: small })).rejects.toThrow(
      RangeError,
    )
  })

  it('without a row give answers without rows', async () => {
    const next = mulberry32(10)
    const [corpus, asked] = [randomMatrix(next, rows), randomMatrix(next, 2)]
    const none = await prepareRowSet([], rows)
    const mined = await mineHardNegatives(asked, corpus, [[1], [2]], { allow: none })
    expect([mined.found, mined.dropped.excluded, mined.dropped.positive]).toEqual([
      0,
      2 * rows - 2,
      2,
    ])
    const sums = await logSumExp(asked, corpus, { temperature: 1, allow: none })
    expect([...sums.values]).toEqual([-Infinity, -Infinity])
    expect((await mutualNeighbours(asked, corpus, { k: 2, allow: none })).indices.length).toBe(0)
  })
})
