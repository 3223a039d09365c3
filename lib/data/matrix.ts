import { invalid } from '../errors'

/** The element types that a dense matrix may hold; everything is computed as if converted to float32 first. */
export type ElementType = 'float32' | 'float64' | 'float16' | 'int8' | 'uint8'

/** A dense matrix of float32, row-major: entry (i, j) is `data[i * stride + j]`. Results have this form. */
export interface Matrix {
  readonly data: Float32Array
  readonly rows: number
  readonly cols: number
  /** Elements from one row to the next; `cols` when left out. */
  readonly stride?: number | undefined
}

export type DenseData = Float32Array | Float64Array | Int8Array | Uint8Array | Uint16Array

/** A dense matrix of any element type that can be read. float16 is its bits in a `Uint16Array`. */
export interface DenseMatrix {
  readonly data: DenseData
  readonly rows: number
  readonly cols: number
  readonly stride?: number | undefined
  /** Needed only to tell float16 from 16-bit integers, which are not read. */
  readonly type?: ElementType | undefined
}

/** `{ data, shape }`, and a scijs ndarray with unit stride along its rows. */
export interface NdArrayLike {
  readonly data: DenseData
  readonly shape: readonly number[]
  readonly stride?: readonly number[] | undefined
  readonly offset?: number | undefined
}

/** A Tensor of onnxruntime or transformers.js. */
export interface TensorLike {
  readonly data: unknown
  readonly dims: readonly number[]
  readonly type?: string | undefined
}

/** A `.npy` file that is read block by block while a job runs; see `openNpy`. */
export interface MatrixFile {
  readonly path: string
  readonly fd: number
  /** Where the elements begin, in bytes. */
  readonly offset: number
  readonly rows: number
  readonly cols: number
  readonly type: ElementType
}

export type MatrixInput = DenseMatrix | NdArrayLike | TensorLike | MatrixFile

/** The form in which the addon takes a dense matrix: exactly one of `data` and `fd` is there. */
export interface DenseView {
  readonly rows: number
  readonly cols: number
  readonly stride: number
  readonly type: ElementType
  readonly data?: DenseData
  readonly fd?: number
  readonly offset?: number
  /** How messages call the file. */
  readonly path?: string
}

const typeOfArray: Record<string, ElementType> = {
  '[object Float32Array]': 'float32',
  '[object Float64Array]': 'float64',
  '[object Int8Array]': 'int8',
  '[object Uint8Array]': 'uint8',
}

/** `Object.prototype.toString` also knows the typed arrays of another realm, which `instanceof` does not. */
const tagOf = (value: unknown) => Object.prototype.toString.call(value)

function elementType(name: string, data: unknown, declared: string | undefined): ElementType {
  const tag = ArrayBuffer.isView(data) ? tagOf(data) : ''
  if (tag === '[object Uint16Array]' && declared === 'float16') return 'float16'
  if (tag === '[object Float16Array]') return 'float16'
  const type = typeOfArray[tag]
  if (type) return type
  throw invalid(
    `${name}.data`,
    "a Float32Array, Float64Array, Int8Array, Uint8Array, or a Uint16Array with type 'float16'",
    tag === '[object Uint16Array]' ? "a Uint16Array without type 'float16'" : data,
  )
}

/** float16 is handed on as its bits. */
const bitsOf = (data: DenseData): DenseData =>
  tagOf(data) === '[object Float16Array]'
    ? new Uint16Array(data.buffer, data.byteOffset, data.length)
    : data

const isResizable = (buffer: ArrayBufferLike) =>
  tagOf(buffer) === '[object ArrayBuffer]' && (buffer as { resizable?: boolean }).resizable === true

/** Shrinking a borrowed buffer in the middle of a job would end the process, so a resizable one is copied. */
const borrowable = (data: DenseData): DenseData => (isResizable(data.buffer) ? data.slice() : data)

function checkSide(name: string, value: unknown): asserts value is number {
  if (Number.isInteger(value) && (value as number) >= 1) return
  throw invalid(name, 'a positive integer', value)
}

