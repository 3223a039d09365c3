import { working } from '../jobs'
import { closeDescriptor, openFile, readInto, systemFailure } from './file'
import type { OpenFile } from './file'
import { inflated, isGzip, largestRatio } from './inflate'

/** Bytes with random access: a file, or memory. */
export interface Bytes {
  readonly path: string
  readonly size: number
  /** Whether a job can read them directly from the file. */
  readonly inFile: boolean
  /** Fills `target` from `position` on; the whole range must exist. */
  readInto(target: Uint8Array, position: number): Promise<void>
}

export const bytesOfFile = (file: OpenFile): Bytes => ({
  path: file.path,
  size: file.size,
  inFile: true,
  readInto: (target, position) => readInto(file, target, position),
})

export const bytesInMemory = (bytes: Uint8Array, path: string): Bytes => ({
  path,
  size: bytes.length,
  inFile: false,
  readInto: async (target, position) =>
    target.set(bytes.subarray(position, position + target.length)),
})

/** Up to `length` bytes from `position` on, fewer only at the end. */
export async function readAt(bytes: Bytes, position: number, length: number): Promise<Uint8Array> {
  const target = new Uint8Array(Math.max(0, Math.min(length, bytes.size - position)))
  await bytes.readInto(target, position)
  return target
}

/** Bytes that are read once, in order: a part of a file, or its unpacked content. */
export interface ByteReader {
  /** Name in messages. */
  readonly path: string
  /** Upper limit of the remaining bytes; exact unless they are unpacked. */
  readonly left: number
  readonly unpacked: boolean
  /** Position of the next byte in the file, if a job can read it from there. */
  readonly position?: number | undefined
  /** Fills `target` and resolves to the number of bytes, less than its length only at the end. */
  fill(target: Uint8Array): Promise<number>
  /** Stops unpacking; the underlying bytes stay open. */
  close(): Promise<void>
}

/** Reads up to `length` bytes, fewer only at the end. */
export async function take(reader: ByteReader, length: number): Promise<Uint8Array> {
  const target = new Uint8Array(Math.min(length, reader.left))
  return target.subarray(0, await reader.fill(target))
}

/** Bytes per read when they are skipped. */
const pieceBytes = 1 << 18

/** Skips up to `length` bytes, fewer only at the end, and resolves to their number. */
export async function skip(reader: ByteReader, length: number): Promise<number> {
  if (reader instanceof PlainReader) return reader.skip(length)
  const room = new Uint8Array(Math.min(length, pieceBytes))
  let done = 0
  while (done < length) {
    const got = await reader.fill(room.subarray(0, Math.min(room.length, length - done)))
    if (got === 0) break
    done += got
  }
  return done
}

/** The bytes of a part of a file, unchanged. */
export class PlainReader implements ByteReader {
  readonly unpacked = false

  constructor(
    private readonly bytes: Bytes,
    private at: number,
    private readonly end: number,
  ) {}

  get path() {
    return this.bytes.path
  }

  get left() {
    return this.end - this.at
  }

  get position() {
    return this.bytes.inFile ? this.at : undefined
  }

  skip(length: number): number {
    const skipped = Math.min(length, this.left)
    this.at += skipped
    return skipped
  }

  async fill(target: Uint8Array): Promise<number> {
    const wanted = target.subarray(0, this.left)
    await this.bytes.readInto(wanted, this.at)
    this.at += wanted.length
    return wanted.length
  }

  async close() {}
}

/** The unpacked content of a part of a file. */
export class InflatingReader implements ByteReader {
  readonly unpacked = true
  left: number
  private readonly pieces: AsyncIterator<Uint8Array, undefined>
  private rest: Uint8Array = new Uint8Array(0)

  constructor(
    packed: PlainReader,
    wrapping: 'gzip' | 'raw',
    readonly path: string,
  ) {
    this.left = largestRatio * packed.left
    this.pieces = inflated(piecesOf(packed), wrapping, path)
  }

  async fill(target: Uint8Array): Promise<number> {
    let done = 0
    while (done < target.length) {
      if (this.rest.length === 0) {
        const { value } = await this.pieces.next()
        if (value === undefined) break
        this.rest = value
      }
      const piece = this.rest.subarray(0, target.length - done)
      target.set(piece, done)
      done += piece.length
      this.rest = this.rest.subarray(piece.length)
    }
    this.left -= done
    return done
  }

  async close() {
    await this.pieces.return?.()
  }
}

async function* piecesOf(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (;;) {
    const piece = await take(reader, pieceBytes)
    if (piece.length === 0) return
    yield piece
  }
}

/** A reader of the bytes, unpacked if they are gzip data. */
export async function readerOf(bytes: Bytes): Promise<ByteReader> {
  const plain = new PlainReader(bytes, 0, bytes.size)
  if (!isGzip(await take(plain, 2))) return new PlainReader(bytes, 0, bytes.size)
  return new InflatingReader(new PlainReader(bytes, 0, bytes.size), 'gzip', bytes.path)
}

/** Calls `use` with a reader of the bytes, unpacked if they are gzip data. */
export async function reading<T>(
  bytes: Bytes,
  use: (reader: ByteReader) => Promise<T>,
): Promise<T> {
  const reader = await readerOf(bytes)
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}

/**
 * Opens a file and closes it after `use`, unless `use` called `keep`, which passes the descriptor to the
 * caller.
 */
export const withBytes = <T>(path: string, use: UseOfBytes<T>): Promise<T> =>
  working(useBytes(path, use))

type UseOfBytes<T> = (bytes: Bytes, keep: () => OpenFile) => Promise<T>

async function useBytes<T>(path: string, use: UseOfBytes<T>): Promise<T> {
  const file = await openFile(path)
  let kept = false
  const keep = () => {
    kept = true
    return file
  }
  try {
    return await use(bytesOfFile(file), keep)
  } catch (error) {
    kept = false
    throw systemFailure(path, error)
  } finally {
    if (!kept) await closeDescriptor(file.fd)
  }
}

/** Opens a file, calls `use` with a reader of its content, unpacked if it is gzip data, and closes it. */
export const withReader = <T>(path: string, use: (reader: ByteReader) => Promise<T>): Promise<T> =>
  withBytes(path, (bytes) => reading(bytes, use))
