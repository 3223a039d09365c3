import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { snmf } from '../../lib/index'
import { gaussian, matrixOf, uniform } from '../matrices'
import { squaredError } from '../reference/factors'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-snmf-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Tokens × neurons from features of `width` neurons each, with noise. */
function activations(n: number, d: number, k: number, width: number, noise: number) {
  const next = uniform(11)
  const codes = matrixOf(n, k, () => (next() < 0.3 ? next() : 0))
  const jitter = gaussian(n, d, 12, noise)
  return matrixOf(n, d, (i, j) => {
    const feature = Math.floor(j / width)
    const code = feature < k ? codes.data[i * k + feature]! : 0
    return code * (1 + (j % width) / width) + jitter.data[i * d + j]!
  })
}

describe('snmf', () => {
  const X = activations(300, 100, 6, 8, 0.05)

  it('keeps the largest entries of each component, and finds planted groups of neurons', async () => {
    const { H } = await snmf(X, { rank: 6, sparsity: 0.08, init: 'kmeans' })
    const supports = Array.from({ length: 6 }, (_, c) =>
      [...H.data.subarray(c * 100, c * 100 + 100).entries()]
        .filter(([, value]) => value !== 0)
        .map(([neuron]) => neuron),
    )
    for (const support of supports) expect(support.length).toBeLessThanOrEqual(8)
    const groups = supports.map((support) => new Set(support.map((neuron) => neuron >> 3)))
    expect(groups.filter((group) => group.size === 1).length).toBeGreaterThanOrEqual(5)
  })

  it('returns the pair of the lowest objective, which is not the last', async () => {
    const noisy = gaussian(200, 400, 2)
    const run = await snmf(noisy, { rank: 10, sparsity: 0.01, iterations: 100, tolerance: 0 })
    const best = Math.min(...run.objective)
    expect(run.objective.length).toBe(101)
    expect(run.objective.indexOf(best)).toBeLessThan(100)
    expect(squaredError(noisy, run.W, run.H) / best).toBeCloseTo(1, 4)
  })

  it('stops when its patience runs out, and says so', async () => {
    const options = { rank: 10, sparsity: 0.02, patience: 5, iterations: 1000 }
    const { converged, iterations } = await snmf(gaussian(200, 100, 2), options)
    expect(converged).toBe(true)
    expect(iterations).toBeLessThan(1000)
  })

  it('goes on from a checkpoint with the bits of an undisturbed run, best pair included', async () => {
    const noisy = gaussian(200, 400, 2)
    const checkpoint = join(folder, 'snmf.safetensors')
    const options = { rank: 10, sparsity: 0.01, tolerance: 0 }
    const whole = await snmf(noisy, { ...options, iterations: 60 })
    await snmf(noisy, { ...options, iterations: 50, checkpoint })
    const rest = await snmf(noisy, { ...options, iterations: 60, resume: checkpoint })
    expect(whole.objective.indexOf(Math.min(...whole.objective))).toBeLessThan(50)
    expect([rest.W, rest.H, rest.objective]).toEqual([whole.W, whole.H, whole.objective])
    const other = { ...options, sparsity: 0.02, iterations: 60, resume: checkpoint }
    await expect(snmf(noisy, other)).rejects.toThrow('sparsity')
  })

  it('keeps every entry at sparsity 1', async () => {
    const { H } = await snmf(X, { rank: 4, sparsity: 1, iterations: 10 })
    expect(H.data.every((value) => value !== 0)).toBe(true)
  })

  it('fits the entries that it keeps again, on request, and is never worse', async () => {
    for (const sparsity of [0.02, 0.08, 0.5, 1]) {
      const options = { rank: 6, sparsity, iterations: 30, tolerance: 0, seed: 2 }
      const plain = await snmf(X, options)
      const refitted = await snmf(X, { ...options, refit: true })
      expect(refitted.objective.slice(0, 31)).toEqual(plain.objective)
      expect([refitted.iterations, refitted.objective.length]).toEqual([31, 32])
      expect(refitted.relativeError).toBeLessThan(plain.relativeError)
      expect(squaredError(X, refitted.W, refitted.H) / refitted.objective[31]!).toBeCloseTo(1, 4)
      expect(plain.H.data.some((h, at) => h === 0 && refitted.H.data[at] !== 0)).toBe(false)
      expect(refitted.options).toMatchObject({ refit: 'true' })
    }
  })

  it('refits a run that goes on from a checkpoint of one without a refit', async () => {
    const checkpoint = join(folder, 'refit.safetensors')
    const options = { rank: 6, sparsity: 0.05, tolerance: 0, iterations: 20 }
    await snmf(X, { ...options, checkpoint })
    const whole = await snmf(X, { ...options, refit: true })
    const late = await snmf(X, { ...options, refit: true, resume: checkpoint })
    expect([late.W, late.H]).toEqual([whole.W, whole.H])
  })

  it('keeps its options in the model', async () => {
    const { options } = await snmf(X, { rank: 4, sparsity: 0.3, iterations: 3 })
    expect(options).toMatchObject({ sparsity: 0.3, patience: 100, solver: 'mu' })
  })

  it.each([
    [{ sparsity: 0 }, 'sparsity', 'a number above 0, at most 1'],
    [{ sparsity: 1.1 }, 'sparsity', 'a number above 0, at most 1'],
    [{ patience: 0 }, 'patience', 'an integer of at least 1'],
    [{ refit: 1 }, 'refit', 'true or false'],
    [{ l1W: 1 }, 'l1W', 'one of the options'],
    [{ init: 'nndsvd' }, 'init', 'one of random, kmeans, svd'],
    [{ init: { H: X } }, 'init', 'one of random, kmeans, svd'],
  ])('names what is wrong: %#', async (options, argument, expected) => {
    const failure = await snmf(X, { rank: 4, ...options } as never).catch((error) => error)
    expect(failure).toMatchObject({ argument })
    expect(failure.expected).toContain(expected)
  })
})
