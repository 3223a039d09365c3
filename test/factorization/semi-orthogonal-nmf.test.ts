import { describe, expect, it } from 'vitest'
import { FactorizationModel, semiOrthogonalNmf } from '../../lib/index'
import type { Matrix } from '../../lib/data/matrix'
import { gaussian, matrixOf, normal } from '../matrices'
import { productOf } from '../reference/factors'

/** The largest |H Hᵀ − I|. */
function distance({ data, rows, cols }: Matrix): number {
  let worst = 0
  for (let a = 0; a < rows; a++)
    for (let b = 0; b < rows; b++) {
      let sum = a === b ? -1 : 0
      for (let t = 0; t < cols; t++) sum += data[a * cols + t]! * data[b * cols + t]!
      worst = Math.max(worst, Math.abs(sum))
    }
  return worst
}

describe('semiOrthogonalNmf', () => {
  it('has orthonormal components after every iteration', async () => {
    const X = gaussian(200, 40, 3)
    for (const init of ['svd', 'random'] as const)
      for (const iterations of [0, 1, 2, 3, 4, 5, 6, 7, 20, 300]) {
        const { H } = await semiOrthogonalNmf(X, { rank: 8, init, iterations, tolerance: 0 })
        expect(distance(H), `${init}, ${iterations}`).toBeLessThan(1e-5)
      }
  })

  it('finds planted orthonormal components', async () => {
    const frame = await semiOrthogonalNmf(gaussian(60, 30, 5), { rank: 4, iterations: 0 })
    const next = normal(6)
    const codes = matrixOf(400, 4, (i, j) => (i % 4 === j ? 1 + 0.2 * j + Math.abs(next()) : 0))
    const found = await semiOrthogonalNmf(productOf(codes, frame.H), { rank: 4, iterations: 400 })
    expect(found.relativeError).toBeLessThan(1e-3)
    const overlap = productOf(found.H, transposed(frame.H))
    for (let a = 0; a < 4; a++)
      expect(Math.max(...overlap.data.subarray(a * 4, a * 4 + 4))).toBeGreaterThan(0.999)
  })

  it('gains from more steps of H for each read', async () => {
    const X = gaussian(300, 40, 7)
    const objective = async (innerSweeps: number) => {
      const options = { rank: 8, iterations: 3, tolerance: 0, init: 'random', innerSweeps } as const
      return (await semiOrthogonalNmf(X, options)).objective.at(-1)!
    }
    expect(await objective(5)).toBeLessThan(await objective(1))
  })

  it('is saved, loaded and codes new rows by what reaches along a component', async () => {
    const X = gaussian(50, 12, 9)
    const model = await semiOrthogonalNmf(X, { rank: 3, iterations: 20 })
    const again = new FactorizationModel(model.model, model.H, model.options)
    const { W } = await again.transform(X)
    const reach = productOf(X, transposed(model.H))
    W.data.forEach((w, at) => expect(w).toBeCloseTo(Math.max(0, reach.data[at]!), 4))
  })

  it.each([
    [{ rank: 13 }, 'rank', 'an integer in 1..12'],
    [{ rank: 3, init: 'kmeans' }, 'init', 'one of svd, random'],
    [{ rank: 3, l1W: 1 }, 'l1W', 'one of the options'],
    [{ rank: 3, solver: 'mu' }, 'solver', 'one of the options'],
    [{ rank: 3, innerSweeps: 0 }, 'innerSweeps', 'an integer of at least 1'],
  ])('names what is wrong: %#', async (options, argument, expected) => {
    const failure = await semiOrthogonalNmf(gaussian(50, 12, 9), options as never).catch((e) => e)
    expect(failure).toMatchObject({ argument })
    expect(failure.expected).toContain(expected)
  })

  it('names the row whose codes leave float32', async () => {
    const X = matrixOf(6, 9, (i) => (i === 4 ? 3e38 : 1e38))
    await expect(semiOrthogonalNmf(X, { rank: 1 })).rejects.toMatchObject({ argument: 'X', row: 4 })
  })
})

const transposed = ({ data, rows, cols }: Matrix) =>
  matrixOf(cols, rows, (i, j) => data[j * cols + i]!)
