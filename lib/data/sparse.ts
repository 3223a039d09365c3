import { invalid, invalidText } from '../errors'
import { pause } from '../jobs'
import { detached } from '../lending'
import { bigintStride, inSlices } from './slices'
import { borrowable, checkKind, invalidLength, isList, kindOf } from './typed-array'

/** A sparse matrix in compressed rows: row i holds `values[t]` at column `indices[t]` for t in `indptr[i]`..`indptr[i+1]-1`. */
export interface SparseMatrix {
  readonly rows: number
  readonly cols: number
  /** [rows + 1], ascending from 0 to the number of entries. */
  readonly indptr: Int32Array | Uint32Array | Float64Array | BigInt64Array
  /** Column of each entry; ascending within a row, without repeats. */
  readonly indices: Int32Array | Uint32Array
  readonly values: Float32Array
}

/** A sparse matrix for the addon. */
export interface SparseView {
  readonly rows: number
  readonly cols: number
  /** Converted to float64, which represents every index below 2^53. */
  readonly indptr: Float64Array
  readonly indices: Int32Array
  readonly values: Float32Array
}

export const isSparse = (input: unknown): input is SparseMatrix =>
  typeof input === 'object' && input !== null && 'indptr' in input

/** @throws {TypeError} if a value is no object. */
export function checkSparse(name: string, input: unknown): asserts input is object {
  if (typeof input === 'object' && input !== null && !isList(input)) return
  throw invalid(name, 'a sparse matrix { rows, cols, indptr, indices, values }', input)
}

/**
 * Checks the shape of a sparse matrix, every row start and every column index, without blocking the event
 * loop.
 *
 * @throws {TypeError | RangeError} naming the part of `name` that is wrong.
 */
export async function toSparseView(name: string, input: SparseMatrix): Promise<SparseView> {
  checkSparse(name, input)
  const { rows, cols } = input
  if (!Number.isInteger(rows) || rows < 1) throw invalid(`${name}.rows`, 'a positive integer', rows)
  if (!Number.isInteger(cols) || cols < 1) throw invalid(`${name}.cols`, 'a positive integer', cols)
  checkKinds(name, input)
  if (input.indptr.length !== rows + 1)
    throw invalidLength(`${name}.indptr`, `${rows + 1} row starts`, input.indptr)
  // Before the event loop can run, because a resizable buffer could shrink then.
  const [starts, indices] = [borrowable(input.indptr), borrowable(input.indices)]
  const values = borrowable(input.values)
  const entries = indices.length
  const indptr = await widened(`${name}.indptr`, starts)
  await checkStarts(name, indptr, entries)
  if (indices.length !== entries) throw detached(`${name}.indices`)
  if (values.length !== entries)
    throw invalidLength(`${name}.values`, `${entries} values, as many as indices`, values)
  await checkColumns(name, indptr, indices, cols)
  return {
    rows,
    cols,
    indptr,
    indices: new Int32Array(indices.buffer, indices.byteOffset, indices.length),
    values,
  }
}

async function widened(name: string, indptr: SparseMatrix['indptr']): Promise<Float64Array> {
  const wide = new Float64Array(indptr.length)
  const widen = (begin: number, end: number) => {
    if (indptr.length !== wide.length) throw detached(name)
    const part = indptr.subarray(begin, end)
    if (kindOf(indptr) !== 'BigInt64Array') wide.set(part as Float64Array, begin)
    else for (let i = 0; i < part.length; i++) wide[begin + i] = Number(part[i])
  }
  await inSlices(wide.length, widen, bigintStride)
  return wide
}

function checkKinds(name: string, input: SparseMatrix) {
  const { indptr, indices, values } = input
  const integers = ['Int32Array', 'Uint32Array']
  const convertible = (part: string) =>
    `an Int32Array or a Uint32Array (Int32Array.from(${part}, Number) makes one)`
  checkKind(
    `${name}.indptr`,
    indptr,
    [...integers, 'Float64Array', 'BigInt64Array'],
    convertible('indptr'),
  )
  checkKind(`${name}.indices`, indices, integers, convertible('indices'))
  const remedy =
    'data' in input && !values ? 'SciPy calls it data' : 'new Float32Array(values) makes one'
  checkKind(`${name}.values`, values, ['Float32Array'], `a Float32Array (${remedy})`)
}

async function checkStarts(name: string, indptr: Float64Array, entries: number) {
  await inSlices(indptr.length, (begin, end) => {
    for (let i = begin; i < end; i++) {
      const start = indptr[i]!
      const low = i === 0 ? 0 : indptr[i - 1]!
      const high = i === 0 ? 0 : entries
      if (!Number.isInteger(start) || start < low || start > high)
        throw invalid(`${name}.indptr[${i}]`, `an integer in ${low}..${high}`, start)
    }
  })
  if (indptr.at(-1) !== entries)
    throw invalid(`${name}.indptr[${indptr.length - 1}]`, `${entries}`, indptr.at(-1))
}

/** Rows and entries between two pauses for the event loop. */
const stride = 1 << 18

async function checkColumns(
  name: string,
  indptr: Float64Array,
  indices: ArrayLike<number>,
  cols: number,
) {
  let left = stride
  for (let i = 0; i + 1 < indptr.length; i++) {
    const end = indptr[i + 1]!
    for (let t = indptr[i]!; t < end || left <= 0;) {
      if (left <= 0) {
        await pause()
        left = stride
      }
      const stop = Math.min(end, t + left)
      checkRow(name, i, { begin: t, end: stop, isStart: t === indptr[i] }, indices, cols)
      left -= stop - t
      t = stop
    }
    left--
  }
}

interface Part {
  readonly begin: number
  readonly end: number
  /** Whether it is the first entry of its row. */
  readonly isStart: boolean
}

function checkRow(
  name: string,
  row: number,
  { begin, end, isStart }: Part,
  indices: ArrayLike<number>,
  cols: number,
) {
  for (let t = begin, low = isStart ? 0 : indices[begin - 1]! + 1; t < end; t++) {
    const column = indices[t]!
    if (column < 0 || column >= cols)
      throw invalid(`${name}.indices[${t}]`, `a column in 0..${cols - 1}`, column)
    if (column < low)
      throw invalidText(
        `${name}.indices[${t}]`,
        `columns that ascend within row ${row}, without repeats`,
        `${column} after ${low - 1}`,
      )
    low = column + 1
  }
}
