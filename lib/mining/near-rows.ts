// The rows near each row of a matrix, within a memory budget: their numbers, and their lists block by block.
import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { resultArray } from '../data/typed-array'
import { toDenseSource } from '../data/source'
import { release } from '../lending'
import { runJob } from '../native'
import { checkJob, type JobOptions, type MemoryOptions } from '../options'
import type { Metric } from './metric'
import { rangeSearch, type FoundRows } from './range-search'

/** What counts as near, and the options of the jobs. */
export type NearOptions = { threshold: number; metric: Metric } & JobOptions & MemoryOptions

export type Bounded = NearOptions & { readonly memoryBudget: number }

/** Bytes of a listed row: in the answer of a search, while it is computed and while it is copied. */
const listedBytes = 48

/** Rows asked about at once, at most: more share no more products of a tile. */
const mostRows = 4096

/** Rows asked about at first, before it is known how long lists are. */
const firstAsked = 256

/** The lists of some rows. */
interface NearLists {
  readonly rows: Int32Array
  readonly found: FoundRows
}

const released = ({ indptr, indices, scores }: FoundRows) => release(indptr, indices, scores)

/** The sums over all searches of a job. */
interface Sums {
  zeroRows: number
  seconds: number
}

/** The near rows of a matrix, found again whenever they are asked for. */
export class NearRows {
  readonly rows: number
  readonly sums: Sums = { zeroRows: 0, seconds: 0 }
  /** Rows in the lists of one search. */
  readonly #mostListed: number
  readonly #mostAsked: number
  readonly #cols: number

  constructor(
    private readonly X: MatrixInput,
    private readonly options: Bounded,
  ) {
    const { rows, cols } = toDenseSource('X', X)
    const share = options.memoryBudget / 16
    this.rows = rows
    this.#cols = cols
    this.#mostListed = Math.floor(share / listedBytes)
    this.#mostAsked = Math.max(1, Math.min(mostRows, Math.floor(share / (4 * cols))))
  }

  /** The number of near rows of each row, [rows]. */
  async sizes(): Promise<Int32Array> {
    const sizes = new Int32Array(this.rows)
    let atOnce = firstAsked
    for (let begin = 0, end = 0; begin < this.rows; begin = end) {
      end = Math.min(this.rows, begin + Math.min(atOnce, this.#mostAsked))
      const asked = Int32Array.from({ length: end - begin }, (_, i) => begin + i)
      const long = await this.#count(asked, sizes)
      atOnce = Math.max(1, long > 0 ? atOnce >> 2 : 2 * Math.min(atOnce, this.#mostAsked))
      this.options.onProgress?.({ phase: 'count', done: end, total: this.rows })
    }
    return sizes
  }

  /**
   * Writes sizes. Rows with longer lists than fit beside those of the others are asked again, by fewer.
   *
   * @returns The number of these rows.
   */
  async #count(asked: Int32Array, sizes: Int32Array): Promise<number> {
    const limit = asked.length === 1 ? undefined : Math.ceil(this.#mostListed / asked.length)
    const { found } = await this.#search(asked, limit)
    const long: number[] = []
    for (const [i, row] of asked.entries()) {
      sizes[row] = found.indptr[i + 1]! - found.indptr[i]!
      if (limit !== undefined && sizes[row] >= limit) long.push(row)
    }
    released(found)
    const atOnce = asked.length >> 2
    for (let begin = 0; begin < long.length; begin += Math.max(1, atOnce))
      await this.#count(Int32Array.from(long.slice(begin, begin + Math.max(1, atOnce))), sizes)
    return long.length
  }

  /** The lists of rows, in the given order, in blocks that fit in the budget; each is freed before the next. */
  async *lists(order: readonly number[], sizes: Int32Array): AsyncGenerator<NearLists, void> {
    for (let begin = 0, end = 0; begin < order.length; begin = end) {
      let listed = 0
      while (end < order.length && end - begin < this.#mostAsked) {
        listed += sizes[order[end]!]!
        if (end > begin && listed > this.#mostListed) break
        end++
      }
      const lists = await this.#search(Int32Array.from(order.slice(begin, end)))
      yield lists
      released(lists.found)
      this.options.onProgress?.({ phase: 'scan', done: end, total: order.length })
    }
  }

  async #search(rows: Int32Array, limit?: number): Promise<NearLists> {
    const queries = await this.#take(rows)
    const more = { limit, excludeSelf: rows, onProgress: undefined }
    const found = await rangeSearch(queries, this.X, { ...this.options, ...more })
    release(queries.data)
    this.sums.zeroRows = found.zeroRows
    this.sums.seconds += found.seconds
    return { rows, found }
  }

  /** Copies of rows, as float32. */
  async #take(rows: Int32Array) {
    const { threshold, metric, ...rest } = this.options
    const { device, ...job } = checkJob(rest)
    const { inputs, arrays } = await loanOf({ X: toDenseSource('X', this.X) })
    const data = resultArray(Float32Array, rows.length * this.#cols)
    await runJob({ ...job, onProgress: undefined }, arrays, (addon, control) =>
      addon.takeRows(inputs.X, { device, metric }, rows, data, control),
    )
    return { data, rows: rows.length, cols: this.#cols }
  }
}
