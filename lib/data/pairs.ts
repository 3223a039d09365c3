import { invalid } from '../errors'
import { checkInteger, checkOneOf, frozen, required, withDefaults } from '../options'
import { fileError, printable, shownJson } from './file'
import { arrayInMemory, compressRows } from './compressed-rows'
import { GrowingArray } from './growing-array'
import { longLine, parseLines, readLines } from './lines'
import type { LineReader } from './lines'
import type { RowLists } from './row-lists'
import { TextNumbers } from './text-numbers'

/** What is asked of a Map of ids to rows. */
type IdRows = Pick<ReadonlyMap<string, number>, 'get'>

/** Options for the columns of a file of pairs. */
export interface PairsOptions {
  /** Number of queries. */
  readonly queries: number
  /** Number of corpus rows. */
  readonly corpus: number
  /** The row of each query id; without it the first column contains rows. See {@link readIds}. */
  readonly queryIds?: IdRows | undefined
  /** The row of each corpus id; without it the second column contains rows. */
  readonly corpusIds?: IdRows | undefined
  /**
   * How to handle a pair whose query or corpus row does not exist: `error`, or `skip` to omit and count it;
   * `error` unless given.
   */
  readonly unknownIds?: UnknownIds | undefined
  /**
   * The value of a pair: its `relevance`, of which 0 or less omits the pair, or a `score`, which must be a
   * number and is not used; `relevance` unless given.
   */
  readonly value?: PairValue | undefined
}

export const pairValues = ['relevance', 'score'] as const
export type PairValue = (typeof pairValues)[number]

export const unknownIdsModes = ['error', 'skip'] as const
export type UnknownIds = (typeof unknownIdsModes)[number]

/** The pairs of a file, as lists. */
export interface Pairs extends RowLists {
  /** Number of pairs omitted because their query or corpus row does not exist. */
  readonly unknownIds: number
}

/** The side of a job that a file describes. */
export type Side = 'query' | 'corpus'

const sides = ['query', 'corpus'] as const

/** The only place where the defaults of {@link readPairs} are written. */
export const readPairsDefaults = frozen({
  unknownIds: 'error' as UnknownIds,
  value: 'relevance' as PairValue,
})

const pairsOptions = {
  queries: required,
  corpus: required,
  queryIds: undefined,
  corpusIds: undefined,
  ...readPairsDefaults,
}

function checkedOptions(given: PairsOptions) {
  const options = withDefaults<typeof pairsOptions, PairsOptions>(pairsOptions, given)
  checkOneOf('unknownIds', options.unknownIds, unknownIdsModes)
  checkOneOf('value', options.value, pairValues)
  for (const name of ['queries', 'corpus'] as const) checkInteger(name, options[name], 0)
  for (const name of ['queryIds', 'corpusIds'] as const) {
    const ids = options[name]
    if (ids !== undefined && typeof ids?.get !== 'function')
      throw invalid(name, 'a Map of ids to rows, which readIds() makes', ids)
  }
  return options
}

/** The first line of BEIR's qrels files begins so. */
const headerStart = 'query-id\tcorpus-id'

const numberPattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

/** A pair of names and its value. */
type Columns = readonly [query: string, corpus: string, value?: string | undefined]

/** Positions of the document and the value in TREC's columns, separated by tabs or blanks: qrels and runs. */
const trecColumns = {
  relevance: { count: 4, document: 2, value: 3, name: "TREC's four columns" },
  score: { count: 6, document: 2, value: 4, name: "TREC's six columns" },
} as const

/** Splits `query<TAB>corpus`, with an optional value as third column, or TREC's columns for such values. */
function columnsOf(text: string, value: PairValue): Columns | undefined {
  const columns = text.includes('\t') ? text.split('\t') : text.trim().split(/ +/)
  const trec = trecColumns[value]
  if (columns.length === trec.count)
    return [columns[0]!, columns[trec.document]!, columns[trec.value]]
  const isPair = columns.length === 2 || columns.length === 3
  return isPair && text.includes('\t') ? [columns[0]!, columns[1]!, columns[2]] : undefined
}

/** Reads pairs and sorts them; {@link readPairs} has the format. */
export class PairsReader implements LineReader<Promise<Pairs>> {
  private readonly listed = new GrowingArray(new Int32Array(0))
  private readonly rows = new GrowingArray(new Int32Array(0))

  private unknownIds = 0

  private readonly options: ReturnType<typeof checkedOptions>

  constructor(
    private readonly path: string,
    given: PairsOptions,
  ) {
    this.options = checkedOptions(given)
  }

  line(text: string, number: number) {
    if (text.trim() === '' || (number === 1 && text.startsWith(headerStart))) return
    const { queries, corpus, queryIds, corpusIds, value } = this.options
    const columns = columnsOf(text, value)
    if (!columns)
      throw this.wrong(
        number,
        `query<TAB>corpus, then a ${value} or nothing, or ${trecColumns[value].name}`,
        text,
      )
    const query = this.row('query', columns[0], queries, queryIds, number)
    const row = this.row('corpus', columns[1], corpus, corpusIds, number)
    const counts = this.counts(columns[2], number)
    if (query === undefined || row === undefined) this.unknownIds++
    else if (counts) {
      this.listed.push(query)
      this.rows.push(row)
    }
  }

