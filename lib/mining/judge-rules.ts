// What becomes of a judged candidate, and what positives' scores demand of it.
import type { JudgeSettings } from './judge-options'
import type { JudgedPairs } from './judged-pairs'

/** What becomes of a judged candidate; the first that applies. */
export const outcomeNames = ['unanswered', 'positive', 'drop', 'ceiling', 'floor', 'keep'] as const
export type Outcome = (typeof outcomeNames)[number]

/** The ceiling of each rule under the reference score p. Each operation is rounded to float64. */
const ceilings = {
  maxScore: (value: number) => value,
  absoluteMargin: (value: number, p: number) => p - value,
  relativeMargin: (value: number, p: number) => p - value * Math.abs(p),
} as const
const ceilingNames = Object.keys(ceilings) as readonly (keyof typeof ceilings)[]

export const hasMargin = (options: JudgeSettings): boolean =>
  ceilingNames.some((name) => name !== 'maxScore' && options[name] !== undefined)

/** Whether a query without a score of a positive has negatives. */
export const judgesWithoutReference = (options: JudgeSettings): boolean =>
  options.maxScore !== undefined || !hasMargin(options)

const references = {
  min: (scores: readonly number[]) => scores.reduce((a, b) => Math.min(a, b)),
  max: (scores: readonly number[]) => scores.reduce((a, b) => Math.max(a, b)),
  mean: (scores: readonly number[]) => scores.reduce((a, b) => a + b) / scores.length,
} as const

/** The highest score of a negative of a query, from the answers to its positives. */
export function ceilingFor(place: number, pairs: JudgedPairs, options: JudgeSettings): number {
  const { maxScore = Infinity } = options
  if (!hasMargin(options)) return maxScore
  const { indptr } = pairs.positives
  const scores = [...pairs.scores.subarray(indptr[place], indptr[place + 1])].filter(
    (score) => !Number.isNaN(score),
  )
  if (scores.length === 0) return judgesWithoutReference(options) ? maxScore : -Infinity
  const p = references[options.reference](scores)
  return ceilingNames.reduce((lowest, name) => {
    const value = options[name]
    return value === undefined ? lowest : Math.min(lowest, ceilings[name](value, p))
  }, Infinity)
}

/** What becomes of a pair that was answered. */
export function outcomeOf(
  pair: number,
  pairs: JudgedPairs,
  ceiling: number,
  { minPositiveScore = Infinity, minScore = -Infinity }: JudgeSettings,
): Outcome {
  const score = pairs.scores[pair]!
  const verdict = pairs.verdictOf(pair)
  if (verdict === undefined && Number.isNaN(score)) return 'unanswered'
  if (verdict === 'positive' || (verdict === undefined && score >= minPositiveScore))
    return 'positive'
  if (verdict === 'drop') return 'drop'
  if (score > ceiling) return 'ceiling'
  return score < minScore ? 'floor' : 'keep'
}
