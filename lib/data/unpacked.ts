import { planMemory } from '../memory'
import { bytesInMemory, readerOf, take } from './byte-reader'
import type { Bytes } from './byte-reader'
import { plannedBytes, plannedRoom } from './dense-elements'
import { fileError } from './file'
import { inSlices } from './slices'

const pieceBytes = 1 << 20

/** Bytes with random access: a gzip file is unpacked into memory, if there is room for twice its size. */
export async function unpackedWhole(bytes: Bytes, limit: number): Promise<Bytes> {
  const reader = await readerOf(bytes)
  if (!reader.unpacked) return bytes
  try {
    const pieces: Uint8Array[] = []
    let size = 0
    for (;;) {
      const piece = await take(reader, pieceBytes)
      if (piece.length === 0) break
      pieces.push(piece)
      size += piece.length
      if (size > limit)
        throw fileError(bytes.path, `expected at most ${limit} bytes when unpacked, received more`)
      // Checked again as the data grow, because their size is not known in advance.
      if (size >= plannedBytes && pieces.length % 64 === 0)
        planMemory(`Unpacking ${bytes.path}`, size)
    }
    return bytesInMemory(await joined(bytes.path, pieces, size), bytes.path)
  } finally {
    await reader.close()
  }
}

async function joined(path: string, pieces: readonly Uint8Array[], size: number) {
  const whole = plannedRoom(path, size)
  let at = 0
  await inSlices(
    pieces.length,
    (i) => {
      whole.set(pieces[i]!, at)
      at += pieces[i]!.length
    },
    1,
  )
  return whole
}
