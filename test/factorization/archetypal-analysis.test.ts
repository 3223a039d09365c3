import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { archetypalAnalysis, FactorizationModel } from '../../lib/index'
import { gaussian, matrixOf, sparseOf } from '../matrices'
import { impureMixtures, mixtures, noisyProduct, withPureRows } from '../mixtures'
import { productOf, squaredError } from '../reference/factors'
import { rowsOf, simplexViolation, worstMatch } from '../reference/hulls'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-archetypes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const sumsOf = (A: Parameters<typeof rowsOf>[0]) =>
  rowsOf(A).map((row) => row.reduce((a, b) => a + b, 0))

const corners = gaussian(4, 20, 6, 2)
const codes = withPureRows(mixtures(400, 4, 7), [5, 50, 150, 333])
const X = noisyProduct(codes, corners, 0.02, 8)

describe('archetypalAnalysis', () => {
  it('finds planted archetypes', async () => {
    for (const init of ['furthest-sum', 'spa', 'random'] as const) {
      const { H, relativeError } = await archetypalAnalysis(X, { rank: 4, init, iterations: 500 })
      expect(worstMatch(H, corners), init).toBeLessThan(0.05)
      expect(relativeError).toBeLessThan(0.03)
    }
  })

  it('finds five corners of a plane', async () => {
    const five = matrixOf(5, 2, (j, t) => [Math.cos, Math.sin][t]!((2 * Math.PI * j) / 5))
    const points = productOf(withPureRows(mixtures(300, 5, 3), [1, 20, 60, 90, 200]), five)
    const { H } = await archetypalAnalysis(points, { rank: 5, iterations: 500 })
    expect(worstMatch(H, five)).toBeLessThan(0.02)
  })

  it('ends at weights that no exchange improves, of rows and of archetypes', async () => {
    const options = { rank: 4, iterations: 2000, tolerance: 0 }
    const { W, H, A } = await archetypalAnalysis(X, options)
    for (const factor of [W, A])
      for (const sum of sumsOf(factor)) expect(Math.abs(sum - 1)).toBeLessThan(1e-5)
    expect(simplexViolation(X, W, H)).toBeLessThan(1e-4)
    // The rows of A: slopes X (S − Ht R) where A is positive are the highest of all.
    const rows = rowsOf(X)
    const model = rowsOf(productOf(W, H))
    for (const [j, weights] of rowsOf(A).entries()) {
      const d = Float64Array.from({ length: 20 }, (_, t) =>
        rows.reduce((sum, row, i) => sum + W.data[i * 4 + j]! * (row[t]! - model[i]![t]!), 0),
      )
      const slopes = rows.map((row) => row.reduce((sum, x, t) => sum + x * d[t]!, 0))
      const scale = 400 * Math.max(...rows.map((row) => Math.hypot(...row))) ** 2
      const highest = Math.max(...slopes)
      for (const [i, slope] of slopes.entries())
        expect((weights[i]! * (highest - slope)) / scale).toBeLessThan(1e-4)
    }
  })

  it('leaves the hull with a relaxation, where no row is a corner', async () => {
    const parts = matrixOf(4, 20, (j, t) => (t % 4 === j ? 3 : 0))
    const inner = productOf(impureMixtures(400, 4, 0.8, 5), parts)
    const options = { rank: 4, iterations: 300 }
    const strict = await archetypalAnalysis(inner, options)
    const relaxed = await archetypalAnalysis(inner, { ...options, relaxation: 0.5 })
    expect(relaxed.objective.at(-1)!).toBeLessThan(0.9 * strict.objective.at(-1)!)
    for (const sum of sumsOf(relaxed.A)) {
      expect(sum).toBeGreaterThan(0.5 - 1e-5)
      expect(sum).toBeLessThan(1.5 + 1e-5)
    }
    expect(Math.max(...sumsOf(relaxed.A).map((sum) => Math.abs(sum - 1)))).toBeGreaterThan(0.02)
    const means = productOf(relaxed.A, inner)
    for (const [at, value] of relaxed.H.data.entries())
      expect(Math.abs(value - means.data[at]!)).toBeLessThan(1e-4)
    for (let t = 1; t < relaxed.objective.length; t++)
      expect(relaxed.objective[t]!).toBeLessThanOrEqual(relaxed.objective[t - 1]! * (1 + 1e-5))
  })

  it('is the mean for one archetype', async () => {
    const { objective, W } = await archetypalAnalysis(X, { rank: 1, iterations: 100, tolerance: 0 })
    const mean = rowsOf(X).reduce(
      (a, row) => a.map((x, t) => x + row[t]! / 400),
      new Float64Array(20),
    )
    const least = squaredError(
      X,
      W,
      matrixOf(1, 20, (_, t) => mean[t]!),
    )
    expect(Math.abs(objective.at(-1)! / least - 1)).toBeLessThan(2e-4)
  })

  it('resumes with the same bits, and codes new rows on the simplex after a load', async () => {
    const checkpoint = join(folder, 'run.safetensors')
    const options = { rank: 4, tolerance: 0, seed: 2, relaxation: 0.1 }
    const whole = await archetypalAnalysis(X, { ...options, iterations: 30 })
    await archetypalAnalysis(X, { ...options, iterations: 11, checkpoint })
    const rest = await archetypalAnalysis(X, { ...options, iterations: 30, resume: checkpoint })
    for (const factor of ['W', 'H', 'A'] as const)
      expect(rest[factor].data).toEqual(whole[factor].data)
    const other = { ...options, relaxation: 0.2, iterations: 30, resume: checkpoint }
    await expect(archetypalAnalysis(X, other)).rejects.toThrow('relaxation')
    const path = join(folder, 'model.safetensors')
    await whole.save(path)
    const model = await FactorizationModel.load(path)
    const fresh = gaussian(50, 20, 9)
    const { W } = await model.transform(fresh)
    for (const sum of sumsOf(W)) expect(Math.abs(sum - 1)).toBeLessThan(1e-5)
    expect(simplexViolation(fresh, W, whole.H)).toBeLessThan(1e-5)
  })

  it.each([
    [0, 0.2],
    [0.2, 0],
  ])('names a relaxation that changes from %f to %f on resume', async (before, after) => {
    const checkpoint = join(folder, `relaxed-${before}.safetensors`)
    const options = { rank: 2, iterations: 2 }
    await archetypalAnalysis(X, { ...options, relaxation: before, checkpoint })
    const resumed = archetypalAnalysis(X, { ...options, relaxation: after, resume: checkpoint })
    await expect(resumed).rejects.toThrow('relaxation')
  })

  it('warns of data far from 0, and is the same after a shift', async () => {
    const options = { rank: 4, seed: 2 }
    const { warnings, W } = await archetypalAnalysis(X, options)
    expect(warnings).toEqual([])
    for (const shift of [3000, 1e6]) {
      const far = matrixOf(X.rows, X.cols, (i, t) => X.data[i * X.cols + t]! + shift)
      const found = await archetypalAnalysis(far, options)
      expect(found.warnings.join()).toContain('X lies far from 0')
    }
    const near = matrixOf(X.rows, X.cols, (i, t) => X.data[i * X.cols + t]! + 1)
    const moved = await archetypalAnalysis(near, options)
    expect(moved.warnings).toEqual([])
    expect(Math.max(...moved.W.data.map((w, at) => Math.abs(w - W.data[at]!)))).toBeLessThan(0.05)
  })

  it('takes sparse rows and rows that are equal', async () => {
    const counts = matrixOf(120, 15, (i, t) => Math.max(0, ((i * 7 + t * 3) % 11) - 6))
    const options = { rank: 3, iterations: 20, tolerance: 0 }
    const [dense, sparse] = [
      await archetypalAnalysis(counts, options),
      await archetypalAnalysis(sparseOf(counts), options),
    ]
    expect(Math.abs(dense.relativeError - sparse.relativeError)).toBeLessThan(1e-4)
    const same = await archetypalAnalysis(
      matrixOf(9, 4, () => -2),
      { rank: 4 },
    )
    expect(same.relativeError).toBeLessThan(1e-6)
    expect(same.warnings).toEqual([])
  })

  it('refuses what it cannot take', async () => {
    const small = gaussian(9, 4, 1)
    const wrong = (options: object) => archetypalAnalysis(small, { rank: 2, ...options } as never)
    await expect(wrong({ rank: 10 })).rejects.toThrow('an integer in 1..9 for rank')
    await expect(wrong({ relaxation: 1 })).rejects.toThrow('below 1 for relaxation, received 1')
    await expect(wrong({ relaxation: -0.1 })).rejects.toThrow(
      'Expected a number of at least 0, below 1 for relaxation, received -0.1',
    )
    await expect(wrong({ innerSweeps: 1e9 })).rejects.toThrow('in 1..10000 for innerSweeps')
    await expect(wrong({ init: 'kmeans' })).rejects.toThrow('init')
    await expect(wrong({ rank: 5, init: 'spa' })).rejects.toThrow('furthest-sum')
    small.data[0] = Infinity
    await expect(wrong({})).rejects.toMatchObject({ argument: 'X', row: 0, column: 0 })
  })
})
