// Which pairs a judge asks about: the next candidates that queries need, in rounds, within budgets.
import { inTurns, type Slice } from '../data/slices'
import type { JudgeSettings } from './judge-options'
import {
  ceilingFor,
  hasMargin,
  judgesWithoutReference,
  outcomeNames,
  outcomeOf,
} from './judge-rules'
import type { JudgedPairs } from './judged-pairs'

/** Work for a query, and for a pair, in the units of a slice. */
const unitsOfQuery = 4
const unitsOfPair = 8

export const keep = outcomeNames.indexOf('keep')
export const positive = outcomeNames.indexOf('positive')

export class JudgeRounds {
  /** The outcome of each candidate that was asked about, a position in {@link outcomeNames}. */
  readonly outcomes: Uint8Array
  /** Candidates of each query that were asked about: the first ones of its list. */
  readonly asked: Int32Array
  /** Positives that were asked about. */
  askedPositives = 0
  /** Candidates of each query that may still be asked about; 0 once it needs no more. */
  readonly #left: Int32Array
  /** Survivors that each query still needs. */
  readonly #needed: Float64Array
  /** Positives of each query that are still to be asked about, with its first candidate. */
  readonly #due: Int32Array
  /** Pairs that may still be asked about. */
  #budget: number

  constructor(
    private readonly pairs: JudgedPairs,
    private readonly options: JudgeSettings,
  ) {
    const { numNegatives, stride, rankBy, budget = Infinity } = options
    const { queries, positives, candidates } = pairs
    const needed = rankBy === 'judge' ? Infinity : 1 + (numNegatives - 1) * stride
    const sizes = ({ indptr }: typeof positives) =>
      Int32Array.from({ length: queries }, (_, q) => indptr[q + 1]! - indptr[q]!)
    this.outcomes = new Uint8Array(candidates.indices.length)
    this.asked = new Int32Array(queries)
    this.#needed = new Float64Array(queries).fill(needed)
    this.#due = sizes(positives)
    this.#left = sizes(candidates).map((count, q) => this.#limit(count, this.#due[q]!))
    if (!options.judgePositives && !hasMargin(options)) this.#due.fill(0)
    this.#budget = budget
  }

  /** Candidates that may be asked about for a query with so many candidates and positives. */
  #limit(candidates: number, positives: number): number {
    if (positives === 0 && !judgesWithoutReference(this.options)) return 0
    return Math.min(candidates, this.options.queryBudget ?? Infinity)
  }

  /** Pairs that further rounds may ask about, at most. */
  async most(): Promise<number> {
    let most = 0
    await inTurns((slice) => this.#each(slice, (q) => (most += this.#left[q]! + this.#due[q]!)))
    return Math.min(most, this.#budget)
  }

  /** The pairs of the next round, query by query; none if all queries have what they need or can get. */
  async next(): Promise<{ readonly taken: Int32Array; readonly numbers: readonly number[] }> {
    const taken = new Int32Array(this.pairs.queries)
    await inTurns((slice) => this.#take(slice, taken))
    const { positives, candidates, firstCandidate } = this.pairs
    const numbers: number[] = []
    const list = (q: number) => {
      if (taken[q] === 0) return
      for (let i = 0; i < this.#due[q]!; i++) numbers.push(positives.indptr[q]! + i)
      const from = firstCandidate + candidates.indptr[q]! + this.asked[q]!
      for (let i = 0; i < taken[q]!; i++) numbers.push(from + i)
    }
    await inTurns((slice) => this.#each(slice, list))
    return { taken, numbers }
  }

  /** Judges the answers to a round. */
  async settle(taken: Int32Array): Promise<void> {
    const isLost = this.options.falseNegatives === 'remove-query'
    const settle = (q: number) => {
      if (taken[q] === 0) return
      this.askedPositives += this.#due[q]!
      this.#due[q] = 0
      this.#left[q]! -= taken[q]!
      const ceiling = ceilingFor(q, this.pairs, this.options)
      const from = this.pairs.candidates.indptr[q]!
      for (let i = 0; i < taken[q]!; i++) {
        const t = from + this.asked[q]!++
        const pair = this.pairs.firstCandidate + t
        const outcome = outcomeNames.indexOf(outcomeOf(pair, this.pairs, ceiling, this.options))
        this.outcomes[t] = outcome
        if (outcome === keep) this.#needed[q]!--
        if (outcome === positive && isLost) this.#left[q] = 0
      }
      if (this.#needed[q] === 0) this.#left[q] = 0
    }
    await inTurns((slice) => this.#each(slice, settle))
  }

  /** Calls `use` for each query that needs more. */
  *#each(slice: Slice, use: (q: number) => void): Generator<void> {
    for (let q = 0; q < this.pairs.queries; q++) {
      const work = this.#left[q]! + this.#due[q]!
      if (this.#left[q]! > 0) use(q)
      if (slice.spend(unitsOfQuery + unitsOfPair * work)) yield
    }
  }

  /**
   * Takes the next candidates of each query into `taken`: all that it needs; or, as far as the budget
   * reaches, the best of each query, then the second of each, and so on.
   */
  *#take(slice: Slice, taken: Int32Array): Generator<void> {
    let open = Array.from(this.#left.keys()).filter((q) => this.#left[q]! > 0)
    while (open.length > 0 && this.#budget > 0) {
      const next: number[] = []
      for (const q of open) {
        if (slice.spend(unitsOfPair)) yield
        const wanted = Math.min(this.#left[q]!, this.#needed[q]!)
        const count = this.#budget === Infinity ? wanted : 1
        const cost = count + (taken[q] === 0 ? this.#due[q]! : 0)
        if (cost > this.#budget) continue
        this.#budget -= cost
        taken[q]! += count
        if (taken[q]! < wanted) next.push(q)
      }
      open = next
    }
  }
}
