// Properties of every correct W and H, in float64.
import type { Matrix } from '../../lib/data/matrix'

export const squares = (values: Iterable<number>): number => {
  let sum = 0
  for (const value of values) sum += value * value
  return sum
}

export const absolutes = (values: Iterable<number>): number => {
  let sum = 0
  for (const value of values) sum += Math.abs(value)
  return sum
}

export const differences = (A: Matrix, B: Matrix): Float64Array =>
  Float64Array.from(A.data, (value, at) => value - B.data[at]!)

/** W H, without gaps, rounded once; `stride` of either is heeded. */
export function productOf(W: Matrix, H: Matrix): Matrix {
  const data = new Float32Array(W.rows * H.cols)
  for (let i = 0; i < W.rows; i++)
    for (let j = 0; j < H.cols; j++) {
      let sum = 0
      for (let c = 0; c < H.rows; c++)
        sum += W.data[i * (W.stride ?? W.cols) + c]! * H.data[c * (H.stride ?? H.cols) + j]!
      data[i * H.cols + j] = sum
    }
  return { data, rows: W.rows, cols: H.cols }
}

/** ‖X − W H‖². */
export function squaredError(X: Matrix, W: Matrix, H: Matrix): number {
  let total = 0
  for (let i = 0; i < X.rows; i++) {
    const row = Float64Array.from(X.data.subarray(i * X.cols, (i + 1) * X.cols))
    for (let c = 0; c < H.rows; c++)
      for (let j = 0, weight = W.data[i * W.cols + c]!; j < H.cols; j++)
        row[j]! -= weight * H.data[c * H.cols + j]!
    total += squares(row)
  }
  return total
}

/** Singular values of a small matrix, descending, by one-sided Jacobi rotations. */
export function singularValues({ data, rows, cols }: Matrix): Float64Array {
  const columns = Array.from({ length: cols }, (_, j) =>
    Float64Array.from({ length: rows }, (_, i) => data[i * cols + j]!),
  )
  const dot = (a: Float64Array, b: Float64Array) =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0)
  for (let sweep = 0, off = 1; sweep < 60 && off > 1e-14; sweep++) {
    off = 0
    for (let p = 0; p < cols; p++)
      for (let q = p + 1; q < cols; q++) {
        const [a, b] = [columns[p]!, columns[q]!]
        const [alpha, beta, gamma] = [dot(a, a), dot(b, b), dot(a, b)]
        if (gamma === 0 || Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta)) continue
        off = Math.max(off, Math.abs(gamma) / Math.sqrt(alpha * beta))
        const zeta = (beta - alpha) / (2 * gamma)
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
        const c = 1 / Math.sqrt(1 + t * t)
        for (let i = 0; i < rows; i++) {
          const [x, y] = [a[i]!, b[i]!]
          a[i] = c * (x - t * y)
          b[i] = c * (t * x + y)
        }
      }
  }
  return Float64Array.from(columns, (column) => Math.sqrt(squares(column)))
    .sort()
    .reverse()
}
