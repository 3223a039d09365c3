// The layouts of mined examples, as they are written: whose fields hold what.
import { invalid } from '../errors'
import { checkOneOf } from '../options'
import type { RowLists } from './row-lists'

/** Whether queries with fewer negatives than `numNegatives` have lines. */
export const incompleteModes = ['keep', 'drop'] as const
export type IncompleteMode = (typeof incompleteModes)[number]

/** The mined negatives, as far as lines need them. */
export interface Mined {
  readonly queries: number
  /** Index of the first query in `words`; 0 if omitted. */
  readonly firstQuery?: number | undefined
  readonly numNegatives: number
  /**
   * The first list of each query where every positive has its own list, [queries + 1]; undefined: one list for
   * each query.
   */
  readonly listStarts?: Int32Array | undefined
  /** [lists × numNegatives], best first; −1 for none. */
  readonly indices: Int32Array
  /** [lists × numNegatives]. */
  readonly scores: Float32Array
  /** [lists], number of negatives found. */
  readonly counts: Int32Array
  readonly positives: RowLists
  /** Parallel to `positives.indices`. */
  readonly positiveScores: Float64Array
}

/** A text, an id or a row. Integers of 64 bits are bigints. */
export type Word = string | number | bigint

/** How examples represent a query or a document: by its text, its id, or its row. */
export interface Words {
  query(row: number): Word
  document(row: number): Word
  /** Id of a query, for `tevatron`, whose lines have ids and texts; the row if omitted. */
  queryId?(row: number): Word
  /** The same for a document. */
  documentId?(row: number): Word
}

/** How the values of examples are written. */
export interface Notation<Cell> {
  word(word: Word): Cell
  id(word: Word): Cell
  score(score: number): Cell
  label(label: 0 | 1): Cell
}

/** A document with its id. */
export interface Passage<Cell> {
  readonly docid: Cell
  readonly text: Cell
}

/** A field of an example. */
export type Field<Cell> = readonly [
  name: string,
  value: Cell | readonly Cell[] | readonly Passage<Cell>[],
]

/** A list of negatives: the place of its query, and the range of its positives. */
interface List {
  readonly q: number
  readonly list: number
  readonly first: number
  readonly last: number
}

/** A query without positives has one list, wherever the others have one for each positive. */
function* listsOf({ queries, positives: { indptr }, listStarts }: Mined): Generator<List> {
  for (let q = 0; q < queries; q++) {
    const [begin, end] = [indptr[q]!, indptr[q + 1]!]
    const list = listStarts ? listStarts[q]! : q
    if (!listStarts || begin === end) yield { q, list, first: begin, last: end }
    else
      for (let t = begin; t < end; t++) yield { q, list: list + t - begin, first: t, last: t + 1 }
  }
}

/** A query with its positives and negatives, in the notation of a file. */
class Example<Cell> {
  readonly query: Cell
  readonly positives: readonly Cell[]
  readonly negatives: readonly Cell[]
  private readonly q: number
  private readonly first: number
  private readonly last: number
  private readonly start: number
  private readonly end: number

  constructor(
    private readonly source: Source<Cell>,
    { q, list, first, last }: List,
  ) {
    const { mined, words, notation } = source
    const { indices } = mined.positives
    this.q = q
    this.first = first
    this.last = last
    this.start = list * mined.numNegatives
    this.end = this.start + mined.counts[list]!
    const document = (row: number) =>
      notation.word(checkedWord('document', row, words.document(row)))
    this.positives = mapped(indices, this.first, this.last, document)
    this.negatives = mapped(mined.indices, this.start, this.end, document)
    const query = source.firstQuery + q
    this.query = notation.word(checkedWord('query', query, words.query(query)))
  }

  positiveScores(): readonly Cell[] {
    const { mined, notation } = this.source
    return mapped(mined.positiveScores, this.first, this.last, notation.score)
  }

  negativeScores(): readonly Cell[] {
    const { mined, notation } = this.source
    return mapped(mined.scores, this.start, this.end, notation.score)
  }

  /** The rows of the positives, then of the negatives. */
  rows(): number[] {
    const { mined } = this.source
    return [
      ...mined.positives.indices.subarray(this.first, this.last),
      ...mined.indices.subarray(this.start, this.end),
    ]
  }

  /** Of the positives, then of the negatives. */
  labels(): readonly Cell[] {
    const { label } = this.source.notation
    return [...this.positives.map(() => label(1)), ...this.negatives.map(() => label(0))]
  }

