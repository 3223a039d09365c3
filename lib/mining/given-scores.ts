// Scores of positives that the caller gives, in the order of the addon.
import type { RowLists } from '../data/row-lists'
import { inTurns } from '../data/slices'
import { handOut } from '../lending'

/**
 * The positives of each query, ascending and once each, with their scores; of a row that is listed several
 * times the first score counts.
 *
 * @param positives Checked lists.
 * @param scores Parallel to their rows.
 */
export const canonicalScores = ({ indptr, indices }: RowLists, scores: Float64Array) =>
  inTurns(function* (slice) {
    const starts = handOut(new Int32Array(indptr.length))
    const rows = handOut(new Int32Array(indices.length))
    const values = handOut(new Float64Array(indices.length))
    let count = 0
    for (let q = 0; q + 1 < indptr.length; q++) {
      const length = indptr[q + 1]! - indptr[q]!
      const places = Array.from({ length }, (_, i) => indptr[q]! + i)
      places.sort((a, b) => indices[a]! - indices[b]! || a - b)
      for (const place of places) {
        if (count > starts[q]! && rows[count - 1] === indices[place]) continue
        rows[count] = indices[place]!
        values[count++] = scores[place]!
      }
      starts[q + 1] = count
      if (slice.spend(16 * (1 + length))) yield
    }
    const positives = { indptr: starts, indices: rows.subarray(0, count) }
    return { positives, scores: values.subarray(0, count) }
  })
