import { ruleNames, type RuleName } from '../data/mined-lines'
import type { NativeRejected } from '../native'
import type { Ceilings } from './ceiling-rules'
import type { Metric } from './metric'
import { NegativeLists, type NegativeListsJson, type NegativesRun } from './negative-lists'

export interface MinedRun extends NegativesRun {
  readonly liveRows: number
  readonly dimensions: number
  readonly metric: Metric
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

/** What JSON says of {@link MinedNegatives}. */
export interface MinedNegativesJson
  extends NegativeListsJson, Omit<MinedRun, keyof NegativesRun | 'rejected'> {
  /** The best rejected candidates of each mined list of negatives, if `explain` was given. */
  readonly rejected: readonly {
    readonly query: number
    readonly candidates: readonly {
      readonly row: number
      readonly score: number
      readonly rule: RuleName
    }[]
  }[]
}

const rejectedForJson = ({ queries, indptr, rows, scores, rules }: NativeRejected) =>
  Array.from(queries, (query, i) => ({
    query,
    candidates: Array.from(rows.subarray(indptr[i], indptr[i + 1]), (row, j) => ({
      ...{ row, score: scores[indptr[i]! + j]!, rule: ruleNames[rules[indptr[i]! + j]!]! },
    })),
  }))

/**
 * The hard negatives of a job, as arrays and as lazy lists. Missing slots are −1, NaN and −1. In a part of a
 * job, arrays start with the first query of the part, and a query number is always the row among all queries.
 */
export class MinedNegatives extends NegativeLists implements MinedRun {
  /** Corpus rows that were not removed. */
  readonly liveRows!: number
  /** Columns of both sides. */
  readonly dimensions!: number
  /** Metric of the scores. */
  readonly metric!: Metric
  /** Candidates of the whole corpus that each rule dropped; each counts for the first rule that applies. */
  readonly dropped!: Readonly<Record<RuleName, number>>
  /** The active ceilings, defaults included. */
  readonly ceilings!: Ceilings
  /** Queries without a positive: not mined unless `maxScore` is given. */
  readonly queriesWithoutPositives!: number
  /** Lists of negatives that `maxPositiveRank` excluded. */
  readonly inconsistent!: number
  /**
   * Pairs of a mined query and a candidate: a row of its list if `candidates` was given, else every row of
   * the corpus, for each list of negatives. Pairs of lists that `maxPositiveRank` excluded are counted.
   */
  readonly candidatePairs!: number
  /** Lists of negatives that the certificate proved without a rescan. */
  readonly certified!: number
  /** Lists whose query was scanned again in float64; `certified + fallback` is all of them. */
  readonly fallback!: number
  /** Queries that are zero vectors and have the cosine 0 with every row; 0 for the other metrics. */
  readonly zeroQueries!: number
  /** The same for corpus rows. */
  readonly zeroRows!: number
  /** Time inside the scan, in seconds. */
  readonly seconds!: number
  /** The best rejected candidates of each mined list of negatives, if `explain` was given. */
  readonly rejected!: NativeRejected
  /** Complete sentences about options and lists that give fewer negatives than intended. */
  readonly warnings!: readonly string[]

  /** Only for {@link mineHardNegatives}. */
  constructor(run: MinedRun) {
    super(run)
    Object.assign(this, run)
  }

  /** Lists that were mined: a query without positives is mined only if `maxScore` is given. */
  get scanned(): number {
    const left = this.ceilings.maxScore === undefined ? this.queriesWithoutPositives : 0
    return this.lists - left
  }

  override toJSON(): MinedNegativesJson {
    const {
      liveRows,
      dimensions,
      metric,
      dropped,
      ceilings,
      queriesWithoutPositives,
      inconsistent,
    } = this
    const { candidatePairs, certified, fallback, zeroQueries, zeroRows, seconds, warnings } = this
    return {
      ...super.toJSON(),
      ...{ liveRows, dimensions, metric, dropped, ceilings, queriesWithoutPositives, inconsistent },
      ...{ candidatePairs, certified, fallback, zeroQueries, zeroRows, seconds, warnings },
      rejected: rejectedForJson(this.rejected),
    }
  }
}
