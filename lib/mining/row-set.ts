// Sets of corpus rows for searches of a part of a corpus.
import { loanOf } from '../data/loan'
import { inSlices } from '../data/slices'
import { kindOf } from '../data/typed-array'
import { invalid } from '../errors'
import { detached } from '../lending'
import { runJob, smallJob } from '../native'
import { checkInteger } from '../options'

/** The bitmaps of all sets, which nobody writes. */
const prepared = new WeakSet<Uint32Array>()

/** Whether a bitmap is that of a set, and not the caller's. */
export const isPrepared = (words: Uint32Array) => prepared.has(words)

/** A set of rows of a corpus, prepared once by {@link prepareRowSet} for many searches. It cannot change. */
export class RowSet {
  readonly #words: Uint32Array

  /** Only for {@link prepareRowSet}. */
  constructor(
    words: Uint32Array,
    /** Number of rows of the corpus. */
    readonly corpusRows: number,
    /** Number of rows in the set. */
    readonly size: number,
  ) {
    this.#words = words
    prepared.add(words)
  }

  /** Whether a row is in the set; false for a number that is no row. */
  has(row: number): boolean {
    const isRow = Number.isInteger(row) && row >= 0 && row < this.corpusRows
    return isRow && (this.#words[row >>> 5]! >>> (row & 31)) % 2 === 1
  }

  /** @internal The bitmap, which nobody may write. */
  get words(): Uint32Array {
    return this.#words
  }
}

/**
 * Rows of a corpus, the same for all queries: a bitmap, of which bit i % 32 of word i >> 5 is row i, or a list
 * of row numbers in any order and with repeats.
 */
export type RowSetInput = Uint32Array | Int32Array | readonly number[]

/** Words of a bitmap. */
const wordsOf = (rows: number) => Math.ceil(rows / 32)

const wantedRows = 'a bitmap (a Uint32Array), or row numbers (an Int32Array or an array of numbers)'

/** Checks that a bitmap is one of a corpus. Bits beyond its last row must be 0. */
export function checkBitmap(name: string, words: Uint32Array, corpus: number) {
  const wanted = `a bitmap of ${wordsOf(corpus)} words for ${corpus} corpus rows`
  if (words.length !== wordsOf(corpus)) throw invalid(`${name}.length`, wanted, words.length)
  const last = words.at(-1)!
  if (corpus % 32 !== 0 && last >>> (corpus % 32) !== 0)
    throw invalid(
      `${name}[${words.length - 1}]`,
      `a word without bits of rows from ${corpus} on`,
      last,
    )
}

/** The bits of a word that are 1: sums of 2, 4 and 8 neighbours, and of all four bytes. */
function bitsIn(word: number): number {
  const twos = word - ((word >>> 1) & 0x55555555)
  const fours = (twos & 0x33333333) + ((twos >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Copies a bitmap of the caller and counts its rows. */
export async function copiedSet(
  name: string,
  bitmap: Uint32Array,
  corpus: number,
): Promise<RowSet> {
  const { length } = bitmap
  const words = new Uint32Array(length)
  let size = 0
  await inSlices(length, (begin, end) => {
    if (bitmap.length !== length) throw detached(name)
    words.set(bitmap.subarray(begin, end), begin)
    for (let i = begin; i < end; i++) size += bitsIn(words[i]!)
  })
  // The caller may have written to it since the first check.
  checkBitmap(name, words, corpus)
  return new RowSet(words, corpus, size)
}

/** A list of row numbers as the addon reads it; it checks whether they are rows. */
async function listOf(rows: readonly number[]): Promise<Int32Array> {
  const list = new Int32Array(rows.length)
  await inSlices(list.length, (begin, end) => {
    for (let i = begin; i < end; i++) {
      list[i] = rows[i]!
      if (rows[i] !== list[i]) throw invalid(`rows[${i}]`, 'a corpus row', rows[i])
    }
  })
  return list
}

/**
 * Prepares a set of corpus rows once, for many searches that may get only these rows (`allow`) or not these
 * rows (`exclude`).
 *
 * @param rows A bitmap, or a list of row numbers. Copied.
 * @param corpus The corpus, or its number of rows: searches of a corpus of another size refuse the set.
 * @throws {TypeError | RangeError} naming the first element that is no row of the corpus, or a bitmap of
 *   another length.
 *
 * @example
 * const corpus = await prepareCorpus(embeddings)
 * const german = await prepareRowSet([0, 2, 5], corpus)
 * const { indices } = await topK(queries, corpus, { k: 10, allow: german })
 */
export async function prepareRowSet(
  rows: RowSetInput,
  corpus: number | { readonly rows: number },
): Promise<RowSet> {
  const count = typeof corpus === 'object' && corpus !== null ? corpus.rows : corpus
  checkInteger('corpus', count, 1, 2 ** 31 - 1)
  if (kindOf(rows) === 'Uint32Array') {
    checkBitmap('rows', rows as Uint32Array, count)
    return copiedSet('rows', rows as Uint32Array, count)
  }
  const isArray = Array.isArray(rows)
  if (!isArray && kindOf(rows) !== 'Int32Array') throw invalid('rows', wantedRows, rows)
  const given = isArray ? await listOf(rows) : (rows as Int32Array)
  const { inputs } = await loanOf({ rows: given })
  const list = inputs.rows
  const words = new Uint32Array(wordsOf(count))
  const size = await runJob(smallJob(), { rows: list }, (addon, control) =>
    addon.setRows(list, count, words, control),
  )
  return new RowSet(words, count, size)
}
