// Lists of candidates join the pool of the scan.
import { describe, expect, it } from 'vitest'
import { fromRows } from '../../lib/data/matrix'
import { mineHardNegatives, type MineHardNegativesOptions } from '../../lib/index'

/** Rows in the order of their scores, for 60 queries alike; the first row is the positive. */
const corpus = fromRows([9, 8, 7, 6, 5, 4, 3].map((value) => [value]))
const queries = fromRows(Array.from({ length: 60 }, () => [1]))

const mine = (more: MineHardNegativesOptions) =>
  mineHardNegatives(
    queries,
    corpus,
    Array.from({ length: 60 }, () => [0]),
    {
      ...{ metric: 'dot', relativeMargin: null, sampling: 'random', pool: 2, numNegatives: 2 },
      candidates: Array.from({ length: 60 }, () => [2, 5, 0, 5]),
      candidateMode: 'beside',
      ...more,
    },
  )

describe("candidateMode 'beside'", () => {
  it('takes from the best of the corpus and from the list, and tells which', async () => {
    const mined = await mine({})
    const sourceOf = new Map([...mined.indices].map((row, i) => [row, mined.sources![i]]))
    expect([...sourceOf].sort(([a], [b]) => a - b)).toEqual([
      [1, 1],
      [2, 3],
      [5, 2],
    ])
    const rankOf = new Map([...mined.indices].map((row, i) => [row, mined.ranks[i]]))
    expect(rankOf.get(5)).toBe(4)
    const { negativeSource } = await mined.statistics()
    const times = (row: number) => mined.indices.filter((each) => each === row).length
    expect(negativeSource).toEqual({ scan: times(1), both: times(2), candidates: times(5) })
    expect(mined.dropped.positive).toBe(60)
    expect(mined.candidatePairs).toBe(420)
  })

  it('keeps the rules for the rows of a list', async () => {
    const { indices } = await mine({ minScore: 5, numNegatives: 2 })
    expect([...new Set(indices)].sort()).toEqual([1, 2])
    const none = await mine({ candidates: Array.from({ length: 60 }, () => []) })
    expect(none.sources!.every((source) => source === 1)).toBe(true)
    expect((await mine({ candidateMode: 'only' })).sources).toBeUndefined()
  })

  it.each(['min', 'each'] as const)(
    'keeps the lists for every set of a sweep with the reference %s',
    async (reference) => {
      const circle = fromRows(
        Array.from({ length: 200 }, (_, i) => [Math.cos(i / 70), Math.sin(i / 70)]),
      )
      const options: MineHardNegativesOptions = {
        ...{ numNegatives: 4, pool: 4, sampling: 'quantiles', candidateMode: 'beside', reference },
        ...{ candidates: [[150, 160, 170, 180]], relativeMargin: null, maxScore: 1 },
      }
      const query = fromRows([[1, 0]])
      const sets = [{}, {}, { sampling: 'random', seed: 3 }] as const
      const swept = await mineHardNegatives(query, circle, [[0, 3]], { ...options, sweep: sets })
      for (const [i, set] of sets.entries()) {
        const alone = await mineHardNegatives(query, circle, [[0, 3]], { ...options, ...set })
        expect(swept[i]!.indices).toEqual(alone.indices)
        expect(swept[i]!.sources).toEqual(alone.sources)
        expect(swept[i]!.ranks).toEqual(alone.ranks)
        expect(swept[i]!.sources).toContain(2)
      }
    },
  )

  it('names what it needs', async () => {
    await expect(mine({ candidates: undefined })).rejects.toThrow(
      "Expected lists of rows beside candidateMode 'beside' for candidates",
    )
    await expect(mine({ sampling: 'top' })).rejects.toThrow(
      "one that takes from a pool beside candidateMode 'beside', as top gets no rows from lists for sampling",
    )
    await expect(mine({ sampling: 'band', pool: undefined })).rejects.toThrow('takes from a pool')
    await expect(mine({ candidateMode: 'both' as never })).rejects.toThrow('candidateMode')
  })
})
