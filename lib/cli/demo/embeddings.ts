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

/**
 * The rows that are not zero in any matrix: a zero row is equally near to all rows, so it is useless here.
 */
export const spokenRows = (...matrices: readonly Matrix[]): number[] =>
  [...Array(matrices[0]!.rows).keys()].filter((i) =>
    matrices.every(({ data, cols }) =>
      data.subarray(i * cols, (i + 1) * cols).some((value) => value !== 0),
    ),
  )

/** Some rows of a matrix, in the given order. */
export function takeRows({ data, cols }: Matrix, rows: readonly number[]): Matrix {
  const taken = new Float32Array(rows.length * cols)
  rows.forEach((row, i) => taken.set(data.subarray(row * cols, (row + 1) * cols), i * cols))
  return { data: taken, rows: rows.length, cols }
}

/** The indices of the largest values, largest first. */
export const largest = (values: Float32Array, count: number): number[] =>
  [...values.keys()].sort((a, b) => values[b]! - values[a]!).slice(0, count)
