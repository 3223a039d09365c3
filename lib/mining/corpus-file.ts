// The file of a prepared corpus, little-endian:
//
//   'GEMMCORP', the version as uint32, the length of the header as uint32, the header (JSON),
//   which rows were not removed [⌈rows / 32⌉ uint32, bit i of word w is row 32 w + i],
//   ids: values and ends, as in StoredIds,
//   the rows, also those removed [rows × cols float32],
//   the SHA-256 of all bytes before.
import { createHash } from 'node:crypto'
import { allocateBytes, fileError, printable, replaceFile } from '../data/file'
import { take, type ByteReader } from '../data/byte-reader'
import { shownFormat } from '../data/file-format'
import { metrics, type Metric } from './metric'
import { mostDigits, type IdKind, type StoredIds } from './row-ids'

const magic = Buffer.from('GEMMCORP')
const version = 1
const mostHeader = 4096
const mostRows = 2 ** 31 - 1
const digestBytes = 32

/** Bytes that are hashed, written and read at once. */
const pieceBytes = 1 << 20

interface Header {
  readonly rows: number
  readonly cols: number
  readonly metric: Metric
  readonly ids: { readonly kind: IdKind; readonly values: number; readonly ends: number } | null
}

/** What a file of a corpus has. */
interface StoredCorpus extends Omit<Header, 'ids'> {
  /** [⌈rows / 32⌉] */
  readonly live: Uint32Array
  readonly ids: StoredIds | undefined
  /** [rows × cols], in shared memory that is nobody else's. */
  readonly data: Float32Array
}

function* inPieces(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/**
 * Writes a file completely beside its place, and renames it.
 *
 * @param rows The rows piece by piece.
 * @throws {GemmineError} `ERR_GEMMINE_FILE`; an earlier file is then unchanged.
 */
export async function writeCorpus(
  path: string,
  corpus: Omit<StoredCorpus, 'data'>,
  rows: AsyncIterable<Float32Array>,
): Promise<void> {
  const { live, ids, cols, metric } = corpus
  const values = ids ? textOf(ids) : new Uint8Array(0)
  const ends = ids && ids.kind !== 'number' ? new Uint8Array(ids.ends, 0, 8 * ids.count) : undefined
  const named = ids && { kind: ids.kind, values: values.length, ends: ends?.length ?? 0 }
  const header = Buffer.from(
    JSON.stringify({ rows: corpus.rows, cols, metric, ids: named ?? null }),
  )
  const sizes = Buffer.alloc(8)
  sizes.writeUInt32LE(version, 0)
  sizes.writeUInt32LE(header.length, 4)
  const hash = createHash('sha256')
  async function* pieces() {
    const first = [
      magic,
      sizes,
      header,
      new Uint8Array(live.buffer, live.byteOffset, live.byteLength),
    ]
    for (const part of [...first, values, ends ?? new Uint8Array(0)]) yield* inPieces(part)
    for await (const piece of rows)
      yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
  }
  async function* hashed() {
    for await (const piece of pieces()) {
      hash.update(piece)
      yield piece
    }
    yield hash.digest()
  }
  await replaceFile(path, hashed())
}

/** The used bytes of the values of ids. */
const textOf = ({ kind, count, values, ends }: StoredIds) =>
  new Uint8Array(
    values,
    0,
    kind === 'number' ? 8 * count : (new Float64Array(ends, 0, count).at(-1) ?? 0),
  )

const isCount = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most

function checkedHeader(text: string, path: string): Header {
  let given: Record<string, unknown>
  try {
    given = JSON.parse(text) as Record<string, unknown>
  } catch {
    throw fileError(path, `expected a header in JSON, received ${printable(text)}`)
  }
  const { rows, cols, metric, ids } = (given ?? {}) as Record<string, unknown>
  if (!isCount(rows, mostRows) || !isCount(cols, mostRows) || rows === 0 || cols === 0)
    throw fileError(path, `expected numbers of rows and columns, received ${printable(text)}`)
  if (!metrics.includes(metric as Metric))
    throw fileError(
      path,
      `expected a metric, one of ${metrics.join(', ')}, received ${printable(text)}`,
    )
  if (ids === null) return { rows, cols, metric: metric as Metric, ids }
  const { kind, values, ends } = (ids ?? {}) as Record<string, unknown>
  const isNumber = kind === 'number'
  const isRight =
    (isNumber || kind === 'bigint' || kind === 'string') &&
    isCount(values, Number.MAX_SAFE_INTEGER) &&
    (!isNumber || values === 8 * rows) &&
    ends === (isNumber ? 0 : 8 * rows)
  if (!isRight)
    throw fileError(path, `expected the kind and sizes of ids, received ${printable(text)}`)
  return { rows, cols, metric: metric as Metric, ids: { kind, values, ends } }
}

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

  async fill(target: Uint8Array): Promise<void> {
    for (const piece of inPieces(target)) {
      await this.reader.fill(piece)
      this.#hash.update(piece)
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

/**
 * Reads a file of a corpus.
 *
 * @param isDigestChecked Only tests of damaged files that a digest would find say no.
 * @throws {GemmineError} `ERR_GEMMINE_FILE` for a damaged or foreign file.
 */
export async function readCorpus(
  reader: ByteReader,
  isDigestChecked = true,
): Promise<StoredCorpus> {
  const { path } = reader
  const from = new HashedReader(reader)
  const { rows, cols, metric, ids } = await readHeader(from)
  const words = Math.ceil(rows / 32)
  const expected = 4 * words + (ids ? ids.values + ids.ends : 0) + 4 * rows * cols + digestBytes
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
  const digest = from.digest()
  if (isDigestChecked && !digest.equals(await take(reader, digestBytes)))
    throw fileError(path, 'expected contents with the SHA-256 at its end: it is damaged')
  const last = rows % 32
  if (live.every((word) => word === 0) || (last > 0 && live.at(-1)! >>> last !== 0))
    throw fileError(path, `expected some of ${rows} rows that were not removed`)
  const stored = ids ? { kind: ids.kind, count: rows, values, ends } : undefined
  if (stored) checkIds(stored, path)
  return { rows, cols, metric, live, ids: stored, data }
}

const decimal = new RegExp(`^(0|-?[1-9]\\d{0,${mostDigits - 1}})$`)

function checkIds({ kind, count, values, ends }: StoredIds, path: string) {
  if (kind === 'number') {
    const wrong = new Float64Array(values).findIndex(
      (id) => !Number.isSafeInteger(id) || Object.is(id, -0),
    )
    if (wrong >= 0) throw fileError(path, `expected an integer as the id of row ${wrong}`)
    return
  }
  let before = 0
  const text = Buffer.from(values)
  new Float64Array(ends).forEach((end, row) => {
    const isEnd =
      Number.isInteger(end) && end % 2 === 0 && end >= before && end <= values.byteLength
    const isLast = row < count - 1 || end === values.byteLength
    if (!isEnd || !isLast) throw fileError(path, `expected the end of the id of row ${row}`)
    if (kind === 'bigint' && !decimal.test(text.toString('utf16le', before, end)))
      throw fileError(path, `expected a bigint as the id of row ${row}`)
    before = end
  })
}
