import type { Matrix } from '../lib/data/matrix'

/** A stream of numbers in [0, 1) that is the same on every machine (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export function normal(seed: number): () => number {
  const next = uniform(seed)
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}

/** A matrix with the elements valueAt(row, column). */
export function matrixOf(
  rows: number,
  cols: number,
  valueAt: (i: number, j: number) => number,
): Matrix {
  const data = new Float32Array(rows * cols)
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < cols; j++) data[at++] = valueAt(i, j)
  return { data, rows, cols }
}

export function gaussian(rows: number, cols: number, seed: number, scale = 1): Matrix {
  const next = normal(seed)
  return matrixOf(rows, cols, () => scale * next())
}

/** W H with W uniform in [0, 1), and H of either sign unless `nonnegative`. */
export function planted(
  n: number,
  d: number,
  k: number,
  seed: number,
  nonnegative = false,
): Matrix {
  const codes = uniform(seed)
  const parts = nonnegative ? uniform(seed + 1) : normal(seed + 1)
  const W = Float64Array.from({ length: n * k }, codes)
  const H = Float64Array.from({ length: k * d }, parts)
  return matrixOf(n, d, (i, j) => {
    let sum = 0
    for (let c = 0; c < k; c++) sum += W[i * k + c]! * H[c * d + j]!
    return sum
  })
}

/** The same matrix in CSR, by default without its zeros. */
export function sparseOf({ data, rows, cols }: Matrix, isStored = (at: number) => data[at] !== 0) {
  const indptr = new Int32Array(rows + 1)
  const stored = Array.from(data.keys()).filter(isStored)
  for (const at of stored) indptr[Math.floor(at / cols) + 1]! += 1
  for (let i = 0; i < rows; i++) indptr[i + 1]! += indptr[i]!
  return {
    rows,
    cols,
    indptr,
    indices: Int32Array.from(stored, (at) => at % cols),
    values: Float32Array.from(stored, (at) => data[at]!),
  }
}
