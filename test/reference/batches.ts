// Factorization in batches of rows, in float64 and without the addon: docs/math/online.md.
import type { Matrix } from '../../lib/data/matrix'

const relaxation = 1.3

/** One sweep of each row f of F [m × k] for its cross product and the normal matrix N. */
function sweep(
  F: Float64Array,
  rows: readonly number[],
  C: Float64Array,
  N: Float64Array,
  k: number,
) {
  rows.forEach((i) => {
    for (let j = 0; j < k; j++) {
      let slope = C[i * k + j]!
      for (let l = 0; l < k; l++) slope -= F[i * k + l]! * N[l * k + j]!
      if (N[j * k + j]! > 0)
        F[i * k + j] = Math.max(0, F[i * k + j]! + (relaxation * slope) / N[j * k + j]!)
    }
  })
}

/** Fᵀ F over some rows. */
function gramOf(F: Float64Array, rows: readonly number[], k: number) {
  const N = new Float64Array(k * k)
  for (const i of rows)
    for (let a = 0; a < k; a++)
      for (let b = 0; b < k; b++) N[a * k + b]! += F[i * k + a]! * F[i * k + b]!
  return N
}

const range = (begin: number, end: number) =>
  Array.from({ length: end - begin }, (_, i) => begin + i)

export interface Schedule {
  readonly batchSize: number
  readonly forgetFactor: number
  readonly iterations: number
}

/** W [n × k] and Ht [d × k] after some iterations of `hals` with one sweep, both factors non-negative. */
export function inBatches(X: Matrix, W0: Matrix, H0: Matrix, schedule: Schedule) {
  const { rows: n, cols: d } = X
  const k = W0.cols
  const W = Float64Array.from(W0.data)
  const Ht = Float64Array.from(
    { length: d * k },
    (_, at) => H0.data[(at % k) * d + Math.floor(at / k)]!,
  )
  const improveRows = (rows: readonly number[]) => {
    const P = new Float64Array(n * k)
    for (const i of rows)
      for (let t = 0; t < d; t++)
        for (let j = 0; j < k; j++) P[i * k + j]! += X.data[i * d + t]! * Ht[t * k + j]!
    sweep(W, rows, P, gramOf(Ht, range(0, d), k), k)
  }
  const addSums = (rows: readonly number[], S: Float64Array, R: Float64Array, retained: number) => {
    const gram = gramOf(W, rows, k)
    R.forEach((r, at) => (R[at] = retained * r + gram[at]!))
    S.forEach((s, at) => (S[at] = retained * s))
    for (const i of rows)
      for (let t = 0; t < d; t++)
        for (let j = 0; j < k; j++) S[t * k + j]! += X.data[i * d + t]! * W[i * k + j]!
  }
  const [S, R] = [new Float64Array(d * k), new Float64Array(k * k)]
  for (let t = 1; t <= schedule.iterations; t++) {
    for (let begin = 0; begin < n; begin += schedule.batchSize) {
      const rows = range(begin, Math.min(n, begin + schedule.batchSize))
      improveRows(rows)
      const forgets = schedule.forgetFactor ** (rows.length / n)
      addSums(rows, S, R, t === 1 && begin === 0 ? 0 : forgets)
      sweep(Ht, range(0, d), S, R, k)
    }
    improveRows(range(0, n))
    addSums(range(0, n), S, R, 0)
  }
  return { W, Ht }
}