function denseView(
  name: string,
  given: DenseMatrix,
  declared: string | undefined,
  offset = 0,
): DenseView {
  const { rows, cols } = given
  const type = elementType(name, given.data, declared)
  checkSide(`${name}.rows`, rows)
  checkSide(`${name}.cols`, cols)
  const stride = given.stride ?? cols
  if (!Number.isInteger(stride) || stride < cols)
    throw invalid(`${name}.stride`, `an integer of at least ${cols}`, stride)
  const needed = (rows - 1) * stride + cols + offset
  if (given.data.length < needed)
    throw invalid(
      `${name}.data`,
      `at least ${needed} elements for ${rows} rows of ${cols}`,
      given.data.length,
    )
  const data = borrowable(bitsOf(given.data))
  return { rows, cols, stride, type, data: offset ? data.subarray(offset) : data }
}

function pairOf(name: string, sides: readonly number[]): readonly [number, number] {
  const [rows, cols] = sides
  if (sides.length !== 2 || rows === undefined || cols === undefined)
    throw invalid(name, 'two dimensions, rows and columns', `${sides.length} dimensions`)
  return [rows, cols]
}

function ndArrayView(name: string, { data, shape, stride, offset }: NdArrayLike): DenseView {
  const [rows, cols] = pairOf(`${name}.shape`, shape)
  if (stride && stride[1] !== 1 && cols !== 1)
    throw invalid(`${name}.stride`, 'a stride of 1 along the rows', stride[1])
  return denseView(name, { data, rows, cols, stride: stride?.[0] }, undefined, offset ?? 0)
}

function tensorView(name: string, { data, dims, type }: TensorLike): DenseView {
  const [rows, cols] = pairOf(`${name}.dims`, dims)
  return denseView(name, { data: data as DenseData, rows, cols }, type)
}

/**
 * Any accepted matrix as the addon takes it. Borrows the elements; only a resizable buffer is copied.
 *
 * @throws {TypeError | RangeError} naming `name` if the value is no matrix or its data too short.
 */
export function toDenseView(name: string, input: MatrixInput): DenseView {
  if (typeof input !== 'object' || input === null)
    throw invalid(name, 'a matrix { data, rows, cols }', input)
  if ('fd' in input)
    return {
      rows: input.rows,
      cols: input.cols,
      stride: input.cols,
      type: input.type,
      fd: input.fd,
      offset: input.offset,
      path: input.path,
    }
  if ('dims' in input) return tensorView(name, input)
  if ('shape' in input) return ndArrayView(name, input)
  return denseView(name, input, input.type)
}

/** A matrix of zeros. */
export const allocateMatrix = (rows: number, cols: number): Matrix => ({
  data: new Float32Array(rows * cols),
  rows,
  cols,
})

/**
 * Copies an array of rows, as embedding services return them, into one matrix.
 *
 * @throws {TypeError} if there is no row, or a row's length or an element's type differs.
 *
 * @example
 * const X = fromRows([[1, 2, 3], [4, 5, 6]])
 */
export function fromRows(rows: readonly ArrayLike<number>[]): Matrix {
  const cols = rows[0]?.length ?? 0
  if (cols === 0) throw invalid('rows', 'at least one row of at least one number', rows)
  const matrix = allocateMatrix(rows.length, cols)
  rows.forEach((row, i) => {
    if (row.length !== cols)
      throw invalid(`rows[${i}]`, `${cols} numbers, as in rows[0]`, `${row.length} numbers`)
    for (let j = 0; j < cols; j++) {
      if (typeof row[j] !== 'number') throw invalid(`rows[${i}][${j}]`, 'a number', row[j])
      matrix.data[i * cols + j] = row[j] as number
    }
  })
  return matrix
}

/** Uses the caller's array for a result, or makes one. */
export function outputMatrix(
  name: string,
  out: Float32Array | undefined,
  rows: number,
  cols: number,
): Matrix {
  if (out === undefined) return allocateMatrix(rows, cols)
  if (tagOf(out) !== '[object Float32Array]' || out.length !== rows * cols)
    throw invalid(name, `a Float32Array of ${rows * cols} elements`, out?.length ?? out)
  return { data: out, rows, cols }
}
