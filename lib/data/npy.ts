import { invalid, invalidText } from '../errors'
import { availableMemory } from '../memory'
import { frozen, withDefaults } from '../options'
import { bytesInMemory, reading, withBytes, withReader } from './byte-reader'
import type { ByteReader } from './byte-reader'
import { loadElements, readBytes, swapBytes } from './dense-elements'
import type { Loading } from './dense-elements'
import { elementTypes, elementsOver, sizeOf } from './element-types'
import type { DenseData, ElementType } from './element-types'
import { bytesOf, fileError, writePieces } from './file'
import { toFloat32 } from './floats'
import { isMatrixFile, toDenseView, withoutGaps } from './matrix'
import type { DenseMatrix, MatrixFile } from './matrix'
import {
  checkDimensions,
  checkEnd,
  integers,
  layoutOf,
  readNpyArray,
  realNumbers,
} from './npy-array'
import { npyHeader, shownShape } from './npy-header'
import { packed } from './pieces'
import { bigintStride, inSlices } from './slices'
import type { SparseMatrix } from './sparse'
import { checkKind, kindOf } from './typed-array'

export { parseNpyHeader } from './npy-header'
export type { NpyHeader } from './npy-header'

/** The only place where the defaults of {@link loadNpy} are written. */
export const loadNpyDefaults = frozen({
  /**
   * Elements of at most this many bytes are read into memory; unless given, 1 GiB, or a quarter of the
   * available memory if that is less.
   */
  limit: undefined as number | undefined,
})

/** Leaves memory for a second matrix and for the job. */
export const usualLimit = () => Math.min(2 ** 30, availableMemory() / 4)

/** Reads a matrix, or leaves it in the file, depending on `loading`. */
export async function loadNpyFrom(
  reader: ByteReader,
  loading: Loading,
): Promise<DenseMatrix | MatrixFile> {
  const array = await readNpyArray(reader, realNumbers)
  const matrix = await loadElements(reader, layoutOf(reader.path, array), loading)
  if (!isMatrixFile(matrix)) await checkEnd(reader, array)
  return matrix
}

/** The numbers of rows and columns in the header. */
export async function npySides(reader: ByteReader) {
  const { rows, cols } = layoutOf(reader.path, await readNpyArray(reader, realNumbers))
  return { rows, cols, isSparse: false }
}

/**
 * Reads a matrix from the bytes of a `.npy` file; see {@link readNpy}.
 *
 * @param path Names the file in errors.
 */
export const parseNpy = async (bytes: Uint8Array, path: string): Promise<DenseMatrix> =>
  (await reading(bytesInMemory(bytes, path), (reader) =>
    loadNpyFrom(reader, { limit: Infinity }),
  )) as DenseMatrix

/** The reason why a matrix cannot be read block by block, if any. */
function whyWhole(reader: ByteReader, fortranOrder: boolean): string | undefined {
  if (reader.unpacked)
    return 'unpacked data, to be read in blocks (readNpy reads it whole), received gzip data'
  if (fortranOrder)
    return 'C order, one row after the other, to be read in blocks (np.ascontiguousarray makes it; readNpy reads it whole), received Fortran order'
  return undefined
}

/**
 * Opens a `.npy` matrix to be read block by block while a job runs.
 *
 * The header and the length of the file are checked. The file stays open until
 * {@link closeMatrix}.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if it is no matrix of floats, integers or booleans of
 *   1 to 8 bytes, its length does not match its shape, or it cannot be read in blocks: in Fortran order, or
 *   as gzip data.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @example
 * const X = await openNpy('activations.npy')
 * const { W, H } = await semiNmf(X, { rank: 64 })
 * await closeMatrix(X)
 */
export const openNpy = (path: string): Promise<MatrixFile> =>
  withBytes(path, (bytes, keep) =>
    reading(bytes, async (reader) => {
      const array = await readNpyArray(reader, realNumbers)
      const layout = layoutOf(path, array)
      const why = whyWhole(reader, layout.fortranOrder)
      if (why !== undefined) throw fileError(path, `expected ${why}`)
      return (await loadElements(reader, layout, { limit: -1, keep })) as MatrixFile
    }),
  )

