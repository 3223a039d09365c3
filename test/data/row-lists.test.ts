import { describe, expect, it } from 'vitest'
import { toRowLists, type RowLists } from '../../lib/data/row-lists'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { topK } from '../../lib/mining/top-k'
import { gaussian } from '../matrices'

const lists = (indptr: number[], indices: number[]) => ({
  indptr: Int32Array.from(indptr),
  indices: Int32Array.from(indices),
})

describe('lists of rows', () => {
  it('come from arrays, as they are', async () => {
    expect(await toRowLists('positives', [[3, 1, 3], [], Int32Array.of(0)], 3, 4)).toEqual(
      lists([0, 3, 3, 4], [3, 1, 3, 0]),
    )
  })

  it('come from one row per query', async () => {
    expect(await toRowLists('positives', Int32Array.of(3, -1, 0), 3, 4)).toEqual(
      lists([0, 1, 1, 2], [3, 0]),
    )
  })

  it('are borrowed', async () => {
    const given = lists([0, 2, 2], [3, 1])
    const borrowed = await toRowLists('positives', given, 2, 4)
    expect(borrowed.indptr).toBe(given.indptr)
    expect(borrowed.indices).toBe(given.indices)
  })

  it('come from many long arrays while the event loop turns', async () => {
    let turns = 0
    const turn = setInterval(() => turns++, 0)
    const long = Array.from({ length: 200_000 }, (_, row) => row)
    const { indices } = await toRowLists('exclude', [long, long, long], 3, 200_000)
    clearInterval(turn)
    expect([indices.length, indices[399_999]]).toEqual([600_000, 199_999])
    expect(turns).toBeGreaterThan(1)
  })

  it.each<[unknown, string]>([
    [[[1], [4]], 'Expected a corpus row in 0..3 for positives[1][0], received 4'],
    [[[1], [-1]], 'Expected a corpus row in 0..3 for positives[1][0], received -1'],
    [[[1], [0.5]], 'Expected a corpus row in 0..3 for positives[1][0], received 0.5'],
    [[[1], ['2']], "Expected a corpus row in 0..3 for positives[1][0], received '2'"],
    [
      [[1], 2],
      'Expected an array of rows (one row for each query goes into an Int32Array instead) for positives[1], received 2',
    ],
    [[[1], ,], 'Expected an array of rows for positives[1], received undefined'],
    [[[1], [,]], 'Expected a corpus row in 0..3 for positives[1][0], received undefined'],
    [[[1]], 'Expected 2 entries, one for each query for positives, received 1'],
    [
      Int32Array.of(1, 4),
      'Expected a corpus row in 0..3, or -1 for none for positives[1], received 4',
    ],
    [
      Int32Array.of(1, -2),
      'Expected a corpus row in 0..3, or -1 for none for positives[1], received -2',
    ],
    [Int32Array.of(1), 'Expected 2 entries, one for each query for positives, received 1'],
    [
      'rows',
      "Expected an array of rows for each query, an Int32Array, or { indptr, indices } for positives, received 'rows'",
    ],
    [lists([0, 1], [1]), 'Expected 3 list starts for 2 queries for positives.indptr, received 2'],
    [
      { indptr: [0, 1, 2], indices: [] },
      'Expected an Int32Array for positives.indptr, received an array of 3',
    ],
  ])('%j is refused', async (input, message) => {
    const refused = async () => toRowLists('positives', input as never, 2, 4)
    await expect(refused()).rejects.toThrow(message)
  })

  it.each<[RowLists, string]>([
    [lists([1, 1, 1], [1]), 'Expected an integer in 0..0 for positives.indptr[0], received 1'],
    [lists([0, 2, 1], [1]), 'Expected an integer in 0..1 for positives.indptr[1], received 2'],
    [
      lists([0, 1, 1], [1, 2]),
      'Expected 2, the number of indices for positives.indptr[2], received 1',
    ],
    [
      lists([0, 1, 2], [1, 9]),
      'Expected a corpus row in 0..3 for positives.indices[1], received 9',
    ],
  ])('%j are refused by the job that reads them', async (given, message) => {
    const [queries, corpus] = [gaussian(2, 3, 1), gaussian(4, 3, 2)]
    const wanted = { message, argument: message.split(' ').at(-3)!.replace(',', '') }
    await expect(mineHardNegatives(queries, corpus, given, {})).rejects.toMatchObject(wanted)
    const ofExclude = { message: message.replace('positives', 'exclude'), name: 'RangeError' }
    await expect(topK(queries, corpus, { k: 1, exclude: given })).rejects.toMatchObject(ofExclude)
  })

  it('are sorted by the job, and come back so; those that were given stay', async () => {
    const [queries, corpus] = [gaussian(2, 3, 1), gaussian(4, 3, 2)]
    const [given, shuffled] = [lists([0, 3, 4], [3, 1, 3, 0]), lists([0, 2, 4], [2, 0, 3, 1])]
    const mined = await mineHardNegatives(queries, corpus, given, { exclude: shuffled })
    expect(mined.positives).toEqual(lists([0, 2, 3], [1, 3, 0]))
    expect(mined.positiveScores.length).toBe(3)
    expect(mined.dropped).toMatchObject({ positive: 3, excluded: 4 })
    const { indices } = await topK(queries, corpus, { k: 3, exclude: shuffled })
    expect([0, 3].map((start) => [...indices.subarray(start, start + 2)].sort())).toEqual([
      [1, 3],
      [0, 2],
    ])
    expect(given).toEqual(lists([0, 3, 4], [3, 1, 3, 0]))
    expect(shuffled).toEqual(lists([0, 2, 4], [2, 0, 3, 1]))
  })
})
