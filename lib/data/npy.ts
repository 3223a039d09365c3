import { invalid, invalidText } from '../errors'
import { availableMemory } from '../memory'
import { frozen, withDefaults } from '../options'
import {
  bytesOf,
  closeDescriptor,
  fileError,
  openFile,
  printable,
  readRange,
  systemFailure,
  withFile,
  writePieces,
} from './file'
import type { OpenFile } from './file'
import { Descriptor } from './descriptor'
import { isMatrixFile, toDenseView, withoutGaps } from './matrix'
import type { DenseData, DenseMatrix, ElementType, MatrixFile } from './matrix'
import { headerLimit, npyHeader, parseNpyHeader, shownShape } from './npy-header'
import type { NpyHeader } from './npy-header'
import { checkKind, kindOf } from './typed-array'

export { parseNpyHeader } from './npy-header'
export type { NpyHeader } from './npy-header'

/** The arrays that NumPy's element types are read into; float16 stays as its bits. */
const arrays = {
  f8: Float64Array,
  f4: Float32Array,
  f2: Uint16Array,
  i8: BigInt64Array,
  i4: Int32Array,
  i2: Int16Array,
  i1: Int8Array,
  u8: BigUint64Array,
  u4: Uint32Array,
  u2: Uint16Array,
  u1: Uint8Array,
  b1: Uint8Array,
} as const

/** NumPy's element type without its byte order. */
export type ElementCode = keyof typeof arrays
export type NpyData = InstanceType<(typeof arrays)[ElementCode]>

const matrixTypes: { [K in ElementCode]?: ElementType } = {
  f4: 'float32',
  f8: 'float64',
  f2: 'float16',
  u1: 'uint8',
  i1: 'int8',
}

const codeOfType = (type: ElementType) =>
  (Object.keys(matrixTypes) as ElementCode[]).find((code) => matrixTypes[code] === type)!

/** The only place where the defaults of {@link loadNpy} are written. */
export const loadNpyDefaults = frozen({
  /**
   * Elements of at most this many bytes are read into memory; unless given, 1 GiB, or a quarter of the
   * memory that is available where that is less.
   */
  limit: undefined as number | undefined,
})

/** Room must be left for a second matrix and for the job itself. */
const usualLimit = () => Math.min(2 ** 30, availableMemory() / 4)

/**
 * The element type of a header, or nothing where the bytes cannot be used as they lie: big-endian,
 * complex, structured and the like. `=` is the order of this machine, and single bytes have none.
 */
export function elementCode(descr: string): ElementCode | undefined {
  const [, order, code] = /^([<>=|]?)([a-z]\d)$/.exec(descr) ?? []
  if (code === undefined || !Object.hasOwn(arrays, code)) return undefined
  return order === '>' && !code.endsWith('1') ? undefined : (code as ElementCode)
}

/** The element type, if it is one of `wanted`, whose names stand in `expected`. */
export function checkedCode(
  path: string,
  { descr }: NpyHeader,
  wanted: readonly string[],
  expected: string,
) {
  const code = elementCode(descr)
  if (code !== undefined && wanted.includes(code)) return code
  const isNumber = /^[<>=|]?[iufb]\d$/.test(descr)
  const remedy = isNumber && wanted.includes('f4') ? " (.astype('float32') makes them)" : ''
  throw fileError(path, `expected ${expected}${remedy}, received ${printable(descr)}`)
}

const lengthOf = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1)

/** Checks that the elements fill the file to its last byte. Nothing is allocated before that. */
function checkLength(path: string, header: NpyHeader, code: ElementCode, fileBytes: number) {
  const needed = lengthOf(header.shape) * arrays[code].BYTES_PER_ELEMENT
  const received = fileBytes - header.offset
  if (needed === received) return
  const shape = shownShape(header.shape)
  throw fileError(
    path,
    `expected ${needed} bytes of elements for the shape ${shape}, received ${received}`,
  )
}

/** Fortran order is C order where one side is 1. */
function checkOrder(path: string, { fortranOrder, shape }: NpyHeader) {
  if (!fortranOrder || shape.filter((side) => side !== 1).length <= 1) return
  throw fileError(
    path,
    'expected C order, one row after the other (np.ascontiguousarray makes it), received Fortran order',
  )
}

function checkDimensions(path: string, { shape }: NpyHeader, dimensions: number, expected: string) {
  if (shape.length === dimensions) return
  throw fileError(
    path,
    `expected ${expected}, received ${shape.length}: the shape ${shownShape(shape)}`,
  )
}

interface MatrixHeader {
  readonly rows: number
  readonly cols: number
  readonly code: ElementCode
  readonly type: ElementType
  readonly offset: number
}

