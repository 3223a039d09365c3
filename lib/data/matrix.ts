import { invalid, invalidEntry, invalidText, shown } from '../errors'
import { isDescriptor, type Descriptor } from './descriptor'
import { elementTypes, typeOfArray, wantedArrays } from './element-types'
import type { DenseData, ElementType } from './element-types'
import { inTurns } from './slices'
import { isSparse } from './sparse'
import {
  borrowable,
  invalidLength,
  kindOf,
  outputArray,
  resultArray,
  type Sized,
} from './typed-array'

export type { DenseData, ElementType } from './element-types'

/** A dense matrix of float32, row-major: entry (i, j) is `data[i * stride + j]`. Results have this form. */
export interface Matrix {
  /** rows · cols elements, or more if a stride is given. */
  readonly data: Float32Array
  readonly rows: number
  readonly cols: number
  /** Elements from one row to the next; `cols` if omitted. */
  readonly stride?: number | undefined
}

/**
 * A dense matrix of any element type that can be read. Readers return float16 and bfloat16 as their bits in a
 * `Uint16Array`, and booleans as bytes.
 *
 * The memory of an input, and of an `out`, is lent to the job: do not write to it before the promise settles.
 * Its buffer is marked permanently as not transferable (Node.js 20 then clones it, later versions throw).
 * Arrays of up to 64 KiB, results of earlier jobs, resizable buffers and WebAssembly memory are copied and
 * not marked; a SharedArrayBuffer is lent and needs no mark. On Node.js 22 and in Bun,
 * `ArrayBuffer.prototype.transfer.call(buffer)` during a job can still end the process.
 */
export interface DenseMatrix<Data = DenseData> {
  /** rows · cols elements, or more if a stride is given. */
  readonly data: Data
  readonly rows: number
  readonly cols: number
  readonly stride?: number | undefined
  /**
   * Needed for a `Uint16Array`, which may contain `uint16`, `float16` or `bfloat16`, and for a Buffer of
   * `uint8`, which may contain the bytes of other numbers.
   */
  readonly type?: ElementType | undefined
}

/** A `Float16Array`, declared for compilers and versions of Node.js without one. */
export interface Float16Data {
  readonly [Symbol.toStringTag]: 'Float16Array'
  readonly buffer: ArrayBufferLike
  readonly byteOffset: number
  readonly byteLength: number
  readonly length: number
  readonly [index: number]: number
}

/** `{ data, shape }`, or a scijs ndarray with unit stride along its rows. */
export interface NdArrayLike {
  /** The number of elements of the shape, or more if a stride or an offset is given. */
  readonly data: DenseData | Float16Data
  readonly shape: readonly number[]
  readonly stride?: readonly number[] | undefined
  readonly offset?: number | undefined
}

/** A Tensor of onnxruntime or transformers.js. */
export interface TensorLike {
  /** One of the arrays of {@link NdArrayLike}; the types of the libraries also allow others and lists. */
  readonly data: ArrayBufferView | readonly unknown[]
  readonly dims: readonly number[]
  readonly type?: string | undefined
}

/** A matrix in a file that is read block by block while a job runs; made by `openNpy` and `loadMatrix`. */
export interface MatrixFile {
  readonly path: string
  readonly descriptor: Descriptor
  /** Offset of the first element, in bytes. */
  readonly offset: number
  readonly rows: number
  readonly cols: number
  readonly type: ElementType
  /** Whether the byte order of the elements is not that of this machine; false if omitted. */
  readonly bigEndian?: boolean | undefined
}

export type MatrixInput =
  DenseMatrix<DenseData | Float16Data> | NdArrayLike | TensorLike | MatrixFile

/** A dense matrix for the addon: exactly one of `data` and `fd` is given. */
export interface DenseView {
  readonly rows: number
  readonly cols: number
  readonly stride: number
  readonly type: ElementType
  readonly data?: DenseData
  readonly fd?: number
  readonly offset?: number
  readonly bigEndian?: boolean | undefined
  /** Name of the file in messages. */
  readonly path?: string
}

function elementType(name: string, data: unknown, declared: string | undefined): ElementType {
  const type = typeOfArray(kindOf(data), declared)
  const isOther = declared !== type && Object.hasOwn(elementTypes, declared ?? '')
  if (type && isOther) throw invalid(`${name}.type`, `'${type}', which data holds,`, declared)
  if (type) return type
  throw kindOf(data) === 'Uint16Array'
    ? invalidText(`${name}.data`, wantedArrays, 'a Uint16Array without its type')
    : invalid(`${name}.data`, wantedArrays, data)
}

const isFloat16 = (data: DenseData | Float16Data): data is Float16Data =>
  kindOf(data) === 'Float16Array'

/** float16 is passed as its bits. */
const bitsOf = (data: DenseData | Float16Data): DenseData =>
  isFloat16(data) ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data

function checkSide(name: string, value: unknown): asserts value is number {
  if (Number.isInteger(value) && (value as number) >= 1) return
  throw invalid(name, 'a positive integer', value)
}

