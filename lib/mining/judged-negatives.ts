import type { RowLists } from '../data/row-lists'
import { inTurns, type Slice } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { invalidText } from '../errors'
import { handOut } from '../lending'
import { outcomeNames, type Outcome } from './judge-rules'
import { NegativeLists, type NegativeListsJson, type NegativesRun } from './negative-lists'

/** The candidates that a scorer was asked about, and what became of each. */
export interface JudgedCandidates {
  /** [queries + 1]: the candidates of query i are `rows[indptr[i]]`..`rows[indptr[i + 1] - 1]`, best first. */
  readonly indptr: Int32Array
  /** Corpus rows. */
  readonly rows: Int32Array
  /** The scorer's scores, parallel to `rows`; NaN where it gave none. */
  readonly scores: Float64Array
  /** Parallel to `rows`, positions in `outcomeNames`. */
  readonly outcomes: Uint8Array
}

export interface JudgedRun extends NegativesRun {
  readonly judgeScores: Float64Array
  readonly judgePositiveScores: Float64Array
  readonly newPositives: RowLists
  readonly judged: JudgedCandidates
  readonly outcomes: Readonly<Record<Outcome, number>>
  readonly judgedPositives: number
  readonly asked: number
  readonly queriesWithoutPositives: number
  readonly queriesRemoved: number
  readonly overBudget: number
  readonly mostCandidates: number
  readonly warnings: readonly string[]
}

/** What JSON says of {@link JudgedNegatives}; a missing score is null. */
export interface JudgedNegativesJson
  extends
    NegativeListsJson,
    Pick<
      JudgedRun,
      | 'outcomes'
      | 'judgedPositives'
      | 'asked'
      | 'queriesWithoutPositives'
      | 'queriesRemoved'
      | 'overBudget'
      | 'mostCandidates'
      | 'warnings'
    > {
  /** The candidates of each query that the scorer was asked about. */
  readonly judged: readonly (readonly {
    readonly row: number
    readonly score: number
    readonly outcome: Outcome
  }[])[]
  /** The candidates of each query that are relevant. */
  readonly newPositives: readonly (readonly number[])[]
}

/**
 * The negatives that a scorer of the caller left of candidates, in the form of mined negatives. Missing slots
 * are −1 and NaN. Scores and ranks are those of the mining; for `CandidateLists`, which have none, scores are
 * those of the scorer, and ranks are places in the lists.
 */
export class JudgedNegatives extends NegativeLists implements JudgedRun {
  /** The scorer's scores of the negatives, [queries × numNegatives]; NaN where it gave none. */
  readonly judgeScores!: Float64Array
  /** The scorer's scores of `positives.indices`; NaN where it gave none. */
  readonly judgePositiveScores!: Float64Array
  /** The candidates that are relevant: ascending for each query. */
  readonly newPositives!: RowLists
  /** The candidates that the scorer was asked about, and what became of each. */
  readonly judged!: JudgedCandidates
  /** Candidates by what became of them. */
  readonly outcomes!: Readonly<Record<Outcome, number>>
  /** Positives that were judged. */
  readonly judgedPositives!: number
  /** Pairs that the scorer was asked about in this run; the others were in the cache. */
  readonly asked!: number
  /** Queries without a positive that were not judged, because the rules need the score of one. */
  readonly queriesWithoutPositives!: number
  /** Queries without negatives because a candidate is relevant; only for `remove-query`. */
  readonly queriesRemoved!: number
  /** Queries with fewer than `numNegatives` negatives and candidates that no budget was left for. */
  readonly overBudget!: number
  /** Candidates of the query that has most. */
  readonly mostCandidates!: number
  /** Complete sentences about options and lists that give fewer negatives than intended. */
  readonly warnings!: readonly string[]

  /** Only for {@link judgeNegatives}. */
  constructor(run: JudgedRun) {
    super(run)
    Object.assign(this, run)
  }

  /**
   * The same negatives with the scorer's scores in place of those of the mining, for example to write them
   * with `minedLines` for distillation. Queries without negatives have no positives in it.
   *
   * @throws {TypeError} if the scorer gave no score to a negative or to a positive of its query;
   *   `judgePositives` asks for those of positives.
   */
  async byJudge(): Promise<NegativeLists> {
    const { indptr, indices } = this.positives
    const starts = resultArray(Int32Array, indptr.length)
    const kept: number[] = []
    await inTurns((slice) => this.#keepScored(slice, starts, kept))
    return new NegativeLists({
      ...this,
      positives: { indptr: starts, indices: handOut(Int32Array.from(kept, (t) => indices[t]!)) },
      positiveScores: handOut(Float64Array.from(kept, (t) => this.judgePositiveScores[t]!)),
      scores: handOut(Float32Array.from(this.judgeScores)),
    })
  }

  override toJSON(): JudgedNegativesJson {
    const { outcomes, judgedPositives, asked, queriesWithoutPositives, queriesRemoved } = this
    const { overBudget, mostCandidates, warnings, judged, newPositives } = this
    const part = (lists: { readonly indptr: Int32Array }, query: number) =>
      [lists.indptr[query]!, lists.indptr[query + 1]!] as const
    return {
      ...super.toJSON(),
      ...{ outcomes, judgedPositives, asked, queriesWithoutPositives, queriesRemoved },
      ...{ overBudget, mostCandidates, warnings },
      judged: Array.from({ length: this.queries }, (_, query) =>
        Array.from(judged.rows.subarray(...part(judged, query)), (row, i) => ({
          ...{ row, score: judged.scores[judged.indptr[query]! + i]! },
          outcome: outcomeNames[judged.outcomes[judged.indptr[query]! + i]!]!,
        })),
      ),
      newPositives: Array.from({ length: this.queries }, (_, query) => [
        ...newPositives.indices.subarray(...part(newPositives, query)),
      ]),
    }
  }

  /** Writes the starts of the positives of queries with negatives, and their places in `positives.indices`. */
  *#keepScored(slice: Slice, starts: Int32Array, kept: number[]): Generator<void> {
    const { indptr, indices } = this.positives
    for (let place = 0; place < this.queries; place++) {
      const [count, start] = [this.counts[place]!, place * this.numNegatives]
      for (let i = start; i < start + count; i++)
        this.#checkScore(this.judgeScores[i]!, 'negative', place, this.indices[i]!)
      for (let t = indptr[place]!; t < indptr[place + 1]! && count > 0; t++) {
        this.#checkScore(this.judgePositiveScores[t]!, 'positive', place, indices[t]!)
        kept.push(t)
      }
      starts[place + 1] = kept.length
      if (slice.spend(8 + count)) yield
    }
  }

  #checkScore(score: number, kind: string, place: number, row: number) {
    if (!Number.isNaN(score)) return
    throw invalidText(
      'score',
      'a scorer that gives a score to every negative and, with judgePositives, to every positive',
      `none for the ${kind} ${row} of query ${this.firstQuery + place}`,
    )
  }
}
