import { invalid } from '../errors'
import { pause } from '../jobs'
import { bytesInMemory, reading, skip, withReader } from './byte-reader'
import type { ByteReader } from './byte-reader'
import { loadElements, readBytes } from './dense-elements'
import type { Loading } from './dense-elements'
import {
  elementTypes,
  elementsOver,
  safetensorsTypes,
  typeOfArray,
  wantedArrays,
} from './element-types'
import type { DenseData, ElementType } from './element-types'
import { bytesOf, fileError, printable, writePieces } from './file'
import type { DenseMatrix, MatrixFile } from './matrix'
import { chosenMatrix } from './named-matrix'
import { isObject, isSizes, metadataName, product, readHeader } from './safetensors-header'
import { Slice, inTurns } from './slices'
import { kindOf } from './typed-array'

/** A tensor, row-major. */
export interface Tensor {
  /** Elements of the file's type; bytes if the type has no array type. */
  readonly data: DenseData
  readonly shape: readonly number[]
  /**
   * Needed only for a `Uint16Array`, which may contain `uint16`, `float16` or `bfloat16`. Readers set it,
   * unless the type has no array type.
   */
  readonly type?: ElementType | undefined
}

/** Named tensors, and metadata of strings. */
export interface Tensors {
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly metadata: Readonly<Record<string, string>>
}

/** Work for a tensor, in the units of a slice. */
const unitsOfTensor = 256

/** Reads every tensor, in the order of the file. */
async function readTensors(reader: ByteReader): Promise<Tensors> {
  const { places, metadata } = await readHeader(reader)
  const tensors: Record<string, Tensor> = {}
  const slice = new Slice()
  for (const { name, shape, type, begin, end } of places) {
    const bytes = await readBytes(reader, end - begin)
    const value = type ? { data: elementsOver(bytes, type), shape, type } : { data: bytes, shape }
    // Not by assignment, which would change the prototype if the name is __proto__.
    Object.defineProperty(tensors, name, { ...ownProperty, value })
    if (slice.spend(unitsOfTensor)) await pause()
  }
  await checkEnd(reader)
  return { tensors, metadata }
}

const ownProperty = { enumerable: true, configurable: true, writable: true }

/** The length of packed data is known only at its end. */
async function checkEnd(reader: ByteReader) {
  if ((await skip(reader, 1)) > 0)
    throw fileError(reader.path, 'expected no data after the last tensor, received more')
}

/** The matrix of this name, or the only one of floats, its position in the data, and the size of all data. */
export async function matrixIn(reader: ByteReader, name: string | undefined) {
  const { places } = await readHeader(reader)
  const place = chosenMatrix(reader.path, places, name)
  const { shape, type, dtype, begin } = place
  const [rows, cols] = shape as [number, number]
  const wrong = (expected: string, received: string) =>
    fileError(
      reader.path,
      `expected ${expected} for the tensor ${printable(place.name)}, received ${received}`,
    )
  if (!type) throw wrong(`one of ${[...safetensorsTypes.keys()].join(', ')}`, printable(dtype))
  if (shape.length !== 2 || !(rows > 0 && cols > 0))
    throw wrong('at least one row and one column', `the shape [${shape.join(', ')}]`)
  const all = places.at(-1)!.end
  return { begin, all, rows, cols, type, bigEndian: false, fortranOrder: false }
}

/** Reads this matrix, or leaves it in the file. Packed data are read to their end, where their checksum stands. */
export async function loadSafetensorsFrom(
  reader: ByteReader,
  name: string | undefined,
  loading: Loading,
): Promise<DenseMatrix | MatrixFile> {
  const { begin, all, ...layout } = await matrixIn(reader, name)
  await skip(reader, begin)
  const left = reader.left
  const matrix = await loadElements(reader, layout, loading)
  if (!reader.unpacked) return matrix
  const behind = all - begin - (left - reader.left)
  const skipped = await skip(reader, behind)
  if (skipped < behind)
    throw fileError(
      reader.path,
      `expected ${all} bytes of data, received ${all - behind + skipped}`,
    )
  await checkEnd(reader)
  return matrix
}

