import { invalid } from '../errors'
import { frozen, withDefaults } from '../options'
import { orderedRows } from './compressed-rows'
import { fileError, printable, readBytes } from './file'
import { parseNpyArray } from './npy'
import type { NpyData } from './npy'
import { parseNpyHeader, shownShape } from './npy-header'
import type { SparseMatrix } from './sparse'
import { unpack, unpackAside, zipMembers } from './zip'
import type { Member } from './zip'

/** The only place where the defaults of {@link readNpz} are written. */
export const readNpzDefaults = frozen({
  /** The members of an archive may unpack to at most this many bytes together. */
  limit: 2 ** 32,
})

const memberNames = ['format', 'shape', 'indptr', 'indices', 'data'] as const
type Members<T> = Record<(typeof memberNames)[number], T>

const integers = ['i4', 'i8']
const numbers = ['f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1']

/** The members of a sparse matrix, if they are all there and not too large together. */
function sparseMembers(bytes: Uint8Array, path: string, limit: number): Members<Member> {
  const found = zipMembers(bytes, path)
  const members = memberNames.map((name) => [name, found.get(`${name}.npy`)] as const)
  if (members.some(([, member]) => member === undefined)) {
    const names = [...found.keys()].map((name) => name.replace(/\.npy$/, '')).join(', ')
    throw fileError(
      path,
      `expected a SciPy sparse matrix of ${memberNames.join(', ')} (.tocsr() makes it), received ${printable(names)}`,
    )
  }
  const size = members.reduce((sum, [, member]) => sum + member!.size, 0)
  if (size > limit)
    throw fileError(path, `expected at most ${limit} bytes when unpacked, received ${size}`)
  return Object.fromEntries(members) as Members<Member>
}

/** The letters of an array without dimensions of bytes or of UTF-32 characters. */
function checkFormat(bytes: Uint8Array, path: string) {
  const { descr, shape, offset } = parseNpyHeader(bytes, `${path}: format.npy`)
  const letters = String.fromCharCode(
    ...bytes.subarray(offset, offset + 64).filter((byte) => byte !== 0),
  )
  if (!/^[|<=]?[SU]\d+$/.test(descr) || shape.length > 0 || letters !== 'csr')
    throw fileError(
      path,
      `expected the sparse format csr (.tocsr() makes it), received ${printable(letters)}`,
    )
}

/** A list of numbers out of a member. */
function parseList(
  bytes: Uint8Array,
  path: string,
  wanted: readonly string[],
  expected: string,
): NpyData {
  const { header, data } = parseNpyArray(bytes, path, wanted, expected)
  if (header.shape.length === 1) return data
  throw fileError(path, `expected 1 dimension, received the shape ${shownShape(header.shape)}`)
}

/** Integers as numbers; those beyond 2^53 come out rounded, and are out of every range here. */
function asNumbers(data: NpyData): Exclude<NpyData, BigInt64Array | BigUint64Array> {
  if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) return data
  const numbers = new Float64Array(data.length)
  for (let i = 0; i < data.length; i++) numbers[i] = Number(data[i])
  return numbers
}

function parseSides(bytes: Uint8Array, path: string): [rows: number, cols: number] {
  const sides = Array.from(asNumbers(parseList(bytes, path, integers, 'int32 or int64 sides')))
  if (sides.length === 2 && sides.every((side) => side >= 1 && side < 2 ** 31))
    return sides as [number, number]
  throw fileError(
    path,
    `expected a number of rows and of columns in 1..${2 ** 31 - 1}, received (${sides.slice(0, 3).join(', ')})`,
  )
}

