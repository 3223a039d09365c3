// Graphs of rows, and the differences between codes of neighbours, in float64.
import type { Matrix } from '../../lib/data/matrix'
import type { SparseMatrix } from '../../lib/data/sparse'

/** Row i is tied to the rows one and three further on a ring, by weights between 0.25 and 1. */
export function ringGraph(rows: number): SparseMatrix {
  const weights = Array.from({ length: rows }, () => new Map<number, number>())
  for (let i = 0; i < rows; i++)
    for (const step of [1, 3]) {
      const j = (i + step) % rows
      const weight = (1 + ((i + j) % 4)) / 4
      weights[i]!.set(j, weight)
      weights[j]!.set(i, weight)
    }
  const sorted = weights.map((row) => [...row].sort(([a], [b]) => a - b))
  const starts = [0]
  for (const row of sorted) starts.push(starts.at(-1)! + row.length)
  return {
    rows,
    cols: rows,
    indptr: Int32Array.from(starts),
    indices: Int32Array.from(sorted.flat(), ([column]) => column),
    values: Float32Array.from(sorted.flat(), ([, weight]) => weight),
  }
}

/** ½·Σ A_ij ‖w_i − w_j‖². */
export function roughness({ rows, indptr, indices, values }: SparseMatrix, W: Matrix): number {
  let sum = 0
  for (let i = 0; i < rows; i++)
    for (let t = Number(indptr[i]); t < Number(indptr[i + 1]); t++)
      for (let c = 0; c < W.cols; c++)
        sum += (values[t]! * (W.data[i * W.cols + c]! - W.data[indices[t]! * W.cols + c]!) ** 2) / 2
  return sum
}
