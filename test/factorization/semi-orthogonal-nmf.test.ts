import { describe, expect, it } from 'vitest'
import { FactorizationModel, nmf, semiOrthogonalNmf } from '../../lib/index'
import type { Matrix } from '../../lib/data/matrix'
import { gaussian, matrixOf, normal, sparseOf, uniform } from '../matrices'
import { productOf, squares } from '../reference/factors'

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
    [{ rank: 3, innerSweeps: 0 }, 'innerSweeps', 'an integer in 1..10000'],
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

describe('semiOrthogonalNmf of binary data', () => {
  /** Rows of three kinds, each with probabilities of its own. */
  function plantedProbabilities() {
    const frame = [0, 1, 2].map((c) => (t: number) => ((t >> (3 + c)) % 2 === 0 ? 1 : -1))
    const draw = uniform(5)
    const P = matrixOf(600, 64, (i, t) => 1 / (1 + Math.exp(-1.5 * frame[i % 3]!(t))))
    return { P, X: matrixOf(600, 64, (i, t) => (draw() < P.data[i * 64 + t]! ? 1 : 0)) }
  }

  it('recovers planted probabilities, better than the data', async () => {
    const { P, X } = plantedProbabilities()
    const options = { rank: 3, loss: 'logistic', iterations: 500, tolerance: 0 } as const
    const model = await semiOrthogonalNmf(X, options)
    const odds = await model.inverseTransform(model.W)
    const found = odds.data.map((v) => 1 / (1 + Math.exp(-v)))
    const distance = (values: Float32Array) =>
      Math.sqrt(squares(values.map((p, at) => p - P.data[at]!)) / P.data.length)
    expect(distance(found)).toBeLessThan(0.15)
    expect(distance(found)).toBeLessThan(0.4 * distance(X.data))
  })

  it('never lowers the likelihood, and has orthonormal components after every iteration', async () => {
    const { X } = plantedProbabilities()
    for (const init of ['svd', 'random'] as const)
      for (const iterations of [0, 1, 2, 3, 4, 60]) {
        const options = { rank: 3, loss: 'logistic', init, iterations, tolerance: 0 } as const
        const { H, objective } = await semiOrthogonalNmf(X, options)
        expect(distance(H)).toBeLessThan(1e-5)
        for (let t = 1; t < objective.length; t++)
          expect(objective[t]!).toBeLessThanOrEqual(objective[t - 1]! * (1 + 1e-7))
      }
  })

  it('is the same for sparse X, is saved and codes new rows', async () => {
    const { X } = plantedProbabilities()
    const options = { rank: 3, loss: 'logistic', iterations: 60 } as const
    const model = await semiOrthogonalNmf(X, options)
    const ofSparse = await semiOrthogonalNmf(sparseOf(X), options)
    expect(ofSparse.relativeError).toBeCloseTo(model.relativeError, 5)
    expect(model.options).toMatchObject({ loss: 'logistic' })
    const again = new FactorizationModel(model.model, model.H, model.options)
    const { relativeError } = await again.transform(X)
    expect(relativeError).toBeLessThan(model.relativeError * 1.02)
  })

  it('gives finite factors for data of one kind', async () => {
    for (const value of [0, 1]) {
      const X = matrixOf(20, 6, () => value)
      const { W, H } = await semiOrthogonalNmf(X, { rank: 2, loss: 'logistic' })
      expect([...W.data, ...H.data].every(Number.isFinite)).toBe(true)
    }
  })

  it.each([
    [0.5, 'received 0.5'],
    [-1, 'received -1'],
    [2, 'received 2'],
    [NaN, 'received NaN'],
  ])('names an entry of %f', async (value, received) => {
    const X = matrixOf(9, 5, (i, j) => (i === 3 && j === 2 ? value : 1))
    const run = semiOrthogonalNmf(X, { rank: 2, loss: 'logistic' })
    await expect(run).rejects.toThrow('at row 3, column 2 of X')
    await expect(run).rejects.toThrow(received)
    const sparse = semiOrthogonalNmf(sparseOf(X), { rank: 2, loss: 'logistic' })
    await expect(sparse).rejects.toThrow('at row 3, column 2 of X')
  })

  it('refuses other losses, and nmf this one', async () => {
    const X = matrixOf(9, 5, () => 1)
    const other = semiOrthogonalNmf(X, { rank: 2, loss: 'poisson' as never })
    await expect(other).rejects.toThrow("one of frobenius, logistic for loss, received 'poisson'")
    const ofNmf = nmf(X, { rank: 2, loss: 'logistic' as never })
    await expect(ofNmf).rejects.toThrow("row-correntropy for loss, received 'logistic'")
  })
})

const transposed = ({ data, rows, cols }: Matrix) =>
  matrixOf(cols, rows, (i, j) => data[j * cols + i]!)
