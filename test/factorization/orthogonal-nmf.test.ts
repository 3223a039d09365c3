import { describe, expect, it } from 'vitest'
import { orthogonalNmf, type Matrix } from '../../lib/index'
import { matrixOf, planted, uniform } from '../matrices'
import { squares } from '../reference/factors'

const positives = ({ data, cols }: Matrix, i: number) =>
  Array.from(data.subarray(i * cols, (i + 1) * cols)).filter((value) => value > 0).length

/** The largest |WᵀW − I|, where columns of zeros count as unused. */
function distance({ data, rows, cols }: Matrix): number {
  let worst = 0
  for (let a = 0; a < cols; a++)
    for (let b = 0; b < cols; b++) {
      let sum = a === b ? -1 : 0
      for (let i = 0; i < rows; i++) sum += data[i * cols + a]! * data[i * cols + b]!
      if (a !== b || sum !== -1) worst = Math.max(worst, Math.abs(sum))
    }
  return worst
}

describe('orthogonalNmf', () => {
  it('has the known answer, also for a row of zeros', async () => {
    const X = matrixOf(4, 2, (i, j) => [2, 0, 4, 0, 0, 3, 0, 0][2 * i + j]!)
    for (const seed of [0, 1, 2, 3]) {
      const { W, H, relativeError } = await orthogonalNmf(X, { rank: 2, seed })
      expect(relativeError).toBeLessThan(1e-6)
      const first = H.data[0]! > 0 ? 0 : 1
      const at = (i: number, j: number) => W.data[2 * i + (j === 0 ? first : 1 - first)]
      expect(at(0, 0)).toBeCloseTo(1 / Math.sqrt(5), 6)
      expect(at(1, 0)).toBeCloseTo(2 / Math.sqrt(5), 6)
      expect(at(2, 1)).toBeCloseTo(1, 6)
      expect(W.data.filter((w) => w > 0)).toHaveLength(3)
      expect(H.data[2 * first]).toBeCloseTo(Math.sqrt(20), 5)
    }
  })

  it('has orthonormal columns of W and one component for each row, after every iteration', async () => {
    const X = planted(200, 30, 5, 3, true)
    for (const init of ['kmeans', 'nndsvd', 'random'] as const)
      for (const iterations of [0, 1, 2, 5, 40]) {
        const { W, H } = await orthogonalNmf(X, { rank: 5, init, iterations, tolerance: 0 })
        expect(distance(W), `${init}, ${iterations}`).toBeLessThan(1e-6)
        for (let i = 0; i < 200; i++) expect(positives(W, i)).toBe(1)
        expect(H.data.every((h) => h >= 0)).toBe(true)
      }
  })

  it.each([1e-40, 1e-38, 1e-20, 1e37])('has columns of length 1 for X of size %s', async (size) => {
    const { data, rows, cols } = planted(40, 12, 3, 3, true)
    const X = { data: data.map((x) => x * size), rows, cols }
    const { W, H, relativeError } = await orthogonalNmf(X, { rank: 3 })
    expect(distance(W)).toBeLessThan(1e-6)
    expect(H.data.every(Number.isFinite)).toBe(true)
    expect(relativeError).toBeLessThan(0.1)
  })

  it('names an X whose components are longer than float32, instead of an H with Infinity', async () => {
    const X = matrixOf(40, 3, () => 2e38)
    await expect(orthogonalNmf(X, { rank: 2 })).rejects.toThrow(
      /Expected columns whose length is a float32, as that of the components at row \d+, column 0 of X/,
    )
  })

  it('finds planted directions whatever the lengths of the rows', async () => {
    const draw = uniform(7)
    const parts = matrixOf(4, 40, (j, t) => (t % 4 === j ? 1 + draw() : 0.1 * draw()))
    const X = matrixOf(400, 40, (i, t) => {
      const length = 10 ** (i % 3)
      return length * (parts.data[(i % 4) * 40 + t]! + 0.05 * draw())
    })
    const { W, relativeError } = await orthogonalNmf(X, { rank: 4 })
    const taken = Array.from({ length: 400 }, (_, i) => {
      const row = Array.from(W.data.subarray(4 * i, 4 * i + 4))
      return row.indexOf(Math.max(...row))
    })
    taken.forEach((component, i) => expect(component).toBe(taken[i % 4]))
    expect(new Set(taken.slice(0, 4)).size).toBe(4)
    expect(relativeError).toBeLessThan(0.05)
  })

  it('explains ‖H‖² of ‖X‖² and codes new rows by one component', async () => {
    const X = planted(200, 30, 5, 3, true)
    const model = await orthogonalNmf(X, { rank: 5, tolerance: 0 })
    const share = 1 - squares(model.H.data) / squares(X.data)
    expect(model.relativeError ** 2).toBeCloseTo(share, 4)
    const { W } = await model.transform(planted(50, 30, 5, 9, true))
    for (let i = 0; i < 50; i++) expect(positives(W, i)).toBe(1)
  })

  it('tells of components that no row takes, and leaves their columns at 0', async () => {
    const X = matrixOf(30, 6, (i, j) => (i % 2 === j % 2 ? 1 : 0))
    const { W, warnings, relativeError } = await orthogonalNmf(X, { rank: 4, init: 'random' })
    const used = [0, 1, 2, 3].filter((j) => W.data.some((w, at) => at % 4 === j && w > 0))
    expect(relativeError).toBeLessThan(1e-6)
    if (used.length < 4) expect(warnings.join()).toContain('no part in the fit')
  })

  it.each([
    [matrixOf(9, 4, () => -1), { rank: 2 }, 'X', 'non-negative'],
    [matrixOf(9, 4, () => NaN), { rank: 2 }, 'X', 'finite'],
    [matrixOf(9, 4, () => 1), { rank: 0 }, 'rank', 'an integer of at least 1'],
    [matrixOf(9, 4, () => 1), { rank: 5, init: 'nndsvd' }, 'rank', 'an integer in 1..4'],
    [matrixOf(9, 4, () => 1), { rank: 2, init: 'svd' }, 'init', 'one of kmeans, nndsvd, random'],
    [matrixOf(9, 4, () => 1), { rank: 2, l1W: 1 }, 'l1W', 'one of the options'],
  ])('names what is wrong: %#', async (X, options, argument, expected) => {
    const failure = await orthogonalNmf(X, options as never).catch((error) => error)
    expect(failure).toMatchObject({ argument })
    expect(failure.expected).toContain(expected)
  })
})
