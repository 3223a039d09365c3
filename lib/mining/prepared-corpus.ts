/// <reference lib="esnext.disposable" preserve="true" />
// A corpus that is ready for scans. A change makes a new version of it in the addon, which shares all that did not
// change with the one before; calls that run or wait keep theirs.
import { marked } from '../copies'
import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { toQueries } from '../data/source'
import type { NamedArrays } from '../data/typed-array'
import { GemmineError, invalid, invalidText } from '../errors'
import { working } from '../jobs'
import { planMemory } from '../memory'
import { runJob, type CheckedJob, type NativeCorpus, type NativeSource } from '../native'
import { checkJob, jobDefaults, withDefaults, type JobOptions } from '../options'
import {
  appendDefaults,
  isMarked,
  type AppendedRows,
  type AppendOptions,
  type CorpusHandle,
  type RowsInput,
} from './corpus-changes'
import { changedRows, numbersOf, type Numbered } from './changed-rows'
import type { Metric } from './metric'
import type { RowId, RowIds, RowIdsInput } from './row-ids'
import { saveRows } from './save-corpus'
import { disposeAfterCalls, hold } from './shared-scan'
import { SharedVersions } from './shared-versions'

/** The state after a change. */
interface Version {
  readonly native: NativeCorpus
  /** Rows that have a number, also those removed. */
  readonly rows: number
  readonly liveRows: number
}

/** What no change changes. */
interface Kept {
  readonly cols: number
  readonly metric: Metric
  readonly device: string
  readonly ids: RowIds | undefined
  /** The caller's memory that is read. */
  readonly memory: NamedArrays
}

/** Row numbers are int32. */
const mostRows = 2 ** 31 - 1

/**
 * A corpus with all data that scans derive from it, for many searches. Call `dispose()` after the last one.
 *
 * Rows can be appended, removed and updated. A change takes time in proportion to the rows that change (by
 * pages of 32 rows), besides a copy of one bit for each row. Rows keep their numbers, and the number of a
 * removed row is not used again. A call sees the corpus of its start; changes run one after the other.
 */
export class PreparedCorpus implements Disposable {
  #version: Version | undefined
  #kept: Kept
  #rows: number
  #liveRows: number
  readonly #shared = new SharedVersions()
  /** Settled when the changes so far are done. */
  #changes: Promise<unknown> = Promise.resolve()

  /** Only for {@link prepareCorpus}. */
  constructor(version: Version, kept: Kept) {
    this.#version = version
    this.#kept = kept
    this.#rows = version.rows
    this.#liveRows = version.liveRows
  }

  /** Number of rows that have a number, also those removed: arrays with an element for each row have this length. */
  get rows(): number {
    return this.#rows
  }

  /** Number of rows without those removed. */
  get liveRows(): number {
    return this.#liveRows
  }

  /** Number of columns. */
  get cols(): number {
    return this.#kept.cols
  }

  /** The metric of all searches. */
  get metric(): Metric {
    return this.#kept.metric
  }

  /** Memory held, in bytes, including rows that the corpus owns; 0 after `dispose()`. */
  get bytes(): number {
    return this.#version?.native.bytes ?? 0
  }

  /** The device that holds the corpus. */
  get device(): string {
    return this.#kept.device
  }

