import { describe, expect, it } from 'vitest'
import { rowListsOf, toRowLists } from '../../lib/data/row-lists'

const lists = (indptr: number[], indices: number[]) => ({
  indptr: Int32Array.from(indptr),
  indices: Int32Array.from(indices),
})

describe('lists of rows', () => {
  it('come from pairs in any order, each pair once', () => {
    const pairs = Int32Array.of(2, 5, 0, 9, 2, 1, 2, 5, 0, 0)
    expect(rowListsOf(4, pairs)).toEqual(lists([0, 2, 2, 4, 4], [0, 9, 1, 5]))
    expect(rowListsOf(2, new Int32Array(0))).toEqual(lists([0, 0, 0], []))
  })

  it('come from arrays', () => {
    expect(toRowLists('positives', [[3, 1, 3], [], [0]], 3, 4)).toEqual(
      lists([0, 2, 2, 3], [1, 3, 0]),
    )
  })

  it('come from one row per query', () => {
    expect(toRowLists('positives', Int32Array.of(3, -1, 0), 3, 4)).toEqual(
      lists([0, 1, 1, 2], [3, 0]),
    )
  })

  it('are borrowed when ascending and copied when not', () => {
    const ascending = lists([0, 2, 2], [1, 3])
    const borrowed = toRowLists('positives', ascending, 2, 4)
    expect(borrowed.indptr).toBe(ascending.indptr)
    expect(borrowed.indices).toBe(ascending.indices)
    const shuffled = lists([0, 3, 4], [3, 1, 3, 0])
    expect(toRowLists('positives', shuffled, 2, 4)).toEqual(lists([0, 2, 3], [1, 3, 0]))
    expect(shuffled).toEqual(lists([0, 3, 4], [3, 1, 3, 0]))
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
    [
      { indptr: [0, 1, 2], indices: [] },
      'Expected an Int32Array for positives.indptr, received an array of 3',
    ],
  ])('%j is refused', (input, message) => {
    expect(() => toRowLists('positives', input as never, 2, 4)).toThrow(message)
  })
})
