import { throwIfAborted, type AbortSignalLike } from '../cancellation'
import { invalid } from '../errors'
import { checkOneOf, frozen, withDefaults, type Overrides } from '../options'
import { writePieces } from './file'
import {
  checkWords,
  incompleteModes,
  minedRecords,
  wordAt,
  type Field,
  type IncompleteMode,
  type Mined,
  type MinedFormat,
  type Notation,
  type Passage,
  type Word,
  type Words,
} from './mined-layouts'

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

/** A word as JSON; integers beyond 2^53 as strings of their digits. */
const wordJson = (word: Word) => (typeof word === 'bigint' ? `"${word}"` : JSON.stringify(word))

/** Scores are rounded to float32, as in scores.npy; one beyond its range becomes null. */
const scoreJson = (score: number) => JSON.stringify(Math.fround(score))

/** Tevatron has no numbers as ids. */
const json: Notation<string> = {
  word: wordJson,
  id: (word) => JSON.stringify(String(word)),
  score: scoreJson,
  label: String,
}

const list = (parts: readonly string[]) => `[${parts.join(',')}]`

const passageJson = ({ docid, text }: Passage<string>) => `{"docid":${docid},"text":${text}}`

const cellJson = (cell: string | Passage<string>) =>
  typeof cell === 'string' ? cell : passageJson(cell)

function lineOf(fields: readonly Field<string>[]): string {
  let line = '{'
  for (const [name, value] of fields) {
    if (line.length > 1) line += ','
    line += `"${name}":${Array.isArray(value) ? list(value.map(cellJson)) : (value as string)}`
  }
  return `${line}}`
}

/**
 * Generates the lines of mined examples in one of several layouts. A query without positives or negatives has no
 * line, except in labeled pairs, which are of one document; in n-tuples, and with `incomplete: 'drop'`, neither has a query with fewer than `numNegatives`.
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
  const { incomplete } = withDefaults(minedLinesDefaults, options)
  checkOneOf('incomplete', incomplete, incompleteModes)
  const records = minedRecords(format, mined, words, { incomplete, notation: json })
  return linesOf(records)
}

function* linesOf(records: Iterable<readonly Field<string>[]>): Generator<string> {
  for (const fields of records) yield lineOf(fields)
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
      const doc = wordJson(wordAt(words, 'document', rows[t]!))
      entries.push(
        `{"doc":${doc},"score":${scoreJson(scores[t]!)},"rule":"${ruleNames[rules[t]!]}"}`,
      )
    }
    const query = wordJson(wordAt(words, 'query', rejected.queries[i]!))
    const row = rejected.positives?.[i] ?? -1
    const positive = row < 0 ? '' : `,"positive":${wordJson(wordAt(words, 'document', row))}`
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
