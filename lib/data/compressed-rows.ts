import type { AbortSignalLike } from '../cancellation'
import { planMemory } from '../memory'
import { runJob, smallJob, type NativeEntries, type NativeFileArray } from '../native'
import { plannedBytes } from './dense-elements'
import type { SparseMatrix } from './sparse'

/** Maximum of rows or columns of a sparse matrix. */
export const largestSide = 2 ** 31 - 1

/** Maximum of rows without entries: a small file could otherwise claim huge arrays. */
const emptyRowsLimit = 2 ** 24

/** Maximum of rows that a file may claim for this many entries. */
export const rowLimit = (entries: number) => Math.min(largestSide, emptyRowsLimit + entries)

/** Row starts, int32 if they fit. */
const allocateStarts = (rows: number, entries: number) =>
  entries < 2 ** 31 ? new Int32Array(rows + 1) : new Float64Array(rows + 1)

/** An array in memory, in the form of an array of a file. */
export const arrayInMemory = (name: string, array: Int32Array | Float64Array): NativeFileArray => ({
  name,
  bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  type: array instanceof Int32Array ? 'int32' : 'float64',
  bigEndian: false,
})

/** Memory in bytes: per entry, its position, its order and its result; per row, the buffers of its sort. */
const [entryBytes, rowBytes] = [24, 32]

/**
 * Converts entries in any order to compressed rows: columns ascend within a row, and repeats are summed.
 *
 * @param room Maximum of entries; mirrored ones count twice.
 * @throws {GemmineError} `ERR_GEMMINE_FILE`, naming the array, the entry and its value.
 */
export async function compressRows(
  path: string,
  entries: NativeEntries,
  room: number,
  signal?: AbortSignalLike,
): Promise<SparseMatrix> {
  const { rows, cols } = entries
  const needed = entryBytes * room + rowBytes * rows
  if (needed >= plannedBytes) planMemory(`Reading ${path}`, needed)
  const indptr = allocateStarts(rows, room)
  const [indices, values] = [new Int32Array(room), new Float32Array(room)]
  const written = await runJob(smallJob(signal), {}, (addon, control) =>
    addon.compressRows(entries, indptr, indices, values, control),
  )
  // Views, because copies would block the event loop.
  const kept =
    written === room
      ? { indices, values }
      : {
          indices: indices.subarray(0, written),
          values: values.subarray(0, written),
        }
  return { rows, cols, indptr, ...kept }
}
