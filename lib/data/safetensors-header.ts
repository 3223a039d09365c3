// Reads and checks the header of a safetensors file.
import { take } from './byte-reader'
import type { ByteReader } from './byte-reader'
import { safetensorsTypes, sizeOf } from './element-types'
import type { ElementType } from './element-types'
import { fileError, printable, shownJson } from './file'
import { members } from './json-members'
import { inTurns, sortedInTurns, type Slice } from './slices'
import { TextNumbers } from './text-numbers'

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
  const bytes = await headerBytes(reader)
  const header = await inTurns((slice) => parsedHeader(bytes, path, slice))
  const places = await sortedInTurns(header.places, (a, b) => a.begin - b.begin || a.end - b.end)
  await inTurns((slice) => checkCover(places, reader, slice))
  return { places, metadata: header.metadata }
}

async function headerBytes(reader: ByteReader): Promise<Buffer> {
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
  return Buffer.from(text.buffer, text.byteOffset, text.length)
}

/** Bytes about one tensor, at most. */
const entryLimit = 1 << 20

/** Bytes of a header that is no JSON that its error shows. */
const shownBytes = 400

const parsed = (bytes: Buffer): unknown => JSON.parse(bytes.toString('utf8'))

/** Work for a member of the header, in the units of a slice. */
const unitsOfMember = 256

function* parsedHeader(bytes: Buffer, path: string, slice: Slice): Generator<void, Header> {
  const places: Place[] = []
  const names = new TextNumbers()
  let metadata: Record<string, string> = {}
  try {
    for (const { name, value } of members(bytes)) {
      const before = names.size
      names.add(name)
      if (names.size === before)
        throw fileError(path, `expected every tensor once, received ${printable(name)} twice`)
      if (name === metadataName) metadata = checkMetadata(parsed(value), path)
      else if (value.length > entryLimit)
        throw fileError(
          path,
          `expected at most ${entryLimit} bytes about the tensor ${printable(name)}, received ${value.length}`,
        )
      else places.push(checkPlace(name, parsed(value), path))
      if (slice.spend(unitsOfMember + value.length)) yield
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const shown = printable(bytes.toString('utf8', 0, shownBytes))
    throw fileError(path, `expected a JSON object as the safetensors header, received ${shown}`)
  }
  return { places, metadata }
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
function* checkCover(
  places: readonly Place[],
  { path, left, unpacked }: ByteReader,
  slice: Slice,
): Generator<void, void> {
  let covered = 0
  for (const { name, begin, end } of places) {
    if (begin !== covered)
      throw fileError(
        path,
        `expected the tensor ${printable(name)} to begin at byte ${covered} of the data, received ${begin}`,
      )
    covered = end
    if (slice.spend(1)) yield
  }
  if (unpacked ? covered > left : covered !== left)
    throw fileError(
      path,
      `expected ${covered} bytes of data, received ${unpacked ? 'at most ' : ''}${left}`,
    )
}