/** Array types for remedies in messages, by the size of a number in bytes. */
const arraysOfBytes: Record<number, string> = {
  2: 'Uint16Array',
  4: 'Float32Array',
  8: 'Float64Array',
}

/** The remedy for bytes: a view if they are aligned, otherwise a copy. */
function bytesRemedy(data: Sized & ArrayBufferView, needed: number): string {
  const bytes = data.length / needed
  const Kind = kindOf(data) === 'Uint8Array' && arraysOfBytes[bytes]
  if (!Kind) return ''
  const isAligned = data.byteOffset % bytes === 0
  const place = isAligned ? 'b.buffer, b.byteOffset' : 'b.buffer.slice(b.byteOffset), 0'
  const type = bytes === 2 ? " with type 'float16'" : ''
  return ` (for bytes b of other numbers: new ${Kind}(${place}, ${needed})${type})`
}

/** A Buffer may contain any bytes, so its `type` must be given. */
function checkBytes(name: string, { data, type }: { data: unknown; type: string | undefined }) {
  if (type === 'uint8' || type === 'bool' || !Buffer.isBuffer(data)) return
  const floats = 'new Float32Array(new Uint8Array(b).buffer) for a Buffer b of float32'
  throw invalid(name, `numbers (${floats}, new Uint8Array(b) for one of uint8)`, data)
}

/** Extra elements are accepted only with a stride or an offset; otherwise the data have a wrong length. */
function checkLength(
  name: string,
  given: DenseMatrix<Sized & ArrayBufferView>,
  needed: number,
  roomy: boolean,
) {
  const { data, rows, cols } = given
  if (data.length === needed || (roomy && data.length > needed)) return
  const remedy = bytesRemedy(data, needed)
  const expected = `${needed} elements for ${rows} rows of ${cols}${remedy}`
  throw invalidLength(`${name}.data`, roomy ? `at least ${expected}` : expected, data)
}

function denseView(
  name: string,
  given: DenseMatrix<DenseData | Float16Data>,
  declared: string | undefined,
  offset?: number,
): DenseView {
  const { rows, cols } = given
  const type = elementType(name, given.data, declared)
  checkSide(`${name}.rows`, rows)
  checkSide(`${name}.cols`, cols)
  const stride = given.stride ?? cols
  if (!Number.isInteger(stride) || stride < cols)
    throw invalid(`${name}.stride`, `an integer of at least ${cols}`, stride)
  const first = offset ?? 0
  if (!Number.isInteger(first) || first < 0)
    throw invalid(`${name}.offset`, 'an integer of at least 0', first)
  const end = first + (rows - 1) * stride + cols
  const roomy = given.stride != null || offset != null
  checkLength(name, given, end, roomy)
  checkBytes(`${name}.data`, { data: given.data, type: declared })
  const data = borrowable(bitsOf(given.data))
  const isWhole = first === 0 && data.length === end
  return { rows, cols, stride, type, data: isWhole ? data : data.subarray(first, end) }
}

function pairOf(name: string, sides: readonly number[], expected: string): [number, number] {
  if (!Array.isArray(sides) && !ArrayBuffer.isView(sides)) throw invalid(name, expected, sides)
  if (sides.length !== 2) throw invalidText(name, expected, `${sides.length} of them`)
  return [sides[0]!, sides[1]!]
}

const dimensions = 'two dimensions, rows and columns'

function ndArrayView(name: string, { data, shape, stride, offset }: NdArrayLike): DenseView {
  const [rows, cols] = pairOf(`${name}.shape`, shape, dimensions)
  const strides = stride && pairOf(`${name}.stride`, stride, 'two strides')
  if (strides && strides[1] !== 1 && cols !== 1)
    throw invalid(`${name}.stride`, 'a stride of 1 along the rows', strides[1])
  return denseView(name, { data, rows, cols, stride: strides?.[0] }, undefined, offset)
}

function tensorView(name: string, { data, dims, type }: TensorLike): DenseView {
  const [rows, cols] = pairOf(`${name}.dims`, dims, dimensions)
  return denseView(name, { data: data as DenseData, rows, cols }, type)
}

function fileView(file: MatrixFile): DenseView {
  const { path, descriptor, offset, rows, cols, type, bigEndian } = file
  return { rows, cols, stride: cols, type, bigEndian, fd: descriptor.fd, offset, path }
}

export const isMatrixFile = (input: object): input is MatrixFile =>
  'descriptor' in input && isDescriptor(input.descriptor)

function checkMatrix(name: string, input: unknown): asserts input is object {
  if (Array.isArray(input))
    throw invalid(name, 'a matrix { data, rows, cols }, which fromRows() makes of rows', input)
  if (typeof input !== 'object' || input === null || ArrayBuffer.isView(input))
    throw invalid(name, 'a matrix { data, rows, cols }', input)
  if (isSparse(input)) throw invalidText(name, 'a dense matrix', 'a sparse one')
  if (!('data' in input) && !isMatrixFile(input))
    throw invalidText(name, 'a matrix { data, rows, cols }', `${shown(input)} without data`)
}

