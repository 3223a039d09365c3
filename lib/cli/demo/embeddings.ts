import type { Matrix } from '../../data/matrix'
import type { SparseMatrix } from '../../data/sparse'

/** Rows of X in the space of right singular vectors: X Vᵀ, [n × rank]. */
export function projected(X: SparseMatrix, V: Matrix): Matrix {
  const { rows: rank, cols } = V
  const data = new Float32Array(X.rows * rank)
  for (let i = 0; i < X.rows; i++)
    for (let t = Number(X.indptr[i]); t < Number(X.indptr[i + 1]); t++)
      for (let c = 0; c < rank; c++)
        data[i * rank + c]! += X.values[t]! * V.data[c * cols + X.indices[t]!]!
  return { data, rows: X.rows, cols: rank }
}

/** The places of the largest values, largest first. */
export const largest = (values: Float32Array, count: number): number[] =>
  [...values.keys()].sort((a, b) => values[b]! - values[a]!).slice(0, count)
