import { throwIfAborted, type AbortSignalLike } from '../cancellation'
import { invalid } from '../errors'
import { checkOneOf, frozen, withDefaults, type Overrides } from '../options'
import { writePieces } from './file'
import type { RowLists } from './row-lists'

/** Whether queries with fewer negatives than `numNegatives` have lines. */
export const incompleteModes = ['keep', 'drop'] as const
export type IncompleteMode = (typeof incompleteModes)[number]

/** The only place where the defaults of {@link minedLines} are written. */
export const minedLinesDefaults = frozen({
  /**
   * Queries with fewer negatives than `numNegatives`: `keep` gives them lines with the negatives that they
   * have, `drop` gives them none; `keep` unless given.
   */
  incomplete: 'keep' as IncompleteMode,
})

export type MinedLinesOptions = Overrides<typeof minedLinesDefaults>

/** The rules that drop a candidate, in the order in which they are applied. */
export const ruleNames = [
  'self',
  'positive',
  'excluded',
  'group',
  'duplicate',
  'nearPositive',
  'ceiling',
  'floor',
  'rank',
  'nearDuplicate',
  'hub',
] as const
export type RuleName = (typeof ruleNames)[number]

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

/** The best dropped candidates of the mined lists: one for each query, or one for each positive. */
export interface Rejected {
  /** The queries of the mined lists, in order. */
  readonly queries: Int32Array
  /** The positives whose lists they are; −1, or omitted, for lists of queries. */
  readonly positives?: Int32Array | undefined
  /** [mined lists + 1]: the candidates of the i-th are `rows[indptr[i]]`..`rows[indptr[i + 1] - 1]`. */
  readonly indptr: Int32Array
  readonly rows: Int32Array
  readonly scores: Float64Array | Float32Array
  /** Parallel to `rows`, positions in {@link ruleNames}. */
  readonly rules: Uint8Array
}

/** How lines represent a query or a document: by its text, its id, or its row. */
export interface Words {
  query(row: number): string | number
  document(row: number): string | number
  /** Id of a query, for `tevatron`, whose lines have ids and texts; the row if omitted. */
  queryId?(row: number): string | number
  /** The same for a document. */
  documentId?(row: number): string | number
}

/** A query with its positives and negatives, each as JSON text. */
interface Example {
  readonly query: string
  readonly positives: readonly string[]
  readonly negatives: readonly string[]
  readonly positiveScores: readonly string[]
  readonly negativeScores: readonly string[]
  /** JSON strings of the ids, in the same order. */
  ids(): { readonly query: string; readonly positives: string[]; readonly negatives: string[] }
}

/** A word as JSON; throws unless it is a string or a finite number. */
function wordJson(words: Words, side: keyof Words, row: number): string {
  const word: unknown = words[side] ? words[side]!(row) : row
  if (typeof word === 'string' || Number.isFinite(word)) return JSON.stringify(word)
  throw invalid(`words.${side}(${row})`, 'a string or a finite number', word)
}

const list = (parts: readonly string[]) => `[${parts.join(',')}]`

/** An id as a JSON string: Tevatron has no numbers as ids. */
function idJson(words: Words, side: 'queryId' | 'documentId', row: number): string {
  const json = wordJson(words, side, row)
  return json.startsWith('"') ? json : `"${json}"`
}

const passages = (ids: readonly string[], texts: readonly string[]) =>
  list(ids.map((id, i) => `{"docid":${id},"text":${texts[i]}}`))

interface Layout {
  /** The fields of its lines, in the words of the help, and the trainers that read them. */
  readonly described: string
  /** Whether a query with fewer than `numNegatives` negatives has no line. */
  readonly needsAll?: boolean
  lines(example: Example): Iterable<string>
}