/**
 * Closes a file opened by {@link openNpy}, {@link loadNpy} or {@link loadMatrix}; a matrix in memory need not
 * be closed. Running jobs and prepared corpora have their own descriptors of the file. Closing twice is no
 * error.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if the system cannot close the file.
 */
export async function closeMatrix(matrix: DenseMatrix | MatrixFile | SparseMatrix): Promise<void> {
  if (typeof matrix !== 'object' || matrix === null)
    throw invalid('matrix', 'a matrix that openNpy(), loadNpy() or loadMatrix() gave', matrix)
  if (isMatrixFile(matrix)) await matrix.descriptor.close()
}

/**
 * Reads a `.npy` matrix [rows × cols] of any size into memory: in C or Fortran order, in either byte order,
 * and possibly packed as `.npy.gz`. The matrix has the element type of the file.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if it is no matrix of floats, integers or booleans of
 *   1 to 8 bytes, or is damaged; `ERR_GEMMINE_OUT_OF_MEMORY` if the memory is insufficient (twice its size,
 *   for Fortran order).
 *
 * @example
 * const corpus = await readNpy('docs.npy')
 */
export const readNpy = async (path: string): Promise<DenseMatrix> =>
  (await loadNpy(path, { limit: Infinity })) as DenseMatrix

/** A limit of bytes, checked. */
export function checkLimit(limit: unknown): asserts limit is number {
  if (typeof limit !== 'number' || !(limit >= 0)) throw invalid('limit', 'a number of bytes', limit)
}

/**
 * Reads a `.npy` matrix into memory up to a limit; a larger one is opened, to be read block by block. {@link
 * closeMatrix} accepts both. Fortran order and gzip data are always read into memory.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` or `ERR_GEMMINE_OUT_OF_MEMORY` as {@link readNpy}.
 *
 * @example
 * const X = await loadNpy('activations.npy', { limit: 4e9 })
 */
export async function loadNpy(
  path: string,
  given: { limit?: number | undefined } = {},
): Promise<DenseMatrix | MatrixFile> {
  const { limit = usualLimit() } = withDefaults(loadNpyDefaults, given)
  checkLimit(limit)
  return withBytes(path, (bytes, keep) =>
    reading(bytes, (reader) => loadNpyFrom(reader, { limit, keep })),
  )
}

/**
 * Reads a list of int32 from a `.npy` file, such as the groups of queries. Other integer types are accepted
 * if every value fits, and also `.npy.gz`.
 *
 * @returns The list; a matrix of int32, such as the `indices` of a search, is refused.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if it is anything else.
 *
 * @example
 * const queryGroups = await readInt32Npy('groups.npy')
 */
export const readInt32Npy = (path: string): Promise<Int32Array> =>
  withReader(path, async (reader) => {
    const array = await readNpyArray(reader, integers('int32 elements'))
    checkDimensions(path, array, 1, '1 dimension')
    const bytes = await readBytes(reader, array.bytes)
    await checkEnd(reader, array)
    if (array.bigEndian) await swapBytes(bytes, sizeOf(array.type))
    return narrowed(path, elementsOver(bytes, array.type))
  })

/** Reads a list of real numbers from a `.npy` file, as float32, such as the weights of rows. */
export const readFloatsNpy = (path: string): Promise<Float32Array> =>
  withReader(path, async (reader) => {
    const array = await readNpyArray(reader, realNumbers)
    checkDimensions(path, array, 1, '1 dimension')
    const bytes = await readBytes(reader, array.bytes)
    await checkEnd(reader, array)
    if (array.bigEndian) await swapBytes(bytes, sizeOf(array.type))
    return toFloat32(path, elementsOver(bytes, array.type), array.type, 1)
  })

