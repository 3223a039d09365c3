import type { Matrix } from '../lib/data/matrix'
import { matrixOf, normal, uniform } from './matrices'
import { productOf } from './reference/factors'

/** Rows on the simplex, from exponential variables to a power: the higher, the nearer to a corner. */
export function mixtures(n: number, k: number, seed: number, power = 1): Matrix {
  const next = uniform(seed)
  const W = matrixOf(n, k, () => (-Math.log(1 - next())) ** power)
  for (let i = 0; i < n; i++) {
    const row = W.data.subarray(i * k, (i + 1) * k)
    const sum = row.reduce((a, b) => a + b, 0)
    row.forEach((value, j) => (row[j] = value / sum))
  }
  return W
}

/** Mixtures of which none has more than `most` of one component. */
export function impureMixtures(n: number, k: number, most: number, seed: number): Matrix {
  const { data } = mixtures(50 * n, k, seed, 1.5)
  const rows = Array.from({ length: 50 * n }, (_, i) => data.subarray(i * k, (i + 1) * k))
  const impure = rows.filter((row) => Math.max(...row) <= most)
  return matrixOf(n, k, (i, j) => impure[i]![j]!)
}

/** Codes of which row `rows[j]` is pure: all weight on component j. */
export function withPureRows(W: Matrix, rows: readonly number[]): Matrix {
  const codes = { ...W, data: W.data.slice() }
  rows.forEach((row, j) => {
    codes.data.fill(0, row * W.cols, (row + 1) * W.cols)
    codes.data[row * W.cols + j] = 1
  })
  return codes
}

/** W H with normal noise of this size in each entry. */
export function noisyProduct(W: Matrix, H: Matrix, noise: number, seed: number): Matrix {
  const next = normal(seed)
  const X = productOf(W, H)
  return { ...X, data: X.data.map((value) => value + noise * next()) }
}
