import { describe, expect, it } from 'vitest'
import { minVolumeNmf, nmf } from '../../lib/index'
import { gaussian, matrixOf, uniform } from '../matrices'
import { mixtures, noisyProduct } from '../mixtures'
import { productOf, squaredError, squares } from '../reference/factors'
import { logVolume, rowsOf, simplexViolation, worstMatch } from '../reference/hulls'

/** Mixtures of which none has more than `most` of one component. */
function impure(n: number, k: number, most: number, seed: number) {
  const many = rowsOf(mixtures(20 * n, k, seed, 1.5)).filter((row) => Math.max(...row) <= most)
  return matrixOf(n, k, (i, j) => many[i]![j]!)
}

const next = uniform(4)
const planted = matrixOf(3, 15, (j, t) => (t % 3 === j ? 0 : next()))
const codes = impure(500, 3, 0.85, 3)
const X = productOf(codes, planted)

describe('minVolumeNmf', () => {
  it('finds components of which no sample is pure, where NMF does not', async () => {
    const { H, W, relativeError } = await minVolumeNmf(X, { rank: 3, volume: 0.01, iterations: 3000 })
    expect(relativeError).toBeLessThan(0.01)
    expect(worstMatch(H, planted)).toBeLessThan(0.05)
    expect(Math.max(...rowsOf(W).map((row) => row.reduce((a, b) => a + b, 0)))).toBeLessThan(1 + 1e-5)
    // NMF's components have any length: compare them at that of the planted ones.
    const plain = await nmf(X, { rank: 3, iterations: 3000, tolerance: 1e-9 })
    const lengthOf = (rows: ReturnType<typeof rowsOf>, j: number) => Math.hypot(...rows[j]!)
    const rows = rowsOf(plain.H)
    const scaled = matrixOf(3, 15, (j, t) => (rows[j]![t]! / lengthOf(rows, j)) * lengthOf(rowsOf(planted), j))
    expect(worstMatch(scaled, planted)).toBeGreaterThan(0.1)
  })
})