  queryId(): Cell {
    const { words, notation, firstQuery } = this.source
    return notation.id(wordAt(words, 'queryId', firstQuery + this.q))
  }

  positivePassages(): Passage<Cell>[] {
    const { indices } = this.source.mined.positives
    return this.passages(indices, this.first, this.last, this.positives)
  }

  negativePassages(): Passage<Cell>[] {
    return this.passages(this.source.mined.indices, this.start, this.end, this.negatives)
  }

  private passages(rows: ArrayLike<number>, from: number, to: number, texts: readonly Cell[]) {
    const { words, notation } = this.source
    return mapped(rows, from, to, (row) => notation.id(wordAt(words, 'documentId', row))).map(
      (docid, i) => ({ docid, text: texts[i]! }),
    )
  }
}

/** Where examples come from. */
interface Source<Cell> {
  readonly mined: Mined
  readonly firstQuery: number
  readonly words: Words
  readonly notation: Notation<Cell>
}

/** What a column of a layout holds in each example. */
export type ColumnKind =
  'query' | 'document' | 'documents' | 'label' | 'labels' | 'scores' | 'id' | 'passages'

interface Layout {
  /** The fields of its lines, in the words of the help, and the trainers that read them. */
  readonly described: string
  /** Whether a query with fewer than `numNegatives` negatives has no line. */
  readonly needsAll?: boolean
  /** Whether a line is of one document, so that queries without positives or without negatives have some too. */
  readonly isOfOne?: boolean
  /** Its fields in their order, for so many negatives. */
  columns(numNegatives: number): Readonly<Record<string, ColumnKind>>
  /** @param written Documents of the query that earlier lists have; only layouts of one document use it. */
  records<Cell>(example: Example<Cell>, written: Set<number>): Iterable<readonly Field<Cell>[]>
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `negative_${i + 1}`)

const layouts = {
  triplet: {
    described: 'anchor, positive, negative: MultipleNegativesRankingLoss, TripletLoss',
    columns: () => ({ anchor: 'query', positive: 'document', negative: 'document' }),
    *records({ query, positives, negatives }) {
      for (const positive of positives)
        for (const negative of negatives)
          yield [
            ['anchor', query],
            ['positive', positive],
            ['negative', negative],
          ]
    },
  },
  'n-tuple': {
    described:
      'anchor, positive, negative_1 to negative_K: MultipleNegativesRankingLoss; queries with fewer than K negatives are left out',
    needsAll: true,
    columns: (count) => ({
      anchor: 'query',
      positive: 'document',
      ...Object.fromEntries(numbered(count).map((name) => [name, 'document' as const])),
    }),
    *records<Cell>({ query, positives, negatives }: Example<Cell>) {
      const names = numbered(negatives.length)
      const others = negatives.map((negative, i): Field<Cell> => [names[i]!, negative])
      for (const positive of positives) yield [['anchor', query], ['positive', positive], ...others]
    },
  },
  'labeled-pair': {
    described:
      'query, passage, label, one line for each document of a query: BinaryCrossEntropyLoss, OnlineContrastiveLoss',
    isOfOne: true,
    columns: () => ({ query: 'query', passage: 'document', label: 'label' }),
    *records(example, written) {
      const { query, positives, negatives } = example
      const documents = [...positives, ...negatives]
      const marks = example.labels()
      const rows = example.rows()
      for (const [i, document] of documents.entries()) {
        if (written.has(rows[i]!)) continue
        written.add(rows[i]!)
        yield [
          ['query', query],
          ['passage', document],
          ['label', marks[i]!],
        ]
      }
    },
  },
  labeled: {
    described:
      'query, docs, labels, scores: cross-encoder rerankers; drop the column scores for ListNetLoss or LambdaLoss',
    columns: () => ({ query: 'query', docs: 'documents', labels: 'labels', scores: 'scores' }),
    *records(example) {
      const { query, positives, negatives } = example
      yield [
        ['query', query],
        ['docs', [...positives, ...negatives]],
        ['labels', example.labels()],
        ['scores', [...example.positiveScores(), ...example.negativeScores()]],
      ]
    },
  },
  'flag-embedding': {
    described: 'query, pos, neg, pos_scores, neg_scores: FlagEmbedding, embedders and rerankers',
    columns: () => ({
      query: 'query',
      pos: 'documents',
      neg: 'documents',
      pos_scores: 'scores',
      neg_scores: 'scores',
    }),
    *records(example) {
      const { query, positives, negatives } = example
      yield [
        ['query', query],
        ['pos', positives],
        ['neg', negatives],
        ['pos_scores', example.positiveScores()],
        ['neg_scores', example.negativeScores()],
      ]
    },
  },
  tevatron: {
    described: 'query_id, query, positive_passages, negative_passages, each of docid and text',
    columns: () => ({
      query_id: 'id',
      query: 'query',
      positive_passages: 'passages',
      negative_passages: 'passages',
    }),
    *records(example) {
      yield [
        ['query_id', example.queryId()],
        ['query', example.query],
        ['positive_passages', example.positivePassages()],
        ['negative_passages', example.negativePassages()],
      ]
    },
  },
  nemo: {
    described: 'query, pos_doc, neg_doc: inline data of NeMo Automodel',
    columns: () => ({ query: 'query', pos_doc: 'documents', neg_doc: 'documents' }),
    *records({ query, positives, negatives }) {
      yield [
        ['query', query],
        ['pos_doc', positives],
        ['neg_doc', negatives],
      ]
    },
  },
} as const satisfies Readonly<Record<string, Layout>>