/**
 * Converts any accepted matrix to the form for the addon. Borrows the elements; only a resizable buffer is
 * copied.
 *
 * @throws {TypeError | RangeError} naming `name` if the value is no matrix, or its data have a wrong length.
 * @throws {GemmineError} `ERR_GEMMINE_DISPOSED` for a file that was closed.
 */
export function toDenseView(name: string, input: MatrixInput): DenseView {
  checkMatrix(name, input)
  if (isMatrixFile(input)) return fileView(input)
  if ('dims' in input) return tensorView(name, input)
  if ('shape' in input) return ndArrayView(name, input)
  return denseView(name, input, input.type)
}

/** The elements of a matrix without gaps between rows; borrowed if there are none. */
export function withoutGaps<Data extends DenseData>(matrix: DenseMatrix<Data>): Data {
  const { data, rows, cols, stride = cols } = matrix
  if (stride === cols) return data.subarray(0, rows * cols) as Data
  const packed = data.slice(0, rows * cols) as Data
  // TypeScript has no array type with a set() for both numbers and bigints.
  const [to, from] = [packed as Float32Array, data as Float32Array]
  for (let i = 0; i < rows; i++) to.set(from.subarray(i * stride, i * stride + cols), i * cols)
  return packed
}

/** A zero matrix for a result. */
export const resultMatrix = (rows: number, cols: number): Matrix => ({
  data: resultArray(Float32Array, rows * cols),
  rows,
  cols,
})

/** A zero matrix. */
const allocateMatrix = (rows: number, cols: number): Matrix => ({
  data: new Float32Array(rows * cols),
  rows,
  cols,
})

/**
 * Copies an array of rows, as returned by embedding services, into one matrix. The copy is made before the
 * call returns; {@link fromRowsAsync} is for more than about a million numbers.
 *
 * @throws {TypeError | RangeError} if there is no row, or a row's length or an element's type differs, or
 *   an element is not finite in float32, naming its row and column.
 *
 * @example
 * const X = fromRows([[1, 2, 3], [4, 5, 6]])
 */
export function fromRows(rows: readonly ArrayLike<number>[]): Matrix {
  const matrix = matrixFor(rows)
  for (let i = 0; i < matrix.rows; i++) copyRow(rows, i, matrix)
  return matrix
}

/**
 * The same in pieces, between which the event loop runs. Do not write to the rows before the promise settles.
 *
 * @throws {TypeError | RangeError} as {@link fromRows}.
 *
 * @example
 * const X = await fromRowsAsync(response.embeddings)
 */
export async function fromRowsAsync(rows: readonly ArrayLike<number>[]): Promise<Matrix> {
  const matrix = matrixFor(rows)
  await inTurns(function* (slice) {
    for (let i = 0; i < matrix.rows; i++) {
      copyRow(rows, i, matrix)
      if (slice.spend(matrix.cols)) yield
    }
  })
  return matrix
}

function matrixFor(rows: readonly ArrayLike<number>[]): Matrix {
  const cols = Array.isArray(rows) ? (rows[0]?.length ?? 0) : 0
  if (cols > 0) return allocateMatrix(rows.length, cols)
  throw invalid('rows', 'an array of at least one row of at least one number', rows)
}

function copyRow(rows: readonly ArrayLike<number>[], i: number, { data, cols }: Matrix) {
  const row = rows[i]
  if (row?.length !== cols) throw unevenRow(i, cols, row)
  checkBytes(`rows[${i}]`, { data: row, type: undefined })
  for (let j = 0; j < cols; j++) {
    checkElement(row[j], i, j)
    data[i * cols + j] = row[j]!
  }
}

/** Reports the value as given; in the matrix, a value beyond float32 would be Infinity. */
function checkElement(value: unknown, i: number, j: number) {
  if (typeof value !== 'number') throw invalid(`rows[${i}][${j}]`, 'a number', value)
  if (Number.isFinite(Math.fround(value))) return
  const isFinite = Number.isFinite(value)
  const expected = isFinite ? "a number within float32's range" : 'a finite number'
  throw invalidEntry('rows', expected, value, i, j)
}

function unevenRow(i: number, cols: number, row: ArrayLike<number> | undefined) {
  const [name, expected] = [`rows[${i}]`, `${cols} numbers, as in rows[0]`]
  return row?.length === undefined
    ? invalid(name, expected, row)
    : invalidText(name, expected, `${row.length} numbers`)
}

/** A matrix that a job fills; see {@link Output}. */
export interface OutputMatrix {
  readonly own: Float32Array
  readonly matrix: Matrix
  settle(): Promise<Matrix>
}

/** Uses the caller's array for a result, or a new one. */
export function outputMatrix(
  name: string,
  out: Float32Array | undefined,
  rows: number,
  cols: number,
): OutputMatrix {
  const { own, array, settle } = outputArray(name, out, Float32Array, rows * cols)
  const matrix = (data: Float32Array) => ({ data, rows, cols })
  return { own, matrix: matrix(array), settle: async () => matrix(await settle()) }
}
