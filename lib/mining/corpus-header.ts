// The header of the file of a prepared corpus, and its ids.
import { fileError, printable } from '../data/file'
import type { NativePacking } from '../native'
import { metrics, type Metric } from './metric'
import { mostDigits, type IdKind, type StoredIds } from './row-ids'

const mostRows = 2 ** 31 - 1

/** Powers of two that scale rows. */
const mostExponent = 1100

/** What the header of a file says. */
export interface Header {
  readonly rows: number
  readonly cols: number
  readonly metric: Metric
  readonly packed: Omit<NativePacking, 'centre'> | null
  readonly ids: { readonly kind: IdKind; readonly values: number; readonly ends: number } | null
}

/** What a header says of packed rows. */
export const packingOf = ({ format, exponent, pageBytes }: Omit<NativePacking, 'centre'>) => ({
  format,
  exponent,
  pageBytes,
})

const isCount = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most

function checkedPacking(given: unknown, text: string, path: string): Header['packed'] {
  const { format, exponent, pageBytes } = (given ?? {}) as Record<string, unknown>
  const isRight =
    typeof format === 'string' &&
    Number.isInteger(exponent) &&
    Math.abs(exponent as number) <= mostExponent &&
    isCount(pageBytes, mostRows) &&
    pageBytes > 0 &&
    pageBytes % 4 === 0
  if (!isRight)
    throw fileError(
      path,
      `expected the format and sizes of packed rows, received ${printable(text)}`,
    )
  return { format, exponent: exponent as number, pageBytes }
}

export function checkedHeader(text: string, path: string): Header {
  let given: Record<string, unknown>
  try {
    given = JSON.parse(text) as Record<string, unknown>
  } catch {
    throw fileError(path, `expected a header in JSON, received ${printable(text)}`)
  }
  const { rows, cols, metric, ids, packed: givenPacking } = (given ?? {}) as Record<string, unknown>
  if (!isCount(rows, mostRows) || !isCount(cols, mostRows) || rows === 0 || cols === 0)
    throw fileError(path, `expected numbers of rows and columns, received ${printable(text)}`)
  if (!metrics.includes(metric as Metric))
    throw fileError(
      path,
      `expected a metric, one of ${metrics.join(', ')}, received ${printable(text)}`,
    )
  const packed = givenPacking === null ? null : checkedPacking(givenPacking, text, path)
  if (ids === null) return { rows, cols, metric: metric as Metric, ids, packed }
  const { kind, values, ends } = (ids ?? {}) as Record<string, unknown>
  const isNumber = kind === 'number'
  const isRight =
    (isNumber || kind === 'bigint' || kind === 'string') &&
    isCount(values, Number.MAX_SAFE_INTEGER) &&
    (!isNumber || values === 8 * rows) &&
    ends === (isNumber ? 0 : 8 * rows)
  if (!isRight)
    throw fileError(path, `expected the kind and sizes of ids, received ${printable(text)}`)
  return { rows, cols, metric: metric as Metric, ids: { kind, values, ends }, packed }
}

const decimal = new RegExp(`^(0|-?[1-9]\\d{0,${mostDigits - 1}})$`)

/** @throws {GemmineError} naming the row of an id that is none. */
export function checkIds({ kind, count, values, ends }: StoredIds, path: string) {
  if (kind === 'number') {
    const wrong = new Float64Array(values).findIndex(
      (id) => !Number.isSafeInteger(id) || Object.is(id, -0),
    )
    if (wrong >= 0) throw fileError(path, `expected an integer as the id of row ${wrong}`)
    return
  }
  let before = 0
  const text = Buffer.from(values)
  new Float64Array(ends).forEach((end, row) => {
    const isEnd =
      Number.isInteger(end) && end % 2 === 0 && end >= before && end <= values.byteLength
    const isLast = row < count - 1 || end === values.byteLength
    if (!isEnd || !isLast) throw fileError(path, `expected the end of the id of row ${row}`)
    if (kind === 'bigint' && !decimal.test(text.toString('utf16le', before, end)))
      throw fileError(path, `expected a bigint as the id of row ${row}`)
    before = end
  })
}
