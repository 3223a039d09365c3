import { totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'
import { nmf } from '../lib/factorization/nmf'
import { availableMemory, planMemory } from '../lib/memory'
import { matrixOf } from './matrices'

it('some memory is available, and less than the machine has', () => {
  expect(availableMemory()).toBeGreaterThan(2 ** 24)
  expect(availableMemory()).toBeLessThanOrEqual(totalmem())
})

describe('planMemory', () => {
  it('lets pass what fits', () => {
    expect(() => planMemory('A small job', 1000)).not.toThrow()
  })

  it('fails before work starts, with the bytes that are needed', async () => {
    const X = matrixOf(12, 5, (i, j) => i + j)
    await expect(nmf(X, { rank: 3e8, init: 'random' })).rejects.toMatchObject({
      code: 'ERR_GEMMINE_OUT_OF_MEMORY',
      message: expect.stringMatching(/rank 300000000 needs about \d+ bytes/),
    })
  })
})
