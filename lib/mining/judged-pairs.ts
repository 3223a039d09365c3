// The pairs that a scorer may be asked about, and its answers to them.
import { verdictNames, type Judgement, type Verdict } from '../data/judgement-lines'
import { filled } from '../data/pieces'
import type { RowLists } from '../data/row-lists'
import { planMemory } from '../memory'

/** Pairs without an answer have the code 0; others 1 + the position of the verdict in this list. */
const verdicts = [undefined, ...verdictNames] as const

/** The list that holds element t: indptr[list] ≤ t < indptr[list + 1]. */
function listOf(indptr: Int32Array, t: number): number {
  let [low, high] = [0, indptr.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (indptr[middle]! <= t) low = middle
    else high = middle
  }
  return low
}

/**
 * Positives and candidates of queries. A pair is a number: positives come first, in the order of their lists,
 * then candidates, best first. Queries are places in the lists, from 0.
 */
export class JudgedPairs {
  readonly #codes: Uint8Array

  /** @param scores The score of each pair; NaN for none. */
  private constructor(
    readonly positives: RowLists,
    readonly candidates: RowLists,
    readonly scores: Float64Array,
  ) {
    this.#codes = new Uint8Array(scores.length)
  }

  /** Pairs without answers. */
  static async of(positives: RowLists, candidates: RowLists): Promise<JudgedPairs> {
    const count = positives.indices.length + candidates.indices.length
    planMemory(`The answers to ${count} pairs`, 9 * count)
    return new JudgedPairs(positives, candidates, await filled(Float64Array, count, NaN))
  }

  get queries(): number {
    return this.candidates.indptr.length - 1
  }

  /** Number of the pair that is the first candidate. */
  get firstCandidate(): number {
    return this.positives.indices.length
  }

  /** Query and row of a pair. */
  at(pair: number): { readonly place: number; readonly row: number } {
    const isPositive = pair < this.firstCandidate
    const { indptr, indices } = isPositive ? this.positives : this.candidates
    const t = isPositive ? pair : pair - this.firstCandidate
    return { place: listOf(indptr, t), row: indices[t]! }
  }

  /** The number of a pair, or −1 if it is none of these. */
  find(place: number, row: number): number {
    for (const [lists, base] of [
      [this.positives, 0],
      [this.candidates, this.firstCandidate],
    ] as const) {
      const start = lists.indptr[place]!
      const i = lists.indices.subarray(start, lists.indptr[place + 1]).indexOf(row)
      if (i !== -1) return base + start + i
    }
    return -1
  }

  isAnswered(pair: number): boolean {
    return this.#codes[pair] !== 0
  }

  /** Keeps an answer; null for none. */
  answer(pair: number, judgement: Judgement | null) {
    this.#codes[pair] = 1 + verdicts.indexOf(judgement?.verdict)
    this.scores[pair] = judgement?.score ?? NaN
  }

  /** The verdict of a pair that was answered, if there is one. */
  verdictOf(pair: number): Verdict | undefined {
    return verdicts[this.#codes[pair]! - 1]
  }
}
