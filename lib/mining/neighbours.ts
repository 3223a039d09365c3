import { checkInteger } from '../options'
import type { Metric } from './metric'

/** A corpus row that a search found. */
export interface Neighbour {
  /** Its id, if the corpus has ids. */
  readonly id?: Id
  /** Its number in the corpus. */
  readonly row: number
  /** Its canonical score, rounded to float32. */
  readonly score: number
}

/** The id of a corpus row. */
export type Id = number | bigint | string

/** The fields of {@link Neighbours}. */
export interface NeighboursRun {
  readonly queries: number
  readonly k: number
  readonly metric: Metric
  readonly indices: Int32Array
  readonly scores: Float32Array
  readonly ids?: readonly Id[] | undefined
  readonly certified: number
  readonly fallback: number
  readonly zeroQueries: number
  readonly zeroRows: number
  readonly seconds: number
  readonly warnings: readonly string[]
}

/** What JSON says of {@link Neighbours}: a list of neighbours for each query, with bigint ids as strings. */
export interface NeighboursJson extends Omit<NeighboursRun, 'indices' | 'scores' | 'ids'> {
  readonly neighbours: readonly (readonly {
    readonly id?: number | string
    readonly row: number
    readonly score: number
  }[])[]
}

/** The answer to a search for the best rows, as arrays and as lists. */
export class Neighbours implements NeighboursRun {
  /** Number of queries. */
  readonly queries!: number
  /** Slots for each query. */
  readonly k!: number
  /** Metric of the scores. */
  readonly metric!: Metric
  /** Corpus rows, best first, [queries × k]; −1 if fewer than k candidates exist. */
  readonly indices!: Int32Array
  /** Canonical scores rounded to float32, [queries × k]; NaN if fewer than k candidates exist. */
  readonly scores!: Float32Array
  /** Ids of `indices`, if the corpus has ids; undefined otherwise. */
  readonly ids?: readonly Id[] | undefined
  /** Queries with an answer that the certificate proved without a rescan. */
  readonly certified!: number
  /**
   * Queries that were scored in float64: scanned again, or with a filter that leaves few rows. `certified +
   * fallback` is all of the scan, also those of other calls that shared it.
   */
  readonly fallback!: number
  /** Queries that are zero vectors and have the cosine 0 with every row; 0 for the other metrics. */
  readonly zeroQueries!: number
  /** The same for corpus rows. */
  readonly zeroRows!: number
  /** Time inside the scan, in seconds. */
  readonly seconds!: number
  /** Complete sentences about zero vectors, and about a `k` above the number of corpus rows. */
  readonly warnings!: readonly string[]

  /** Only for `topK`. */
  constructor(run: NeighboursRun) {
    Object.assign(this, run)
  }

  /**
   * The rows found for one query, best first; fewer than k if there are no more candidates.
   *
   * @throws {TypeError | RangeError} if there is no such query.
   *
   * @example
   * for (const { row, score } of neighbours.of(0)) console.log(row, score)
   */
  *of(query: number): Generator<Neighbour, void, undefined> {
    checkInteger('query', query, 0, this.queries - 1)
    const { indices, scores, ids, k } = this
    for (let at = query * k; at < (query + 1) * k && indices[at] !== -1; at++) {
      const found = { row: indices[at]!, score: scores[at]! }
      yield ids ? { id: ids[at]!, ...found } : found
    }
  }

  /** For JSON.stringify: lists instead of arrays with missing places. */
  toJSON(): NeighboursJson {
    const { queries, k, metric, certified, fallback, zeroQueries, zeroRows, seconds, warnings } =
      this
    const neighbours = Array.from({ length: queries }, (_, query) =>
      Array.from(this.of(query), ({ id, ...found }) =>
        id === undefined ? found : { id: typeof id === 'bigint' ? String(id) : id, ...found },
      ),
    )
    return {
      ...{ queries, k, metric, neighbours, certified, fallback, zeroQueries, zeroRows, seconds },
      warnings,
    }
  }
}
