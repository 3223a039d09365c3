// Writes Parquet files in pieces, beside their path until they are complete.
import { rename, unlink } from 'node:fs/promises'
import type { SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' }
import { GemmineError } from '../../errors'
import { working } from '../../jobs'
import { version } from '../../version'
import { checkPath, systemFailure, writePieces } from '../file'
import { placeBeside } from '../place-beside'

async function load() {
  const [whole, pages] = await Promise.all([
    import('hyparquet-writer'),
    import('hyparquet-writer/src/datapage.js'),
  ])
  return {
    ByteWriter: whole.ByteWriter,
    ParquetWriter: whole.ParquetWriter,
    writePageHeader: pages.writePageHeader,
  }
}

type WritingLibrary = Awaited<ReturnType<typeof load>>

let loaded: Promise<WritingLibrary> | undefined

/** Loaded with the first Parquet file that is written. */
const writingLibrary = () => (loaded ??= load())

export interface OpenWriter {
  readonly library: WritingLibrary
  readonly bytes: InstanceType<WritingLibrary['ByteWriter']>
  readonly parquet: InstanceType<WritingLibrary['ParquetWriter']>
  /** The bytes that were written since the last call. */
  drain(): Uint8Array
}

interface Contents {
  readonly schema: SchemaElement[]
  readonly metadata?: Readonly<Record<string, string>>
  /** Whether the footer has the least and greatest value of each column. */
  readonly statistics: boolean
}

/** @param body Writes the row groups and yields their pieces in order. */
async function* piecesOf(
  { schema, metadata = {}, statistics }: Contents,
  body: (writer: OpenWriter) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const library = await writingLibrary()
  const bytes = new library.ByteWriter()
  const kvMetadata = Object.entries(metadata).map(([key, value]) => ({ key, value }))
  const createdBy = `gemmine ${version}`
  const parquet = new library.ParquetWriter({
    writer: bytes,
    schema,
    statistics,
    kvMetadata,
    createdBy,
  })
  const drain = () => {
    const piece = bytes.getBytes().slice()
    bytes.index = 0
    return piece
  }
  yield* body({ library, bytes, parquet, drain })
  await parquet.finish()
  yield drain()
}

/** The error of the temporary file as one of the file itself. */
function named(path: string, beside: string, error: unknown): unknown {
  if (!(error instanceof GemmineError) || !error.message.includes(beside)) return error
  const message = error.message.replace(beside, () => path)
  return new GemmineError(error.code, message, { cause: error.cause })
}

/**
 * Writes a file under a temporary name beside its path, and renames it when it is complete: `path` is the old
 * file or the whole new one.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if it cannot be written.
 */
export const writeParquetFile = (
  path: string,
  contents: Contents,
  body: (writer: OpenWriter) => AsyncIterable<Uint8Array>,
): Promise<void> => working(writeWhole(path, contents, body))

async function writeWhole(
  path: string,
  contents: Contents,
  body: (writer: OpenWriter) => AsyncIterable<Uint8Array>,
): Promise<void> {
  checkPath(path)
  const beside = placeBeside(path)
  try {
    await writePieces(beside, piecesOf(contents, body))
    await rename(beside, path)
  } catch (error) {
    await unlink(beside).catch(() => {})
    throw named(path, beside, systemFailure(path, error))
  }
}
