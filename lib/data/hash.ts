import { createHash } from 'node:crypto'
import { inSlices } from './slices'

/** Bytes to hash between two turns of the event loop. */
const pieceBytes = 1 << 20

/** A hash of named arrays, in hexadecimal digits. */
export async function hashOf(
  arrays: readonly (readonly [string, ArrayBufferView])[],
): Promise<string> {
  const hash = createHash('sha256')
  for (const [name, array] of arrays) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    hash.update(`${name} ${bytes.length} `)
    await inSlices(
      bytes.length,
      (begin, end) => hash.update(bytes.subarray(begin, end)),
      pieceBytes,
    )
  }
  return hash.digest('hex')
}