function parseStarts(bytes: Uint8Array, path: string, rows: number): ArrayLike<number> {
  const starts = asNumbers(parseList(bytes, path, integers, 'int32 or int64 row starts'))
  if (starts.length !== rows + 1)
    throw fileError(
      path,
      `expected ${rows + 1} row starts for ${rows} rows, received ${starts.length}`,
    )
  for (let i = 0, low = 0; i < starts.length; low = starts[i++]!)
    if (i === 0 ? starts[i] !== 0 : starts[i]! < low)
      throw fileError(
        path,
        `expected row starts that ascend from 0, received ${starts[i]} at row ${i}`,
      )
  return starts
}

function parseColumns(bytes: Uint8Array, path: string, cols: number): Int32Array {
  const columns = asNumbers(parseList(bytes, path, integers, 'int32 or int64 indices'))
  const indices = new Int32Array(columns.length)
  for (let t = 0; t < indices.length; t++) {
    const column = columns[t]!
    if (!(column >= 0 && column < cols))
      throw fileError(path, `expected a column in 0..${cols - 1} at entry ${t}, received ${column}`)
    indices[t] = column
  }
  return indices
}

/** float32 is copied, because the bytes belong to the caller; other values are widened. */
function parseValues(bytes: Uint8Array, path: string): Float32Array | Float64Array {
  const data = parseList(bytes, path, numbers, 'real values')
  return data instanceof Float32Array ? data.slice() : new Float64Array(asNumbers(data))
}

function parseSparse(path: string, members: Members<Uint8Array>): SparseMatrix {
  const inside = (name: string) => `${path}: ${name}.npy`
  checkFormat(members.format, path)
  const [rows, cols] = parseSides(members.shape, inside('shape'))
  const starts = parseStarts(members.indptr, inside('indptr'), rows)
  const indices = parseColumns(members.indices, inside('indices'), cols)
  const values = parseValues(members.data, inside('data'))
  // SciPy permits room after the last row.
  const entries = starts[rows]!
  if (indices.length < entries || values.length < entries)
    throw fileError(
      path,
      `expected ${entries} indices and values, as indptr ends, received ${indices.length} and ${values.length}`,
    )
  return orderedRows(rows, cols, starts, indices.subarray(0, entries), values.subarray(0, entries))
}

const unpackedBy = <T>(members: Members<Member>, unpackOne: (member: Member) => T) =>
  memberNames.map((name) => [name, unpackOne(members[name])] as const)

/** The options of {@link readNpz}. */
export interface NpzOptions {
  readonly limit?: number | undefined
}

function limitOf(given: NpzOptions): number {
  const { limit } = withDefaults(readNpzDefaults, given)
  if (typeof limit === 'number' && limit >= 0) return limit
  throw invalid('limit', 'a number of bytes', limit)
}

/**
 * Reads a sparse matrix out of the bytes of a SciPy `.npz` file; see {@link readNpz}.
 *
 * @param path Names the file in errors.
 */
export function parseNpz(bytes: Uint8Array, path: string, given: NpzOptions = {}): SparseMatrix {
  const members = sparseMembers(bytes, path, limitOf(given))
  const unpacked = unpackedBy(members, (member) => unpack(member, path))
  return parseSparse(path, Object.fromEntries(unpacked) as Members<Uint8Array>)
}

/**
 * Reads a sparse matrix that SciPy's `save_npz` wrote, in the format csr. Columns are brought into
 * order within their row, and entries that repeat are summed.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if it is no such matrix, is damaged, or
 *   unpacks to more than `limit` bytes.
 * @see https://docs.scipy.org/doc/scipy/reference/generated/scipy.sparse.save_npz.html
 *
 * @example
 * const X = await readNpz('counts.npz')
 */
export async function readNpz(path: string, given: NpzOptions = {}): Promise<SparseMatrix> {
  const limit = limitOf(given)
  const members = sparseMembers(await readBytes(path), path, limit)
  const unpacking = unpackedBy(members, (member) => unpackAside(member, path))
  const unpacked = await Promise.all(
    unpacking.map(async ([name, content]) => [name, await content] as const),
  )
  return parseSparse(path, Object.fromEntries(unpacked) as Members<Uint8Array>)
}
