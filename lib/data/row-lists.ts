import { isInt32Array, isTypedArray } from 'node:util/types'
import { invalid } from '../errors'
import { pause } from '../jobs'
import { borrowable, invalidLength } from './typed-array'

/**
 * Lists of corpus rows per query, such as positives: those of query q are
 * `indices[indptr[q]]`..`indices[indptr[q + 1] - 1]`, ascending, each once.
 */
export interface RowLists {
  /** [queries + 1], ascending from 0 to the number of rows listed. */
  readonly indptr: Int32Array
  readonly indices: Int32Array
}

/**
 * Accepted lists of rows: {@link RowLists} in any order and with repeats, an array of rows per query, or an
 * Int32Array with one row per query, −1 for none. Borrowed until the promise settles.
 */
export type RowListsInput = RowLists | readonly (readonly number[] | Int32Array)[] | Int32Array

/**
 * Converts lists of corpus rows in any accepted form to that of the addon: in any order, with repeats. {@link
 * RowLists} are borrowed, unless their buffers are resizable, and the job checks their elements. Other forms
 * are copied and checked in pieces, so that the event loop can run between them, and are returned as a
 * promise.
 *
 * @param name The argument in errors.
 * @throws {TypeError | RangeError} naming an entry that is no row in 0..corpus − 1, or a length that does not
 *   match `queries`.
 */
export function toRowLists(
  name: string,
  input: RowListsInput,
  queries: number,
  corpus: number,
): RowLists | Promise<RowLists> {
  if (isInt32Array(input)) return fromRowPerQuery(name, input, queries, corpus)
  if (Array.isArray(input)) return fromArrays(name, input, queries, corpus)
  if (typeof input !== 'object' || input === null || !('indptr' in input))
    throw invalid(
      name,
      'an array of rows for each query, an Int32Array, or { indptr, indices }',
      input,
    )
  const { indptr, indices } = input
  if (!isInt32Array(indptr)) throw invalid(`${name}.indptr`, 'an Int32Array', indptr)
  if (!isInt32Array(indices)) throw invalid(`${name}.indices`, 'an Int32Array', indices)
  if (indptr.length !== queries + 1)
    throw invalidLength(
      `${name}.indptr`,
      `${queries + 1} list starts for ${queries} queries`,
      indptr,
    )
  return { indptr: borrowable(indptr), indices: borrowable(indices) }
}

/** Positions in lists are int32. */
const mostRows = 2 ** 31 - 1

/** Elements per piece: a fraction of a millisecond of work. */
const piece = 1 << 14

/** Calls `look` for 0..count − 1 and lets the event loop run between pieces. */
async function inPieces(count: number, look: (i: number) => void) {
  for (let start = 0; start < count; start += piece) {
    if (start > 0) await pause()
    const end = Math.min(start + piece, count)
    for (let i = start; i < end; i++) look(i)
  }
}

function checkCount(name: string, received: number, queries: number) {
  if (received === queries) return
  throw invalid(name, `${queries} entries, one for each query`, received)
}

const isRow = (row: unknown, corpus: number) =>
  Number.isInteger(row) && (row as number) >= 0 && (row as number) < corpus

const wrongRow = (name: string, row: unknown, corpus: number, or = '') =>
  invalid(name, `a corpus row in 0..${corpus - 1}${or}`, row)

async function fromRowPerQuery(
  name: string,
  rows: Int32Array,
  queries: number,
  corpus: number,
): Promise<RowLists> {
  checkCount(name, rows.length, queries)
  const indptr = new Int32Array(queries + 1)
  const indices = new Int32Array(queries)
  let count = 0
  await inPieces(queries, (q) => {
    const row = rows[q]!
    if (row !== -1 && !isRow(row, corpus))
      throw wrongRow(`${name}[${q}]`, row, corpus, ', or -1 for none')
    if (row !== -1) indices[count++] = row
    indptr[q + 1] = count
  })
  return { indptr, indices: indices.subarray(0, count) }
}

/** The expectation for a list. A number suggests one row per query, for which an Int32Array is needed. */
const listWanted = (list: unknown) =>
  typeof list === 'number'
    ? 'an array of rows (one row for each query goes into an Int32Array instead)'
    : 'an array of rows'

/** The starts of lists. Also checks holes of the array, which forEach() would skip. */
async function startsOf(name: string, lists: readonly unknown[], queries: number) {
  const starts = new Float64Array(queries + 1)
  await inPieces(queries, (q) => {
    const list = lists[q]
    if (!Array.isArray(list) && !isTypedArray(list))
      throw invalid(`${name}[${q}]`, listWanted(list), list)
    starts[q + 1] = starts[q]! + list.length
  })
  const total = starts[queries]!
  if (total > mostRows) throw invalid(name, `at most ${mostRows} rows in all lists`, total)
  return Int32Array.from(starts)
}

async function fromArrays(
  name: string,
  lists: readonly (readonly number[] | Int32Array)[],
  queries: number,
  corpus: number,
): Promise<RowLists> {
  checkCount(name, lists.length, queries)
  const indptr = await startsOf(name, lists, queries)
  const indices = new Int32Array(indptr[queries]!)
  let q = 0
  await inPieces(indices.length, (t) => {
    while (t >= indptr[q + 1]!) q++
    const i = t - indptr[q]!
    const row: unknown = lists[q]![i]
    if (!isRow(row, corpus)) throw wrongRow(`${name}[${q}][${i}]`, row, corpus)
    indices[t] = row as number
  })
  return { indptr, indices }
}