async function narrowed(path: string, elements: DenseData): Promise<Int32Array> {
  if (elements instanceof Int32Array) return elements
  const narrow = new Int32Array(elements.length)
  const narrowSlice = (begin: number, end: number) => {
    for (let i = begin; i < end; i++) {
      narrow[i] = Number(elements[i])
      if (narrow[i] !== Number(elements[i]))
        throw fileError(path, `expected an int32 at element ${i}, received ${elements[i]}`)
    }
  }
  await inSlices(narrow.length, narrowSlice, bigintStride)
  return narrow
}

/** An array of any shape, for writing. */
export interface WritableArray {
  readonly data: Float32Array | Float64Array | Int32Array | BigInt64Array
  readonly shape: readonly number[]
}

/** The element types of arrays of any shape. */
const writableTypes: Record<string, ElementType> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
}

interface Written {
  readonly data: DenseData
  readonly shape: readonly number[]
  readonly type: ElementType
}

/** Checks an array of any accepted form; removes gaps between the rows of a matrix. */
function checkedArray(array: WritableArray | DenseMatrix): Written {
  if (typeof array !== 'object' || array === null)
    throw invalid('array', 'a matrix { data, rows, cols }, or { data, shape }', array)
  if (!('shape' in array)) return checkedMatrix(array)
  const { data, shape } = array
  const expected = 'a Float32Array, a Float64Array, an Int32Array or a BigInt64Array'
  checkKind('data', data, Object.keys(writableTypes), expected)
  if (!Array.isArray(shape) || !shape.every((side) => Number.isInteger(side) && side >= 0))
    throw invalid('shape', 'an array of non-negative integers', shape)
  return { data, shape, type: writableTypes[kindOf(data)]! }
}

function checkedMatrix(matrix: DenseMatrix): Written {
  const { data, rows, cols, stride, type } = toDenseView('array', matrix)
  if (!data) throw invalidText('array', 'a matrix in memory', 'one that lies in a file')
  const packed = withoutGaps({ data, rows, cols, stride })
  return { data: packed, shape: [rows, cols], type }
}

/**
 * The bytes of a `.npy` file, in two pieces: the header, and the elements, which are borrowed.
 *
 * @throws {RangeError} if the number of elements does not match the shape.
 */
export function formatNpy(array: WritableArray | DenseMatrix): Uint8Array[] {
  const { data, shape, type } = checkedArray(array)
  const { npy } = elementTypes[type]
  if (npy === undefined)
    throw invalidText('array.type', 'an element type that NumPy has', `${type}`)
  const length = shape.reduce((product, side) => product * side, 1)
  if (length !== data.length)
    throw invalid('data', `${length} elements for the shape ${shownShape(shape)}`, data.length)
  return [npyHeader(`${npy.endsWith('1') ? '|' : '<'}${npy}`, shape), bytesOf(data)]
}

/** A matrix in memory whose rows have gaps; undefined for anything else. */
function withGaps(array: WritableArray | DenseMatrix) {
  if (typeof array !== 'object' || array === null || 'shape' in array) return undefined
  const { data, ...rest } = toDenseView('array', array)
  return data === undefined || rest.stride === rest.cols ? undefined : { data, ...rest }
}

/**
 * Writes a matrix, or an array of any shape, as a `.npy` file, replacing one that is there. Elements keep
 * their type: {@link readNpy} and {@link readInt32Npy} read them back.
 *
 * @throws {TypeError | RangeError} if the elements have a type that neither a matrix in memory nor {@link
 *   WritableArray} allows, or their number does not match the shape.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if the file cannot be written.
 *
 * @example
 * await writeNpy('W.npy', W)
 * await writeNpy('labels.npy', { data: labels, shape: [labels.length] })
 */
export async function writeNpy(path: string, array: WritableArray | DenseMatrix): Promise<void> {
  const gapped = withGaps(array)
  if (!gapped) return await writePieces(path, formatNpy(array))
  const { rows, cols, type } = gapped
  const matrix = { data: await packed('data', gapped), rows, cols, type }
  await writePieces(path, formatNpy(matrix as DenseMatrix))
}
