import type { Matrix } from '../../lib/data/matrix'

/**
 * The assignment of columns to rows that maximises the sum of the scores, by the Hungarian method in O(n³).
 *
 * @param scores [rows][columns], as many columns as rows.
 * @returns The column of each row.
 */
export function assigned(scores: readonly (readonly number[])[]): number[] {
  const n = scores.length
  // Potentials of rows u and columns v, and the row of each column p; index 0 is a sentinel.
  const [u, v] = [new Float64Array(n + 1), new Float64Array(n + 1)]
  const [p, way] = [new Int32Array(n + 1), new Int32Array(n + 1)]
  for (let i = 1; i <= n; i++) {
    p[0] = i
    const least = new Float64Array(n + 1).fill(Infinity)
    const used = new Uint8Array(n + 1)
    let j0 = 0
    do {
      used[j0] = 1
      const i0 = p[j0]!
      let [delta, j1] = [Infinity, 0]
      for (let j = 1; j <= n; j++) {
        if (used[j]) continue
        const reduced = -scores[i0 - 1]![j - 1]! - u[i0]! - v[j]!
        if (reduced < least[j]!) [least[j], way[j]] = [reduced, j0]
        if (least[j]! < delta) [delta, j1] = [least[j]!, j]
      }
      for (let j = 0; j <= n; j++)
        if (used[j]) {
          u[p[j]!]! += delta
          v[j]! -= delta
        } else least[j]! -= delta
      j0 = j1
    } while (p[j0] !== 0)
    while (j0 !== 0) {
      p[j0] = p[way[j0]!]!
      j0 = way[j0]!
    }
  }
  const columns = new Array<number>(n)
  for (let j = 1; j <= n; j++) columns[p[j]! - 1] = j - 1
  return columns
}

export const rowOf = ({ data, cols }: Matrix, i: number) => data.subarray(i * cols, (i + 1) * cols)

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!
  return sum
}

export const cosine = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)) || 0

/** For each row of `planted` the row of `found` that is matched to it, and their cosine. */
export function matchedRows(planted: Matrix, found: Matrix) {
  const rows = (matrix: Matrix) => Array.from({ length: matrix.rows }, (_, i) => rowOf(matrix, i))
  const scores = rows(planted).map((a) => rows(found).map((b) => cosine(a, b)))
  return assigned(scores).map((row, i) => ({ row, cosine: scores[i]![row]! }))
}