/**
 * Layouts of mined examples: the first four are those of sentence-transformers; `nemo` is that of inline data
 * of NeMo Automodel.
 */
export type MinedFormat = keyof typeof layouts
export const minedFormats = Object.keys(layouts) as readonly MinedFormat[]

/** Every layout in the words of the help. */
export const minedFormatTexts: readonly (readonly [name: MinedFormat, text: string])[] =
  minedFormats.map((name) => [name, layouts[name].described])

/** The columns of a layout in their order. */
export const columnsOf = (
  format: MinedFormat,
  numNegatives: number,
): readonly (readonly [name: string, kind: ColumnKind])[] =>
  Object.entries((layouts[format] as Layout).columns(numNegatives))

export function checkWords(words: Words) {
  for (const name of ['query', 'document', 'queryId', 'documentId'] as const) {
    const isOptional = name.endsWith('Id') && words?.[name] === undefined
    if (!isOptional && typeof words?.[name] !== 'function')
      throw invalid(`words.${name}`, 'a function of a row', words?.[name])
  }
}

/** The word for a row; throws unless it is a string, a finite number or a bigint. */
export const wordAt = (words: Words, side: keyof Words, row: number): Word =>
  checkedWord(side, row, words[side] ? words[side]!(row) : row)

function checkedWord(side: keyof Words, row: number, word: unknown): Word {
  if (typeof word === 'string' || typeof word === 'bigint' || Number.isFinite(word))
    return word as Word
  throw invalid(`words.${side}(${row})`, 'a string, a finite number or a bigint', word)
}

function mapped<T>(
  values: ArrayLike<number>,
  start: number,
  end: number,
  map: (value: number) => T,
): T[] {
  const results: T[] = []
  for (let i = start; i < end; i++) results.push(map(values[i]!))
  return results
}

interface RecordsOptions<Cell> {
  readonly incomplete: IncompleteMode
  readonly notation: Notation<Cell>
}

/**
 * The fields of mined examples in a layout, in the notation of a file; {@link minedLines} has the rules.
 *
 * @throws {TypeError} if the layout does not exist, or `mined` or `words` has a wrong type.
 */
export function minedRecords<Cell>(
  format: MinedFormat,
  mined: Mined,
  words: Words,
  { incomplete, notation }: RecordsOptions<Cell>,
): Generator<readonly Field<Cell>[]> {
  checkOneOf('format', format, minedFormats)
  if (typeof mined?.positives !== 'object')
    throw invalid('mined', 'what mineHardNegatives() gave', mined)
  checkWords(words)
  const layout: Layout = layouts[format]
  const fewest = layout.needsAll || incomplete === 'drop' ? mined.numNegatives : 0
  const source = { mined, words, notation, firstQuery: mined.firstQuery ?? 0 }
  return recordsOf(layout, source, fewest)
}

/** @param fewest Negatives of a list that has examples, at least. */
function* recordsOf<Cell>(
  layout: Layout,
  source: Source<Cell>,
  fewest: number,
): Generator<readonly Field<Cell>[]> {
  let written = new Set<number>()
  let query = -1
  for (const each of listsOf(source.mined)) {
    if (each.q !== query) written = new Set()
    query = each.q
    const count = source.mined.counts[each.list]!
    const hasBoth = count > 0 && each.first !== each.last
    if (count >= fewest && (hasBoth || layout.isOfOne))
      yield* layout.records(new Example(source, each), written)
  }
}
