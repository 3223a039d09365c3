import { describe, expect, it } from 'vitest'
import { fromRows } from '../../lib/data/matrix'
import { mergeMined } from '../../lib/mining/merge-mined'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'

const queries = fromRows([[1], [1]])
const corpus = fromRows([[9], [8], [7], [6], [5], [4], [3], [2], [1]])
/** Rows 1 and 0, then row 2, in any order and with a repeat. */
const positives = { indptr: Int32Array.of(0, 3, 4), indices: Int32Array.of(1, 0, 1, 2) }
const positiveScores = Float64Array.of(6, 5, 99, 3.5)
const options = {
  metric: 'dot',
  relativeMargin: null,
  absoluteMargin: 0.5,
  numNegatives: 2,
  positiveScores,
} as const

describe('positiveScores', () => {
  it('are what ceilings refer to, in the order of the given lists', async () => {
    const mined = await mineHardNegatives(queries, corpus, positives, options)
    expect([...mined.indices]).toEqual([5, 6, 6, 7])
    expect([...mined.positives.indices]).toEqual([0, 1, 2])
    expect([...mined.positiveScores]).toEqual([5, 6, 3.5])
    const highest = await mineHardNegatives(queries, corpus, positives, {
      ...options,
      reference: 'max',
    })
    expect([...highest.negativesOf(0)]).toEqual([4, 5])
  })

  it('are used by sweeps, by parts of a job and as float32', async () => {
    const whole = await mineHardNegatives(queries, corpus, positives, options)
    const [swept] = await mineHardNegatives(queries, corpus, positives, { ...options, sweep: [{}] })
    const parts = await Promise.all(
      [0, 1].map((index) =>
        mineHardNegatives(queries, corpus, positives, {
          ...options,
          positiveScores: Float32Array.from(positiveScores),
          shard: { index, count: 2 },
        }),
      ),
    )
    for (const each of [swept!, await mergeMined(parts)]) {
      expect(each.indices).toEqual(whole.indices)
      expect(each.positiveScores).toEqual(whole.positiveScores)
    }
  })

  it('are no part of the same job with other scores', async () => {
    const part = (index: number, first: number) =>
      mineHardNegatives(queries, corpus, positives, {
        ...options,
        positiveScores: Float64Array.of(first, 5, 99, 3.5),
        shard: { index, count: 2 },
      })
    await expect(mergeMined([await part(0, 6), await part(1, 7)])).rejects.toThrow('fingerprint')
  })

  it('must be as many as the positives, finite, and beside lists in one array', async () => {
    const mine = (scores: unknown, lists: typeof positives | number[][] = positives) =>
      mineHardNegatives(queries, corpus, lists, { ...options, positiveScores: scores as never })
    await expect(mine(Float64Array.of(1))).rejects.toThrow('4 scores, one for each of positives')
    await expect(mine(Float64Array.of(1, 2, NaN, 3))).rejects.toThrow('positiveScores[2]')
    await expect(mine([1, 2, 3, 4])).rejects.toThrow('a Float32Array or Float64Array of scores')
    await expect(mine(positiveScores, [[1], [2]])).rejects.toThrow('{ indptr, indices } beside')
  })
})
