import type { RuleName } from '../data/mined-lines'
import type { NativeRejected } from '../native'
import type { Ceilings } from './ceiling-rules'
import type { Metric } from './metric'
import { NegativeLists, type NegativesRun } from './negative-lists'
import type { RowIdList } from './row-ids'

export interface MinedRun extends NegativesRun {
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
  readonly ids?: RowIdList | undefined
  readonly positiveIds?: RowIdList | undefined
}

/**
 * The hard negatives of a job, as arrays and as lazy lists. Missing slots are −1, NaN and −1. In a part of a
 * job, arrays start with the first query of the part, and a query number is always the row among all queries.
 */
export class MinedNegatives extends NegativeLists implements MinedRun {
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

  /** The ids of `indices`, null for −1, if the corpus has ids: in JSON, bigints are strings. */
  readonly ids?: RowIdList | undefined
  /** The ids of `positives.indices`, if the corpus has ids. */
  readonly positiveIds?: RowIdList | undefined

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
}
