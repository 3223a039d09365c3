import { invalid } from '../errors'
import { checkInteger, checkOneOf, frozen, required, withDefaults } from '../options'
import { fileError, printable } from './file'
import { arrayInMemory, compressRows } from './compressed-rows'
import { GrowingArray } from './growing-array'
import type { Side } from './ids-and-texts'
import { parseLines } from './lines'
import { chosenLeaf } from './parquet/columns'
import type { Leaf, ParquetFile } from './parquet/footer'
import { readRecords, type RecordReader, type Value } from './records'
import type { RowLists } from './row-lists'

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

/** Usual names of the columns of pairs in Parquet files. */
const usualNames = {
  query: ['query-id', 'query_id', 'qid', 'query'],
  corpus: ['corpus-id', 'corpus_id', 'docid', 'doc_id', 'pid', 'corpus'],
  value: ['score', 'relevance', 'rel', 'label'],
} as const

const isFlat = ({ path, maxRepetition, kind }: Leaf) =>
  path.length === 1 && maxRepetition === 0 && kind !== undefined

/** The columns of pairs by their usual names, else the only two or three in their order. */
function pairColumns(file: ParquetFile): Leaf[] {
  const flat = file.leaves.filter(isFlat)
  const named = (names: readonly string[]) =>
    names.map((name) => flat.find(({ path }) => path[0] === name)).find((each) => each)
  const [query, corpus, value] = Object.values(usualNames).map(named)
  if (query && corpus) return value ? [query, corpus, value] : [query, corpus]
  if (flat.length === 2 || flat.length === 3) return flat
  const names = `${usualNames.query[0]}, ${usualNames.corpus[0]} and perhaps ${usualNames.value[0]}`
  return [chosenLeaf(file, undefined, `columns ${names}`, () => false)]
}

/**
 * Reads pairs and sorts them; {@link readPairs} has the format.
 *
 * @internal Its types would need those of the Parquet library in programs that use the package.
 */
export class PairsReader implements RecordReader<Promise<Pairs>> {
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
    const { value } = this.options
    const columns = columnsOf(text, value)
    if (!columns)
      throw this.wrong(
        `line ${number}`,
        `query<TAB>corpus, then a ${value} or nothing, or ${trecColumns[value].name}`,
        text,
      )
    this.pair(columns, `line ${number}`)
  }

  columns(file: ParquetFile): Leaf[] {
    return pairColumns(file)
  }

  record(values: readonly Value[], number: number) {
    const place = `row ${number}`
    const [query, corpus, value] = values.map((each) => {
      if (each !== null) return String(each)
      throw this.wrong(place, 'two ids or rows and a number', 'null')
    })
    this.pair([query!, corpus!, value], place)
  }

  private pair(columns: Columns, place: string) {
    const { queries, corpus, queryIds, corpusIds } = this.options
    const query = this.row('query', columns[0], queries, queryIds, place)
    const row = this.row('corpus', columns[1], corpus, corpusIds, place)
    const counts = this.counts(columns[2], place)
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
  private row(side: Side, text: string, count: number, ids: IdRows | undefined, place: string) {
    const isNumber = /^ *\d{1,15} *$/.test(text)
    const row = ids ? ids.get(text) : isNumber ? Number(text) : undefined
    if (row !== undefined && row < count) return row
    if (this.options.unknownIds === 'skip' && (ids || isNumber)) return undefined
    throw this.wrong(place, ids ? `a known ${side} id` : `a ${side} row in 0..${count - 1}`, text)
  }

  /** A relevance of 0 or less means that the two do not match. */
  private counts(text: string | undefined, place: string): boolean {
    if (text === undefined) return true
    const { value } = this.options
    if (!numberPattern.test(text.trim())) throw this.wrong(place, `a number as ${value}`, text)
    return value === 'score' || Number(text) > 0
  }

  private wrong(place: string, expected: string, received: string) {
    return fileError(this.path, `${place}: expected ${expected}, received ${printable(received)}`)
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
 * corpus rank score run`. A first line `query-id<TAB>corpus-id…` is a header. Blank lines are skipped. A
 * Parquet file has columns of texts or integers, `query-id`, `corpus-id` and perhaps `score`, or only two or
 * three in this order.
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
  await readRecords(path, new PairsReader(path, options))