/**
 * Reads named tensors from the bytes of a safetensors file; see {@link readSafetensors}.
 *
 * @param path Names the file in errors.
 */
export const parseSafetensors = (bytes: Uint8Array, path: string): Promise<Tensors> =>
  reading(bytesInMemory(bytes, path), readTensors)

/**
 * The bytes of a safetensors file in pieces: the header, padded to a multiple of 8 bytes, then the
 * elements of each tensor, which are borrowed.
 *
 * @throws {TypeError | RangeError} if the number of elements does not match a shape.
 */
export async function formatSafetensors(contents: Tensors): Promise<Uint8Array[]> {
  checkContents(contents)
  const { tensors, metadata } = contents
  const header = new HeaderText(`{${JSON.stringify(metadataName)}:${JSON.stringify(metadata)}`)
  const pieces: Uint8Array[] = []
  await inTurns(function* (slice) {
    let begin = 0
    for (const name of Object.keys(tensors)) {
      const tensor = tensors[name]!
      const dtype = checkedType(name, tensor)
      const { data, shape } = tensor
      const entry = { dtype, shape, data_offsets: [begin, begin + data.byteLength] }
      header.add(`,${JSON.stringify(name)}:${JSON.stringify(entry)}`)
      pieces.push(bytesOf(data))
      begin += data.byteLength
      if (slice.spend(unitsOfTensor)) yield
    }
  })
  return [...header.pieces(), ...pieces]
}

/** The type of a tensor in a header. */
function checkedType(name: string, { data, shape, type }: Tensor): string {
  const written = typeOfArray(kindOf(data), type)
  if (!written) throw invalid(`tensors.${name}.data`, wantedArrays, data)
  if (name === metadataName) throw invalid('tensors', 'names of tensors', name)
  if (!isSizes(shape)) throw invalid(`tensors.${name}.shape`, 'non-negative integers', shape)
  if (product(shape) !== data.length)
    throw invalid(`tensors.${name}.data`, `${product(shape)} elements for its shape`, data.length)
  return elementTypes[written].safetensors
}

function checkContents(contents: Tensors) {
  if (!isObject(contents?.tensors) || !isObject(contents.metadata))
    throw invalid('contents', 'objects of tensors and metadata', contents)
  for (const [name, value] of Object.entries(contents.metadata))
    if (typeof value !== 'string') throw invalid(`metadata.${name}`, 'a string', value)
}

/** The text of a header in pieces, as all of it would take long to encode. */
class HeaderText {
  private readonly encoded: Buffer[] = []
  private length = 0

  constructor(private text: string) {}

  add(text: string) {
    this.text += text
    if (this.text.length >= 1 << 16) this.encode()
  }

  private encode() {
    const bytes = Buffer.from(this.text)
    this.encoded.push(bytes)
    this.length += bytes.length
    this.text = ''
  }

  /** The length, the text and its padding. */
  pieces(): Buffer[] {
    this.text += '}'
    this.encode()
    const length = Math.ceil(this.length / 8) * 8
    const prefix = Buffer.alloc(8)
    prefix.writeBigUInt64LE(BigInt(length))
    return [prefix, ...this.encoded, Buffer.alloc(length - this.length, ' ')]
  }
}

/**
 * Reads named tensors and their metadata from a safetensors file, possibly packed (`.safetensors.gz`). Every
 * tensor has the element type of the file.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if it is not such a file, or is damaged;
 *   `ERR_GEMMINE_OUT_OF_MEMORY`.
 * @see https://huggingface.co/docs/safetensors
 *
 * @example
 * const { tensors, metadata } = await readSafetensors('model.safetensors')
 */
export const readSafetensors = (path: string): Promise<Tensors> => withReader(path, readTensors)

/**
 * Writes named tensors and their metadata as a safetensors file, replacing one that is there.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if the file cannot be written.
 *
 * @example
 * const tensors = { H: { data: H.data, shape: [H.rows, H.cols] } }
 * await writeSafetensors('model.safetensors', { tensors, metadata: { rank: '32' } })
 */
export async function writeSafetensors(path: string, contents: Tensors): Promise<void> {
  const pieces = await formatSafetensors(contents)
  await writePieces(path, pieces)
}
