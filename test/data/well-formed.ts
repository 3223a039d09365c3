import type { SparseMatrix } from '../../lib/data/sparse'

/** Throws unless row starts ascend and each row's columns ascend within bounds. */
export function checkSparse({ rows, cols, indptr, indices, values }: SparseMatrix) {
  const starts = Array.from(indptr as Iterable<number | bigint>, Number)
  const ends = starts.slice(1)
  const ordered =
    starts[0] === 0 && ends.every((end, i) => end >= starts[i]!) && ends.at(-1) === indices.length
  const inside = ends.every((end, i) => {
    const row = indices.subarray(starts[i]!, end)
    return row.every((column, t) => column > (t === 0 ? -1 : row[t - 1]!) && column < cols)
  })
  if (ends.length !== rows || !ordered || !inside || values.length !== indices.length)
    throw new Error('expected a well-formed sparse matrix')
}