/** Checks all that a header says of a matrix against a file of `fileBytes` bytes. */
function matrixHeader(bytes: Uint8Array, path: string, fileBytes: number): MatrixHeader {
  const header = parseNpyHeader(bytes, path)
  const expected = 'float32, float64, float16, uint8 or int8 elements'
  const code = checkedCode(path, header, Object.keys(matrixTypes), expected)
  checkDimensions(path, header, 2, '2 dimensions, rows and columns')
  const [rows, cols] = header.shape as [number, number]
  if (rows === 0 || cols === 0)
    throw fileError(
      path,
      `expected at least one row and one column, received the shape ${shownShape(header.shape)}`,
    )
  checkOrder(path, header)
  checkLength(path, header, code, fileBytes)
  return { rows, cols, code, type: matrixTypes[code]!, offset: header.offset }
}

/** The elements in `bytes`, borrowed where they are aligned and copied where not. */
function elements(bytes: Uint8Array, code: ElementCode, offset: number): NpyData {
  const Elements = arrays[code]
  const size = Elements.BYTES_PER_ELEMENT
  const lying = bytes.subarray(offset)
  const aligned = lying.byteOffset % size === 0 ? lying : new Uint8Array(lying)
  return new Elements(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size)
}

/** An array of any shape, as it lies in a member of an `.npz`. */
export interface NpyArray {
  readonly header: NpyHeader
  readonly code: ElementCode
  readonly data: NpyData
}

/** Reads an array whose element type is one of `wanted`, whose names stand in `expected`. */
export function parseNpyArray(
  bytes: Uint8Array,
  path: string,
  wanted: readonly string[],
  expected: string,
): NpyArray {
  const header = parseNpyHeader(bytes, path)
  const code = checkedCode(path, header, wanted, expected)
  checkOrder(path, header)
  checkLength(path, header, code, bytes.length)
  return { header, code, data: elements(bytes, code, header.offset) }
}

/**
 * Reads a matrix out of the bytes of a `.npy` file.
 *
 * @param path Names the file in errors.
 * @returns The matrix, over the given bytes where they are aligned; float16 as its bits.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if the bytes are not such a matrix.
 */
export function parseNpy(bytes: Uint8Array, path: string): DenseMatrix {
  const { rows, cols, code, type, offset } = matrixHeader(bytes, path, bytes.length)
  return { data: elements(bytes, code, offset) as DenseData, rows, cols, type }
}

const readHeader = (file: OpenFile) => readRange(file, 0, Math.min(file.size, headerLimit + 12))

/**
 * Opens a `.npy` matrix to be read block by block while a job runs.
 *
 * The header and the length of the file are checked. The file stays open until
 * {@link closeMatrix}.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if it is no matrix in C order of float32,
 *   float64, float16, uint8 or int8, or its length is not what its shape needs.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @example
 * const X = await openNpy('activations.npy')
 * const { W, H } = await semiNmf(X, { rank: 64 })
 * await closeMatrix(X)
 */
export async function openNpy(path: string): Promise<MatrixFile> {
  const file = await openFile(path)
  try {
    const { rows, cols, type, offset } = matrixHeader(await readHeader(file), path, file.size)
    return { path, descriptor: new Descriptor(file), offset, rows, cols, type }
  } catch (error) {
    await closeDescriptor(file.fd)
    throw systemFailure(path, error)
  }
}

/**
 * Closes what {@link openNpy} or {@link loadNpy} opened; a matrix in memory needs no closing. Jobs that
 * run and corpora that were prepared keep a hold of their own on the file. Doing it twice is no error.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if the system cannot close the file.
 */
export async function closeMatrix(matrix: DenseMatrix | MatrixFile): Promise<void> {
  if (typeof matrix !== 'object' || matrix === null)
    throw invalid('matrix', 'a matrix that openNpy() or loadNpy() gave', matrix)
  if (isMatrixFile(matrix)) await matrix.descriptor.close()
}

/**
 * Reads a `.npy` matrix [rows × cols] into memory, however large.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` as {@link openNpy}, or
 *   `ERR_GEMMINE_OUT_OF_MEMORY`.
 *
 * @example
 * const corpus = await readNpy('docs.npy')
 */
export const readNpy = async (path: string): Promise<DenseMatrix> =>
  (await loadNpy(path, { limit: Infinity })) as DenseMatrix

/**
 * Reads a `.npy` matrix into memory up to a limit; a larger one is opened, to be read block by
 * block. {@link closeMatrix} takes either.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` as {@link openNpy}, or
 *   `ERR_GEMMINE_OUT_OF_MEMORY`.
 *
 * @example
 * const X = await loadNpy('activations.npy', { limit: 4e9 })
 */
