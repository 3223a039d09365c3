// Reads arrays of the .npy format from any source of bytes.
import type { ByteReader } from './byte-reader'
import { skip, take } from './byte-reader'
import type { Layout } from './dense-elements'
import { npyTypes, sizeOf } from './element-types'
import type { ElementType } from './element-types'
import { fileError, printable } from './file'
import { headerBytes, parseNpyHeader, prefixBytes, shownShape } from './npy-header'
import type { NpyHeader } from './npy-header'

/** An array whose header has been read; its elements follow. */
export interface NpyArray {
  readonly shape: readonly number[]
  readonly type: ElementType
  readonly bigEndian: boolean
  readonly fortranOrder: boolean
  /** Size of all elements. */
  readonly bytes: number
}

/** Reads the part before the elements. */
export async function readNpyHeader(reader: ByteReader): Promise<NpyHeader> {
  const prefix = await take(reader, prefixBytes)
  const needed = headerBytes(prefix)
  const rest = await take(reader, needed - prefix.length)
  return parseNpyHeader(Buffer.concat([prefix, rest]), reader.path)
}

/**
 * The element type and byte order of a header, or undefined if the elements are not numbers of 1 to 8 bytes.
 * `=` or no prefix means the order of this machine; single bytes have none.
 */
export function elementFormat(descr: string) {
  const [, order, code] = /^([<>=|]?)([a-z]\d)$/.exec(descr) ?? []
  const type = code === undefined ? undefined : npyTypes.get(code)
  return type && { type, bigEndian: order === '>' && sizeOf(type) > 1 }
}

/** Names of NumPy's kinds of elements that are not supported. */
const kinds: Record<string, string> = {
  c: 'complex numbers',
  f: 'floats of more than 8 bytes',
  M: 'dates',
  m: 'time spans',
  O: 'Python objects',
  S: 'byte strings',
  U: 'strings',
  V: 'bytes without a type',
  '[': 'records',
}

const codeOf = (descr: string) => /[a-zA-Z[]/.exec(descr)?.[0] ?? ''

/** What elements are that are not supported; undefined if NumPy has no such elements. */
export const kindOfElements = (descr: string): string | undefined => kinds[codeOf(descr)]

const remedies: Record<string, string> = {
  f: " (.astype('float32') makes them)",
  O: " (.astype('float32') makes them)",
  V: " (.astype('float32') makes them of bfloat16)",
}

/** The element type, if it is one of `wanted`; otherwise throws with its `expected`. */
function checkedFormat(path: string, descr: string, wanted: ElementKinds) {
  const format = elementFormat(descr)
  if (format && wanted.includes(format.type)) return format
  const remedy = format || !wanted.isMatrix ? '' : (remedies[codeOf(descr)] ?? '')
  const what = format ? undefined : kindOfElements(descr)
  const received = what ? `${what}, ${printable(descr)}` : printable(descr)
  throw fileError(path, `expected ${wanted.expected}${remedy}, received ${received}`)
}

/** Accepted element types, with their description in messages. */
interface ElementKinds {
  readonly expected: string
  readonly isMatrix?: boolean
  includes(type: ElementType): boolean
}

export const realNumbers: ElementKinds = {
  expected: 'floats, integers or truth values of 1 to 8 bytes',
  isMatrix: true,
  includes: () => true,
}

/** @param expected Their description in messages. */
export const integers = (expected: string): ElementKinds => ({
  expected,
  includes: (type) => type.includes('int'),
})

const lengthOf = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1)

/**
 * Reads and checks the header of an array: its elements must fill exactly the remaining bytes. Allocates
 * nothing for them.
 */
export async function readNpyArray(reader: ByteReader, wanted: ElementKinds): Promise<NpyArray> {
  const { descr, shape, fortranOrder } = await readNpyHeader(reader)
  const format = checkedFormat(reader.path, descr, wanted)
  const bytes = lengthOf(shape) * sizeOf(format.type)
  const array = { ...format, shape, fortranOrder, bytes }
  const { left, unpacked } = reader
  if (unpacked ? bytes > left : bytes !== left) throw wrongLength(reader, array, String(left))
  return array
}

const wrongLength = ({ path, unpacked }: ByteReader, { bytes, shape }: NpyArray, left: string) =>
  fileError(
    path,
    `expected ${bytes} bytes of elements for the shape ${shownShape(shape)}, received ${unpacked && left !== 'more' ? 'at most ' : ''}${left}`,
  )

/** The length of packed data is known only at its end. */
export async function checkEnd(reader: ByteReader, array: NpyArray) {
  if ((await skip(reader, 1)) > 0) throw wrongLength(reader, array, 'more')
}

/** The array as a matrix of at least one row and one column. */
export function layoutOf(path: string, array: NpyArray): Layout {
  const { shape, type, bigEndian, fortranOrder } = array
  checkDimensions(path, array, 2, '2 dimensions, rows and columns')
  const [rows, cols] = shape as [number, number]
  if (rows === 0 || cols === 0)
    throw fileError(
      path,
      `expected at least one row and one column, received the shape ${shownShape(shape)}`,
    )
  // Fortran order is C order where one side is 1.
  return { rows, cols, type, bigEndian, fortranOrder: fortranOrder && rows > 1 && cols > 1 }
}

export function checkDimensions(
  path: string,
  { shape }: NpyArray,
  dimensions: number,
  expected: string,
) {
  if (shape.length === dimensions) return
  throw fileError(
    path,
    `expected ${expected}, received ${shape.length}: the shape ${shownShape(shape)}`,
  )
}
