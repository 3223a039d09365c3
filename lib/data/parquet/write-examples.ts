// Writes mined examples to a Parquet file, a row group at a time.
import { throwIfAborted, type AbortSignalLike } from '../../cancellation'
import { pause } from '../../jobs'
import type { Field, Passage } from '../mined-layouts'
import { writeParquetFile, type OpenWriter } from './file-writer'
import { schemaOf, type Cell, type Columns, type WordTypes } from './mined-schema'

/** A row group ends behind so many rows, or characters of texts: some milliseconds of work. */
const groupRows = 1 << 11
const groupCharacters = 1 << 18

/** Characters that count for a cell without a text. */
const numberCharacters = 8

type Example = readonly Field<Cell>[]
type Examples = Iterable<Example> | AsyncIterable<Example>

const isPassage = (cell: Cell): cell is Passage<Cell> => typeof cell === 'object' && cell !== null

function charactersIn(value: Cell): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + charactersIn(each), 0)
  if (isPassage(value)) return charactersIn(value.docid) + charactersIn(value.text)
  return typeof value === 'string' ? value.length : numberCharacters
}

/** Groups depend on the examples alone, so that the parts of a job merge to the bytes of one run. */
async function* groupsOf(examples: Examples): AsyncGenerator<Example[]> {
  let group: Example[] = []
  let characters = 0
  for await (const fields of examples) {
    group.push(fields)
    for (const [, value] of fields) characters += charactersIn(value)
    if (group.length < groupRows && characters < groupCharacters) continue
    yield group
    group = []
    characters = 0
  }
  if (group.length > 0) yield group
}

export interface WriteExamplesOptions {
  readonly columns: Columns
  readonly types: WordTypes
  readonly signal?: AbortSignalLike | undefined
}

async function* piecesOf(
  { parquet, drain }: OpenWriter,
  examples: Examples,
  { columns, signal }: WriteExamplesOptions,
): AsyncGenerator<Uint8Array> {
  for await (const group of groupsOf(examples)) {
    throwIfAborted(signal)
    const columnData = columns.map(([name], i) => ({
      name,
      data: group.map((fields) => fields[i]![1]) as unknown[],
      encoding: 'PLAIN' as const,
    }))
    await parquet.write({ columnData, rowGroupSize: group.length })
    yield drain()
    await pause()
  }
}

/**
 * Writes examples whose fields are those of `columns`. The file appears when it is complete.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if it cannot be written; or the signal's reason.
 */
export async function writeExamples(
  path: string,
  examples: Examples,
  options: WriteExamplesOptions,
): Promise<void> {
  const schema = schemaOf(options.columns, options.types)
  await writeParquetFile(path, { schema, statistics: false }, (writer) =>
    piecesOf(writer, examples, options),
  )
}
