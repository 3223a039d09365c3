// Names of corpus rows: numbers, bigints or strings. They are kept in shared memory, outside of the heap, so that
// worker threads can read them without a copy.
import { inSlices } from '../data/slices'
import { invalid, invalidText } from '../errors'

/** The name of a corpus row. */
export type RowId = number | bigint | string

/** Names of rows, all of one kind: an array, or a typed array. */
export type RowIdsInput =
  readonly RowId[] | Int32Array | Uint32Array | Float64Array | BigInt64Array | BigUint64Array

export type IdKind = 'number' | 'bigint' | 'string'

/** The names of some rows in an order; null for a place without a row. In JSON a bigint is a string. */
export type RowIdList = readonly (RowId | null)[]

/** What {@link RowIds} hold, for another thread or a file. */
export interface StoredIds {
  readonly kind: IdKind
  /** Number of rows, also those removed. */
  readonly count: number
  /** The numbers as float64, or texts one after the other in UTF-16. */
  readonly values: SharedArrayBuffer
  /** The end of each text in bytes, as float64; empty for numbers. */
  readonly ends: SharedArrayBuffer
}

const isKind = (kind: string): kind is IdKind =>
  kind === 'number' || kind === 'bigint' || kind === 'string'

/** Of a bigint. */
export const mostDigits = 4096

const bigintEnd = 10n ** BigInt(mostDigits)

/** Ids that are decoded, or put into a table, at once. */
const idsAtOnce = 1 << 14

type Table = Map<RowId, number>

const shown = (id: RowId) => (typeof id === 'bigint' ? `${id}n` : JSON.stringify(id))

/** A new buffer with the same first bytes. */
function copied(buffer: SharedArrayBuffer, used: number, bytes: number): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(bytes)
  new Uint8Array(copy).set(new Uint8Array(buffer, 0, used))
  return copy
}

/** A buffer with the same first bytes and room for at least `bytes`. */
const roomFor = (buffer: SharedArrayBuffer, used: number, bytes: number): SharedArrayBuffer =>
  bytes <= buffer.byteLength
    ? buffer
    : copied(buffer, used, Math.max(bytes, 2 * buffer.byteLength, 1024))

/** The ids of a corpus. Rows are only added: the id of a removed row can still be read. */
export class RowIds {
  #count = 0
  #values = new SharedArrayBuffer(0)
  #ends = new SharedArrayBuffer(0)
  /** The rows by their ids, without removed rows; made when it is needed. */
  #rows: Table | undefined
  /** The table that is being made. */
  #making: Promise<Table> | undefined
  /** Changes since the table began to be made. */
  readonly #meanwhile: ((table: Table) => void)[] = []
  /** Whether another thread may write beyond the last id. */
  #isShared = false

  private constructor(readonly kind: IdKind) {}

  /** @throws {TypeError | RangeError} naming an id that is none, or both rows of equal ids. */
  static async of(given: RowIdsInput, rows: number): Promise<RowIds> {
    const [first] = checkedList(given, rows) as readonly unknown[]
    const kind = typeof first
    if (!isKind(kind)) throw invalid('ids[0]', 'a number, a bigint or a string', first)
    const ids = new RowIds(kind)
    ids.#rows = new Map()
    await ids.append(await ids.checked(given, rows))
    return ids
  }

  static stored({ kind, count, values, ends }: StoredIds): RowIds {
    const ids = new RowIds(kind)
    ids.#count = count
    ids.#values = values
    ids.#ends = ends
    ids.#isShared = true
    return ids
  }

