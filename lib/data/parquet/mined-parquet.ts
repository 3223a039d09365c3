// Writes mined examples as Parquet files, in the layouts of their lines.
import type { SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' }
import { throwIfAborted, type AbortSignalLike } from '../../cancellation'
import { invalid } from '../../errors'
import { pause } from '../../jobs'
import { checkJob, checkOneOf, withDefaults } from '../../options'
import {
  checkWords,
  columnsOf,
  incompleteModes,
  minedRecords,
  type ColumnKind,
  type Field,
  type Mined,
  type MinedFormat,
  type Notation,
  type Word,
  type Words,
} from '../mined-layouts'
import { minedLinesDefaults, type MinedLinesOptions } from '../mined-lines'
import { writeParquetFile, type OpenWriter } from './file-writer'

export interface WriteMinedParquetOptions extends MinedLinesOptions {
  /** Aborts the writing; none unless given. */
  readonly signal?: AbortSignalLike | undefined
}

/** A row group ends behind so many rows, or characters of words: some milliseconds of work. */
const groupRows = 1 << 11
const groupCharacters = 1 << 18

type WordType = 'text' | 'integer'

/** A cell: a word, a score, a label, or a passage. */
type Cell = unknown

const plain: Notation<Cell> = {
  word: (word) => (typeof word === 'number' ? BigInt(word) : word),
  id: String,
  score: Math.fround,
  label: BigInt,
}

/** Whether a column can hold a word: a text, or an integer that fits and that was not rounded. */
const isStorable = (word: unknown) =>
  typeof word === 'bigint'
    ? BigInt.asIntN(64, word) === word
    : typeof word === 'string' || Number.isSafeInteger(word)

const text = {
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
} as const
const integer = { type: 'INT64' } as const

/** The columns below a name. */
type Leaf = Pick<SchemaElement, 'type' | 'converted_type' | 'logical_type'>

const required = (name: string, leaf: Leaf): SchemaElement => ({
  name,
  repetition_type: 'REQUIRED',
  ...leaf,
})

const list = (name: string, element: readonly SchemaElement[]): SchemaElement[] => [
  {
    name,
    repetition_type: 'REQUIRED',
    num_children: 1,
    converted_type: 'LIST',
    logical_type: { type: 'LIST' },
  },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...element,
]

const passage: readonly SchemaElement[] = [
  { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
  required('docid', text),
]

/** The types of words on both sides, by the first of each. */
interface WordTypes {
  readonly query: WordType
  readonly document: WordType
}

function elementsOf(name: string, kind: ColumnKind, types: WordTypes): SchemaElement[] {
  const leafOf = (type: WordType) => (type === 'text' ? text : integer)
  const document = leafOf(types.document)
  if (kind === 'query') return [required(name, leafOf(types.query))]
  if (kind === 'document') return [required(name, document)]
  if (kind === 'documents') return list(name, [required('element', document)])
  if (kind === 'id') return [required(name, text)]
  if (kind === 'label') return [required(name, integer)]
  if (kind === 'labels') return list(name, [required('element', integer)])
  if (kind === 'scores') return list(name, [required('element', { type: 'FLOAT' })])
  return list(name, [...passage, required('text', document)])
}

type Columns = ReturnType<typeof columnsOf>

const schemaOf = (columns: Columns, types: WordTypes): SchemaElement[] => [
  { name: 'schema', num_children: columns.length },
  ...columns.flatMap(([name, kind]) => elementsOf(name, kind, types)),
]

/** Checks that all words of a side have one type, as a column has. */
class CheckedWords implements Words {
  readonly #types: Partial<Record<'query' | 'document', WordType>> = {}
  /** Characters of words since the last call of {@link take}. */
  #characters = 0

  constructor(private readonly words: Words) {}

  get types(): WordTypes {
    return { query: 'text', document: 'text', ...this.#types }
  }

  query = (row: number) => this.checked('query', row, this.words.query(row))
  document = (row: number) => this.checked('document', row, this.words.document(row))
  queryId = (row: number) => this.words.queryId?.(row) ?? row
  documentId = (row: number) => this.words.documentId?.(row) ?? row

  take(): number {
    const characters = this.#characters
    this.#characters = 0
    return characters
  }

  private checked(side: 'query' | 'document', row: number, word: Word): Word {
    if (!isStorable(word))
      throw invalid(`words.${side}(${row})`, 'a text, a safe integer or a bigint of 64 bits', word)
    const type = typeof word === 'string' ? 'text' : 'integer'
    const first = (this.#types[side] ??= type)
    if (type !== first)
      throw invalid(`words.${side}(${row})`, `a word of the type ${first}, as the first one`, word)
    this.#characters += type === 'text' ? (word as string).length : 8
    return word
  }
}

/** Examples by columns. */
function* groupsOf(
  records: Iterable<readonly Field<Cell>[]>,
  words: CheckedWords,
): Generator<readonly (readonly Field<Cell>[])[]> {
  let group: (readonly Field<Cell>[])[] = []
  let characters = 0
  for (const fields of records) {
    group.push(fields)
    characters += words.take()
    if (group.length < groupRows && characters < groupCharacters) continue
    yield group
    group = []
    characters = 0
  }
  if (group.length > 0) yield group
}

async function* piecesOf(
  { parquet, drain }: OpenWriter,
  groups: Iterable<readonly (readonly Field<Cell>[])[]>,
  columns: Columns,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<Uint8Array> {
  for (const group of groups) {
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
 * Writes mined examples as a Parquet file, in the layout, with the words and for the queries of {@link
 * minedLines}. Words of integers make columns of 64-bit integers, scores are float32, and lists and texts are
 * never null. The file appears when it is complete, and replaces one that is there; its examples are never all
 * in memory.
 *
 * @throws {TypeError} as {@link minedLines} does, or if words of one side are texts and integers.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if the file cannot be written; or the signal's reason.
 *
 * @example
 * await writeMinedParquet('negatives.parquet', 'triplet', mined, words)
 */
export async function writeMinedParquet(
  path: string,
  format: MinedFormat,
  mined: Mined,
  words: Words,
  given: WriteMinedParquetOptions = {},
): Promise<void> {
  const { incomplete, signal } = withDefaults({ ...minedLinesDefaults, signal: undefined }, given)
  checkOneOf('incomplete', incomplete, incompleteModes)
  checkJob({ signal })
  checkWords(words)
  const checked = new CheckedWords(words)
  const records = minedRecords(format, mined, checked, { incomplete, notation: plain })
  const groups = groupsOf(records, checked)
  // The types of the words are known with the first examples.
  const first = groups.next()
  const columns = columnsOf(format, mined.numNegatives)
  const schema = schemaOf(columns, checked.types)
  await writeParquetFile(path, { schema, statistics: false }, (writer) =>
    piecesOf(writer, first.done ? [] : chained(first.value, groups), columns, signal),
  )
}

function* chained<T>(first: T, rest: Iterable<T>): Generator<T> {
  yield first
  yield* rest
}
