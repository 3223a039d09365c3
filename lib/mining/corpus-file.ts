// The file of a prepared corpus, little-endian:
//
//   'GEMMCORP', the version as uint32, the length of the header as uint32, the header (JSON),
//   which rows were not removed [⌈rows / 32⌉ uint32, bit i of word w is row 32 w + i],
//   ids: values and ends, as in StoredIds,
//   the rows, also those removed [rows × cols float32],
//   if the header has `packed`: the centre [cols float32], the rows as scans read them [⌈rows / 32⌉ pages], a
//   checksum of each 32 pages [2 uint32]. A change of the layout of pages is a new version of the file,
//   the SHA-256 of all bytes before except the pages.
import { createHash } from 'node:crypto'
import { allocateBytes, fileError, replaceFile } from '../data/file'
import { skip, take, type ByteReader } from '../data/byte-reader'
import { shownFormat } from '../data/file-format'
import type { NativePacked, NativePacking } from '../native'
import { checkedHeader, checkIds, packingOf, type Header } from './corpus-header'
import type { StoredIds } from './row-ids'

const magic = Buffer.from('GEMMCORP')
const version = 2
const mostHeader = 4096
const digestBytes = 32

/** Bytes that are hashed, written and read at once. */
const pieceBytes = 1 << 20

/** What a file of a corpus has. */
export interface StoredCorpus extends Omit<Header, 'ids' | 'packed'> {
  /** [⌈rows / 32⌉] */
  readonly live: Uint32Array
  readonly ids: StoredIds | undefined
  /** [rows × cols], in shared memory that is nobody else's. */
  readonly data: Float32Array
  /** If the file has rows in the wanted format. */
  readonly packed: NativePacked | undefined
}

/** Packed rows that are written, piece by piece. */
export interface PackedPieces {
  readonly packing: NativePacking
  readonly pieces: AsyncIterable<{ readonly pages: Float32Array; readonly checksums: Uint32Array }>
}

function* inPieces(bytes: Uint8Array, most = pieceBytes) {
  for (let at = 0; at < bytes.length; at += most) yield bytes.subarray(at, at + most)
}

/**
 * Writes a file completely beside its place, and renames it.
 *
 * @param rows The rows piece by piece.
 * @throws {GemmineError} `ERR_GEMMINE_FILE`; an earlier file is then unchanged.
 */
