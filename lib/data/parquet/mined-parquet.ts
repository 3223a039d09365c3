// Writes mined examples as Parquet files, in the layouts of their lines.
import type { AbortSignalLike } from '../../cancellation'
import { invalid } from '../../errors'
import { checkJob, checkOneOf, withDefaults } from '../../options'
import {
  checkWords,
  columnsOf,
  incompleteModes,
  minedRecords,
  type Mined,
  type MinedFormat,
  type Word,
  type Words,
} from '../mined-layouts'
import { minedLinesDefaults, type MinedLinesOptions } from '../mined-lines'
import { plain, type WordType, type WordTypes } from './mined-schema'
import { writeExamples } from './write-examples'

export interface WriteMinedParquetOptions extends MinedLinesOptions {
  /** Aborts the writing; none unless given. */
  readonly signal?: AbortSignalLike | undefined
}

/** Whether a column can hold a word: a text, or an integer that fits and that was not rounded. */
const isStorable = (word: unknown) =>
  typeof word === 'bigint'
    ? BigInt.asIntN(64, word) === word
    : typeof word === 'string' || Number.isSafeInteger(word)

/** Checks that all words of a side have one type, as a column has. */
class CheckedWords implements Words {
  readonly #types: Partial<Record<'query' | 'document', WordType>> = {}

  constructor(private readonly words: Words) {}

  get types(): WordTypes {
    return { query: 'text', document: 'text', ...this.#types }
  }

  query = (row: number) => this.checked('query', row, this.words.query(row))
  document = (row: number) => this.checked('document', row, this.words.document(row))
  queryId = (row: number) => this.words.queryId?.(row) ?? row
  documentId = (row: number) => this.words.documentId?.(row) ?? row

  private checked(side: 'query' | 'document', row: number, word: Word): Word {
    if (!isStorable(word))
      throw invalid(`words.${side}(${row})`, 'a text, a safe integer or a bigint of 64 bits', word)
    const type = typeof word === 'string' ? 'text' : 'integer'
    const first = (this.#types[side] ??= type)
    if (type !== first)
      throw invalid(`words.${side}(${row})`, `a word of the type ${first}, as the first one`, word)
    return word
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
  // The types of the words are known with the first example.
  const first = records.next()
  const columns = columnsOf(format, mined.numNegatives)
  const all = first.done ? [] : chained(first.value, records)
  await writeExamples(path, all, { columns, types: checked.types, signal })
}

function* chained<T>(first: T, rest: Iterable<T>): Generator<T> {
  yield first
  yield* rest
}
