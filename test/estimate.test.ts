// Times depend on the machine: bench/estimate.bench.ts compares them with measured ones.
import { describe, expect, it } from 'vitest'
import {
  estimateFactorization,
  estimateMining,
  estimateTopK,
  nmf,
  semiNmf,
  semiOrthogonalNmf,
} from '../lib/index'
import { extended } from '../lib/estimate'
import { packedBytes } from '../lib/mining/prepare-corpus'

describe('estimateFactorization', () => {
  it('counts the bytes that the call itself plans, and the operations of an iteration', async () => {
    const [rows, cols, rank] = [2 ** 20, 4, 8]
    const options = { rank, init: 'random' } as const
    const found = await estimateFactorization(nmf, { rows, cols }, options)
    expect(found.operations).toBe(4 * rows * cols * rank)
    expect(found.seconds).toBeGreaterThan(0)
    const X = { data: new Float32Array(rows * cols), rows, cols }
    // A call with a budget adds eight MiB.
    await expect(nmf(X, { ...options, memoryBudget: 2 ** 26 })).rejects.toThrow(
      `needs about ${Math.ceil(found.bytes + 2 ** 23)} bytes`,
    )
  })

  it('counts what a model needs beside the loop', async () => {
    const [shape, rank] = [{ rows: 400, cols: 30 }, 5]
    const options = { rank, init: 'random' } as const
    const plain = await estimateFactorization(semiNmf, shape, { ...options, acceleration: 'none' })
    const cayley = await estimateFactorization(semiOrthogonalNmf, shape, options)
    expect(cayley.bytes - plain.bytes).toBe(24 * 30 * rank + 96 * rank * rank)
  })

  it('counts the entries that a sparse matrix stores', async () => {
    const shape = { rows: 5000, cols: 200, nonzeros: 3000 }
    const found = await estimateFactorization(nmf, shape, { rank: 7, init: 'random' })
    expect(found.operations).toBe(4 * 3000 * 7)
    const dense = await estimateFactorization(
      nmf,
      { rows: 5000, cols: 200 },
      { rank: 7, init: 'random' },
    )
    expect(found.bytes).toBeLessThan(dense.bytes)
  })

  it.each([
    [{ rows: 0, cols: 4 }, 2, 'an integer of at least 1 for shape.rows, received 0'],
    [{ rows: 4, cols: 2.5 }, 2, 'an integer of at least 1 for shape.cols, received 2.5'],
    [{ rows: 4, cols: 4, nonzeros: 17 }, 2, 'an integer in 0..16 for shape.nonzeros, received 17'],
    [{ rows: 4, cols: 4 }, 0, 'an integer of at least 1 for rank, received 0'],
  ])('refuses %j with rank %d', async (shape, rank, message) => {
    await expect(estimateFactorization(nmf, shape, { rank })).rejects.toThrow(message)
  })

  it('refuses an option that the function refuses', async () => {
    const wrong = { rank: 2, solver: 'newton' } as never
    await expect(estimateFactorization(nmf, { rows: 9, cols: 4 }, wrong)).rejects.toThrow('solver')
  })
})

describe('estimates of searches', () => {
  const shape = { queries: 700, corpus: 3000, cols: 16 }
  const corpus = packedBytes({ rows: 3000, cols: 16 })

  it('count answers, the packed corpus, and the operations of the scan', async () => {
    const found = await estimateTopK(shape, { k: 10 })
    expect(found).toMatchObject({
      bytes: 8 * 700 * 10 + corpus,
      operations: 2 * 700 * 3000 * 16,
    })
    expect(found.seconds).toBeGreaterThan(0)
  })

  it('count mined negatives', async () => {
    const found = await estimateMining(shape, { numNegatives: 3 })
    expect(found).toMatchObject({
      bytes: 12 * 700 * 4 + corpus,
      operations: 2 * 700 * 3000 * 16,
    })
    expect(found.seconds).toBeGreaterThan(0)
  })

  it('refuse a shape without rows, and k below 1', async () => {
    await expect(estimateTopK({ ...shape, corpus: 0 }, { k: 1 })).rejects.toThrow('shape.corpus')
    await expect(estimateMining({ ...shape, queries: -1 })).rejects.toThrow('shape.queries')
    await expect(estimateTopK(shape, { k: 0 })).rejects.toThrow('at least 1 for k')
  })
})

describe('a time that is extended from two trials', () => {
  it('lies on their line, and never below the larger one', () => {
    expect(extended(100, [10, 20], [3, 5])).toBe(21)
    expect(extended(20, [10, 20], [3, 5])).toBe(5)
    expect(extended(100, [10, 20], [5, 3])).toBe(3)
    expect(extended(7, [7, 7], [2, 2])).toBe(2)
  })
})