export async function writeCorpus(
  path: string,
  corpus: Omit<StoredCorpus, 'data' | 'packed'>,
  rows: AsyncIterable<Float32Array>,
  packed?: PackedPieces,
): Promise<void> {
  const { live, ids, cols, metric } = corpus
  const values = ids ? textOf(ids) : new Uint8Array(0)
  const ends = ids && ids.kind !== 'number' ? new Uint8Array(ids.ends, 0, 8 * ids.count) : undefined
  const named = ids && { kind: ids.kind, values: values.length, ends: ends?.length ?? 0 }
  const header = Buffer.from(
    JSON.stringify({
      ...{ rows: corpus.rows, cols, metric, ids: named ?? null },
      packed: packed ? packingOf(packed.packing) : null,
    }),
  )
  const sizes = Buffer.alloc(8)
  sizes.writeUInt32LE(version, 0)
  sizes.writeUInt32LE(header.length, 4)
  const hash = createHash('sha256')
  const hashed = (bytes: Uint8Array) => {
    hash.update(bytes)
    return bytes
  }
  async function* pieces() {
    for (const part of [magic, sizes, header, bytesOf(live), values, ends ?? new Uint8Array(0)])
      for (const piece of inPieces(part)) yield hashed(piece)
    for await (const piece of rows) yield hashed(bytesOf(piece))
    if (packed) {
      yield hashed(bytesOf(packed.packing.centre))
      const sums: Uint32Array[] = []
      for await (const { pages, checksums } of packed.pieces) {
        sums.push(checksums)
        yield bytesOf(pages)
      }
      for (const each of sums) yield hashed(bytesOf(each))
    }
    yield hash.digest()
  }
  await replaceFile(path, pieces())
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** The used bytes of the values of ids. */
const textOf = ({ kind, count, values, ends }: StoredIds) =>
  new Uint8Array(
    values,
    0,
    kind === 'number' ? 8 * count : (new Float64Array(ends, 0, count).at(-1) ?? 0),
  )

/** Reads parts of a file one after the other, and hashes them. */
class HashedReader {
  readonly #hash = createHash('sha256')

  constructor(readonly reader: ByteReader) {}

  async take(length: number): Promise<Uint8Array> {
    const bytes = await take(this.reader, length)
    if (bytes.length < length)
      throw fileError(this.reader.path, `expected ${length} more bytes, received ${bytes.length}`)
    this.#hash.update(bytes)
    return bytes
  }

  async fill(target: Uint8Array, isHashed = true): Promise<void> {
    for (const piece of inPieces(target, isHashed ? pieceBytes : 8 * pieceBytes)) {
      await this.reader.fill(piece)
      if (isHashed) this.#hash.update(piece)
    }
  }

  digest() {
    return this.#hash.digest()
  }
}

async function readHeader(from: HashedReader): Promise<Header> {
  const { path, left } = from.reader
  const start = await from.take(Math.min(16, left))
  if (start.length < 16 || !magic.equals(start.subarray(0, 8)))
    throw fileError(path, `expected a file of a corpus, received ${shownFormat(start)}`)
  const sizes = Buffer.from(start.buffer, start.byteOffset + 8, 8)
  const [found, length] = [sizes.readUInt32LE(0), sizes.readUInt32LE(4)]
  if (found !== version)
    throw fileError(path, `expected version ${version} of the format, received version ${found}`)
  if (length > mostHeader)
    throw fileError(path, `expected a header of at most ${mostHeader} bytes, received ${length}`)
  return checkedHeader(Buffer.from(await from.take(length)).toString('utf8'), path)
}

/** Shared memory for a part of the file, whose size was compared with that of the file. */
function sharedBytes(path: string, length: number): SharedArrayBuffer {
  if (length > pieceBytes) allocateBytes(path, 0)
  return new SharedArrayBuffer(length)
}

/** Bytes of the packed rows and of what belongs to them. */
const packedSizes = ({ rows, cols, packed }: Header) => {
  const pages = Math.ceil(rows / 32)
  return packed
    ? { centre: 4 * cols, pages: pages * packed.pageBytes, sums: 8 * Math.ceil(pages / 32) }
    : { centre: 0, pages: 0, sums: 0 }
}

/** The packed rows, if they are in the wanted format; others are packed from the rows. */
async function readPacked(from: HashedReader, header: Header, format: string | undefined) {
  const { packed } = header
  if (!packed) return undefined
  const { path } = from.reader
  const sizes = packedSizes(header)
  const centre = new Float32Array(header.cols)
  await from.fill(bytesOf(centre))
  const isWanted = packed.format === format
  const pages = new Float32Array(sharedBytes(path, isWanted ? sizes.pages : 0))
  if (isWanted) await from.fill(bytesOf(pages), false)
  else await skip(from.reader, sizes.pages)
  const checksums = new Uint32Array(sizes.sums / 4)
  await from.fill(bytesOf(checksums))
  return isWanted ? { ...packed, centre, pages, checksums } : undefined
}

/**
 * Reads a file of a corpus.
 *
 * @param format That of packed rows; they are skipped unless given.
 * @param isDigestChecked Only tests of damaged files that a digest would find say no.
 * @throws {GemmineError} `ERR_GEMMINE_FILE` for a damaged or foreign file.
 */
export async function readCorpus(
  reader: ByteReader,
  { format, isDigestChecked = true }: { format?: string; isDigestChecked?: boolean } = {},
): Promise<StoredCorpus> {
  const { path } = reader
  const from = new HashedReader(reader)
  const header = await readHeader(from)
  const { rows, cols, metric, ids } = header
  const words = Math.ceil(rows / 32)
  const { centre, pages, sums } = packedSizes(header)
  const expected =
    4 * words +
    (ids ? ids.values + ids.ends : 0) +
    4 * rows * cols +
    (centre + pages + sums) +
    digestBytes
  if (reader.left !== expected)
    throw fileError(path, `expected ${expected} bytes after the header, received ${reader.left}`)
  const live = new Uint32Array(words)
  await from.fill(new Uint8Array(live.buffer))
  const values = sharedBytes(path, ids?.values ?? 0)
  const ends = sharedBytes(path, ids?.ends ?? 0)
  await from.fill(new Uint8Array(values))
  await from.fill(new Uint8Array(ends))
  const data = new Float32Array(sharedBytes(path, 4 * rows * cols))
  await from.fill(new Uint8Array(data.buffer))
  const packed = await readPacked(from, header, format)
  const digest = from.digest()
  if (isDigestChecked && !digest.equals(await take(reader, digestBytes)))
    throw fileError(path, 'expected contents with the SHA-256 at its end: it is damaged')
  const last = rows % 32
  if (live.every((word) => word === 0) || (last > 0 && live.at(-1)! >>> last !== 0))
    throw fileError(path, `expected some of ${rows} rows that were not removed`)
  const stored = ids ? { kind: ids.kind, count: rows, values, ends } : undefined
  if (stored) checkIds(stored, path)
  return { rows, cols, metric, live, ids: stored, data, packed }
}
