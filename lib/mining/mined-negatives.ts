import type { RowLists } from '../data/row-lists'
import type { RuleName } from '../data/mined-lines'
import type { NativeRejected } from '../native'
import { checkInteger } from '../options'
import type { Ceilings } from './ceiling-rules'
import type { Metric } from './metric'
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

/** Statistics of the scores and ranks of one job. */
export interface MiningStatistics {
  /** Over all pairs of a query and a positive. */
  readonly positiveScore: Distribution
  /** Over the negatives found. */
  readonly negativeScore: Distribution
  /** Raw ranks of the negatives found. */
  readonly negativeRank: Distribution
}

export interface MinedRun {
  readonly queries: number
  readonly firstQuery: number
  readonly shard: MinedShard | undefined
  readonly corpus: number
  readonly dimensions: number
  readonly numNegatives: number
  readonly metric: Metric
  readonly positives: RowLists
  readonly indices: Int32Array
  readonly scores: Float32Array
  readonly counts: Int32Array
  readonly found: number
  readonly served: number
  readonly shortfall: number
  readonly ranks: Int32Array
  readonly positiveScores: Float64Array
  readonly dropped: Readonly<Record<RuleName, number>>
  readonly ceilings: Ceilings
  readonly queriesWithoutPositives: number
  readonly inconsistent: number
  readonly candidatePairs: number
  readonly certified: number
  readonly fallback: number
  readonly zeroQueries: number
  readonly zeroRows: number
  readonly seconds: number
  readonly rejected: NativeRejected
  readonly warnings: readonly string[]
}

/**
 * The hard negatives of a job, as arrays and as lazy lists. Missing slots are −1, NaN and −1. In a part of a
 * job, arrays start with the first query of the part, and a query number is always the row among all queries.
 */
export class MinedNegatives implements MinedRun {
  /** Number of queries in the arrays. */
  readonly queries!: number
  /** Row of the first of them among the given queries; 0 unless this is a part of a job. */
  readonly firstQuery!: number
  /** The part of a job; undefined for a whole job. */
  readonly shard!: MinedShard | undefined
  /** Number of corpus rows. */
  readonly corpus!: number
  /** Columns of both sides. */
  readonly dimensions!: number
  /** Slots for each query. */
  readonly numNegatives!: number
  /** Metric of the scores. */
  readonly metric!: Metric
  /** The positives that were used: ascending and unique for each query. */
  readonly positives!: RowLists
  /** Corpus rows, best first, [queries × numNegatives]. */
  readonly indices!: Int32Array
  /** Their canonical scores rounded to float32, [queries × numNegatives]. */
  readonly scores!: Float32Array
  /** Negatives found for each query, [queries]. */
  readonly counts!: Int32Array
  /** All negatives found: the sum of `counts`. */
  readonly found!: number
  /** Queries with at least one negative. */
  readonly served!: number
  /** Queries with fewer than `numNegatives`. */
  readonly shortfall!: number
  /**
   * Raw rank of each negative among the candidates that are not barred by a list or group, [queries ×
   * numNegatives].
   */
  readonly ranks!: Int32Array
  /** Scores of `positives.indices`, in float64. */
  readonly positiveScores!: Float64Array
  /** Candidates of the whole corpus that each rule dropped; each counts for the first rule that applies. */
  readonly dropped!: Readonly<Record<RuleName, number>>
  /** The active ceilings, defaults included. */
  readonly ceilings!: Ceilings
  /** Queries without a positive: not mined unless `maxScore` is given. */
  readonly queriesWithoutPositives!: number
  /** Queries that `maxPositiveRank` excluded. */
  readonly inconsistent!: number
  /**
   * Pairs of a mined query and a candidate: a row of its list if `candidates` was given, else every row of
   * the corpus. Pairs of queries that `maxPositiveRank` excluded are counted.
   */
  readonly candidatePairs!: number
  /** Queries with an answer that the certificate proved without a rescan. */
  readonly certified!: number
  /** Queries that were scanned again in float64; `certified + fallback` is all of them. */
  readonly fallback!: number
  /** Queries that are zero vectors and have the cosine 0 with every row; 0 for the other metrics. */
  readonly zeroQueries!: number
  /** The same for corpus rows. */
  readonly zeroRows!: number
  /** Time inside the scan, in seconds. */
  readonly seconds!: number
  /** The best rejected candidates of each mined query, if `explain` was given. */
  readonly rejected!: NativeRejected
  /** Complete sentences about options and lists that give fewer negatives than intended. */
  readonly warnings!: readonly string[]

  /** Only for {@link mineHardNegatives}. */
  constructor(run: MinedRun) {
    Object.assign(this, run)
  }

  /** Queries that were mined: a query without positives is mined only if `maxScore` is given. */
  get scanned(): number {
    const left = this.ceilings.maxScore === undefined ? this.queriesWithoutPositives : 0
    return this.queries - left
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

  /**
   * Negative rows of one query, best first.
   *
   * @throws {TypeError | RangeError} if there is no such query.
   */
  negativesOf(query: number): Int32Array {
    const place = this.#placeOf(query)
    const start = place * this.numNegatives
    return this.indices.subarray(start, start + this.counts[place]!)
  }

  /** One triplet for each query, positive and negative. */
  *triplets(): Generator<Triplet> {
    for (const query of this.#numbers())
      for (const positive of this.positivesOf(query))
        for (const negative of this.negativesOf(query)) yield { query, positive, negative }
  }

  /** One tuple for each query and positive, without queries that have fewer than `numNegatives` negatives. */
  *nTuples(): Generator<NTuple> {
    for (const query of this.#numbers()) {
      const negatives = this.negativesOf(query)
      if (negatives.length < this.numNegatives) continue
      for (const positive of this.positivesOf(query)) yield { query, positive, negatives }
    }
  }

  /** One list for each query with a positive and a negative. */
  *labeledLists(): Generator<LabeledList> {
    for (const query of this.#numbers()) {
      const positives = this.positivesOf(query)
      const negatives = this.negativesOf(query)
      if (positives.length === 0 || negatives.length === 0) continue
      const place = query - this.firstQuery
      const from = this.positives.indptr[place]!
      const start = place * this.numNegatives
      yield {
        query,
        rows: [...positives, ...negatives],
        labels: [...positives].map((): 0 | 1 => 1).concat([...negatives].map(() => 0)),
        scores: [
          ...this.positiveScores.subarray(from, from + positives.length),
          ...this.scores.subarray(start, start + negatives.length),
        ],
      }
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
    }
  }

  *#numbers(): Generator<number> {
    for (let place = 0; place < this.queries; place++) yield this.firstQuery + place
  }

  #placeOf(query: number): number {
    checkInteger('query', query, this.firstQuery, this.firstQuery + this.queries - 1)
    return query - this.firstQuery
  }
}
