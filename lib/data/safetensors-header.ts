// Reads and checks the header of a safetensors file.
import { take } from './byte-reader'
import type { ByteReader } from './byte-reader'
import { safetensorsTypes, sizeOf } from './element-types'
import type { ElementType } from './element-types'
import { fileError, printable, shownJson } from './file'

export const metadataName = '__metadata__'

/** Maximum length of a header, as in the reference implementation. */
const headerLimit = 100_000_000

/** Position of a tensor in the file, in bytes after the header. */
export interface Place {
  readonly name: string
  readonly dtype: string
  /** Undefined for a dtype without an array type. */
  readonly type: ElementType | undefined
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

export interface Header {
  /** In the order of the file. */
  readonly places: readonly Place[]
  readonly metadata: Readonly<Record<string, string>>
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)

export const product = (shape: readonly number[]) =>
  shape.reduce((length, side) => length * side, 1)

/** Reads the header; the data follow. */
export async function readHeader(reader: ByteReader): Promise<Header> {
  const { path } = reader
  const header = parseObject(await headerText(reader), path)
  const metadata = checkMetadata(header[metadataName], path)
  const places = Object.entries(header)
    .filter(([name]) => name !== metadataName)
    .map(([name, entry]) => checkPlace(name, entry, path))
  checkCover(places, reader)
  return { places, metadata }
}

async function headerText(reader: ByteReader): Promise<string> {
  const { path } = reader
  const prefix = Buffer.from(await take(reader, 8))
  if (prefix.length < 8)
    throw fileError(path, `expected a safetensors file, received ${prefix.length} bytes`)
  const length = prefix.readBigUInt64LE()
  const highest = Math.min(headerLimit, reader.left)
  if (length > highest)
    throw fileError(
      path,
      `expected a safetensors header of at most ${highest} bytes, received ${length}`,
    )
  const text = await take(reader, Number(length))
  return Buffer.from(text.buffer, text.byteOffset, text.length).toString('utf8')
}

function parseObject(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // Falls through to the error for a header that is no object.
  }
  throw fileError(
    path,
    `expected a JSON object as the safetensors header, received ${printable(text)}`,
  )
}

function checkMetadata(metadata: unknown = {}, path: string): Record<string, string> {
  if (isObject(metadata) && Object.values(metadata).every((value) => typeof value === 'string'))
    return metadata as Record<string, string>
  throw fileError(
    path,
    `expected an object of strings for ${metadataName}, received ${shownJson(metadata)}`,
  )
}

function checkPlace(name: string, entry: unknown, path: string): Place {
  const wrong = (expected: string, received: unknown) =>
    fileError(
      path,
      `expected ${expected} for the tensor ${printable(name)}, received ${shownJson(received)}`,
    )
  if (!isObject(entry)) throw wrong('an object', entry)
  const { dtype, shape, data_offsets: offsets } = entry
  if (typeof dtype !== 'string') throw wrong('a dtype', dtype)
  if (!isSizes(shape)) throw wrong('a shape of non-negative integers', shape)
  if (!isSizes(offsets) || offsets.length !== 2) throw wrong('two data_offsets', offsets)
  const [begin, end] = offsets as [number, number]
  const type = safetensorsTypes.get(dtype)
  const needed = type ? product(shape) * sizeOf(type) : Math.max(0, end - begin)
  if (end - begin !== needed) throw wrong(`${needed} bytes of data`, end - begin)
  return { name, dtype, type, shape, begin, end }
}

/** Checks that the tensors fill the data without gaps or overlaps. */
function checkCover(places: Place[], { path, left, unpacked }: ByteReader) {
  let covered = 0
  for (const { name, begin, end } of places.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered)
      throw fileError(
        path,
        `expected the tensor ${printable(name)} to begin at byte ${covered} of the data, received ${begin}`,
      )
    covered = end
  }
  if (unpacked ? covered > left : covered !== left)
    throw fileError(
      path,
      `expected ${covered} bytes of data, received ${unpacked ? 'at most ' : ''}${left}`,
    )
}
