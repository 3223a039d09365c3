// Reads sparse matrices in the layout of SciPy's save_npz.
import type { AbortSignalLike } from '../cancellation'
import type { NativeFileArray } from '../native'
import { take, type Bytes } from './byte-reader'
import { compressRows, largestSide, rowLimit } from './compressed-rows'
import { readBytes } from './dense-elements'
import { elementsOver, sizeOf } from './element-types'
import type { ElementType } from './element-types'
import { fileError, printable } from './file'
import { integers, readNpyArray, readNpyHeader, realNumbers } from './npy-array'
import { shownShape } from './npy-header'
import type { SparseMatrix } from './sparse'
import { readMember, type Member } from './zip'

/** The members of each format besides `format`, `shape` and `data`. */
const placeMembers = {
  csr: ['indptr', 'indices'],
  csc: ['indptr', 'indices'],
  coo: ['row', 'col'],
} as const

type SparseFormat = keyof typeof placeMembers

type Members = ReadonlyMap<string, Member>

/** The members of an archive, and the limit of their total unpacked size, in bytes. */
export interface Archive {
  readonly bytes: Bytes
  readonly members: Members
  readonly limit: number
  readonly signal?: AbortSignalLike | undefined
}

const fileOf = (name: string) => `${name}.npy`

export const isSparseArchive = (members: Members) => members.has(fileOf('format'))

/** The bytes of a list of numbers. */
interface List extends NativeFileArray {
  readonly type: ElementType
  readonly count: number
}

/** Reads a list from a member, without conversion of its elements. */
const readList = (
  { bytes, members, signal }: Archive,
  name: string,
  wanted: typeof realNumbers,
): Promise<List> =>
  readMember(bytes, members.get(fileOf(name))!, async (reader) => {
    const array = await readNpyArray(reader, wanted)
    if (array.shape.length !== 1)
      throw fileError(
        reader.path,
        `expected 1 dimension, received the shape ${shownShape(array.shape)}`,
      )
    const content = await readBytes(reader, array.bytes, { signal })
    await reader.checkEnd()
    const { type, bigEndian } = array
    return { name: reader.path, bytes: content, type, bigEndian, count: array.shape[0]! }
  })

/** One integer of a list. An integer beyond 2^53 is rounded, but is then out of range anyway. */
function integerAt({ bytes, type, bigEndian }: List, i: number): number {
  const size = sizeOf(type)
  const element = bytes.slice(i * size, (i + 1) * size)
  return Number(elementsOver(bigEndian ? element.reverse() : element, type)[0])
}

/** Reads the format from a zero-dimensional array of bytes or of UTF-32 characters. */
async function readFormat({ bytes, members }: Archive): Promise<SparseFormat> {
  const member = members.get(fileOf('format'))!
  const letters = await readMember(bytes, member, async (reader) => {
    const { descr, shape } = await readNpyHeader(reader)
    const content = await take(reader, formatBytes)
    await reader.checkEnd()
    const text = String.fromCharCode(...content.filter((byte) => byte !== 0))
    return /^[|<>=]?[SU]\d+$/.test(descr) && shape.length === 0 ? text : `${descr} ${text}`
  })
  if (Object.hasOwn(placeMembers, letters)) return letters as SparseFormat
  throw fileError(
    bytes.path,
    `expected the sparse format csr, csc or coo (.tocsr() makes one), received ${printable(letters)}`,
  )
}

/** Limit of the name of a format. */
const formatBytes = 64

function checkMembers({ bytes, members, limit }: Archive, format: SparseFormat) {
  const names = ['format', 'shape', ...placeMembers[format], 'data']
  if (!names.every((name) => members.has(fileOf(name)))) {
    const found = [...members.keys()].map((name) => name.replace(/\.npy$/, '')).join(', ')
    throw fileError(
      bytes.path,
      `expected the members ${names.join(', ')} of a SciPy ${format} matrix, received ${printable(found)}`,
    )
  }
  const size = names.reduce((sum, name) => sum + members.get(fileOf(name))!.size, 0)
  checkSize(bytes.path, size, limit)
}

export function checkSize(path: string, size: number, limit: number) {
  if (size > limit)
    throw fileError(path, `expected at most ${limit} bytes when unpacked, received ${size}`)
}

export async function readSides(archive: Archive): Promise<[rows: number, cols: number]> {
  const list = await readList(archive, 'shape', integers('integer sides'))
  const sides = Array.from({ length: Math.min(3, list.count) }, (_, i) => integerAt(list, i))
  if (sides.length === 2 && sides.every((side) => side >= 1 && side <= largestSide))
    return sides as [number, number]
  throw fileError(
    list.name,
    `expected a number of rows and of columns in 1..${largestSide}, received (${sides.join(', ')})`,
  )
}

/** The number of entries; SciPy permits unused elements after the last. */
function entriesIn(path: string, format: SparseFormat, major: List, minor: List, values: List) {
  if (format === 'coo') {
    if (major.count === minor.count && major.count === values.count) return values.count
    throw fileError(
      path,
      `expected as many rows, columns and values, received ${major.count}, ${minor.count} and ${values.count}`,
    )
  }
  const entries = integerAt(major, major.count - 1)
  if (entries <= minor.count && entries <= values.count) return Math.max(0, entries)
  throw fileError(
    path,
    `expected ${entries} indices and values, as indptr ends, received ${minor.count} and ${values.count}`,
  )
}

/** Checks that a list of starts has one element more than there are rows, or columns. */
function checkStarts({ name, count }: List, what: string, sides: number) {
  if (count === sides + 1) return
  throw fileError(
    name,
    `expected ${sides + 1} ${what} starts for ${sides} ${what}s, received ${count}`,
  )
}

/** Reads a matrix of the format csr, csc or coo. */
export async function readSparse(archive: Archive): Promise<SparseMatrix> {
  const { bytes, signal } = archive
  const format = await readFormat(archive)
  checkMembers(archive, format)
  const [rows, cols] = await readSides(archive)
  const [majorName, minorName] = placeMembers[format]
  const major = await readList(archive, majorName, integers('integers'))
  const minor = await readList(archive, minorName, integers('integers'))
  const values = await readList(archive, 'data', realNumbers)
  if (format === 'csr') checkStarts(major, 'row', rows)
  if (format === 'csc') checkStarts(major, 'column', cols)
  const entries = entriesIn(bytes.path, format, major, minor, values)
  if (format !== 'csr' && rows > rowLimit(entries))
    throw fileError(
      bytes.path,
      `expected at most ${rowLimit(entries)} rows for ${entries} entries, received ${rows}`,
    )
  const layout = format === 'coo' ? 'coordinate' : format
  return compressRows(
    bytes.path,
    { layout, mirror: 'none', rows, cols, entries, major, minor, values },
    entries,
    signal,
  )
}
