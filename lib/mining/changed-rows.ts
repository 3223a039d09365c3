// The rows that a change of a prepared corpus names.
import { isInt32Array } from 'node:util/types'
import { inSlices } from '../data/slices'
import { invalid, invalidText } from '../errors'
import { checkInteger } from '../options'
import type { RowsInput } from './corpus-changes'
import type { RowIds, RowIdsInput } from './row-ids'

/** What tells the numbers of rows. */
export interface Numbered {
  /** Rows that have a number. */
  readonly rows: number
  readonly ids: RowIds | undefined
  readonly isLive: (row: number) => boolean
}

const isOfIds = (rows: RowsInput): rows is { readonly ids: RowIdsInput } =>
  typeof rows === 'object' && rows !== null && 'ids' in rows

/** Rows that are compared at once. */
const checkedAtOnce = 1 << 14

/** @throws {TypeError | RangeError} naming a number or an id of no row. */
export async function numbersOf(
  rows: RowsInput,
  { rows: count, ids, isLive }: Numbered,
): Promise<Int32Array> {
  if (isOfIds(rows)) {
    if (!ids) throw invalidText('ids', 'none, as the corpus was prepared without ids', 'some')
    return ids.rowsOf(rows.ids, count, isLive)
  }
  if (!Array.isArray(rows) && !isInt32Array(rows))
    throw invalid('rows', 'an array of row numbers, an Int32Array, or { ids }', rows)
  const numbers = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row: unknown = rows[i]
    checkInteger(`rows[${i}]`, row, 0, count - 1)
    numbers[i] = row
  }
  return numbers
}

/** The same, each once. */
export async function changedRows(rows: RowsInput, numbered: Numbered): Promise<Int32Array> {
  const numbers = await numbersOf(rows, numbered)
  const [name, given] = isOfIds(rows) ? ['ids', rows.ids] : ['rows', rows]
  const seen = new Set<number>()
  const check = (row: number, i: number) => {
    if (seen.size === seen.add(row).size) {
      const place = `${name}[${numbers.indexOf(row)}]`
      throw invalid(`${name}[${i}]`, `a row that is listed once (${place} is it)`, given[i])
    }
  }
  await inSlices(
    numbers.length,
    (begin, end) => numbers.subarray(begin, end).forEach((row, i) => check(row, begin + i)),
    checkedAtOnce,
  )
  return numbers
}
