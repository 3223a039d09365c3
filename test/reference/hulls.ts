// Slow oracles in float64 for models of hulls and simplices.
import type { Matrix } from '../../lib/data/matrix'

type Rows = readonly Float64Array[]

export const rowsOf = ({ data, rows, cols }: Matrix): Float64Array[] =>
  Array.from({ length: rows }, (_, i) => Float64Array.from(data.subarray(i * cols, (i + 1) * cols)))

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0
  for (let t = 0; t < a.length; t++) sum += a[t]! * b[t]!
  return sum
}

/** The successive projection algorithm as it is defined: one projection of every row for each anchor. */
export function successiveProjections(X: Matrix, k: number, normalize = false): number[] {
  const rows = rowsOf(X)
  if (normalize)
    for (const row of rows) {
      const sum = row.reduce((a, b) => a + b, 0)
      if (sum > 0) row.forEach((value, t) => (row[t] = value / sum))
    }
  const anchors: number[] = []
  for (let j = 0; j < k; j++) {
    const lengths = rows.map((row) => dot(row, row))
    const anchor = lengths.indexOf(Math.max(...lengths))
    anchors.push(anchor)
    const u = Float64Array.from(rows[anchor]!)
    for (const row of rows) {
      const share = dot(row, u) / dot(u, u)
      row.forEach((value, t) => (row[t] = value - share * u[t]!))
    }
  }
  return anchors
}

/** [a × b] of two lists of rows of equal length. */
const products = (A: Rows, B: Rows) => A.map((a) => Float64Array.from(B, (b) => dot(a, b)))

const transposed = (A: Rows): Float64Array[] =>
  Array.from(A[0]!, (_, j) => Float64Array.from(A, (row) => row[j]!))

const multiplied = (A: Rows, B: Rows) => products(A, transposed(B))

const part = (A: Rows, sign: 1 | -1) => A.map((row) => row.map((x) => Math.max(0, sign * x)))

const scaledBy = (A: Rows, above: Rows, below: Rows) =>
  A.map((row, i) => row.map((x, j) => x * Math.sqrt(above[i]![j]! / below[i]![j]!)))

const sum = (A: Rows, B: Rows) => A.map((row, i) => row.map((x, j) => x + B[i]![j]!))

/**
 * Ding, Li & Jordan (2010), equations 22 and 23, with the kernel X Xᵀ. G [n×k] and F [n×k] are the codes and the
 * weights; returns ‖X − G Fᵀ X‖² after each iteration.
 */
export function convexNmfByRatios(X: Matrix, labels: Int32Array, k: number, iterations: number) {
  const rows = rowsOf(X)
  const K = products(rows, rows)
  const [plus, minus] = [part(K, 1), part(K, -1)]
  const sizes = Array.from({ length: k }, (_, j) => labels.filter((label) => label === j).length)
  const indicator = Array.from(labels, (label) =>
    Float64Array.from({ length: k }, (_, j) => (label === j ? 1.2 : 0.2)),
  )
  let G: Rows = indicator
  let F: Rows = indicator.map((row) => row.map((x, j) => x / Math.max(1, sizes[j]!)))
  return Array.from({ length: iterations }, () => {
    const [plusF, minusF] = [multiplied(plus, F), multiplied(minus, F)]
    const byF = (of: Rows) => multiplied(G, multiplied(transposed(F), of))
    G = scaledBy(G, sum(plusF, byF(minusF)), sum(minusF, byF(plusF)))
    const gram = multiplied(transposed(G), G)
    const [plusG, minusG] = [multiplied(plus, G), multiplied(minus, G)]
    const byG = (of: Rows) => multiplied(multiplied(of, F), gram)
    F = scaledBy(F, sum(plusG, byG(minus)), sum(minusG, byG(plus)))
    const model = multiplied(G, multiplied(transposed(F), rows))
    return rows.reduce(
      (total, x, i) => total + x.reduce((a, v, t) => a + (v - model[i]![t]!) ** 2, 0),
      0,
    )
  })
}

/** The largest distance of a row of H to the nearest row of `planted`, each used once, relative to its length. */
export function worstMatch(H: Matrix, planted: Matrix): number {
  const left = rowsOf(planted)
  let worst = 0
  for (const row of rowsOf(H)) {
    const distances = left.map((other) => Math.hypot(...other.map((x, t) => x - row[t]!)))
    const at = distances.indexOf(Math.min(...distances))
    worst = Math.max(worst, distances[at]! / Math.hypot(...left[at]!))
    left.splice(at, 1)
  }
  return worst
}

/** How far the rows of W are from minima of ‖x − w H‖² on the simplex, relative to the largest ‖h‖². */
export function simplexViolation(X: Matrix, W: Matrix, H: Matrix, capped = false): number {
  const [codes, components] = [rowsOf(W), rowsOf(H)]
  const gram = products(components, components)
  const cross = products(rowsOf(X), components)
  const scale = Math.max(...gram.map((row, j) => row[j]!))
  let worst = 0
  codes.forEach((w, i) => {
    const slope = w.map((_, j) => dot(gram[j]!, w) - cross[i]![j]!)
    const lowest = Math.min(...slope, ...(capped ? [0] : []))
    w.forEach((weight, j) => {
      worst = Math.max(worst, (weight * (slope[j]! - lowest)) / scale)
    })
  })
  return worst
}

/** log det(I + H Hᵀ/offset), by elimination. */
export function logVolume(H: Matrix, offset: number): number {
  const rows = rowsOf(H)
  const A = products(rows, rows).map((row, i) => row.map((x, j) => x / offset + (i === j ? 1 : 0)))
  let total = 0
  for (let p = 0; p < A.length; p++) {
    total += Math.log(A[p]![p]!)
    for (let i = p + 1; i < A.length; i++) {
      const share = A[i]![p]! / A[p]![p]!
      for (let j = p; j < A.length; j++) A[i]![j]! -= share * A[p]![j]!
    }
  }
  return total
}
