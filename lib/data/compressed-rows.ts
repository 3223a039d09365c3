import type { SparseMatrix } from './sparse'

/** Row starts as int32 where they fit. */
const allocateStarts = (rows: number, entries: number) =>
  entries < 2 ** 31 ? new Int32Array(rows + 1) : new Float64Array(rows + 1)

/**
 * Brings compressed rows into order, in place: columns ascending within a row, repeats summed in
 * float64 in the order in which they stand and rounded to float32 once.
 *
 * @param starts [rows + 1], checked.
 * @param indices [entries], columns, checked.
 */
export function orderedRows(
  rows: number,
  cols: number,
  starts: ArrayLike<number>,
  indices: Int32Array,
  values: Float32Array | Float64Array,
): SparseMatrix {
  const indptr = allocateStarts(rows, indices.length)
  let written = 0
  for (let i = 0; i < rows; i++) {
    const [start, end] = [starts[i]!, starts[i + 1]!]
    sortRow(indices, values, start, end)
    written = sumRepeats(indices, values, start, end, written)
    indptr[i + 1] = written
  }
  const kept = written === indices.length ? indices : indices.slice(0, written)
  return {
    rows,
    cols,
    indptr,
    indices: kept,
    values: new Float32Array(values.subarray(0, written)),
  }
}

function sortRow(
  indices: Int32Array,
  values: Float32Array | Float64Array,
  start: number,
  end: number,
) {
  if (isSorted(indices, start, end)) return
  const order = Array.from({ length: end - start }, (_, t) => start + t)
  order.sort((a, b) => indices[a]! - indices[b]! || a - b)
  const columns = order.map((t) => indices[t]!)
  const sorted = order.map((t) => values[t]!)
  indices.set(columns, start)
  values.set(sorted, start)
}

function isSorted(indices: Int32Array, start: number, end: number): boolean {
  for (let t = start + 1; t < end; t++) if (indices[t]! < indices[t - 1]!) return false
  return true
}

/** Moves the entries of a sorted row to `written`, equal columns as one, and returns where they end. */
function sumRepeats(
  indices: Int32Array,
  values: Float32Array | Float64Array,
  start: number,
  end: number,
  written: number,
): number {
  for (let t = start; t < end; written++) {
    const column = indices[t]!
    let sum = values[t++]!
    while (t < end && indices[t] === column) sum += values[t++]!
    indices[written] = column
    values[written] = sum
  }
  return written
}

/** Compresses entries that are given in any order. */
export function compressRows(
  rows: number,
  cols: number,
  entryRows: Int32Array,
  entryColumns: Int32Array,
  entryValues: Float64Array,
): SparseMatrix {
  const starts = allocateStarts(rows, entryRows.length)
  for (const row of entryRows) starts[row + 1]!++
  for (let i = 0; i < rows; i++) starts[i + 1]! += starts[i]!
  const next = starts.slice()
  const indices = new Int32Array(entryRows.length)
  const values = new Float64Array(entryRows.length)
  entryRows.forEach((row, t) => {
    const at = next[row]!++
    indices[at] = entryColumns[t]!
    values[at] = entryValues[t]!
  })
  return orderedRows(rows, cols, starts, indices, values)
}
