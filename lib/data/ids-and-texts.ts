// Ids and texts of the queries or of the corpus, one for each row.
import { checkInteger, checkOneOf } from '../options'
import { fileError, printable, shownJson } from './file'
import { longLine, parseLines } from './lines'
import { chosenLeaf } from './parquet/columns'
import type { Leaf, ParquetFile } from './parquet/footer'
import { readRecords, type RecordReader, type Value } from './records'
import { TextNumbers } from './text-numbers'

/** The side of a job that a file describes. */
export type Side = 'query' | 'corpus'

const sides = ['query', 'corpus'] as const

const isJsonLines = /\.jsonl(\.gz)?$/

/** A line of the JSONL files of BEIR. */
interface JsonLine {
  readonly _id?: unknown
  readonly title?: unknown
  readonly text?: unknown
}

/** Reads one line per row of a side, and counts the lines. */
abstract class PerRowReader {
  get lineLimit(): number | undefined {
    return this.isJsonl ? longLine : undefined
  }

  private received = 0

  constructor(
    protected readonly path: string,
    private readonly count: number | 'any',
    private readonly side: Side,
    private readonly what: string,
  ) {
    if (count !== 'any') checkInteger('count', count, 0)
    checkOneOf('side', side, sides)
  }

  line(text: string, number: number) {
    this.received = number
    if (this.count === 'any' || number <= this.count) this.take(text, number)
  }

  protected abstract take(text: string, number: number): void

  protected get isJsonl(): boolean {
    return isJsonLines.test(this.path)
  }

  /** Parses a line of a JSONL file, which must be an object. */
  protected object(line: string, number: number, part: string): JsonLine {
    try {
      const value: unknown = JSON.parse(line)
      if (typeof value === 'object' && value !== null) return value
    } catch {
      // Falls through to the error for a line that is no object.
    }
    throw this.wrong(number, `a JSON object with ${part}`, line)
  }

  protected checkCount() {
    if (this.count === 'any' || this.received === this.count) return
    const expected = `${this.count} ${this.what}, one for each ${this.side} row`
    throw fileError(this.path, `expected ${expected}, received ${this.received}`)
  }

  protected wrong(number: number, expected: string, received: string) {
    return this.wrongAt(`line ${number}`, expected, received)
  }

  protected wrongAt(place: string, expected: string, received: string) {
    return fileError(this.path, `${place}: expected ${expected}, received ${printable(received)}`)
  }

  record(values: readonly Value[], number: number) {
    this.received = number + 1
    if (this.count === 'any' || number < this.count) this.takeRecord(values, number)
  }

  protected abstract takeRecord(values: readonly Value[], number: number): void
}

const isScalar = ({ path, maxRepetition }: Leaf) => path.length === 1 && maxRepetition === 0

const isId = (leaf: Leaf) => isScalar(leaf) && /^(?:text|u?int)/.test(leaf.kind ?? '')

const isText = (leaf: Leaf) => isScalar(leaf) && leaf.kind === 'text'

/** Usual names of columns of ids in Parquet files. */
const idNames = ['_id', 'id', 'docid', 'doc_id', 'query_id', 'query-id', 'corpus_id', 'corpus-id']

/** The row of each id, in the order of the rows. */
export interface IdRows extends ReadonlyMap<string, number> {
  /** Whether the ids were integers of 64 bits or fewer, with a sign, of a Parquet file. */
  readonly areIntegers: boolean
}

class IdsReader extends PerRowReader implements RecordReader<IdRows> {
  private readonly rows = new TextNumbers()
  private areIntegers = false

  constructor(path: string, count: number | 'any', side: Side) {
    super(path, count, side, 'ids')
  }

  protected take(line: string, number: number) {
    const id = this.isJsonl ? this.idOf(line, number) : line
    if (id === '') throw this.wrong(number, 'an id', 'an empty line')
    const row = this.rows.add(id)
    if (row !== number - 1)
      throw this.wrong(number, 'every id once', `${id}, which is on line ${row + 1} too`)
  }

  columns(file: ParquetFile, name: string | undefined): Leaf[] {
    const leaf = chosenLeaf(file, name, 'one column of ids, texts or integers', isId, idNames)
    this.areIntegers = leaf.kind !== 'text' && leaf.kind !== 'uint64'
    return [leaf]
  }

