// Lists that stand in a text file line by line, or in columns of a Parquet file.
import { stat } from 'node:fs/promises'
import type { AbortSignalLike } from '../cancellation'
import { pause, working } from '../jobs'
import { withBytes } from './byte-reader'
import { readInto, withFile } from './file'
import { isParquet } from './file-format'
import { readLines, type LineReader } from './lines'
import { partOf } from './named-part'
import { openParquet, type Leaf, type ParquetFile } from './parquet/footer'
import { parquetRows, type ParquetRow } from './parquet/parquet-rows'

/** A value of a column; integers beyond 2^53 as their digits. */
export type Value = string | number | boolean | null

/** Receives the lines of a text file, or the rows of a Parquet file. */
export interface RecordReader<T> extends LineReader<T> {
  /** The columns to read, in the order of the values. */
  columns(file: ParquetFile, name: string | undefined): readonly Leaf[]
  /** @param number From 0. */
  record(values: readonly Value[], number: number): void
}

/** Whether a path is that of a Parquet file, by its first bytes. Pipes, which have no first bytes to try, are not. */
export async function isParquetFile(path: string): Promise<boolean> {
  const kind = await working(stat(path)).catch(() => undefined)
  if (!kind?.isFile() || kind.size < 4) return false
  const head = new Uint8Array(4)
  await withFile(path, (file) => readInto(file, head, 0))
  return isParquet(head)
}

async function readColumns<T>(
  file: ParquetFile,
  name: string | undefined,
  reader: RecordReader<T>,
) {
  const names = reader.columns(file, name).map(({ path }) => path[0]!)
  let number = 0
  for await (const rows of parquetRows(file, { wanted: (each) => names.includes(each) }))
    for (const row of rows)
      reader.record(
        names.map((each) => row[each] as Value),
        number++,
      )
}

/**
 * Reads a text file or a pipe line by line, or the columns of a Parquet file.
 *
 * @param path `file:name` names a column of a Parquet file.
 */
export async function readRecords<T>(path: string, reader: RecordReader<T>): Promise<Awaited<T>> {
  const part = partOf(path)
  if (!(await isParquetFile(part.path))) return readLines(path, reader)
  await withBytes(part.path, async (bytes) =>
    readColumns(await openParquet(bytes), part.name, reader),
  )
  return await reader.finish()
}

interface ReadRowsOptions {
  readonly signal?: AbortSignalLike | undefined
  /** Called with the number of bytes of the file after each batch of rows. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/**
 * Calls `take` with every row of a Parquet file; the event loop runs between batches of rows.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file is damaged, or the signal's reason.
 */
export const readRows = (
  path: string,
  take: (row: ParquetRow, number: number) => void,
  { signal, onBytes }: ReadRowsOptions = {},
): Promise<void> =>
  withBytes(path, async (bytes) => {
    const file = await openParquet(bytes)
    let number = 0
    for await (const rows of parquetRows(file, { signal })) {
      for (const row of rows) take(row, number++)
      onBytes?.((bytes.size * rows.length) / file.rows)
      await pause()
    }
  })
