// Texts of a corpus in shards: which rows have a text that rows of other shards have too.
import { createHash } from 'node:crypto'
import { joined } from '../data/pieces'
import { inSlices } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { invalid } from '../errors'
import { handOut } from '../lending'
import { required, withDefaults } from '../options'
import { checkParts, checkRange, inOrder, type CorpusRange } from './corpus-shard'
import { checkTexts, textAt } from './text-classes'

/** Bytes of a digest: the first half of a SHA-256, all 0 for an empty text, which equals no other. */
export const digestBytes = 16
const words = digestBytes / 4

export type DigestTextsOptions = {
  /** The first row of the shard among all rows of the corpus, to be given. */
  firstRow: number
  /** Rows of the whole corpus, to be given. */
  corpusRows: number
}

/** Digests of the texts of a shard: plain data, to be sent from machine to machine. */
export interface TextDigests extends CorpusRange {
  /** Of each row 16 bytes, [rows × 16]; equal texts have equal digests. */
  readonly digests: Uint8Array
}

/** The rows of a corpus whose text is also that of a row in another shard: plain data. */
export interface SharedTexts {
  /** Rows of the whole corpus. */
  readonly corpusRows: number
  /** The rows, ascending, [m]. */
  readonly rows: Int32Array
  /** Digests of their texts, [m × 16]. */
  readonly digests: Uint8Array
}

/** Texts between two turns of the event loop. */
const stride = 1 << 10

/** Digests that are looked up in between. */
const lookups = 1 << 14

/** @throws {TypeError | RangeError} naming the text that is none. */
export async function digestsOf(
  name: string,
  texts: readonly string[],
  wanted?: number,
): Promise<Uint8Array> {
  checkTexts(name, texts, wanted)
  const count = texts.length
  const digests = resultArray(Uint8Array, count * digestBytes)
  await inSlices(
    count,
    (begin, end) => {
      for (let i = begin; i < end; i++) {
        const text = textAt(name, texts, i)
        if (text !== '') digests.set(digestOf(text), i * digestBytes)
      }
    },
    stride,
  )
  return digests
}

// In UTF-8 all lone surrogates would be one character.
const digestOf = (text: string) =>
  createHash('sha256').update(text, 'utf16le').digest().subarray(0, digestBytes)

/** Digests as texts that are equal if the digests are; an empty one for an empty text. */
export async function digestNames(digests: Uint8Array): Promise<string[]> {
  const names: string[] = []
  await inSlices(
    digests.length / digestBytes,
    (begin, end) => {
      for (let i = begin; i < end; i++) {
        const digest = digests.subarray(i * digestBytes, (i + 1) * digestBytes)
        names.push(digest.every((byte) => byte === 0) ? '' : String.fromCharCode(...digest))
      }
    },
    stride,
  )
  return names
}

/**
 * Digests of the texts of a shard, for {@link mergeTextDigests}. Only for mining with texts, as the step
 * before {@link scorePositives}.
 *
 * @param corpusTexts [rows], texts of the rows firstRow .. firstRow + rows − 1.
 * @throws {TypeError | RangeError} naming the text that is none, or rows beyond the corpus.
 */
export async function digestTexts(
  corpusTexts: readonly string[],
  given: DigestTextsOptions,
): Promise<TextDigests> {
  const { firstRow, corpusRows } = withDefaults({ firstRow: required, corpusRows: required }, given)
  const digests = await digestsOf('corpusTexts', corpusTexts)
  const range = { firstRow, rows: corpusTexts.length, corpusRows }
  checkRange(range, 'corpusTexts')
  return { ...range, digests }
}

/** A set of digests in open addressing: the digests are their own hashes. */
class DigestTable {
  /** A row + 1, or 0 for none. */
  readonly #slots: Int32Array
  readonly #mask: number

  constructor(
    readonly digests: Uint32Array,
    count: number,
  ) {
    const size = 2 ** Math.ceil(Math.log2(2 * count + 2))
    this.#slots = new Int32Array(size)
    this.#mask = size - 1
  }

  isEmpty(row: number): boolean {
    return this.#equals(row, undefined)
  }

  /** The first row that was asked with this digest. */
  first(row: number): number {
    for (let slot = this.digests[row * words]! & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const held = this.#slots[slot]!
      if (held === 0) {
        this.#slots[slot] = row + 1
        return row
      }
      if (this.#equals(row, held - 1)) return held - 1
    }
  }

  /** Whether two rows have one digest, or a row that of an empty text. */
  #equals(row: number, other: number | undefined): boolean {
    for (let word = 0; word < words; word++) {
      const wanted = other === undefined ? 0 : this.digests[other * words + word]!
      if (this.digests[row * words + word] !== wanted) return false
    }
    return true
  }
}

function checkDigests(parts: readonly TextDigests[]) {
  for (const [i, { digests, rows }] of parts.entries())
    if (!(digests instanceof Uint8Array) || digests.length !== rows * digestBytes)
      throw invalid(
        `parts[${i}].digests`,
        `${rows * digestBytes} bytes, as from digestTexts()`,
        digests,
      )
}

/** Rows whose text a row of another shard has. */
async function rowsShared(table: DigestTable, parts: readonly TextDigests[], rows: number) {
  const shardOf = new Int32Array(rows)
  for (const [i, { firstRow, rows: count }] of parts.entries())
    await inSlices(count, (begin, end) => shardOf.fill(i, firstRow + begin, firstRow + end))
  const isShared = new Uint8Array(rows)
  const mark = (begin: number, end: number) => {
    for (let row = begin; row < end; row++) {
      if (table.isEmpty(row)) continue
      const first = table.first(row)
      if (shardOf[first] !== shardOf[row]) isShared[first] = 1
    }
  }
  const copy = (begin: number, end: number) => {
    for (let row = begin; row < end; row++)
      if (!table.isEmpty(row)) isShared[row] = isShared[table.first(row)]!
  }
  await inSlices(rows, mark, lookups)
  await inSlices(rows, copy, lookups)
  return isShared
}

/**
 * Finds the rows whose text is also that of a row in another shard, from what {@link digestTexts} gave for all
 * shards of a corpus. {@link scorePositives} takes the result.
 *
 * @param parts Each shard once, in any order.
 * @throws {TypeError | RangeError} naming the part that is wrong, or rows that no part or several parts have.
 */
export async function mergeTextDigests(parts: readonly TextDigests[]): Promise<SharedTexts> {
  checkParts(parts, 'digests', 'digestTexts')
  checkDigests(parts)
  const ordered = inOrder(parts)
  const { corpusRows } = ordered[0]!
  const all = await joined(
    ordered.map(({ digests }) => digests),
    Uint8Array,
  )
  const table = new DigestTable(
    new Uint32Array(all.buffer, all.byteOffset, all.length / 4),
    corpusRows,
  )
  const isShared = await rowsShared(table, ordered, corpusRows)
  let wanted = 0
  await inSlices(corpusRows, (begin, end) => {
    for (let row = begin; row < end; row++) wanted += isShared[row]!
  })
  const rows = handOut(new Int32Array(wanted))
  const digests = resultArray(Uint8Array, rows.length * digestBytes)
  let count = 0
  const take = (begin: number, end: number) => {
    for (let row = begin; row < end; row++) {
      if (isShared[row] === 0) continue
      digests.set(all.subarray(row * digestBytes, (row + 1) * digestBytes), count * digestBytes)
      rows[count++] = row
    }
  }
  await inSlices(corpusRows, take, lookups)
  return { corpusRows, rows, digests }
}