  protected takeRecord([id]: readonly Value[], number: number) {
    const place = `row ${number}`
    if (id === null || id === '')
      throw this.wrongAt(place, 'an id', id === null ? 'null' : 'an empty text')
    const row = this.rows.add(String(id))
    if (row !== number)
      throw this.wrongAt(place, 'every id once', `${id}, which is in row ${row} too`)
  }

  finish() {
    this.checkCount()
    return Object.assign(this.rows, { areIntegers: this.areIntegers })
  }

  private idOf(line: string, number: number): string {
    const { _id: id } = this.object(line, number, 'an _id')
    if (typeof id === 'string') return id
    if (Number.isSafeInteger(id)) return String(id)
    throw this.wrong(number, 'an object with a string as _id', line)
  }
}

/** Reads ids from the bytes of a file; see {@link readIds}. */
export const parseIds = (bytes: Uint8Array, path: string, count: number, side: Side): IdRows =>
  parseLines(bytes, path, new IdsReader(path, count, side))

/**
 * Reads the ids of the queries or of the corpus, one per line, in the order of the rows. In a file whose name
 * ends in `.jsonl`, as in BEIR, a line is an object whose `_id` is the id. A Parquet file has them in a column
 * of texts or of integers of up to 64 bits: `_id`, `id`, `docid` or another usual name, or the only such
 * column; `file.parquet:name` names one.
 *
 * @param count Number of rows, or `any`.
 * @returns The row of each id, in the order of the rows. It is no `Map`, whose growth would hold the event
 *   loop; `new Map(ids)` makes one, for a worker for instance.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if an id is empty or repeated, their number is not
 *   `count`, or a line has more than 4 MiB (32 MiB in a `.jsonl`).
 *
 * @example
 * const corpusIds = await readIds('docs.txt', corpus.rows, 'corpus')
 */
export const readIds = async (path: string, count: number | 'any', side: Side): Promise<IdRows> =>
  await readRecords(path, new IdsReader(path, count, side))

class TextsReader extends PerRowReader implements RecordReader<string[]> {
  private readonly texts: string[] = []

  constructor(path: string, count: number | 'any', side: Side) {
    super(path, count, side, 'texts')
  }

  override get lineLimit() {
    return longLine
  }

  protected take(text: string, number: number) {
    this.texts.push(this.isJsonl ? this.textOf(text, number) : text)
  }

  finish() {
    this.checkCount()
    return this.texts
  }

  columns(file: ParquetFile, name: string | undefined): Leaf[] {
    const text = chosenLeaf(file, name, 'one column of texts', isText, ['text'])
    const title = file.leaves.find((leaf) => isText(leaf) && leaf.path[0] === 'title')
    return text.path[0] === 'text' && title ? [text, title] : [text]
  }

  protected takeRecord([text, title]: readonly Value[], number: number) {
    if (typeof text !== 'string') throw this.wrongAt(`row ${number}`, 'a text', String(text))
    this.texts.push(title ? `${title} ${text}` : text)
  }

  private textOf(line: string, number: number): string {
    const { title = '', text } = this.object(line, number, 'a text')
    if (typeof text !== 'string') throw this.wrong(number, 'an object with a string as text', line)
    if (title === '' || title === null) return text
    if (typeof title !== 'string') throw this.wrong(number, 'a string as title', shownJson(title))
    return `${title} ${text}`
  }
}

/** Reads texts from the bytes of a file; see {@link readTexts}. */
export const parseTexts = (bytes: Uint8Array, path: string, count: number, side: Side): string[] =>
  parseLines(bytes, path, new TextsReader(path, count, side))

/**
 * Reads the texts of the queries or of the corpus, one per line, in the order of the rows. In a file whose
 * name ends in `.jsonl` or `.jsonl.gz` a line is an object; the text is its `text`, preceded by its `title`
 * and a space if it has one. In a Parquet file these are columns, or the only column of texts has them;
 * `file.parquet:name` names another one.
 *
 * @param count Number of rows, or `any`.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if a line is no such object or has more than 32 MiB, or
 *   their number is not `count`.
 *
 * @example
 * const texts = await readTexts('corpus.jsonl', corpus.rows, 'corpus')
 */
export const readTexts = async (
  path: string,
  count: number | 'any',
  side: Side,
): Promise<string[]> => await readRecords(path, new TextsReader(path, count, side))
