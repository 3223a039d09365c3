// The values of a page: numbers as typed arrays, texts as strings.
import { isUtf8 } from 'node:buffer'
import { inParts, unitsOfCopied, type Slice } from '../slices'
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

type Decoding<Result = Values> = Generator<void, Result>

function* fixedValues(kind: FixedKind, bytes: Uint8Array, count: number, slice: Slice): Decoding {
  const values = new arrays[kind](count)
  checkRoom(bytes, values.byteLength)
  const to = new Uint8Array(values.buffer)
  const copy = (begin: number, end: number) => to.set(bytes.subarray(begin, end), begin)
  yield* inParts(to.length, slice, copy, unitsOfCopied)
  return values
}

function checkRoom(bytes: Uint8Array, needed: number) {
  if (needed > bytes.length)
    throw new DamagedPage(`${needed} bytes of values, received ${bytes.length}`)
}

/** The bytes of all values of one significance follow each other. */
function* splitValues(kind: FixedKind, bytes: Uint8Array, count: number, slice: Slice): Decoding {
  const values = new arrays[kind](count)
  const size = values.BYTES_PER_ELEMENT
  checkRoom(bytes, values.byteLength)
  const to = new Uint8Array(values.buffer)
  for (let b = 0; b < size; b++)
    yield* inParts(count, slice, (begin, end) => {
      for (let i = begin; i < end; i++) to[i * size + b] = bytes[b * count + i]!
    })
  return values
}

/** Work for a text, in the units of a slice, beside an eighth for a byte. */
const unitsOfText = 16

/** Each text follows its length. */
function* texts(bytes: Uint8Array, count: number, slice: Slice): Decoding<string[]> {
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
    if (slice.spend(unitsOfText + text.length / 8)) yield
  }
  return values
}

function* bits(bytes: Uint8Array, count: number, slice: Slice): Decoding {
  checkRoom(bytes, Math.ceil(count / 8))
  const values = new Uint8Array(count)
  yield* inParts(count, slice, (begin, end) => {
    for (let i = begin; i < end; i++) values[i] = (bytes[i >> 3]! >> (i & 7)) & 1
  })
  return values
}

export function plainValues(kind: Kind, bytes: Uint8Array, count: number, slice: Slice): Decoding {
  if (kind === 'text') return texts(bytes, count, slice)
  return kind === 'bool' ? bits(bytes, count, slice) : fixedValues(kind, bytes, count, slice)
}

function* fromDictionary(
  kind: Kind,
  bytes: Uint8Array,
  count: number,
  dictionary: Values | undefined,
  slice: Slice,
): Decoding {
  if (!dictionary) throw new DamagedPage('a dictionary, received none')
  if (count > 0) checkRoom(bytes, 1)
  const places = yield* unpackRuns(bytes.subarray(1), bytes[0] ?? 0, count, slice)
  const values: unknown[] | Exclude<Values, string[]> =
    kind === 'text' ? new Array<string>(count) : emptyOf(kind, count)
  yield* inParts(count, slice, (begin, end) => {
    for (let i = begin; i < end; i++) {
      const value = dictionary[places[i]!]
      if (value === undefined)
        throw new DamagedPage(
          `positions in a dictionary of ${dictionary.length}, received ${places[i]}`,
        )
      values[i] = value
    }
  })
  return values as Values
}

/** Truth values as runs, after the length of the runs. */
function truths(bytes: Uint8Array, count: number, slice: Slice): Decoding {
  checkRoom(bytes, 4)
  return unpackRuns(bytes.subarray(4), 1, count, slice) as Decoding<Uint8Array>
}

/**
 * Decodes the values of a page, in turns.
 *
 * @throws {DamagedPage} if there are fewer, or the encoding is not read.
 */
export function pageValues(
  kind: Kind,
  encoding: string,
  bytes: Uint8Array,
  count: number,
  dictionary: Values | undefined,
  slice: Slice,
): Decoding {
  if (encoding === 'PLAIN') return plainValues(kind, bytes, count, slice)
  if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY')
    return fromDictionary(kind, bytes, count, dictionary, slice)
  if (encoding === 'RLE' && kind === 'bool') return truths(bytes, count, slice)
  if (encoding === 'BYTE_STREAM_SPLIT' && kind !== 'bool' && kind !== 'text')
    return splitValues(kind, bytes, count, slice)
  throw new DamagedPage(`the encoding of ${kind}, received ${encoding}`)
}
