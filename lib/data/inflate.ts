import { Readable, pipeline } from 'node:stream'
import { createGunzip, createInflateRaw } from 'node:zlib'
import { fileError } from './file'

/** DEFLATE expands 2 bits to at most 258 bytes; a larger claimed ratio is wrong. */
export const largestRatio = 1032

/** Bytes per piece: the consumer needs far less than a millisecond for them. */
const pieceBytes = 1 << 16

/** Whether bytes begin like a gzip file; no other supported format does. */
export const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b

const failures: Record<string, string> = { Z_BUF_ERROR: 'data that is cut short' }

/**
 * Unpacks pieces on demand, on a thread of libuv's pool.
 *
 * @param wrapping `gzip`, or `raw` as in a zip archive.
 * @param path Names the file in errors.
 */
export async function* inflated(
  pieces: AsyncIterable<Uint8Array>,
  wrapping: 'gzip' | 'raw',
  path: string,
): AsyncGenerator<Uint8Array> {
  const make = wrapping === 'gzip' ? createGunzip : createInflateRaw
  const unpacking = make({ chunkSize: pieceBytes })
  // An error on either side ends the other; the loop below throws it.
  pipeline(Readable.from(pieces), unpacking, () => {})
  try {
    for await (const piece of unpacking) yield piece as Uint8Array
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!code.startsWith('Z_')) throw error
    const received = failures[code] ?? 'damaged data'
    throw fileError(
      path,
      `expected whole ${wrapping === 'gzip' ? 'gzip' : 'packed'} data, received ${received}`,
      { cause: error },
    )
  }
}
