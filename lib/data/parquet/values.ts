// The values of a page: numbers as typed arrays, texts as strings.
import { isUtf8 } from 'node:buffer'
import type { Kind } from './footer'
import { DamagedPage, unpackRuns } from './runs'

export type Values =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Uint16Array
  | Uint8Array
  | string[]

/** float16 as its bits, bool as bytes. */
const arrays = {
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const

type FixedKind = keyof typeof arrays

const emptyOf = (kind: Exclude<Kind, 'text'>, count: number) =>
  kind === 'bool' ? new Uint8Array(count) : new arrays[kind](count)

function fixedValues(kind: FixedKind, bytes: Uint8Array, count: number): Values {
  const values = new arrays[kind](count)
  checkRoom(bytes, values.byteLength)
  new Uint8Array(values.buffer).set(bytes.subarray(0, values.byteLength))
  return values
}

function checkRoom(bytes: Uint8Array, needed: number) {
  if (needed > bytes.length)
    throw new DamagedPage(`${needed} bytes of values, received ${bytes.length}`)
}

/** The bytes of all values of one significance follow each other. */
function splitValues(kind: FixedKind, bytes: Uint8Array, count: number): Values {
  const values = new arrays[kind](count)
  const size = values.BYTES_PER_ELEMENT
  checkRoom(bytes, values.byteLength)
  const to = new Uint8Array(values.buffer)
  for (let b = 0, at = 0; b < size; b++)
    for (let i = 0; i < count; i++) to[i * size + b] = bytes[at++]!
  return values
}

/** Each text follows its length. */
function texts(bytes: Uint8Array, count: number): string[] {
  checkRoom(bytes, 4 * count)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const values: string[] = new Array<string>(count)
  for (let i = 0, at = 0; i < count; i++) {
    checkRoom(bytes, at + 4)
    const end = at + 4 + buffer.readUInt32LE(at)
    checkRoom(bytes, end)
    const text = buffer.subarray(at + 4, end)
    if (!isUtf8(text)) throw new DamagedPage('texts in UTF-8, received other bytes')
    values[i] = text.toString('utf8')
    at = end
  }
  return values
}

function bits(bytes: Uint8Array, count: number): Uint8Array {
  checkRoom(bytes, Math.ceil(count / 8))
  return Uint8Array.from({ length: count }, (_, i) => (bytes[i >> 3]! >> (i & 7)) & 1)
}

export function plainValues(kind: Kind, bytes: Uint8Array, count: number): Values {
  if (kind === 'text') return texts(bytes, count)
  return kind === 'bool' ? bits(bytes, count) : fixedValues(kind, bytes, count)
}

function fromDictionary(
  kind: Kind,
  bytes: Uint8Array,
  count: number,
  dictionary: Values | undefined,
) {
  if (!dictionary) throw new DamagedPage('a dictionary, received none')
  if (count > 0) checkRoom(bytes, 1)
  const places = unpackRuns(bytes.subarray(1), bytes[0] ?? 0, count)
  const values: unknown[] | Exclude<Values, string[]> =
    kind === 'text' ? new Array<string>(count) : emptyOf(kind, count)
  for (let i = 0; i < count; i++) {
    const value = dictionary[places[i]!]
    if (value === undefined)
      throw new DamagedPage(
        `positions in a dictionary of ${dictionary.length}, received ${places[i]}`,
      )
    values[i] = value
  }
  return values as Values
}

/** Truth values as runs, after the length of the runs. */
function truths(bytes: Uint8Array, count: number): Values {
  checkRoom(bytes, 4)
  return unpackRuns(bytes.subarray(4), 1, count) as Uint8Array
}

/**
 * Decodes the values of a page.
 *
 * @throws {DamagedPage} if there are fewer, or the encoding is not read.
 */
export function pageValues(
  kind: Kind,
  encoding: string,
  bytes: Uint8Array,
  count: number,
  dictionary: Values | undefined,
): Values {
  if (encoding === 'PLAIN') return plainValues(kind, bytes, count)
  if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY')
    return fromDictionary(kind, bytes, count, dictionary)
  if (encoding === 'RLE' && kind === 'bool') return truths(bytes, count)
  if (encoding === 'BYTE_STREAM_SPLIT' && kind !== 'bool' && kind !== 'text')
    return splitValues(kind, bytes, count)
  throw new DamagedPage(`the encoding of ${kind}, received ${encoding}`)
}
