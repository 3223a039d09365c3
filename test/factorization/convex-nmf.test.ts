import { describe, expect, it } from 'vitest'
import { convexNmf, kmeans, semiNmf } from '../../lib/index'
import { gaussian, matrixOf } from '../matrices'
import { mixtures } from '../mixtures'
import { productOf, squares } from '../reference/factors'
import { convexNmfByRatios, rowsOf } from '../reference/hulls'

const sumsOf = (A: Parameters<typeof rowsOf>[0]) =>
  rowsOf(A).map((row) => row.reduce((a, b) => a + b, 0))

describe('convexNmf', () => {
  it('gives components that are weighted means of rows', async () => {
    for (const init of ['kmeans', 'furthest-sum', 'spa', 'random'] as const) {
      const X = gaussian(150, 20, 3)
      const { A, H } = await convexNmf(X, { rank: 6, init, iterations: 25 })
      expect([A.rows, A.cols]).toEqual([6, 150])
      expect(A.data.every((weight) => weight >= 0)).toBe(true)
      for (const sum of sumsOf(A)) expect(Math.abs(sum - 1)).toBeLessThan(1e-5)
      const means = productOf(A, X)
      for (const [at, value] of H.data.entries())
        expect(Math.abs(value - means.data[at]!)).toBeLessThan(1e-5)
    }
  })

  it('ends below the multiplicative steps of Ding, Li & Jordan', async () => {
    for (const X of [gaussian(90, 12, 5), productOf(mixtures(90, 4, 2), gaussian(4, 12, 3))]) {
      const { labels } = await kmeans(X, { clusters: 4 })
      const theirs = convexNmfByRatios(X, labels, 4, 150)
      const { objective } = await convexNmf(X, { rank: 4, iterations: 150, tolerance: 0 })
      expect(objective.at(-1)).toBeLessThan(theirs.at(-1)!)
      // Theirs never rises either: an oracle with a slip would.
      for (const [t, value] of theirs.slice(1).entries())
        expect(value).toBeLessThanOrEqual(theirs[t]! * (1 + 1e-9) + 1e-9)
    }
  })

  it('fits no better than semi-NMF, whose components are free', async () => {
    const X = gaussian(100, 15, 8)
    const free = await semiNmf(X, { rank: 5, iterations: 300 })
    const within = await convexNmf(X, { rank: 5, iterations: 300 })
    expect(within.relativeError).toBeGreaterThan(free.relativeError - 1e-3)
  })

  it('finds the centres of clusters', async () => {
    const centers = gaussian(4, 10, 1, 5)
    const noise = gaussian(200, 10, 2, 0.05)
    const X = matrixOf(200, 10, (i, t) => centers.data[(i % 4) * 10 + t]! + noise.data[i * 10 + t]!)
    const { relativeError, W } = await convexNmf(X, { rank: 4 })
    expect(relativeError).toBeLessThan(0.02)
    const strongest = rowsOf(W).map((row) => row.indexOf(Math.max(...row)))
    for (let i = 4; i < 200; i++) expect(strongest[i]).toBe(strongest[i % 4])
  })

  it('takes matrices without distinct or independent rows', async () => {
    const same = matrixOf(30, 6, (_, t) => t - 2)
    const [one, flat, zeros] = await Promise.all(
      [same, productOf(mixtures(40, 2, 1), gaussian(2, 9, 2)), matrixOf(9, 4, () => 0)].map((X) =>
        convexNmf(X, { rank: 5, iterations: 40 }),
      ),
    )
    for (const { W, H, A } of [one!, flat!, zeros!])
      for (const { data } of [W, H, A]) expect(Number.isFinite(squares(data))).toBe(true)
    expect(one!.relativeError).toBeLessThan(1e-5)
    expect(flat!.relativeError).toBeLessThan(1e-2)
    expect(zeros!.objective.at(-1)).toBe(0)
    for (const sum of sumsOf(zeros!.A)) expect(Math.abs(sum - 1)).toBeLessThan(1e-6)
  })

  it('may have more components than columns, but not than rows', async () => {
    const X = gaussian(12, 2, 4)
    expect((await convexNmf(X, { rank: 12, iterations: 5 })).H.rows).toBe(12)
    const wrong = (options: object) => convexNmf(X, { rank: 2, ...options } as never)
    await expect(wrong({ rank: 13 })).rejects.toThrow('an integer in 1..12 for rank')
    await expect(wrong({ init: 'svd' })).rejects.toThrow('init')
    await expect(wrong({ rank: 3, init: 'spa' })).rejects.toThrow('spa needs that many rows')
    await expect(wrong({ iterations: -1 })).rejects.toThrow('iterations')
    await expect(wrong({ l1W: 1 })).rejects.toThrow('l1W')
  })
})
