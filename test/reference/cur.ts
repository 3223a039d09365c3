// C · pinv(A) · R by the normal equations, for A of full column rank.

/** Rows of a matrix. */
export type Rows = readonly (readonly number[])[]

const times = (A: Rows, B: Rows): number[][] =>
  A.map((row) => B[0]!.map((_, j) => row.reduce((sum, a, t) => sum + a * B[t]![j]!, 0)))

const turned = (A: Rows): number[][] => A[0]!.map((_, j) => A.map((row) => row[j]!))

/** X with M X = Y, by Gauss's elimination with pivots. */
function solved(M: Rows, Y: Rows): number[][] {
  const rows = M.map((row, i) => [...row, ...Y[i]!])
  const n = rows.length
  for (let c = 0; c < n; c++) {
    const best = rows
      .slice(c)
      .reduce((top, row, i) => (Math.abs(row[c]!) > Math.abs(rows[top]![c]!) ? c + i : top), c)
    ;[rows[c], rows[best]] = [rows[best]!, rows[c]!]
    for (let i = 0; i < n; i++) {
      if (i === c) continue
      const factor = rows[i]![c]! / rows[c]![c]!
      rows[i] = rows[i]!.map((x, j) => x - factor * rows[c]![j]!)
    }
  }
  return rows.map((row, i) => row.slice(n).map((x) => x / row[i]!))
}

/** @param R Scores of anchor queries, [m × rows]; @param C scores of queries with anchor rows. */
export function approximated(R: Rows, anchorRows: readonly number[], C: Rows): number[][] {
  const A = R.map((row) => anchorRows.map((j) => row[j]!))
  const At = turned(A)
  return times(C, solved(times(At, A), times(At, R)))
}
