// negatives.parquet of a whole job, from the lines of its parts.
import { join } from 'node:path'
import { fileError } from '../data/file'
import { FieldMistake } from '../data/json-line'
import { LineCutter } from '../data/lines'
import { columnsOf, minedRecords, type Field, type IncompleteMode } from '../data/mined-layouts'
import { minedLinesDefaults } from '../data/mined-lines'
import { exampleOfLine } from '../data/parquet/examples-of-lines'
import { plain, type Cell, type Columns, type WordTypes } from '../data/parquet/mined-schema'
import { writeExamples } from '../data/parquet/write-examples'
import type { MinedNegatives } from '../mining/mined-negatives'
import { interrupted } from './interruption'
import { mineDefaults } from './mining-options'
import { linesOfParts, type Part } from './part-files'

const name = 'negatives.jsonl'

type Example = readonly Field<Cell>[]

/** The lines of one part, some at a time. */
async function* linesOf(part: Part, path: string) {
  let lines: string[] = []
  const cutter = new LineCutter(path, (text) => lines.push(text), Infinity)
  for await (const bytes of linesOfParts([part], name)) {
    cutter.push(bytes)
    yield lines
    lines = []
  }
}

/**
 * The examples of all parts, with the words of their lines.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` naming the line that is not that of its example.
 */
async function* examplesOf(
  parts: readonly Part[],
  records: Iterator<Example>,
  columns: Columns,
  types: WordTypes,
): AsyncGenerator<Example> {
  for (const part of parts) {
    const path = join(part.folder, name)
    let number = 0
    for await (const lines of linesOf(part, path))
      for (const text of lines) {
        number++
        try {
          const record = records.next()
          if (record.done) throw new FieldMistake('no further line', 'one')
          yield exampleOfLine(text, record.value, columns, types)
        } catch (error) {
          if (!(error instanceof FieldMistake)) throw error
          throw fileError(path, `line ${number}: ${error.message}`)
        }
      }
  }
}

/** A file without examples has columns of texts, as that of one run. */
const noWords: WordTypes = { query: 'text', document: 'text' }

/**
 * Writes the bytes that one run with `--parquet` writes. Words are read from the lines, and all else is taken
 * from the arrays, as lines have no scores beyond the range of float32.
 *
 * @param mined The answers of all parts.
 */
export async function writeMergedParquet(
  path: string,
  parts: readonly [Part, ...Part[]],
  mined: MinedNegatives,
): Promise<void> {
  const { format = mineDefaults.format, incomplete } = parts[0].run
  const rows = { query: (row: number) => row, document: (row: number) => row }
  const mode: IncompleteMode = incomplete ?? minedLinesDefaults.incomplete
  const records = minedRecords(format, mined, rows, { incomplete: mode, notation: plain })
  const columns = columnsOf(format, mined.numNegatives)
  const hasLines = parts.some(({ lines }) => (lines[name] ?? 0) > 0)
  const types = hasLines ? parts[0].types : noWords
  const examples = examplesOf(parts, records, columns, types)
  await writeExamples(path, examples, { columns, types, signal: interrupted })
}
