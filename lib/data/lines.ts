import { throwIfAborted, type AbortSignalLike } from '../cancellation'
import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { working } from '../jobs'
import { checkPath, fileError, systemFailure } from './file'
import { inflated, isGzip } from './inflate'

/** Bytes that are split into lines at a time: a few milliseconds of work. */
const pieceBytes = 1 << 15

/**
 * Maximum of bytes in a line, unless the reader has another: a line is one piece of work, a few milliseconds
 * for this one.
 */
const usualLimit = 1 << 22

/** The same for lines with texts. */
export const longLine = 1 << 25

const newline = 0x0a

/** Receives the lines of a file in order, numbered from 1, and builds a result. */
export interface LineReader<T> {
  line(text: string, number: number): void
  finish(): T
  /** Whether no further line is needed. */
  readonly done?: boolean
  /** Maximum of bytes in a line. */
  readonly lineLimit?: number | undefined
}

/**
 * Splits UTF-8 bytes, given piece by piece, into lines. Removes a byte order mark and carriage returns before
 * line ends; a line end at the end of the file does not begin another line.
 */
export class LineCutter {
  private pieces: Uint8Array[] = []
  private kept = 0
  private lines = 0

  constructor(
    private readonly path: string,
    private readonly take: (text: string, number: number) => void,
    private readonly limit = usualLimit,
  ) {}

  push(bytes: Uint8Array) {
    const end = bytes.lastIndexOf(newline)
    if (end !== -1) {
      this.cut(Buffer.concat([...this.pieces, bytes.subarray(0, end)]))
      this.pieces = []
      this.kept = 0
    }
    const rest = bytes.subarray(end + 1)
    this.kept += rest.length
    if (this.kept > this.limit)
      throw fileError(
        this.path,
        `line ${this.lines + 1}: expected at most ${this.limit} bytes in a line, received more`,
      )
    if (rest.length > 0) this.pieces.push(rest)
  }

  end() {
    if (this.kept > 0) this.cut(Buffer.concat(this.pieces))
  }

  private cut(bytes: Buffer) {
    if (!isUtf8(bytes)) throw this.badEncoding(bytes)
    const text = bytes.toString('utf8')
    const plain = this.lines === 0 && text.startsWith('\ufeff') ? text.slice(1) : text
    for (const line of plain.split('\n')) {
      this.lines++
      this.take(line.endsWith('\r') ? line.slice(0, -1) : line, this.lines)
    }
  }

  private badEncoding(bytes: Buffer) {
    let number = this.lines + 1
    for (let start = 0; ; number++) {
      const end = bytes.indexOf(newline, start)
      if (end === -1 || !isUtf8(bytes.subarray(start, end))) break
      start = end + 1
    }
    return fileError(this.path, `line ${number}: expected UTF-8 text, received other bytes`)
  }
}

/** Reads the lines of a file in memory. */
export function parseLines<T>(bytes: Uint8Array, path: string, reader: LineReader<T>): T {
  const cutter = new LineCutter(path, (text, number) => reader.line(text, number), reader.lineLimit)
  for (let at = 0; at < bytes.length; at += pieceBytes)
    cutter.push(bytes.subarray(at, at + pieceBytes))
  cutter.end()
  return reader.finish()
}

interface ReadLinesOptions {
  readonly signal?: AbortSignalLike | undefined
  /** Called with the size of each piece of the file, before it is unpacked. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/**
 * Reads the lines of a file or a pipe, which may be packed, piece by piece; the event loop runs between the
 * pieces.
 */
export async function readLines<T>(
  path: string,
  reader: LineReader<T>,
  { signal, onBytes = () => {} }: ReadLinesOptions = {},
): Promise<Awaited<T>> {
  checkPath(path)
  // Nobody knows when a pipe ends, so only files are waited for at the end of a service.
  const isFile = (await working(stat(path)).catch(() => undefined))?.isFile()
  const work = readPieces(path, reader, { signal, onBytes })
  return isFile ? working(work) : work
}

async function readPieces<T>(
  path: string,
  reader: LineReader<T>,
  { signal, onBytes }: ReadLinesOptions & { onBytes: (bytes: number) => void },
): Promise<Awaited<T>> {
  const cutter = new LineCutter(path, (text, number) => reader.line(text, number), reader.lineLimit)
  try {
    for await (const piece of plainPieces(path, onBytes)) {
      throwIfAborted(signal)
      cutter.push(piece)
      if (reader.done) return await reader.finish()
    }
  } catch (error) {
    throw systemFailure(path, error)
  }
  cutter.end()
  return await reader.finish()
}

/** The pieces of a file, unpacked if it is gzip data. */
async function* plainPieces(
  path: string,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const pieces = createReadStream(path, { highWaterMark: pieceBytes })[Symbol.asyncIterator]()
  try {
    const first = await pieces.next()
    if (first.done) return
    const all = resumed(first.value as Uint8Array, pieces, onBytes)
    yield* isGzip(first.value as Uint8Array) ? inflated(all, 'gzip', path) : all
  } finally {
    await pieces.return?.()
  }
}

async function* resumed(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  onBytes(first.length)
  yield first
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    onBytes(next.value.length)
    yield next.value
  }
}