  /** Those of the first rows, for another thread, which may only read them, or a file. */
  stored(count: number): StoredIds {
    return { kind: this.kind, count, values: this.#values, ends: this.#ends }
  }

  #endOf(row: number) {
    return row < 0 ? 0 : new Float64Array(this.#ends, 8 * row, 1)[0]!
  }

  idOf(row: number): RowId | null {
    if (row < 0 || row >= this.#count) return null
    if (this.kind === 'number') return new Float64Array(this.#values, 8 * row, 1)[0]!
    const text = Buffer.from(this.#values).toString(
      'utf16le',
      this.#endOf(row - 1),
      this.#endOf(row),
    )
    return this.kind === 'bigint' ? BigInt(text) : text
  }

  /** The ids of rows, with null for −1. */
  async idsOf(rows: Int32Array): Promise<RowIdList> {
    const ids: (RowId | null)[] = []
    await inSlices(
      rows.length,
      (begin, end) => {
        for (let i = begin; i < end; i++) ids.push(this.idOf(rows[i]!))
      },
      idsAtOnce,
    )
    return this.#listed(ids)
  }

  /** The same at once, for few rows. */
  idsNow(rows: Int32Array): RowIdList {
    return this.#listed(Array.from(rows, (row) => this.idOf(row)))
  }

  #listed(ids: (RowId | null)[]): RowIdList {
    return this.kind === 'bigint' ? withText(ids) : ids
  }

  /**
   * The rows with some ids.
   *
   * @param rowCount The number of rows; later ones are those of a change that is not done.
   * @param isLive Whether a row was not removed.
   * @throws {TypeError | RangeError} naming an id that no row has.
   */
  async rowsOf(
    given: RowIdsInput,
    rowCount: number,
    isLive: (row: number) => boolean,
  ): Promise<Int32Array> {
    const ids = checkedList(given) as readonly RowId[]
    const table = await this.#table(isLive)
    const rows = new Int32Array(ids.length)
    await inSlices(
      ids.length,
      (begin, end) => {
        for (let i = begin; i < end; i++) {
          const row = table.get(ids[i]!)
          if (row === undefined || row >= rowCount)
            throw invalidText(`ids[${i}]`, 'the id of a row', shownAny(ids[i]))
          rows[i] = row
        }
      },
      idsAtOnce,
    )
    return rows
  }

  async #table(isLive: (row: number) => boolean): Promise<Table> {
    return this.#rows ?? (await (this.#making ??= this.#make(isLive)))
  }

  async #make(isLive: (row: number) => boolean): Promise<Table> {
    const table: Table = new Map()
    try {
      await this.#each(isLive, (id, row) => table.set(id, row))
      for (const change of this.#meanwhile) change(table)
      return (this.#rows = table)
    } finally {
      this.#making = undefined
      this.#meanwhile.length = 0
    }
  }

  /** Tells the ids of the rows that were not removed, in slices. */
  #each(isLive: (row: number) => boolean, tell: (id: RowId, row: number) => void): Promise<void> {
    return inSlices(
      this.#count,
      (begin, end) => {
        for (let row = begin; row < end; row++) if (isLive(row)) tell(this.idOf(row)!, row)
      },
      idsAtOnce,
    )
  }

  /** Changes the table, or that which is being made. */
  #change(change: (table: Table) => void) {
    if (this.#rows) change(this.#rows)
    else if (this.#making) this.#meanwhile.push(change)
  }

  /** Takes rows out of the table, from which another row may have taken the id. */
  #forget(rows: Iterable<number>) {
    const gone = Array.from(rows, (row) => [this.idOf(row)!, row] as const)
    this.#change((table) => {
      for (const [id, row] of gone) if (table.get(id) === row) table.delete(id)
    })
  }

  /** The first two rows of one id, of those that were not removed; undefined if all ids differ. */
  async sameId(isLive: (row: number) => boolean): Promise<readonly [number, number] | undefined> {
    const seen: Table = new Map()
    let same: readonly [number, number] | undefined
    await this.#each(isLive, (id, row) => {
      const before = seen.get(id)
      if (before !== undefined) same ??= [before, row]
      seen.set(id, row)
    })
    return same
  }

  /**
   * A copy of ids for new rows.
   *
   * @throws {TypeError | RangeError} naming an id that is none, or both rows of equal ids.
   */
  async checked(
    given: RowIdsInput | undefined,
    rows: number,
    isLive: (row: number) => boolean = () => true,
  ): Promise<readonly RowId[]> {
    const list = checkedList(given, rows)
    const table = await this.#table(isLive)
    const seen = new Map<RowId, number>()
    const ids: RowId[] = []
    await inSlices(
      rows,
      (begin, end) => {
        for (let i = begin; i < end; i++) {
          const id = checkedId(list[i], i, this.kind)
          const before = seen.get(id)
          const there = before === undefined ? table.get(id) : this.#count + before
          if (there !== undefined)
            throw invalidText(
              `ids[${i}]`,
              `an id that no other row has`,
              `${shown(id)}, the id of row ${there} and of row ${this.#count + i}`,
            )
          seen.set(id, i)
          ids.push(id)
        }
      },
      idsAtOnce,
    )
    return ids
  }

  /** Adds the checked ids of new rows. */
  async append(ids: readonly RowId[]): Promise<void> {
    await inSlices(ids.length, (begin, end) => this.#write(ids.slice(begin, end)), idsAtOnce)
  }

  #write(ids: readonly RowId[]) {
    const count = this.#count + ids.length
    if (this.#isShared) this.#own()
    if (this.kind === 'number') {
      this.#values = roomFor(this.#values, 8 * this.#count, 8 * count)
      new Float64Array(this.#values, 8 * this.#count, ids.length).set(ids as readonly number[])
    } else {
      this.#writeTexts(ids.map(String), count)
    }
    const first = this.#count
    this.#change((table) => ids.forEach((id, i) => table.set(id, first + i)))
    this.#count = count
  }

  #writeTexts(texts: readonly string[], count: number) {
    let end = this.#endOf(this.#count - 1)
    const all = texts.reduce((sum, { length }) => sum + 2 * length, end)
    this.#values = roomFor(this.#values, end, all)
    this.#ends = roomFor(this.#ends, 8 * this.#count, 8 * count)
    const to = Buffer.from(this.#values)
    const ends = new Float64Array(this.#ends, 8 * this.#count, texts.length)
    texts.forEach((text, i) => {
      to.write(text, end, 'utf16le')
      ends[i] = end += 2 * text.length
    })
  }

  /** Copies what another thread reads or appends to. */
  #own() {
    this.#values = copied(this.#values, this.#values.byteLength, this.#values.byteLength)
    this.#ends = copied(this.#ends, this.#ends.byteLength, this.#ends.byteLength)
    this.#isShared = false
  }

  /** Takes the last ids back. */
  truncate(count: number) {
    this.#forget(Array.from({ length: this.#count - count }, (_, i) => count + i))
    this.#count = count
  }

  /** Removed rows have no id that could be asked for; another row may get it. */
  remove(rows: Int32Array) {
    this.#forget(rows)
  }
}

function checkedList(given: unknown, rows?: number): ArrayLike<unknown> {
  const isList = Array.isArray(given) || (ArrayBuffer.isView(given) && !(given instanceof DataView))
  if (!isList) throw invalid('ids', 'an array of numbers, bigints or strings', given)
  const list = given as ArrayLike<unknown>
  if (rows !== undefined && list.length !== rows)
    throw invalidText('ids', `${rows} ids, one for each row`, `${list.length}`, RangeError)
  return list
}

const shownAny = (id: unknown) => (isKind(typeof id) ? shown(id as RowId) : String(id))

function checkedId(id: unknown, i: number, kind: IdKind): RowId {
  if (typeof id !== kind)
    throw invalid(`ids[${i}]`, `a ${kind}, as the other ids of the corpus are`, id)
  if (kind === 'number' && !Number.isSafeInteger(id))
    throw invalid(`ids[${i}]`, 'an integer from -2^53 + 1 to 2^53 - 1; larger ids are bigints', id)
  if (typeof id === 'bigint' && (id >= bigintEnd || id <= -bigintEnd))
    throw invalidText(`ids[${i}]`, `at most ${mostDigits} digits`, 'a longer bigint', RangeError)
  return id === 0 ? 0 : (id as RowId)
}

/** An id in JSON, which has no bigints. */
export const idForJson = (id: RowId): number | string => (typeof id === 'bigint' ? String(id) : id)

/** An array whose bigints are strings in JSON, which has no bigints. */
function withText(ids: (RowId | null)[]): RowIdList {
  const toJSON = () => ids.map((id) => (id === null ? null : String(id)))
  return Object.defineProperty(ids, 'toJSON', { value: toJSON })
}

/** Lists of ids of one corpus, one after the other. */
export async function joinedIds(lists: readonly RowIdList[]): Promise<RowIdList> {
  const all: (RowId | null)[] = []
  for (const list of lists)
    await inSlices(list.length, (begin, end) => {
      for (let i = begin; i < end; i++) all.push(list[i]!)
    })
  return typeof all.find((id) => id !== null) === 'bigint' ? withText(all) : all
}
