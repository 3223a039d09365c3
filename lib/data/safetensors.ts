import { invalid } from '../errors'
import { bytesOf, fileError, printable, readBytes, shownJson, writePieces } from './file'
import { checkKind } from './typed-array'

/** A tensor of float32, row-major. */
export interface Tensor {
  readonly data: Float32Array
  readonly shape: readonly number[]
}

/** Named tensors, and texts about them. */
export interface Tensors {
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly metadata: Readonly<Record<string, string>>
}

/** The longest header that is read, as in the reference implementation. */
const headerLimit = 100_000_000

const metadataName = '__metadata__'

/** A tensor's place in the file, in bytes after the header. */
interface Place {
  readonly name: string
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)

const product = (shape: readonly number[]) => shape.reduce((length, side) => length * side, 1)

/**
 * Reads named tensors out of the bytes of a safetensors file; see {@link readSafetensors}.
 *
 * @param path Names the file in errors.
 * @returns Tensors over the given bytes where they are aligned, copied where not.
 */
export function parseSafetensors(bytes: Uint8Array, path: string): Tensors {
  const { header, start } = parseHeader(bytes, path)
  const metadata = checkMetadata(header[metadataName], path)
  const places = Object.entries(header)
    .filter(([name]) => name !== metadataName)
    .map(([name, entry]) => checkPlace(name, entry, path))
  checkCover(places, bytes.length - start, path)
  const tensors = places.map(({ name, shape, begin, end }) => {
    const data = floats(bytes.subarray(start + begin, start + end))
    return [name, { data, shape }] as const
  })
  return { tensors: Object.fromEntries(tensors), metadata }
}

function parseHeader(bytes: Uint8Array, path: string) {
  if (bytes.length < 8)
    throw fileError(path, `expected a safetensors file, received ${bytes.length} bytes`)
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
  const highest = Math.min(headerLimit, bytes.length - 8)
  if (length > highest)
    throw fileError(
      path,
      `expected a safetensors header of at most ${highest} bytes, received ${length}`,
    )
  const start = 8 + Number(length)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + 8, Number(length)).toString('utf8')
  return { header: parseObject(text, path), start }
}

function parseObject(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // Falls through to the one error for whatever is no object.
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
  if (dtype !== 'F32')
    throw fileError(
      path,
      `expected F32 elements for the tensor ${printable(name)}, received ${printable(dtype)}`,
    )
  if (!isSizes(shape)) throw wrong('a shape of non-negative integers', shape)
  if (!isSizes(offsets) || offsets.length !== 2) throw wrong('two data_offsets', offsets)
  const [begin, end] = offsets as [number, number]
  if (end - begin !== product(shape) * 4)
    throw wrong(`${product(shape) * 4} bytes of data`, end - begin)
  return { name, shape, begin, end }
}

/** The tensors must fill the data from its first to its last byte, one after the other. */
function checkCover(places: readonly Place[], length: number, path: string) {
  let covered = 0
  for (const { name, begin, end } of [...places].sort(
    (a, b) => a.begin - b.begin || a.end - b.end,
  )) {
    if (begin !== covered)
      throw fileError(
        path,
        `expected the tensor ${printable(name)} to begin at byte ${covered} of the data, received ${begin}`,
      )
    covered = end
  }
  if (covered !== length)
    throw fileError(path, `expected ${covered} bytes of data, received ${length}`)
}

/** The elements, borrowed where they are aligned and copied where not. */
function floats(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  return new Float32Array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / 4)
}

/**
 * The bytes of a safetensors file in pieces: the header, padded to a multiple of 8 bytes, then the
 * elements of each tensor, which are borrowed.
 *
 * @throws {TypeError | RangeError} if a shape does not hold as many elements as there are.
 */
export function formatSafetensors(contents: Tensors): Uint8Array[] {
  checkContents(contents)
  const { tensors, metadata } = contents
  const header: [string, unknown][] = [[metadataName, metadata]]
  let begin = 0
  for (const [name, { data, shape }] of Object.entries(tensors)) {
    if (name === metadataName) throw invalid('tensors', 'names of tensors', name)
    checkKind(`tensors.${name}.data`, data, ['Float32Array'], 'a Float32Array')
    if (!isSizes(shape)) throw invalid(`tensors.${name}.shape`, 'non-negative integers', shape)
    if (product(shape) !== data.length)
      throw invalid(`tensors.${name}.data`, `${product(shape)} elements for its shape`, data.length)
    header.push([name, { dtype: 'F32', shape, data_offsets: [begin, begin + data.byteLength] }])
    begin += data.byteLength
  }
  return [
    headerBytes(Object.fromEntries(header)),
    ...Object.values(tensors).map(({ data }) => bytesOf(data)),
  ]
}

function checkContents(contents: Tensors) {
  if (!isObject(contents?.tensors) || !isObject(contents.metadata))
    throw invalid('contents', 'objects of tensors and metadata', contents)
  for (const [name, value] of Object.entries(contents.metadata))
    if (typeof value !== 'string') throw invalid(`metadata.${name}`, 'a string', value)
}

function headerBytes(header: Record<string, unknown>): Uint8Array {
  const text = Buffer.from(JSON.stringify(header))
  const length = Math.ceil(text.length / 8) * 8
  const bytes = Buffer.alloc(8 + length, ' ')
  bytes.writeBigUInt64LE(BigInt(length))
  bytes.set(text, 8)
  return bytes
}

/**
 * Reads named float32 tensors and their metadata from a safetensors file.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if it is no such file, is damaged, or holds
 *   elements other than float32.
 * @see https://huggingface.co/docs/safetensors
 *
 * @example
 * const { tensors, metadata } = await readSafetensors('model.safetensors')
 */
export const readSafetensors = async (path: string): Promise<Tensors> =>
  parseSafetensors(await readBytes(path), path)

/**
 * Writes named float32 tensors and their metadata as a safetensors file, replacing one that is there.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if the file cannot be written.
 *
 * @example
 * const tensors = { H: { data: H.data, shape: [H.rows, H.cols] } }
 * await writeSafetensors('model.safetensors', { tensors, metadata: { rank: '32' } })
 */
export async function writeSafetensors(path: string, contents: Tensors): Promise<void> {
  await writePieces(path, formatSafetensors(contents))
}