  /**
   * Adds rows after the last one. They are copied as float32, and belong to the corpus also if it borrows its
   * first rows.
   *
   * @param rows [m × d], dense or a file; none is no error. Lent until the promise settles: see
   *   {@link DenseMatrix}.
   * @throws {TypeError | RangeError} if the number of columns differs, an entry is not finite, or an id is
   *   missing or that of another row.
   *
   * @example
   * const { firstRow } = await corpus.append(newEmbeddings)
   */
  append(rows: MatrixInput, given: AppendOptions = {}): Promise<AppendedRows> {
    return this.#inTurn(async () => {
      const { ids: named, ...rest } = withDefaults({ ...appendDefaults, ...jobDefaults }, given)
      const job = this.#jobOf(rest)
      const source = this.#sourceOf(rows)
      const { ids } = this.#kept
      if (!ids && named !== undefined)
        throw invalidText('ids', 'none, as the corpus was prepared without ids', 'some')
      const before = this.#now()
      if (before.rows + source.rows > mostRows)
        throw invalid('rows.rows', `at most ${mostRows - before.rows}`, source.rows)
      const names = await ids?.checked(named, source.rows, this.#liveness())
      const firstRow = before.rows
      if (source.rows === 0) return { firstRow, rows: 0 }
      planMemory(`A change of ${source.rows} rows`, 8 * source.rows * source.cols)
      await ids?.append(names!)
      try {
        await this.#become(job, source, undefined, {
          rows: before.rows + source.rows,
          liveRows: before.liveRows + source.rows,
        })
      } catch (error) {
        ids?.truncate(firstRow)
        throw error
      }
      return { firstRow, rows: source.rows }
    })
  }

  /**
   * Removes rows: they are in no answer from then on. The memory of 32 rows with consecutive numbers (from a
   * multiple of 32) is freed when all of them are removed, if they were appended or updated.
   *
   * @param rows Their numbers, each once, or `{ ids }`.
   * @returns How many were removed.
   * @throws {TypeError | RangeError} naming a number or an id of no row, or of a removed one.
   *
   * @example
   * await corpus.remove([17, 4])
   * await corpus.remove({ ids: ['a-17'] })
   */
  remove(rows: RowsInput, given: JobOptions = {}): Promise<number> {
    return this.#inTurn(async () => {
      const job = this.#jobOf(withDefaults({ ...jobDefaults }, given))
      const numbers = await changedRows(rows, this.#numbered())
      const before = this.#now()
      if (numbers.length === 0) return 0
      if (numbers.length === before.liveRows && numbers.every(this.#liveness()))
        throw invalidText('rows', 'fewer than all rows: a corpus has at least one', 'all of them')
      const liveRows = before.liveRows - numbers.length
      await this.#become(job, undefined, numbers, { rows: before.rows, liveRows }, () =>
        this.#kept.ids?.remove(numbers),
      )
      return numbers.length
    })
  }

  /**
   * Replaces rows, which keep their numbers and ids.
   *
   * @param rows Their numbers, each once, or `{ ids }`.
   * @param to The new rows in the same order, [m × d], dense or a file. Lent until the promise settles.
   * @returns How many were replaced.
   * @throws {TypeError | RangeError} as `append` and `remove` do.
   *
   * @example
   * const { cols } = corpus
   * await corpus.update([3], { data: new Float32Array(cols).fill(0.5), rows: 1, cols })
   */
  update(rows: RowsInput, to: MatrixInput, given: JobOptions = {}): Promise<number> {
    return this.#inTurn(async () => {
      const job = this.#jobOf(withDefaults({ ...jobDefaults }, given))
      const source = this.#sourceOf(to, 'to')
      const numbers = await changedRows(rows, this.#numbered())
      const before = this.#now()
      if (source.rows !== numbers.length)
        throw invalid('to.rows', `${numbers.length} rows, one for each number`, source.rows)
      if (numbers.length === 0) return 0
      planMemory(`A change of ${source.rows} rows`, 8 * source.rows * source.cols)
      const { rows: all, liveRows } = before
      await this.#become(job, source, numbers, { rows: all, liveRows })
      return numbers.length
    })
  }

  /**
   * Gives the memory of removed rows back: of each 32 rows with consecutive numbers (from a multiple of 32) that
   * are all removed. The other rows keep their numbers and ids, and are copied, as float32: this takes time and,
   * for a while, memory in proportion to what stays. Rows that the corpus borrows stay where they are, and so do
   * rows of a smaller type, if their copies would need more memory.
   *
   * @returns The bytes given back.
   *
   * @example
   * await corpus.remove(oldRows)
   * await corpus.compact()
   */
  compact(given: JobOptions = {}): Promise<number> {
    return this.#inTurn(async () => {
      const job = this.#jobOf(withDefaults({ ...jobDefaults }, given))
      const before = this.#now()
      if (before.liveRows === before.rows) return 0
      const held = before.native.bytes
      planMemory(`A compact copy of ${before.liveRows} rows`, held)
      const native = await runJob(job, {}, (addon, control) =>
        addon.compactCorpus(before.native, control),
      )
      this.#replace(before, { ...before, native })
      return held - native.bytes
    })
  }

  /**
   * The id of a row, also of a removed one; null if there is no such row, or the corpus has no ids.
   */
  idOf(row: number): RowId | null {
    return row < this.#rows ? (this.#kept.ids?.idOf(row) ?? null) : null
  }

  /**
   * The numbers of the rows with some ids, [ids].
   *
   * @throws {TypeError | RangeError} naming an id that no row has.
   */
  rowsOf(ids: RowIdsInput): Promise<Int32Array> {
    return numbersOf({ ids }, this.#numbered())
  }

  /**
   * Writes the corpus as it is now to a file, completely beside its place before it is renamed: the rows as
   * float32 and as scans read them, which of them were removed, ids, and a digest of all. {@link openCorpus}
   * opens it, on any CPU.
   *
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if it cannot be written; an earlier file is then unchanged.
   *
   * @example
   * await corpus.save('articles.corpus')
   */
  save(path: string, given: JobOptions = {}): Promise<void> {
    return working(this.#save(path, given))
  }

  async #save(path: string, given: JobOptions): Promise<void> {
    const job = this.#jobOf(withDefaults({ ...jobDefaults }, given))
    const { native, rows } = this.#now()
    const letGo = this.keep()
    try {
      await saveRows(path, { ...this.#kept, native, rows }, job)
    } finally {
      letGo()
    }
  }

  /**
   * A handle with which one other thread opens this corpus as it is now, without a copy: call it once for each
   * thread. The corpus must not be disposed of until the other thread has opened it; from then on it lives as
   * long as one side holds it. Later changes of one side are not seen by the other. Until a handle is opened, the
   * memory of rows that change stays; of more than 16 versions with such handles, the oldest can no longer be
   * opened.
   *
   * @example
   * worker.postMessage(corpus.share()) // in the worker: await openCorpus(message)
   */
  share(): CorpusHandle {
    const { native, rows, liveRows } = this.#now()
    const { cols, metric, device, ids, memory } = this.#kept
    const token = this.#shared.share(native)
    return { token, rows, liveRows, cols, metric, device, ids: ids?.stored(rows), memory }
  }

  /** Frees the memory; running jobs keep it until they end. A second call is no error. */
  dispose(): void {
    this.#shared.dispose()
    if (this.#version) disposeAfterCalls(this.#version.native)
    this.#version = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal What is read of it that is the caller's memory. */
  get memory(): NamedArrays {
    return this.#kept.memory
  }

  /** @internal */
  get ids(): RowIds | undefined {
    return this.#kept.ids
  }

  /** @internal Gives ids to a corpus from a file, which is nobody else's yet. */
  take(ids: RowIds | undefined) {
    this.#kept = { ...this.#kept, ids }
  }

  /** @internal Keeps the corpus as it is now, until the returned function is called. */
  keep(): () => void {
    return this.#version ? hold(this.#version.native) : () => {}
  }

  /** @internal The addon's handle. */
  handle(): NativeCorpus {
    return this.#now().native
  }

  #now(): Version {
    if (this.#version) return this.#version
    throw new GemmineError(
      'ERR_GEMMINE_DISPOSED',
      'This corpus was disposed of; prepare it again to ask it',
    )
  }

  #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const done = this.#changes.then(change)
    this.#changes = done.catch(() => {})
    return done
  }

  #jobOf(given: JobOptions): CheckedJob {
    const { device: _, ...job } = checkJob(given, this.device)
    return job
  }

  #sourceOf(rows: MatrixInput, name = 'rows'): NativeSource {
    const source = toQueries(rows, name)
    if (source.cols !== this.cols)
      throw invalid(`${name}.cols`, `${this.cols} columns, as in the corpus`, source.cols)
    return source
  }

  /**
   * Whether a row was not removed; those that a change will add count as such. The bitmap is copied at the first
   * question, because most changes ask none.
   */
  #liveness(): (row: number) => boolean {
    const { native, rows } = this.#now()
    let live: Uint32Array | undefined
    const bits = () => (live ??= native.live() ?? new Uint32Array(0))
    return (row) => row >= rows || bits().length === 0 || isMarked(bits(), row)
  }

  #numbered(): Numbered {
    return { rows: this.#now().rows, ids: this.#kept.ids, isLive: this.#liveness() }
  }

  async #become(
    job: CheckedJob,
    source: NativeSource | undefined,
    numbers: Int32Array | undefined,
    sizes: Omit<Version, 'native'>,
    written = () => {},
  ): Promise<void> {
    const before = this.#now()
    const { inputs, arrays } = await loanOf({ rows: source })
    const native = await runJob(job, arrays, (addon, control) =>
      addon.changeCorpus(before.native, inputs.rows, numbers, control),
    )
    this.#replace(before, { native, ...sizes })
    written()
  }

  #replace(before: Version, after: Version) {
    if (this.#version !== before) {
      after.native.dispose()
      this.#now()
    }
    this.#version = after
    this.#rows = after.rows
    this.#liveRows = after.liveRows
    this.#shared.letGoOfOpened()
    disposeAfterCalls(before.native)
  }
}

marked(PreparedCorpus)
