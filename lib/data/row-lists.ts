import { isInt32Array } from 'node:util/types'
import { invalid } from '../errors'
import { borrowable, invalidLength } from './typed-array'

/**
 * A list of corpus rows for each query, such as its positives: those of query q are
 * `indices[indptr[q]]`..`indices[indptr[q + 1] - 1]`, ascending, each once.
 */
export interface RowLists {
  /** [queries + 1], ascending from 0 to the number of rows listed. */
  readonly indptr: Int32Array
  readonly indices: Int32Array
}

/**
 * What is taken for lists of rows: {@link RowLists} in any order and with repeats, an array of rows
 * for each query, or an Int32Array of one row for each query, where −1 is none.
 */
export type RowListsInput = RowLists | readonly (readonly number[] | Int32Array)[] | Int32Array

/** Sorts every list and removes repeats, in place. */
function canonical({ indptr, indices }: RowLists): RowLists {
  let written = 0
  for (let q = 0, start = 0; q + 1 < indptr.length; q++) {
    const end = indptr[q + 1]!
    const list = indices.subarray(start, end)
    if (!isAscending(list)) list.sort()
    for (let t = start; t < end; t++)
      if (t === start || indices[t] !== indices[t - 1]) indices[written++] = indices[t]!
    start = end
    indptr[q + 1] = written
  }
  return { indptr, indices: indices.slice(0, written) }
}

function isAscending(list: Int32Array): boolean {
  for (let t = 1; t < list.length; t++) if (list[t]! <= list[t - 1]!) return false
  return true
}

function isCanonical({ indptr, indices }: RowLists): boolean {
  for (let q = 0; q + 1 < indptr.length; q++)
    if (!isAscending(indices.subarray(indptr[q]!, indptr[q + 1]!))) return false
  return true
}

/**
 * The lists of pairs of a query and a corpus row.
 *
 * @param pairs [2 × pairs], query and corpus row in turn, in any order; repeats count once.
 */
export function rowListsOf(queries: number, pairs: Int32Array): RowLists {
  const indptr = new Int32Array(queries + 1)
  for (let t = 0; t < pairs.length; t += 2) indptr[pairs[t]! + 1]!++
  for (let q = 0; q < queries; q++) indptr[q + 1]! += indptr[q]!
  const next = indptr.slice()
  const indices = new Int32Array(pairs.length / 2)
  for (let t = 0; t < pairs.length; t += 2) indices[next[pairs[t]!]!++] = pairs[t + 1]!
  return canonical({ indptr, indices })
}

/**
 * Lists of corpus rows in any accepted form. Borrows {@link RowLists} that are ascending already, unless
 * their buffers are resizable.
 *
 * @param name The argument in errors.
 * @throws {TypeError | RangeError} naming the entry that is no row in 0..corpus − 1, or a length
 *   that does not fit `queries`.
 */
export function toRowLists(
  name: string,
  input: RowListsInput,
  queries: number,
  corpus: number,
): RowLists {
  if (isInt32Array(input)) return fromRowPerQuery(name, input, queries, corpus)
  if (Array.isArray(input)) return fromArrays(name, input, queries, corpus)
  if (typeof input !== 'object' || input === null || !('indptr' in input))
    throw invalid(
      name,
      'an array of rows for each query, an Int32Array, or { indptr, indices }',
      input,
    )
  checkRowLists(name, input, queries, corpus)
  return isCanonical(input)
    ? { indptr: borrowable(input.indptr), indices: borrowable(input.indices) }
    : canonical({ indptr: input.indptr.slice(), indices: input.indices.slice() })
}

function checkCount(name: string, received: number, queries: number) {
  if (received === queries) return
  throw invalid(name, `${queries} entries, one for each query`, received)
}

function checkRow(name: string, row: unknown, corpus: number, or = '') {
  if (Number.isInteger(row) && (row as number) >= 0 && (row as number) < corpus) return
  throw invalid(name, `a corpus row in 0..${corpus - 1}${or}`, row)
}

function fromRowPerQuery(
  name: string,
  rows: Int32Array,
  queries: number,
  corpus: number,
): RowLists {
  checkCount(name, rows.length, queries)
  const indptr = new Int32Array(queries + 1)
  rows.forEach((row, q) => {
    if (row !== -1) checkRow(`${name}[${q}]`, row, corpus, ', or -1 for none')
    indptr[q + 1] = indptr[q]! + (row === -1 ? 0 : 1)
  })
  return { indptr, indices: rows.filter((row) => row !== -1) }
}

/** Whoever gives a number meant one row a query, which comes as an Int32Array. */
const listWanted = (list: unknown) =>
  typeof list === 'number'
    ? 'an array of rows (one row for each query goes into an Int32Array instead)'
    : 'an array of rows'

function fromArrays(
  name: string,
  lists: readonly (readonly number[] | Int32Array)[],
  queries: number,
  corpus: number,
): RowLists {
  checkCount(name, lists.length, queries)
  const indptr = new Int32Array(queries + 1)
  // Loops that see the holes of an array, which forEach() skips.
  for (let q = 0; q < queries; q++) {
    const list = lists[q]!
    if (!Array.isArray(list) && !ArrayBuffer.isView(list))
      throw invalid(`${name}[${q}]`, listWanted(list), list)
    indptr[q + 1] = indptr[q]! + list.length
  }
  const indices = new Int32Array(indptr[queries]!)
  for (let q = 0; q < queries; q++)
    for (let i = 0; i < lists[q]!.length; i++) {
      checkRow(`${name}[${q}][${i}]`, lists[q]![i], corpus)
      indices[indptr[q]! + i] = lists[q]![i]!
    }
  return canonical({ indptr, indices })
}

function checkRowLists(
  name: string,
  { indptr, indices }: RowLists,
  queries: number,
  corpus: number,
) {
  if (!isInt32Array(indptr)) throw invalid(`${name}.indptr`, 'an Int32Array', indptr)
  if (!isInt32Array(indices)) throw invalid(`${name}.indices`, 'an Int32Array', indices)
  if (indptr.length !== queries + 1)
    throw invalidLength(
      `${name}.indptr`,
      `${queries + 1} list starts for ${queries} queries`,
      indptr,
    )
  indptr.forEach((start, q) => {
    const low = q === 0 ? 0 : indptr[q - 1]!
    const high = q === 0 ? 0 : indices.length
    if (start < low || start > high)
      throw invalid(`${name}.indptr[${q}]`, `an integer in ${low}..${high}`, start)
  })
  if (indptr[queries] !== indices.length)
    throw invalid(
      `${name}.indptr[${queries}]`,
      `${indices.length}, the number of indices`,
      indptr[queries],
    )
  indices.forEach((row, t) => checkRow(`${name}.indices[${t}]`, row, corpus))
}
