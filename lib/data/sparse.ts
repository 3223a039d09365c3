import { setImmediate } from 'node:timers/promises'
import { invalid, invalidText } from '../errors'
import { borrowable, checkKind, invalidLength, kindOf } from './typed-array'

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

/** The form in which the addon takes a sparse matrix. */
export interface SparseView {
  readonly rows: number
  readonly cols: number
  /** Widened to float64, which holds every index below 2^53. */
  readonly indptr: Float64Array
  readonly indices: Int32Array
  readonly values: Float32Array
}

export const isSparse = (input: unknown): input is SparseMatrix =>
  typeof input === 'object' && input !== null && 'indptr' in input

/**
 * Checks the shape of a sparse matrix, every row start and every column index, without keeping the event
 * loop waiting.
 *
 * @throws {TypeError | RangeError} naming the part of `name` that is wrong.
 */
export async function toSparseView(name: string, input: SparseMatrix): Promise<SparseView> {
  const { rows, cols } = input
  if (!Number.isInteger(rows) || rows < 1) throw invalid(`${name}.rows`, 'a positive integer', rows)
  if (!Number.isInteger(cols) || cols < 1) throw invalid(`${name}.cols`, 'a positive integer', cols)
  checkKinds(name, input)
  if (input.indptr.length !== rows + 1)
    throw invalidLength(`${name}.indptr`, `${rows + 1} row starts`, input.indptr)
  const indptr = widened(input.indptr)
  const [indices, values] = [borrowable(input.indices), borrowable(input.values)]
  checkStarts(name, indptr, indices.length)
  if (values.length !== indices.length)
    throw invalidLength(`${name}.values`, `${indices.length} values, as many as indices`, values)
  await checkColumns(name, indptr, indices, cols)
  return {
    rows,
    cols,
    indptr,
    indices: new Int32Array(indices.buffer, indices.byteOffset, indices.length),
    values,
  }
}

/** Copied by the engine itself where it can: an iterator would hold the event loop up. */
const widened = (indptr: SparseMatrix['indptr']): Float64Array =>
  kindOf(indptr) === 'BigInt64Array'
    ? Float64Array.from(indptr as Iterable<bigint>, Number)
    : new Float64Array(indptr as ArrayLike<number>)

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

function checkStarts(name: string, indptr: Float64Array, entries: number) {
  for (let i = 0; i < indptr.length; i++) {
    const start = indptr[i]!
    const low = i === 0 ? 0 : indptr[i - 1]!
    const high = i === 0 ? 0 : entries
    if (!Number.isInteger(start) || start < low || start > high)
      throw invalid(`${name}.indptr[${i}]`, `an integer in ${low}..${high}`, start)
  }
  if (indptr.at(-1) !== entries)
    throw invalid(`${name}.indptr[${indptr.length - 1}]`, `${entries}`, indptr.at(-1))
}

/** Entries between two looks at the event loop. */
const stride = 1_000_000

async function checkColumns(
  name: string,
  indptr: Float64Array,
  indices: ArrayLike<number>,
  cols: number,
) {
  let pause = stride
  for (let i = 0; i + 1 < indptr.length; i++) {
    checkRow(name, i, indptr[i]!, indptr[i + 1]!, indices, cols)
    if (indptr[i + 1]! < pause) continue
    pause = indptr[i + 1]! + stride
    await setImmediate()
  }
}

function checkRow(
  name: string,
  row: number,
  begin: number,
  end: number,
  indices: ArrayLike<number>,
  cols: number,
) {
  for (let t = begin, low = 0; t < end; t++) {
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