export async function loadNpy(
  path: string,
  given: { limit?: number | undefined } = {},
): Promise<DenseMatrix | MatrixFile> {
  const { limit = usualLimit() } = withDefaults(loadNpyDefaults, given)
  if (typeof limit !== 'number' || !(limit >= 0)) throw invalid('limit', 'a number of bytes', limit)
  const matrix = await openNpy(path)
  const { rows, cols, type, offset, descriptor } = matrix
  const code = codeOfType(type)
  const size = rows * cols * arrays[code].BYTES_PER_ELEMENT
  if (size > limit) return matrix
  try {
    const bytes = await readRange({ path, fd: descriptor.fd, size }, offset, size)
    return { data: elements(bytes, code, 0) as DenseData, rows, cols, type }
  } catch (error) {
    throw systemFailure(path, error)
  } finally {
    await descriptor.close()
  }
}

/**
 * Reads a list of int32 out of a `.npy` file, such as the groups of queries. int64 is taken too
 * where every value fits.
 *
 * @returns The list; a matrix of int32, such as the `indices` of a search, is not read.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if it is anything else.
 *
 * @example
 * const queryGroups = await readInt32Npy('groups.npy')
 */
export const readInt32Npy = (path: string): Promise<Int32Array> =>
  withFile(path, async (file) => {
    const header = parseNpyHeader(await readHeader(file), path)
    const code = checkedCode(path, header, ['i4', 'i8'], 'int32 elements')
    checkDimensions(path, header, 1, '1 dimension')
    checkLength(path, header, code, file.size)
    const bytes = await readRange(file, header.offset, file.size - header.offset)
    const data = elements(bytes, code, 0)
    return data instanceof BigInt64Array ? narrowed(path, data) : (data as Int32Array)
  })

function narrowed(path: string, wide: BigInt64Array): Int32Array {
  const narrow = new Int32Array(wide.length)
  wide.forEach((value, i) => {
    narrow[i] = Number(value)
    if (BigInt(narrow[i]!) !== value)
      throw fileError(path, `expected an int32 at element ${i}, received ${value}`)
  })
  return narrow
}

/** An array of any shape, as it is written. */
export interface WritableArray {
  readonly data: Float32Array | Float64Array | Int32Array
  readonly shape: readonly number[]
}

/** The element types of arrays of any shape. */
const writableCodes: Record<string, ElementCode> = {
  Float32Array: 'f4',
  Float64Array: 'f8',
  Int32Array: 'i4',
}

interface Written {
  readonly data: DenseData | Int32Array
  readonly shape: readonly number[]
  readonly code: ElementCode
}

/** An array of any accepted form, checked, and a matrix without gaps between its rows. */
function checkedArray(array: WritableArray | DenseMatrix): Written {
  if (typeof array !== 'object' || array === null)
    throw invalid('array', 'a matrix { data, rows, cols }, or { data, shape }', array)
  if (!('shape' in array)) return checkedMatrix(array)
  const { data, shape } = array
  const expected = 'a Float32Array, a Float64Array or an Int32Array'
  checkKind('data', data, Object.keys(writableCodes), expected)
  if (!Array.isArray(shape) || !shape.every((side) => Number.isInteger(side) && side >= 0))
    throw invalid('shape', 'an array of non-negative integers', shape)
  return { data, shape, code: writableCodes[kindOf(data)]! }
}

function checkedMatrix(matrix: DenseMatrix): Written {
  const { data, rows, cols, stride, type } = toDenseView('array', matrix)
  if (!data) throw invalidText('array', 'a matrix in memory', 'one that lies in a file')
  const packed = withoutGaps({ data, rows, cols, stride })
  return { data: packed, shape: [rows, cols], code: codeOfType(type) }
}

/**
 * The bytes of a `.npy` file, in two pieces: the header, and the elements, which are borrowed.
 *
 * @throws {RangeError} if the shape does not hold as many elements as there are.
 */
export function formatNpy(array: WritableArray | DenseMatrix): Uint8Array[] {
  const { data, shape, code } = checkedArray(array)
  const length = lengthOf(shape)
  if (length !== data.length)
    throw invalid('data', `${length} elements for the shape ${shownShape(shape)}`, data.length)
  return [npyHeader(`${code.endsWith('1') ? '|' : '<'}${code}`, shape), bytesOf(data)]
}

/**
 * Writes a matrix, or an array of any shape, as a `.npy` file, replacing one that is there. Elements are
 * written as they are: {@link readNpy} and {@link readInt32Npy} give them back.
 *
 * @throws {TypeError | RangeError} if the elements are of another type than a matrix in memory, or
 *   {@link WritableArray}, may have, or not as many as the shape needs.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if the file cannot be written.
 *
 * @example
 * await writeNpy('W.npy', W)
 * await writeNpy('labels.npy', { data: labels, shape: [labels.length] })
 */
export async function writeNpy(path: string, array: WritableArray | DenseMatrix): Promise<void> {
  await writePieces(path, formatNpy(array))
}