  /** Sorts the pairs by query and row in a job, and removes repeats. */
  async finish(): Promise<Pairs> {
    const { path, unknownIds, queries } = this
    const { corpus } = this.options
    const entries = this.rows.length
    if (entries === 0)
      return { indptr: new Int32Array(queries + 1), indices: new Int32Array(0), unknownIds }
    const { indptr, indices } = await compressRows(
      path,
      {
        layout: 'coordinate',
        mirror: 'none',
        rows: queries,
        cols: corpus,
        entries,
        major: arrayInMemory(path, await this.listed.joined()),
        minor: arrayInMemory(path, await this.rows.joined()),
        values: { name: path, bytes: new Uint8Array(entries), type: 'uint8', bigEndian: false },
      },
      entries,
    )
    return { indptr: indptr as Int32Array, indices: indices as Int32Array, unknownIds }
  }

  /** Rows of the result. */
  protected get queries(): number {
    return this.options.queries
  }

  /** Returns undefined for a row that does not exist and is to be skipped. */
  private row(side: Side, text: string, count: number, ids: IdRows | undefined, number: number) {
    const isNumber = /^ *\d{1,15} *$/.test(text)
    const row = ids ? ids.get(text) : isNumber ? Number(text) : undefined
    if (row !== undefined && row < count) return row
    if (this.options.unknownIds === 'skip' && (ids || isNumber)) return undefined
    throw this.wrong(number, ids ? `a known ${side} id` : `a ${side} row in 0..${count - 1}`, text)
  }

  /** A relevance of 0 or less means that the two do not match. */
  private counts(text: string | undefined, number: number): boolean {
    if (text === undefined) return true
    const { value } = this.options
    if (!numberPattern.test(text.trim())) throw this.wrong(number, `a number as ${value}`, text)
    return value === 'score' || Number(text) > 0
  }

  private wrong(number: number, expected: string, received: string) {
    return fileError(
      this.path,
      `line ${number}: expected ${expected}, received ${printable(received)}`,
    )
  }
}

/**
 * Reads pairs from the bytes of a TSV file; see {@link readPairs}.
 *
 * @param path Names the file in errors.
 */
export const parsePairs = async (
  bytes: Uint8Array,
  path: string,
  options: PairsOptions,
): Promise<Pairs> => parseLines(bytes, path, new PairsReader(path, options))

/**
 * Reads pairs of a query and a corpus row, such as positives, from a TSV file or qrels.
 *
 * A line is `query<TAB>corpus`, or `query<TAB>corpus<TAB>relevance`, or the four columns of TREC, `query
 * iteration corpus relevance`, separated by tabs or blanks; a relevance of 0 or less omits the pair. With
 * `value: 'score'` the third column is a score, and TREC's columns are the six of a run, `query iteration
 * corpus rank score run`. A first line `query-id<TAB>corpus-id…` is a header. Blank lines are skipped.
 *
 * @returns The corpus rows of each query, ascending, each once; and the number of skipped pairs.
 * @throws {TypeError | RangeError} if an option is missing, wrong or unknown.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE`, naming the line and its content; a line has at most
 *   4 MiB.
 *
 * @example
 * const positives = await readPairs('positives.tsv', { queries: 1109, corpus: 5183 })
 */
export const readPairs = async (path: string, options: PairsOptions): Promise<Pairs> =>
  await readLines(path, new PairsReader(path, options))

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
    return fileError(
      this.path,
      `line ${number}: expected ${expected}, received ${printable(received)}`,
    )
  }
}

class IdsReader extends PerRowReader implements LineReader<TextNumbers> {
  private readonly rows = new TextNumbers()

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

  finish() {
    this.checkCount()
    return this.rows
  }

  private idOf(line: string, number: number): string {
    const { _id: id } = this.object(line, number, 'an _id')
    if (typeof id === 'string') return id
    if (Number.isSafeInteger(id)) return String(id)
    throw this.wrong(number, 'an object with a string as _id', line)
  }
}

/** Reads ids from the bytes of a file; see {@link readIds}. */
export const parseIds = (
  bytes: Uint8Array,
  path: string,
  count: number,
  side: Side,
): ReadonlyMap<string, number> => parseLines(bytes, path, new IdsReader(path, count, side))

/**
 * Reads the ids of the queries or of the corpus, one per line, in the order of the rows. In a file whose name
 * ends in `.jsonl`, as in BEIR, a line is an object whose `_id` is the id.
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
export const readIds = async (
  path: string,
  count: number | 'any',
  side: Side,
): Promise<ReadonlyMap<string, number>> => await readLines(path, new IdsReader(path, count, side))

class TextsReader extends PerRowReader implements LineReader<string[]> {
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
 * and a space if it has one.
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
): Promise<string[]> => await readLines(path, new TextsReader(path, count, side))
