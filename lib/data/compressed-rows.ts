import type { AbortSignalLike } from '../cancellation'
import { planMemory } from '../memory'
import { runJob, type NativeEntries, type NativeFileArray } from '../native'
import { plannedBytes } from './dense-elements'
import type { SparseMatrix } from './sparse'

/** The most rows or columns that a sparse matrix may have. */
export const largestSide = 2 ** 31 - 1

/** A few bytes of a file may claim no more rows than this without an entry in them. */
const emptyRowsLimit = 2 ** 24

/** The most rows that a file may claim for so many entries. */
export const rowLimit = (entries: number) => Math.min(largestSide, emptyRowsLimit + entries)

/** Row starts as int32 where they fit. */
const allocateStarts = (rows: number, entries: number) =>
  entries < 2 ** 31 ? new Int32Array(rows + 1) : new Float64Array(rows + 1)

/** An array in memory, as entries take those of files. */
export const arrayInMemory = (name: string, array: Int32Array | Float64Array): NativeFileArray => ({
  name,
  bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  type: array instanceof Int32Array ? 'int32' : 'float64',
  bigEndian: false,
})

/** Places of entries, their order, and the result, in bytes; of a row, what is kept while it is sorted. */
const [entryBytes, rowBytes] = [24, 32]

/**
 * Compresses entries that are given in any order: columns ascend within a row, and repeats are summed.
 *
 * @param room Entries at most, those that are mirrored counted twice.
 * @throws {GemmineError} `ERR_GEMMINE_FILE`, naming the array, the entry and what stands there.
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
  const written = await runJob(
    { threads: 1, signal, onProgress: undefined },
    {},
    (addon, control) => addon.compressRows(entries, indptr, indices, values, control),
  )
  // Views, not copies: those would keep the event loop waiting.
  const kept =
    written === room
      ? { indices, values }
      : {
          indices: indices.subarray(0, written),
          values: values.subarray(0, written),
        }
  return { rows, cols, indptr, ...kept }
}