const layouts = {
  triplet: {
    described: 'anchor, positive, negative: MultipleNegativesRankingLoss, TripletLoss',
    *lines({ query, positives, negatives }) {
      for (const positive of positives)
        for (const negative of negatives)
          yield `{"anchor":${query},"positive":${positive},"negative":${negative}}`
    },
  },
  'n-tuple': {
    described:
      'anchor, positive, negative_1 to negative_K: MultipleNegativesRankingLoss; queries with fewer than K negatives are left out',
    needsAll: true,
    *lines({ query, positives, negatives }) {
      const columns = negatives.map((negative, i) => `,"negative_${i + 1}":${negative}`).join('')
      for (const positive of positives) yield `{"anchor":${query},"positive":${positive}${columns}}`
    },
  },
  labeled: {
    described:
      'query, docs, labels, scores: cross-encoder rerankers; drop the column scores for ListNetLoss or LambdaLoss',
    *lines({ query, positives, negatives, positiveScores, negativeScores }) {
      const labels = [...positives.map(() => '1'), ...negatives.map(() => '0')]
      const docs = list([...positives, ...negatives])
      const scores = list([...positiveScores, ...negativeScores])
      yield `{"query":${query},"docs":${docs},"labels":${list(labels)},"scores":${scores}}`
    },
  },
  'flag-embedding': {
    described: 'query, pos, neg, pos_scores, neg_scores: FlagEmbedding, embedders and rerankers',
    *lines({ query, positives, negatives, positiveScores, negativeScores }) {
      const documents = `"pos":${list(positives)},"neg":${list(negatives)}`
      const scores = `"pos_scores":${list(positiveScores)},"neg_scores":${list(negativeScores)}`
      yield `{"query":${query},${documents},${scores}}`
    },
  },
  tevatron: {
    described: 'query_id, query, positive_passages, negative_passages, each of docid and text',
    *lines({ query, positives, negatives, ids }) {
      const named = ids()
      const documents = `"positive_passages":${passages(named.positives, positives)},"negative_passages":${passages(named.negatives, negatives)}`
      yield `{"query_id":${named.query},"query":${query},${documents}}`
    },
  },
  nemo: {
    described: 'query, pos_doc, neg_doc: inline data of NeMo Automodel',
    *lines({ query, positives, negatives }) {
      yield `{"query":${query},"pos_doc":${list(positives)},"neg_doc":${list(negatives)}}`
    },
  },
} as const satisfies Readonly<Record<string, Layout>>

/**
 * Layouts of mined examples: the first three are those of sentence-transformers; `nemo` is that of inline
 * data of NeMo Automodel.
 */
export type MinedFormat = keyof typeof layouts
export const minedFormats = Object.keys(layouts) as readonly MinedFormat[]

/** Every layout in the words of the help. */
export const minedFormatTexts: readonly (readonly [name: MinedFormat, text: string])[] =
  minedFormats.map((name) => [name, layouts[name].described])

/** Scores are rounded to float32, as in scores.npy; one beyond its range becomes null. */
const scoreJson = (score: number) => JSON.stringify(Math.fround(score))

const jsonOf = (
  values: ArrayLike<number>,
  start: number,
  end: number,
  json: (value: number) => string,
) => Array.from({ length: end - start }, (_, i) => json(values[start + i]!))

/**
 * Generates the lines of mined examples in one of several layouts. A query without positives or negatives has no
 * line; in n-tuples, and with `incomplete: 'drop'`, neither has a query with fewer than `numNegatives`.
 *
 * @throws {TypeError} if the layout does not exist, an option is unknown or wrong, or `mined` or `words` has
 *   a wrong type; during generation, if a word is neither a string nor a finite number, naming its row.
 *
 * @example
 * await writeLines('negatives.jsonl', minedLines('triplet', mined, words))
 */
export function minedLines(
  format: MinedFormat,
  mined: Mined,
  words: Words,
  options: MinedLinesOptions = {},
): Generator<string> {
  checkOneOf('format', format, minedFormats)
  if (typeof mined?.positives !== 'object')
    throw invalid('mined', 'what mineHardNegatives() gave', mined)
  checkWords(words)
  const { incomplete } = withDefaults(minedLinesDefaults, options)
  checkOneOf('incomplete', incomplete, incompleteModes)
  const layout: Layout = layouts[format]
  const fewest = layout.needsAll || incomplete === 'drop' ? mined.numNegatives : 1
  return examplesOf(layout, mined, words, fewest)
}

function checkWords(words: Words) {
  for (const name of ['query', 'document', 'queryId', 'documentId'] as const) {
    const isOptional = name.endsWith('Id') && words?.[name] === undefined
    if (!isOptional && typeof words?.[name] !== 'function')
      throw invalid(`words.${name}`, 'a function of a row', words?.[name])
  }
}

