// Positives and negatives of queries, as arrays and as lazy lists.
import type { RowLists } from '../data/row-lists'
import { inSlices } from '../data/slices'
import { invalid } from '../errors'
import { checkInteger } from '../options'
import { distributionOf, type Distribution } from './distribution'
import type { MinedShard } from './query-shard'

export interface Triplet {
  readonly query: number
  readonly positive: number
  readonly negative: number
}

export interface NTuple {
  readonly query: number
  readonly positive: number
  readonly negatives: Int32Array
}

export interface LabeledList {
  readonly query: number
  /** Positives, then negatives, best first. */
  readonly rows: readonly number[]
  /** 1 for a positive, 0 for a negative. */
  readonly labels: readonly (0 | 1)[]
  readonly scores: readonly number[]
}

/** What JSON says of a list of negatives. */
export interface NegativeListJson {
  readonly query: number
  /** Its positives; with the reference `each` the one whose list it is. */
  readonly positives: readonly number[]
  /** Best first. */
  readonly negatives: readonly {
    readonly row: number
    readonly score: number
    readonly rank: number
  }[]
}

/** What JSON says of {@link NegativeLists}: a list for each query instead of arrays. */
export interface NegativeListsJson extends Pick<
  NegativesRun,
  'queries' | 'firstQuery' | 'corpus' | 'numNegatives' | 'found' | 'served' | 'shortfall'
> {
  readonly lists: readonly NegativeListJson[]
}

/** Statistics of the scores and ranks of one job. */
export interface MiningStatistics {
  /** Over all pairs of a query and a positive. */
  readonly positiveScore: Distribution
  /** Over the negatives found. */
  readonly negativeScore: Distribution
  /** Raw ranks of the negatives found. */
  readonly negativeRank: Distribution
  /** With `candidateMode: 'beside'`, negatives by where they come from; undefined otherwise. */
  readonly negativeSource: NegativeSources | undefined
}

/** Numbers of negatives by where they come from; a negative counts once. */
export interface NegativeSources {
  /** The pool of the scan alone. */
  readonly scan: number
  /** The lists of `candidates` alone. */
  readonly candidates: number
  readonly both: number
}

export interface NegativesRun {
  readonly queries: number
  readonly firstQuery: number
  readonly shard: MinedShard | undefined
  readonly corpus: number
  readonly numNegatives: number
  readonly positives: RowLists
  readonly listStarts?: Int32Array | undefined
  readonly indices: Int32Array
  readonly scores: Float32Array
  readonly counts: Int32Array
  readonly found: number
  readonly served: number
  readonly shortfall: number
  readonly ranks: Int32Array
  readonly sources?: Uint8Array | undefined
  readonly positiveScores: Float64Array
}

/**
 * Positives and negatives of queries. Missing slots are −1 and NaN. In a part of a job, arrays start with the
 * first query of the part, and a query number is always the row among all queries. The arrays have one list of
 * negatives for each query, or with the reference `each` one for each positive.
 */
export class NegativeLists implements NegativesRun {
  /** Number of queries in the arrays. */
  readonly queries!: number
  /** Row of the first of them among the given queries; 0 unless this is a part of a job. */
  readonly firstQuery!: number
  /** The part of a job; undefined for a whole job. */
  readonly shard!: MinedShard | undefined
  /** Number of corpus rows. */
  readonly corpus!: number
  /** Slots for each query. */
  readonly numNegatives!: number
  /** The positives that were used: ascending and unique for each query. */
  readonly positives!: RowLists
  /**
   * With the reference `each`, the first list of each query, [queries + 1]: one for each of its positives in
   * their order, or one for a query without. Undefined: list i is that of the i-th query.
   */
  readonly listStarts!: Int32Array | undefined
  /** Corpus rows, best first, [lists × numNegatives]. */
  readonly indices!: Int32Array
  /** Their canonical scores rounded to float32, [lists × numNegatives]. */
  readonly scores!: Float32Array
  /** Negatives found for each list, [lists]. */
  readonly counts!: Int32Array
  /** All negatives found: the sum of `counts`. */
  readonly found!: number
  /** Lists with at least one negative. */
  readonly served!: number
  /** Lists with fewer than `numNegatives`. */
  readonly shortfall!: number
  /**
   * Raw rank of each negative among the candidates that are not barred by a list or group, [lists ×
   * numNegatives].
   */
  readonly ranks!: Int32Array
  /**
   * With `candidateMode: 'beside'`, where each negative comes from, [lists × numNegatives]: 1 the pool of the
   * scan, 2 the list of its query, 3 both; 0 for a missing slot. Undefined otherwise.
   */
  readonly sources!: Uint8Array | undefined
  /** Scores of `positives.indices`, in float64. */
  readonly positiveScores!: Float64Array

  constructor(run: NegativesRun) {
    Object.assign(this, run)
  }

  /**
   * Positive rows of one query.
   *
   * @throws {TypeError | RangeError} if there is no such query.
   */
  positivesOf(query: number): Int32Array {
    const place = this.#placeOf(query)
    const { indptr, indices } = this.positives
    return indices.subarray(indptr[place], indptr[place + 1])
  }

  /** Lists of negatives: one for each query, or with the reference `each` one for each positive. */
  get lists(): number {
    return this.listStarts?.at(-1) ?? this.queries
  }

