import { throwIfAborted, type AbortSignalLike } from '../cancellation'
import { planMemory } from '../memory'
import { runJob, smallJob } from '../native'
import type { ByteReader } from './byte-reader'
import { Descriptor } from './descriptor'
import { elementsOver, sizeOf } from './element-types'
import type { ElementType } from './element-types'
import { allocateBytes, fileError } from './file'
import type { OpenFile } from './file'
import type { DenseMatrix, MatrixFile } from './matrix'
import { inSlices } from './slices'

/** The layout of a matrix in a file. */
export interface Layout {
  readonly rows: number
  readonly cols: number
  readonly type: ElementType
  readonly bigEndian: boolean
  /** Whether columns are contiguous, not rows. */
  readonly fortranOrder: boolean
}

/** How a matrix is loaded from a file. */
export interface Loading {
  /** Elements of more bytes stay in the file, if a job can read them there. */
  readonly limit: number
  /** Keeps the file open for that and returns its descriptor; never called if the limit is Infinity. */
  readonly keep?: () => OpenFile
  readonly signal?: AbortSignalLike | undefined
}

/** Less memory than this is allocated without a check of the available memory. */
export const plannedBytes = 1 << 26

/** Allocates memory for elements of a file, after a check that it is available. */
export function plannedRoom(path: string, bytes: number, factor = 1): Uint8Array {
  if (bytes >= plannedBytes) planMemory(`Reading ${path}`, factor * bytes)
  return allocateBytes(path, bytes)
}

/** Bytes between two checks of the caller's signal. */
const pieceBytes = 1 << 24

/** Reads the next bytes. */
export async function readBytes(
  reader: ByteReader,
  length: number,
  {
    signal,
    factor,
  }: { readonly signal?: AbortSignalLike | undefined; readonly factor?: number } = {},
): Promise<Uint8Array> {
  const room = plannedRoom(reader.path, length, factor)
  for (let at = 0; at < length; at += pieceBytes) {
    throwIfAborted(signal)
    const piece = room.subarray(at, at + pieceBytes)
    const got = await reader.fill(piece)
    if (got < piece.length)
      throw fileError(reader.path, `expected ${length} bytes of elements, received ${at + got}`)
  }
  return room
}

/** Converts elements to the byte order of this machine, in place. */
export async function swapBytes(bytes: Uint8Array, size: number): Promise<void> {
  if (size === 1) return
  await inSlices(
    bytes.length,
    (begin, end) => {
      const part = Buffer.from(bytes.buffer, bytes.byteOffset + begin, end - begin)
      if (size === 2) part.swap16()
      else if (size === 4) part.swap32()
      else part.swap64()
    },
    1 << 20,
  )
}

/** Converts elements from Fortran order to rows. */
export async function transposed(
  columns: Uint8Array,
  { rows, cols, type }: Layout,
  { path, signal }: { readonly path: string; readonly signal?: AbortSignalLike | undefined },
): Promise<Uint8Array> {
  const to = plannedRoom(path, columns.length)
  const sides = { rows, cols, size: sizeOf(type) }
  await runJob(smallJob(signal), {}, (addon, control) =>
    addon.transpose(columns, to, sides, control),
  )
  return to
}

/**
 * The matrix whose elements follow: in memory, or left in the file to be read in blocks, if it is larger than
 * the limit, in C order and not packed.
 */
export async function loadElements(
  reader: ByteReader,
  layout: Layout,
  { limit, keep, signal }: Loading,
): Promise<DenseMatrix | MatrixFile> {
  const { rows, cols, type, bigEndian, fortranOrder } = layout
  const size = rows * cols * sizeOf(type)
  const offset = reader.position
  if (size > limit && keep && offset !== undefined && !fortranOrder) {
    const file = keep()
    const swapped = bigEndian ? { bigEndian } : {}
    return {
      path: file.path,
      descriptor: new Descriptor(file),
      offset,
      rows,
      cols,
      type,
      ...swapped,
    }
  }
  const bytes = await readBytes(reader, size, { signal, factor: fortranOrder ? 2 : 1 })
  if (bigEndian) await swapBytes(bytes, sizeOf(type))
  const ordered = fortranOrder
    ? await transposed(bytes, layout, { path: reader.path, signal })
    : bytes
  return { data: elementsOver(ordered, type), rows, cols, type }
}
