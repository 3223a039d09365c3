import { describe, expect, it } from 'vitest'
import { dictionaryLearning, sparseCode, type Matrix } from '../../lib/index'
import { gaussian, matrixOf, normal, uniform } from '../matrices'
import { assigned } from '../reference/assignment'
import { absolutes, productOf, squaredError, squares } from '../reference/factors'

const rowOf = ({ data, cols }: Matrix, i: number) => data.subarray(i * cols, (i + 1) * cols)
const lengthOf = (values: Float32Array) => Math.sqrt(squares(values))
const cosine = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, at) => sum + value * b[at]!, 0) / lengthOf(a) / lengthOf(b)

/** Unit atoms of either sign, and rows that use two of ten each. */
function plantedDictionary() {
  const [n, d, k] = [600, 40, 10]
  const next = normal(3)
  const raw = matrixOf(k, d, next)
  const H = matrixOf(k, d, (j, t) => raw.data[j * d + t]! / lengthOf(rowOf(raw, j)))
  const draw = uniform(4)
  const W = matrixOf(n, k, () => 0)
  for (let i = 0; i < n; i++)
    for (let used = 0; used < 2; used++) W.data[i * k + Math.floor(draw() * k)] = 2 + draw()
  const clean = productOf(W, H)
  const X = matrixOf(n, d, (i, t) => clean.data[i * d + t]! + 0.05 * next())
  return { X, H }
}

describe('dictionaryLearning', () => {
  it('finds planted atoms of either sign with matched cosines of at least 0.95', async () => {
    const { X, H } = plantedDictionary()
    const found = await dictionaryLearning(X, { rank: 10, l1W: 0.4, iterations: 300, seed: 1 })
    const scores = Array.from({ length: 10 }, (_, a) =>
      Array.from({ length: 10 }, (_, b) => cosine(rowOf(H, a), rowOf(found.H, b))),
    )
    const cosines = assigned(scores).map((b, a) => scores[a]![b]!)
    expect(Math.min(...cosines)).toBeGreaterThan(0.95)
    expect(found.W.data.filter((code) => code > 0).length).toBeLessThan(0.35 * found.W.data.length)
  })

  it('keeps every component in the unit ball, after every iteration', async () => {
    const X = gaussian(100, 20, 5)
    for (const iterations of [0, 1, 2, 30])
      for (const init of ['kmeans', 'svd', 'random'] as const) {
        const { H } = await dictionaryLearning(X, { rank: 6, init, iterations, tolerance: 0 })
        for (let j = 0; j < 6; j++) expect(lengthOf(rowOf(H, j))).toBeLessThanOrEqual(1 + 1e-6)
      }
  })

  it('has codes near those of transform, which are those of sparseCode', async () => {
    const X = gaussian(100, 20, 5)
    const model = await dictionaryLearning(X, { rank: 6, l1W: 3, tolerance: 0 })
    const again = (await model.transform(X)).W
    expect(again).toEqual((await sparseCode(X, model.H, { l1: 3 })).W)
    const value = (W: Matrix) => squaredError(X, W, model.H) + 3 * absolutes(W.data)
    expect(value(again)).toBeLessThanOrEqual(value(model.W) * (1 + 1e-6))
    expect(value(again) / model.objective.at(-1)!).toBeCloseTo(1, 3)
  })

  it('does not warn of a penalty that is evaded by scale', async () => {
    expect((await dictionaryLearning(gaussian(100, 20, 5), { rank: 6 })).warnings).toEqual([])
  })

  it('leaves all codes at 0 where the penalty asks for it, and ends', async () => {
    const run = await dictionaryLearning(gaussian(60, 9, 5), { rank: 3, l1W: 1e4 })
    expect(run.W.data.every((code) => code === 0)).toBe(true)
    expect(run.H.data.every(Number.isFinite)).toBe(true)
    expect(run.relativeError).toBeCloseTo(1, 12)
    expect(run.converged).toBe(true)
  })

  it('takes a matrix of zeros, one row, and more components than columns', async () => {
    for (const X of [matrixOf(9, 4, () => 0), gaussian(1, 5, 2), gaussian(30, 3, 4)]) {
      const { W, H } = await dictionaryLearning(X, { rank: 5, init: 'random', l1W: 0.1 })
      expect([...W.data, ...H.data].every(Number.isFinite)).toBe(true)
    }
  })

  it.each([
    [{ l1W: -1 }, 'l1W', 'a finite number of at least 0'],
    [{ l1H: 1 }, 'l1H', 'one of the options'],
    [{ init: 'nndsvd' }, 'init', 'one of random, kmeans, svd'],
    [{ rank: 0 }, 'rank', 'an integer of at least 1'],
    [{ rank: 13, init: 'svd' }, 'rank', 'an integer in 1..12'],
    [{ innerSweeps: 0 }, 'innerSweeps', 'an integer in 1..10000'],
  ])('names what is wrong: %#', async (options, argument, expected) => {
    const asked = { rank: 3, ...options } as never
    const failure = await dictionaryLearning(gaussian(50, 12, 9), asked).catch((error) => error)
    expect(failure).toMatchObject({ argument })
    expect(failure.expected).toContain(expected)
  })

  it('names the row whose codes leave float32', async () => {
    const X = matrixOf(6, 9, (i) => (i === 4 ? 3e38 : 1e38))
    const run = dictionaryLearning(X, { rank: 1, l1W: 0 })
    await expect(run).rejects.toMatchObject({ argument: 'X', row: 4 })
  })
})
