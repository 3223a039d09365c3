// Candidates and scorers for the tests of judges.
import { NegativeLists } from '../../lib/mining/negative-lists'
import type { CandidateLists } from '../../lib/mining/judge-source'
import type { JudgedNegatives } from '../../lib/mining/judged-negatives'
import type { Scorer, ScorerAnswer } from '../../lib/mining/scorer-answers'
import type { Judgeable } from '../reference/judging'
import { uniform } from '../matrices'

export interface JudgeScene {
  readonly each: readonly Judgeable[]
  readonly lists: CandidateLists
}

/** Queries with 0 to `pool` candidates and 0 to 3 positives each, in random order. */
export function judgeScene(seed: number, queries = 12, corpus = 80, pool = 20): JudgeScene {
  const next = uniform(seed)
  const each = Array.from({ length: queries }, () => {
    const rows = Array.from({ length: corpus }, (_, row) => [next(), row] as const)
      .sort(([a], [b]) => a - b)
      .map(([, row]) => row)
    const positives = rows.splice(0, Math.floor(4 * next())).sort((a, b) => a - b)
    return { positives, candidates: rows.slice(0, Math.floor((pool + 1) * next())) }
  })
  const lists = {
    queries,
    corpus,
    rows: each.map(({ candidates }) => candidates),
    positives: each.map(({ positives }) => positives),
  }
  return { each, lists }
}

/** An answer of any kind, the same for a seed and pair; scores are multiples of 1/8 in −1 .. 1. */
export function mixedAnswer(seed: number) {
  return (query: number, row: number): ScorerAnswer => {
    const next = uniform(seed * 1_000_003 + query * 1009 + row)
    const score = Math.round(16 * next()) / 8 - 1
    const kind = Math.floor(12 * next())
    if (kind === 0) return null
    if (kind <= 3) return (['keep', 'drop', 'positive'] as const)[kind - 1]!
    if (kind <= 5) return { score, verdict: (['keep', 'drop'] as const)[kind - 4]! }
    return kind === 6 ? { score } : score
  }
}

/** A scorer that asks `answer`, and the pairs that it was asked about. */
export function scorerOf(answer: (query: number, row: number) => ScorerAnswer) {
  const asked: [query: number, row: number][] = []
  const score: Scorer = async (pairs) => {
    asked.push(...pairs.map(({ query, row }) => [query, row] as [number, number]))
    return pairs.map(({ query, row }) => answer(query, row))
  }
  return { score, asked }
}

/** Everything that must not depend on the order of answers or on a cache. */
export const answerOf = ({ asked, ...judged }: JudgedNegatives) => judged

/** Negatives of each query. */
export const negativesOf = (lists: NegativeLists): number[][] =>
  Array.from({ length: lists.queries }, (_, i) => [...lists.negativesOf(lists.firstQuery + i)])
