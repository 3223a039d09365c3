// Non-negative least squares in float64, without the addon.
import type { Matrix } from '../../lib/data/matrix'

/** The solution of A x = b by Gaussian elimination with pivots; overwrites A [m × m] and b. */
function solved(A: number[][], b: number[]): number[] {
  const m = b.length
  for (let c = 0; c < m; c++) {
    let pivot = c
    for (let r = c + 1; r < m; r++) if (Math.abs(A[r]![c]!) > Math.abs(A[pivot]![c]!)) pivot = r
    ;[A[c], A[pivot]] = [A[pivot]!, A[c]!]
    ;[b[c], b[pivot]] = [b[pivot]!, b[c]!]
    for (let r = c + 1; r < m; r++) {
      const factor = A[r]![c]! / A[c]![c]!
      for (let t = c; t < m; t++) A[r]![t]! -= factor * A[c]![t]!
      b[r]! -= factor * b[c]!
    }
  }
  for (let r = m - 1; r >= 0; r--) {
    for (let t = r + 1; t < m; t++) b[r]! -= A[r]![t]! * b[t]!
    b[r]! /= A[r]![r]!
  }
  return b
}

/** The w ≥ 0 that minimises w·N w − 2 b·w: Lawson & Hanson (1974), chapter 23. */
function nonnegative(N: Float64Array[], b: Float64Array): Float64Array {
  const k = b.length
  const w = new Float64Array(k)
  let passive: number[] = []
  for (let step = 0; step < 30 * k; step++) {
    const slope = Array.from(b, (value, j) =>
      passive.reduce((s, i) => s - N[i]![j]! * w[i]!, value),
    )
    const scale = Math.max(...b.map(Math.abs))
    const free = slope.flatMap((value, j) =>
      !passive.includes(j) && value > 1e-12 * scale ? [j] : [],
    )
    if (free.length === 0) break
    passive.push(free.reduce((best, j) => (slope[j]! > slope[best]! ? j : best)))
    for (;;) {
      const x = solved(
        passive.map((i) => passive.map((j) => N[i]![j]!)),
        passive.map((j) => b[j]!),
      )
      const limits = x.map((value, at) =>
        value > 0 ? 1 : w[passive[at]!]! / (w[passive[at]!]! - value),
      )
      const reach = Math.min(1, ...limits)
      const stop = x.every((value) => value > 0) ? -1 : limits.indexOf(reach)
      passive.forEach((j, at) => (w[j]! += reach * (x[at]! - w[j]!)))
      if (stop < 0) break
      w[passive[stop]!] = 0
      passive = passive.filter((j) => w[j]! > 0)
    }
  }
  return w
}

export interface CodePenalties {
  readonly l1W?: number
  readonly l2W?: number
}

/** The codes that minimise ‖x − w H‖² + l1W Σw + l2W Σw² over w ≥ 0, for each row x. */
export function codesOf(X: Matrix, H: Matrix, { l1W = 0, l2W = 0 }: CodePenalties = {}) {
  const row = (A: Matrix, i: number) => A.data.subarray(i * A.cols, (i + 1) * A.cols)
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let sum = 0
    for (let t = 0; t < a.length; t++) sum += a[t]! * b[t]!
    return sum
  }
  const N = Array.from({ length: H.rows }, (_, i) =>
    Float64Array.from(
      { length: H.rows },
      (_, j) => dot(row(H, i), row(H, j)) + (i === j ? l2W : 0),
    ),
  )
  return Array.from({ length: X.rows }, (_, i) =>
    nonnegative(
      N,
      Float64Array.from({ length: H.rows }, (_, j) => dot(row(X, i), row(H, j)) - l1W / 2),
    ),
  )
}

/** Σ over rows of ‖x − w H‖² + l1W Σw + l2W Σw². */
export function codeObjective(
  X: Matrix,
  H: Matrix,
  codes: readonly ArrayLike<number>[],
  { l1W = 0, l2W = 0 }: CodePenalties = {},
): number {
  let total = 0
  codes.forEach((w, i) => {
    for (let t = 0; t < X.cols; t++) {
      let rest = X.data[i * X.cols + t]!
      for (let j = 0; j < H.rows; j++) rest -= w[j]! * H.data[j * H.cols + t]!
      total += rest * rest
    }
    for (let j = 0; j < H.rows; j++) total += l1W * w[j]! + l2W * w[j]! * w[j]!
  })
  return total
}
