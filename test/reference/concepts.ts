// What the functions of lib/concepts must give, in float64 and by the definitions.
import type { Matrix } from '../../lib/data/matrix'
import { dot, rowOf } from './assignment'

/** Rows of column c by value, largest first, equal ones by lower row, above a bound. */
export function rankedRows(codes: Matrix, c: number, above: number): number[] {
  const value = (i: number) => codes.data[i * codes.cols + c]!
  return Array.from({ length: codes.rows }, (_, i) => i)
    .filter((i) => value(i) > above)
    .sort((a, b) => value(b) - value(a) || a - b)
}

/** The same with only the first row of each group. */
export function rankedGroups(ranked: readonly number[], groups: ArrayLike<number>): number[] {
  const seen = new Set<number>()
  return ranked.filter((row) => !seen.has(groups[row]!) && seen.add(groups[row]!))
}

/** |Tᵢ ∩ Tⱼ| / |Tᵢ|, row by row. */
export const overlaps = (sets: readonly (readonly unknown[])[]): number[] => {
  const all = sets.map((set) => new Set(set))
  return all.flatMap((a) =>
    all.map((b) => (a.size === 0 ? 0 : [...a].filter((member) => b.has(member)).length / a.size)),
  )
}

/** The mean over the rows of a class. */
export function meanOf(X: Matrix, isIn: (row: number) => boolean): number[] {
  const rows = Array.from({ length: X.rows }, (_, i) => i).filter(isIn)
  return Array.from(
    { length: X.cols },
    (_, j) => rows.reduce((sum, i) => sum + X.data[i * X.cols + j]!, 0) / rows.length,
  )
}

/** X weightsᵀ + bias, [rows × classes]. */
export const logitsOf = (X: Matrix, weights: Matrix, bias: ArrayLike<number>): number[] =>
  Array.from({ length: X.rows }, (_, i) =>
    Array.from({ length: weights.rows }, (_, c) => bias[c]! + dot(rowOf(X, i), rowOf(weights, c))),
  ).flat()

/** Bilinear interpolation at the centre of a pixel, corners of outer pixels aligned. */
export function interpolated(
  at: (y: number, x: number) => number,
  [h, w]: readonly [number, number],
  [y, x]: readonly [number, number],
): number {
  const clamped = (place: number, side: number) => Math.min(Math.max(place, 0), side - 1)
  const [v, u] = [clamped(y, h), clamped(x, w)]
  let sum = 0
  for (let i = 0; i < h; i++)
    for (let j = 0; j < w; j++)
      sum += at(i, j) * Math.max(0, 1 - Math.abs(v - i)) * Math.max(0, 1 - Math.abs(u - j))
  return sum
}
