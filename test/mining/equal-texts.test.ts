// Rows with equal texts: which of them are candidates, and the counters.
import { describe, expect, it } from 'vitest'
import { fromRows } from '../../lib/data/matrix'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { type MineHardNegativesOptions } from '../../lib/mining/mining-options'
import { gaussian } from '../matrices'

/** Mines one-column rows by dot product: a score is the number that stands for a row. */
const mine = (
  queryTexts: string[],
  documents: readonly (readonly [score: number, text: string])[],
  positives: number[][],
  options: MineHardNegativesOptions = {},
) =>
  mineHardNegatives(
    fromRows(queryTexts.map(() => [1])),
    fromRows(documents.map(([score]) => [score])),
    positives,
    {
      metric: 'dot',
      relativeMargin: null,
      queryTexts,
      corpusTexts: documents.map(([, text]) => text),
      ...options,
    },
  )

describe('equal texts', () => {
  it('in several queries: the positive of one is no negative of the other', async () => {
    const mined = await mine(
      ['who wrote it', 'who wrote it', 'when'],
      [
        [9, 'written by Ann'],
        [8, 'Ann is the author'],
        [7, 'in 1990'],
        [6, 'cats'],
        [5, 'Ann is the author'],
      ],
      [[0], [1], [2]],
    )
    expect([...mined.negativesOf(0)]).toEqual([2, 3])
    expect([...mined.negativesOf(1)]).toEqual([2, 3])
    expect([...mined.negativesOf(2)]).toEqual([0, 1, 3])
    expect(mined.dropped.duplicate).toBe(2 + 2 + 1)
  })

  it('in several rows: a query gets each once, by its best row', async () => {
    const documents = [
      [9, 'answer'],
      [5, 'same text'],
      [8, 'same text'],
      [8, 'same text'],
      [7, 'other text'],
    ] as const
    const mined = await mine(['question'], documents, [[0]])
    expect([...mined.negativesOf(0)]).toEqual([2, 4])
    expect([...mined.ranks.subarray(0, 2)]).toEqual([0, 2])
    expect(mined.dropped.duplicate).toBe(2)
  })

  it('of which the best row is excluded, barred or a positive: the next one counts', async () => {
    const documents = [
      [9, 'answer'],
      [8, 'text'],
      [7, 'text'],
      [6, 'text'],
    ] as const
    const excluded = await mine(['question'], documents, [[0]], { exclude: [[1]] })
    expect([...excluded.negativesOf(0)]).toEqual([2])
    expect(excluded.dropped).toMatchObject({ excluded: 1, duplicate: 1 })
    const barred = await mine(['question'], documents, [[0]], {
      groups: 'different',
      queryGroups: Int32Array.of(5),
      corpusGroups: Int32Array.of(-1, 5, 5, -1),
    })
    expect([...barred.negativesOf(0)]).toEqual([3])
    expect(barred.dropped).toMatchObject({ group: 2, duplicate: 0 })
  })

  it('of which the best row is above the ceiling: the others are duplicates below it', async () => {
    const documents = [
      [9, 'answer'],
      [8, 'text'],
      [7, 'text'],
      [6, 'other'],
    ] as const
    const mined = await mine(['question'], documents, [[0]], { maxScore: 7.5, explain: 9 })
    expect([...mined.negativesOf(0)]).toEqual([3])
    expect(mined.ranks[0]).toBe(2)
    expect(mined.dropped).toMatchObject({ ceiling: 1, duplicate: 1 })
    expect([...mined.rejected.rows]).toEqual([0, 1, 2])
    expect([...mined.rejected.rules]).toEqual([1, 6, 4])
  })

  it('are equal character by character, and an empty one equals none', async () => {
    const documents = [
      [9, ''],
      [8, ''],
      [7, ' a'],
      [6, 'a'],
      [5, 'A'],
    ] as const
    const mined = await mine(['', ''], documents, [[0], [3]], { numNegatives: 5 })
    expect([...mined.negativesOf(0)]).toEqual([1, 2, 3, 4])
    expect([...mined.negativesOf(1)]).toEqual([0, 1, 2, 4])
    expect(mined.dropped.duplicate).toBe(0)
  })

  it('in thousands of rows at the top do not starve or slow a query', async () => {
    const [queries, corpus] = [gaussian(4, 16, 1), gaussian(20_000, 16, 2)]
    for (let row = 0; row < 2_000; row++)
      for (let t = 0; t < 16; t++)
        corpus.data[row * 16 + t] =
          queries.data[(row % 4) * 16 + t]! * (1 + ((row * 7 + t) % 9) * 1e-7)
    const corpusTexts = Array.from({ length: 20_000 }, (_, row) =>
      row < 2_000 ? `boilerplate ${row % 4}` : `text ${row}`,
    )
    const queryTexts = ['a', 'b', 'c', 'd']
    const options = { maxScore: 2, relativeMargin: null, queryTexts, corpusTexts, numNegatives: 6 }
    const mined = await mineHardNegatives(queries, corpus, [[], [], [], []], options)
    expect([...mined.counts]).toEqual([6, 6, 6, 6])
    expect(mined.dropped.duplicate).toBe(4 * (2_000 - 4))
    expect(mined.fallback).toBe(0)
  })
})