  /**
   * Negative rows of one query, best first.
   *
   * @param positive One of its positives: needed with the reference `each`, which has a list for each, unless
   *   the query has none.
   * @throws {TypeError | RangeError} if there is no such query, or no such list.
   */
  negativesOf(query: number, positive?: number): Int32Array {
    return this.#negativesIn(this.#listOf(query, positive))
  }

  /** One triplet for each query, positive and negative. */
  *triplets(): Generator<Triplet> {
    for (const query of this.#numbers())
      for (const positive of this.positivesOf(query))
        for (const negative of this.negativesOf(query, positive))
          yield { query, positive, negative }
  }

  /** One tuple for each query and positive, without lists that have fewer than `numNegatives` negatives. */
  *nTuples(): Generator<NTuple> {
    for (const query of this.#numbers())
      for (const positive of this.positivesOf(query)) {
        const negatives = this.negativesOf(query, positive)
        if (negatives.length === this.numNegatives) yield { query, positive, negatives }
      }
  }

  /** One list for each query with a positive and a negative; with the reference `each`, for each positive. */
  *labeledLists(): Generator<LabeledList> {
    const { indptr, indices } = this.positives
    for (const query of this.#numbers()) {
      const place = query - this.firstQuery
      const [begin, end] = [indptr[place]!, indptr[place + 1]!]
      if (!this.listStarts) yield* this.#labeled(query, place, begin, end)
      else
        for (let t = begin; t < end; t++)
          yield* this.#labeled(query, this.#listOf(query, indices[t]), t, t + 1)
    }
  }

  /** The list of negatives `list` behind the positives begin..end − 1, if both are there. */
  *#labeled(query: number, list: number, begin: number, end: number): Generator<LabeledList> {
    const negatives = this.#negativesIn(list)
    if (begin === end || negatives.length === 0) return
    const positives = this.positives.indices.subarray(begin, end)
    const start = list * this.numNegatives
    yield {
      query,
      rows: [...positives, ...negatives],
      labels: [...positives].map((): 0 | 1 => 1).concat([...negatives].map(() => 0)),
      scores: [
        ...this.positiveScores.subarray(begin, end),
        ...this.scores.subarray(start, start + negatives.length),
      ],
    }
  }

  /**
   * Distributions of scores and ranks, computed at each call from copies of the arrays: one of them at a
   * time, 8 bytes for each number.
   *
   * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` if there is no memory for a copy.
   */
  async statistics(): Promise<MiningStatistics> {
    const { positiveScores, scores, ranks, counts, numNegatives: width, found } = this
    const positives = { name: 'positiveScores', values: positiveScores, width: 1 }
    return {
      positiveScore: await distributionOf(positives, positiveScores.length),
      negativeScore: await distributionOf({ name: 'scores', values: scores, width, counts }, found),
      negativeRank: await distributionOf({ name: 'ranks', values: ranks, width, counts }, found),
      negativeSource: await this.#sourceCounts(),
    }
  }

  /** For JSON.stringify: lists instead of arrays with missing places. */
  toJSON(): NegativeListsJson {
    const { queries, firstQuery, corpus, numNegatives, found, served, shortfall } = this
    return {
      ...{ queries, firstQuery, corpus, numNegatives, found, served, shortfall },
      lists: [...this.#listsForJson()],
    }
  }

  *#listsForJson(): Generator<NegativeListJson> {
    for (const query of this.#numbers()) {
      const positives = [...this.positivesOf(query)]
      if (!this.listStarts || positives.length === 0)
        yield { query, positives, negatives: this.#negativesForJson(this.#listOf(query)) }
      else
        for (const positive of positives)
          yield {
            ...{ query, positives: [positive] },
            negatives: this.#negativesForJson(this.#listOf(query, positive)),
          }
    }
  }

  #negativesForJson(list: number) {
    const start = list * this.numNegatives
    return Array.from(this.#negativesIn(list), (row, i) => ({
      ...{ row, score: this.scores[start + i]!, rank: this.ranks[start + i]! },
    }))
  }

  async #sourceCounts(): Promise<NegativeSources | undefined> {
    const { sources } = this
    if (!sources) return undefined
    const counts = [0, 0, 0, 0]
    await inSlices(sources.length, (begin, end) => {
      for (let i = begin; i < end; i++) counts[sources[i]!]!++
    })
    return { scan: counts[1]!, candidates: counts[2]!, both: counts[3]! }
  }

  *#numbers(): Generator<number> {
    for (let place = 0; place < this.queries; place++) yield this.firstQuery + place
  }

  #negativesIn(list: number): Int32Array {
    const start = list * this.numNegatives
    return this.indices.subarray(start, start + this.counts[list]!)
  }

  #listOf(query: number, positive?: number): number {
    const place = this.#placeOf(query)
    if (!this.listStarts) return place
    const first = this.listStarts[place]!
    const known = this.positivesOf(query)
    if (known.length === 0) return first
    const at = positive === undefined ? -1 : known.indexOf(positive)
    if (at < 0)
      throw invalid('positive', `a positive of query ${query}, which each have a list`, positive)
    return first + at
  }

  #placeOf(query: number): number {
    checkInteger('query', query, this.firstQuery, this.firstQuery + this.queries - 1)
    return query - this.firstQuery
  }
}
