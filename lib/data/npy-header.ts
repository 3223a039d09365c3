import { fileError, printable } from './file'
import { isNpy, npyMagic, shownBytes, shownFormat } from './file-format'

/** The header of a `.npy` file. */
export interface NpyHeader {
  /** NumPy's name of the element type: `<f4`, `|u1`, `>i8`; a structured type is `[…]`. */
  readonly descr: string
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Offset of the first element, in bytes. */
  readonly offset: number
}

/** Maximum length of a header; NumPy warns above 10 000 bytes. */
export const headerLimit = 65535

/** Maximum of dimensions, as in NumPy. */
const dimensionLimit = 64

/** Number of first bytes that contain the length of the header. */
export const prefixBytes = 12

/**
 * The number of first bytes of a file to read: its header, or, if it is no `.npy`, enough for the message.
 */
export function headerBytes(prefix: Uint8Array): number {
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength)
  if (prefix.length < prefixBytes || !isNpy(prefix)) return shownBytes
  const length = prefix[6] === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true)
  return Math.max(prefixBytes, Math.min(length, headerLimit + prefixBytes))
}

/**
 * One `'name': value` of the dictionary: a string, a boolean, a tuple or a list. A list of records may contain
 * lists; its end is followed by the next name or the end of the dictionary.
 */
const entry =
  /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"\\\n]*)\3|(True|False)|\(([^()]*)\)|(\[[^]*?\](?=\s*(?:,\s*['"}]|\}))))\s*(?:,|(?=\}))/y

/**
 * Reads the header of a `.npy` file, versions 1 to 3, from the first bytes of the file.
 *
 * @param path Names the file in errors.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if it is no such header, or truncated.
 */
export function parseNpyHeader(bytes: Uint8Array, path: string): NpyHeader {
  checkMagic(bytes, path)
  const version = bytes[6]!
  if (version < 1 || version > 3)
    throw fileError(path, `expected version 1, 2 or 3 of the .npy format, received ${version}`)
  const start = version === 1 ? 10 : 12
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < start) throw cutShort(path, start, bytes.length)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > headerLimit)
    throw fileError(path, `expected a header of at most ${headerLimit} bytes, received ${length}`)
  if (bytes.length < start + length) throw cutShort(path, start + length, bytes.length)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('utf8')
  return { ...parseDictionary(text, path), offset: start + length }
}

function checkMagic(bytes: Uint8Array, path: string) {
  if (bytes.length === 0)
    throw fileError(path, 'expected a NumPy .npy file, received an empty file')
  if (!isNpy(bytes))
    throw fileError(path, `expected a NumPy .npy file, received ${shownFormat(bytes)}`)
  if (bytes.length < 8) throw cutShort(path, 8, bytes.length)
}

const cutShort = (path: string, needed: number, received: number) =>
  fileError(
    path,
    `expected a header of ${needed} bytes, received a file cut short after ${received}`,
  )

function parseDictionary(text: string, path: string): Omit<NpyHeader, 'offset'> {
  const values = dictionaryEntries(text)
  const [descr, order, sides] = ['descr', 'fortran_order', 'shape'].map((name) => values?.get(name))
  if (
    values?.size !== 3 ||
    descr?.text === undefined ||
    order?.truth === undefined ||
    sides?.tuple === undefined
  )
    throw fileError(
      path,
      `expected a header with descr, fortran_order and shape, received ${printable(text.trim())}`,
    )
  return { descr: descr.text, fortranOrder: order.truth, shape: parseShape(sides.tuple, path) }
}

interface Value {
  readonly text?: string | undefined
  readonly truth?: boolean | undefined
  readonly tuple?: string | undefined
}

/** The entries of a Python dictionary of the literals allowed in a header; undefined if it is invalid. */
function dictionaryEntries(text: string): Map<string, Value> | undefined {
  const values = new Map<string, Value>()
  const open = /^\s*\{/.exec(text)
  if (!open) return undefined
  entry.lastIndex = open[0].length
  let at = entry.lastIndex
  for (let found = entry.exec(text); found; found = entry.exec(text)) {
    const [, , name, , string, truth, tuple, list] = found
    if (values.has(name!)) return undefined
    values.set(name!, { text: string ?? list, truth: truth && truth === 'True', tuple } as Value)
    at = entry.lastIndex
  }
  return /^\s*\}\s*$/.test(text.slice(at)) ? values : undefined
}

/** Parses `3, 4`, `3,` or an empty tuple; Python 2 wrote integers with a trailing L. */
function parseShape(tuple: string, path: string): number[] {
  const parts = tuple.split(',').map((part) => part.trim())
  const closed = parts.length > 1 || parts[0] === ''
  if (parts.at(-1) === '') parts.pop()
  const sides = parts.map((part) =>
    /^\d{1,16}L?$/.test(part) ? Number(part.replace('L', '')) : NaN,
  )
  if (!closed || sides.length > dimensionLimit || !sides.every(Number.isSafeInteger))
    throw fileError(
      path,
      `expected a shape of at most ${dimensionLimit} non-negative integers, received (${printable(tuple)})`,
    )
  return sides
}

/** A shape as Python writes it. */
export const shownShape = (shape: readonly number[]) =>
  shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`

/** A header of version 1 that ends at a multiple of 64 bytes, as NumPy aligns it. */
export function npyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shownShape(shape)}, }`
  const size = Math.ceil((10 + text.length + 1) / 64) * 64
  const bytes = Buffer.alloc(size, ' ')
  bytes.set([...npyMagic, 1, 0])
  bytes.writeUInt16LE(size - 10, 8)
  bytes.write(text, 10, 'latin1')
  bytes[size - 1] = 0x0a
  return bytes
}
