import type { Matrix } from '../lib/index'

/** ‖X − W H‖² in float64, the same measure for the factors of every side. */
export function squaredError(X: Matrix, W: Matrix, H: Matrix): number {
  const components = Float64Array.from(H.data)
  const row = new Float64Array(X.cols)
  let sum = 0
  for (let i = 0; i < X.rows; i++) {
    for (let j = 0; j < X.cols; j++) row[j] = X.data[i * X.cols + j]!
    for (let c = 0; c < H.rows; c++) {
      const weight = W.data[i * H.rows + c]!
      if (weight === 0) continue
      const start = c * X.cols
      for (let j = 0; j < X.cols; j++) row[j]! -= weight * components[start + j]!
    }
    for (let j = 0; j < X.cols; j++) sum += row[j]! * row[j]!
  }
  return sum
}