/** The lists of negatives, each with the place of its query and the range of its positives. */
function* linedLists({ queries, positives: { indptr }, listStarts }: Mined) {
  for (let q = 0; q < queries; q++) {
    const [begin, end] = [indptr[q]!, indptr[q + 1]!]
    if (!listStarts) yield { q, list: q, first: begin, last: end }
    else
      for (let t = begin; t < end; t++)
        yield { q, list: listStarts[q]! + t - begin, first: t, last: t + 1 }
  }
}

/** @param fewest Negatives of a list that has lines, at least. */
function* examplesOf(
  layout: Layout,
  mined: Mined,
  words: Words,
  fewest: number,
): Generator<string> {
  const { positives, positiveScores, numNegatives, firstQuery = 0 } = mined
  const document = (row: number) => wordJson(words, 'document', row)
  const documentId = (row: number) => idJson(words, 'documentId', row)
  for (const { q, list, first, last } of linedLists(mined)) {
    const start = list * numNegatives
    const count = mined.counts[list]!
    const end = start + count
    if (first === last || count === 0 || count < fewest) continue
    const example = {
      query: wordJson(words, 'query', firstQuery + q),
      positives: jsonOf(positives.indices, first, last, document),
      negatives: jsonOf(mined.indices, start, end, document),
      positiveScores: jsonOf(positiveScores, first, last, scoreJson),
      negativeScores: jsonOf(mined.scores, start, end, scoreJson),
      ids: () => ({
        query: idJson(words, 'queryId', firstQuery + q),
        positives: jsonOf(positives.indices, first, last, documentId),
        negatives: jsonOf(mined.indices, start, end, documentId),
      }),
    }
    yield* layout.lines(example)
  }
}

/**
 * Generates lines `{query, rejected: [{doc, score, rule}]}`, one per mined query, or `{query, positive,
 * rejected}`, one per positive with the reference `each`.
 *
 * @throws {TypeError} if `rejected` or `words` has a wrong type, or, during generation, a word has.
 */
export function rejectedLines(rejected: Rejected, words: Words): Generator<string> {
  if (typeof rejected?.indptr !== 'object')
    throw invalid('rejected', 'the field `rejected` of what mineHardNegatives() gave', rejected)
  checkWords(words)
  return entriesOf(rejected, words)
}

function* entriesOf(rejected: Rejected, words: Words): Generator<string> {
  const { indptr, rows, scores, rules } = rejected
  for (let i = 0; i < rejected.queries.length; i++) {
    const entries: string[] = []
    for (let t = indptr[i]!; t < indptr[i + 1]!; t++) {
      const doc = wordJson(words, 'document', rows[t]!)
      entries.push(
        `{"doc":${doc},"score":${scoreJson(scores[t]!)},"rule":"${ruleNames[rules[t]!]}"}`,
      )
    }
    const query = wordJson(words, 'query', rejected.queries[i]!)
    const row = rejected.positives?.[i] ?? -1
    const positive = row < 0 ? '' : `,"positive":${wordJson(words, 'document', row)}`
    yield `{"query":${query}${positive},"rejected":${list(entries)}}`
  }
}

/** Lines are written in chunks of about this many characters. */
const chunkLength = 1 << 18

function* chunksOf(
  lines: Iterable<string>,
  signal: AbortSignalLike | undefined,
): Generator<Uint8Array> {
  let chunk = ''
  for (const line of lines) {
    chunk += `${line}\n`
    if (chunk.length < chunkLength) continue
    throwIfAborted(signal)
    yield Buffer.from(chunk)
    chunk = ''
  }
  throwIfAborted(signal)
  if (chunk !== '') yield Buffer.from(chunk)
}

/**
 * Writes lines to a file, replacing one that is there. Lines are generated while they are written, so they
 * are never all in memory.
 *
 * @param signal Stops between two chunks; the chunks written so far stay.
 * @throws {TypeError} if `lines` is not an iterable of lines, or is a string.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if the file cannot be written, or the
 *   signal's reason.
 */
export async function writeLines(
  path: string,
  lines: Iterable<string>,
  { signal }: { signal?: AbortSignalLike | undefined } = {},
): Promise<void> {
  checkLines(lines)
  await writePieces(path, chunksOf(lines, signal))
}

/** A string is refused, although it is an iterable of its letters. */
function checkLines(lines: unknown) {
  const isIterable = typeof lines === 'object' && lines !== null && Symbol.iterator in lines
  if (!isIterable) throw invalid('lines', 'an array or a generator of lines', lines)
}
