import { describe, expect, it } from 'vitest'
import { sparseCode } from '../../lib/index'
import { gaussian, matrixOf, sparseOf } from '../matrices'
import { codeObjective, codesOf } from '../reference/codes'
import { productOf } from '../reference/factors'

const X = matrixOf(
  6,
  5,
  (i, j) =>
    [
      [0.03, 1.36, 1.22, -0.51, -0.3],
      [-0.53, 0.57, -0.06, 0.75, -1.85],
      [1.57, -0.1, 0.68, -0.14, -0.38],
      [0.46, 0.82, -0.2, -0.15, 0.69],
      [-0.87, -1.51, 0.39, -0.67, -1.92],
      [-0.81, -0.47, -1.19, -1.49, 0.04],
    ][i]![j]!,
)

const H = matrixOf(
  7,
  5,
  (i, j) =>
    [
      [0.623, -0.162, -0.516, 0.267, 0.498],
      [-0.203, 0.369, 0.707, -0.14, -0.551],
      [0.186, 0.133, 0.589, -0.689, -0.355],
      [-0.393, -0.813, 0.059, 0.247, -0.346],
      [0.687, 0.408, 0.311, 0.199, 0.474],
      [-0.555, 0.256, 0.251, -0.737, 0.145],
      [-0.252, 0.788, -0.443, -0.018, 0.346],
    ][i]![j]!,
)

/**
 * Codes of scikit-learn 1.9.1: Lasso(alpha=α/5, positive=True, fit_intercept=False, tol=1e-14) on Hᵀ for each
 * row; sparse_encode(X, H, algorithm='lasso_cd', alpha=α, positive=True) agrees with them to 4e-7.
 */
const scikitLearn: Readonly<Record<number, readonly (readonly number[])[]>> = {
  0.05: [
    [0, 1.3059645, 0.37562187, 0, 0.68762783, 0.22341555, 0.52130305],
    [1.86568822, 3.07931536, 0, 2.26863953, 0, 0, 1.75702387],
    [2.50237715, 1.5903162, 1.24568981, 0.58834923, 0.19227805, 0, 0],
    [0.35647001, 0, 0.19169997, 0, 0.57233717, 0.14686041, 0.68909262],
    [0, 0, 1.70276828, 2.80930173, 0, 0, 0.63132699],
    [2.59055214, 0, 2.48773646, 3.67607526, 0, 1.2938708, 3.00372699],
  ],
  0.4: [
    [0, 1.09029373, 0.15590152, 0, 0.36419619, 0.09531197, 0.16128227],
    [0, 0.79365819, 0, 0.18456829, 0, 0, 0],
    [0, 0, 0.47392176, 0, 0.61327758, 0, 0],
    [0, 0, 0, 0, 0.41942493, 0, 0.38826003],
    [0, 0, 0.97494059, 1.88105904, 0, 0, 0],
    [0, 0, 0, 0.00061, 0, 0.73404159, 0],
  ],
}

describe('sparseCode', () => {
  it.each([0.05, 0.4])('has the codes of scikit-learn at α = %f', async (alpha) => {
    const { W } = await sparseCode(X, H, { l1: 2 * alpha })
    scikitLearn[alpha]!.flat().forEach((code, at) => {
      expect(Math.abs(W.data[at]! - code)).toBeLessThan(1e-5)
    })
  })

  it('minimises over every row, as a naive active set in float64', async () => {
    const [rows, atoms] = [gaussian(80, 20, 3), gaussian(30, 20, 4, 0.3)]
    for (const [l1, l2] of [
      [0.5, 0],
      [2, 0.3],
      [0, 0.01],
    ] as const) {
      const penalties = { l1W: l1, l2W: l2 }
      const { W } = await sparseCode(rows, atoms, { l1, l2 })
      const codes = Array.from({ length: 80 }, (_, i) => W.data.subarray(30 * i, 30 * i + 30))
      const best = codeObjective(rows, atoms, codesOf(rows, atoms, penalties), penalties)
      const ours = codeObjective(rows, atoms, codes, penalties)
      expect(Math.abs(ours / best - 1)).toBeLessThan(1e-5)
    }
  })

  it('gives codes of 0 from twice the largest product on, and others below', async () => {
    const back = productOf(
      X,
      matrixOf(5, 7, (i, j) => H.data[j * 5 + i]!),
    )
    const bound = 2 * Math.max(...back.data)
    const { W, relativeError } = await sparseCode(X, H, { l1: bound * (1 + 1e-6) })
    expect(W.data.every((code) => code === 0)).toBe(true)
    expect(relativeError).toBeCloseTo(1, 12)
    const some = (await sparseCode(X, H, { l1: bound * 0.999 })).W.data
    expect(some.filter((code) => code > 0)).toHaveLength(1)
  })

  it('has the same bits for any threads, and codes sparse rows', async () => {
    const [rows, atoms] = [gaussian(700, 20, 3), gaussian(30, 20, 4)]
    const { W } = await sparseCode(rows, atoms, { l1: 1, threads: 1 })
    expect((await sparseCode(rows, atoms, { l1: 1, threads: 3 })).W).toEqual(W)
    const ofSparse = (await sparseCode(sparseOf(rows), atoms, { l1: 1 })).W
    ofSparse.data.forEach((code, at) => expect(Math.abs(code - W.data[at]!)).toBeLessThan(1e-4))
  })

  it.each([
    [X, H, {}, 'l1', 'a finite number of at least 0'],
    [X, H, { l1: -1 }, 'l1', 'a finite number of at least 0'],
    [X, H, { l1: 1, l2: NaN }, 'l2', 'a finite number of at least 0'],
    [X, H, { l1: 1, alpha: 1 }, 'alpha', 'one of the options'],
    [gaussian(3, 4, 1), H, { l1: 1 }, 'X.cols', '5 columns, as in H'],
    [X, matrixOf(2, 5, () => NaN), { l1: 1 }, 'H', 'a finite number'],
    [matrixOf(2, 5, () => NaN), H, { l1: 1 }, 'X', 'a finite number'],
  ])('names what is wrong: %#', async (rows, atoms, options, argument, expected) => {
    const failure = await sparseCode(rows, atoms, options as never).catch((error) => error)
    expect(failure).toMatchObject({ argument })
    expect(failure.expected).toContain(expected)
  })
})
