// The rules of mining by plain loops: all candidates of a query in order of rank, all rules in their
// documented order.
import type { RuleName } from '../../lib/data/mined-lines'
import type { CeilingName, Ceilings } from '../../lib/mining/ceiling-rules'
import { ranking } from './scores'

export interface Rules extends Ceilings {
  readonly minScore?: number
  /** With `each` the questions are about pairs of a query and a positive. */
  readonly reference?: 'min' | 'max' | 'mean' | 'each'
  readonly skipRanks?: number
  readonly maxRank?: number
  readonly maxPositiveRank?: number
  readonly skipSurvivors?: number
}

export interface Question {
  readonly scores: Float64Array
  readonly self: number | undefined
  readonly positives: readonly number[]
  /** The positive whose list it is with the reference `each`. */
  readonly positive?: number | undefined
  readonly excluded: readonly number[]
  /** The only ones; undefined: all rows. */
  readonly candidates: readonly number[] | undefined
  forbidden(row: number): boolean
  /** Whether a row has a text that the query is known by. */
  copied(row: number): boolean
  /** Whether a row is near a positive. */
  near?(row: number): boolean
  /** Undefined without texts. */
  text(row: number): string | undefined
}

export interface Answer {
  readonly mined: boolean
  readonly inconsistent: boolean
  /** Undefined without positives. */
  readonly reference: number | undefined
  /** Survivors, best first, with their raw ranks. */
  readonly rows: readonly number[]
  readonly ranks: readonly number[]
  /** Dropped rows, best first, with the rule that hit each. */
  readonly rejected: readonly { readonly row: number; readonly rule: RuleName }[]
}

const references = {
  min: (scores: number[]) => Math.min(...scores),
  max: (scores: number[]) => Math.max(...scores),
  mean: (scores: number[]) => scores.reduce((sum, score) => sum + score, 0) / scores.length,
}

/** The ceiling that each rule alone gives under a reference score; undefined where it needs one. */
const ceilings: Record<CeilingName, (value: number, p: number | undefined) => number | undefined> =
  {
    maxScore: (highest) => highest,
    absoluteMargin: (margin, p) => (p === undefined ? undefined : p - margin),
    relativeMargin: (margin, p) => (p === undefined ? undefined : p - margin * Math.abs(p)),
  }

const otherRules: Record<Exclude<keyof Rules, CeilingName>, true> = {
  minScore: true,
  reference: true,
  skipRanks: true,
  maxRank: true,
  maxPositiveRank: true,
  skipSurvivors: true,
}

/** A rule that the oracle does not know would make it agree with an addon that ignores the rule too. */
function checkKnown(rules: object) {
  for (const name of Object.keys(rules))
    if (!Object.hasOwn(ceilings, name) && !Object.hasOwn(otherRules, name))
      throw new TypeError(`The oracle knows no rule ${name}`)
}

function ceilingOf(p: number | undefined, rules: Rules): number {
  const all = Object.entries(ceilings).map(([name, ceiling]) => {
    const value = rules[name as CeilingName]
    return value === undefined ? undefined : ceiling(value, p)
  })
  return Math.min(...all.map((ceiling) => ceiling ?? Infinity))
}

function barrier(
  row: number,
  { self, positives, excluded, forbidden }: Question,
): RuleName | undefined {
  if (row === self) return 'self'
  if (positives.includes(row)) return 'positive'
  if (excluded.includes(row)) return 'excluded'
  return forbidden(row) ? 'group' : undefined
}

const unmined = (inconsistent: boolean): Answer => ({
  mined: false,
  inconsistent,
  reference: undefined,
  rows: [],
  ranks: [],
  rejected: [],
})

/** Whether rows, asked in the order of their rank, have a text that came before; an empty one equals none. */
function repetitions(text: (row: number) => string | undefined) {
  const seen = new Set<string>()
  return (row: number) => {
    const words = text(row)
    if (!words) return false
    const isKnown = seen.has(words)
    seen.add(words)
    return isKnown
  }
}

function referenceOf({ scores, positives, positive }: Question, { reference = 'min' }: Rules) {
  if (positives.length === 0) return undefined
  if (reference === 'each') return scores[positive!]!
  return references[reference](positives.map((row) => scores[row]!))
}

/** @throws {TypeError} if `rules` holds a name that is none of them. */
export function survivors(question: Question, rules: Rules): Answer {
  checkKnown(rules)
  const { skipRanks = 0, maxRank = Infinity, minScore = -Infinity } = rules
  const { scores } = question
  const p = referenceOf(question, rules)
  if (p === undefined && rules.maxScore === undefined) return unmined(false)
  const only = question.candidates
  const ranked = ranking(scores).filter((row) => only === undefined || only.includes(row))
  const barriers = ranked.map((row) => barrier(row, question))
  const above = ranked.filter((row, i) => !barriers[i] && scores[row]! > p!).length
  if (p !== undefined && above >= (rules.maxPositiveRank ?? Infinity)) return unmined(true)
  const ceiling = ceilingOf(p, rules)
  const rows: number[] = []
  const ranks: number[] = []
  const rejected: { row: number; rule: RuleName }[] = []
  let rank = 0
  const isRepeated = repetitions(question.text)
  ranked.forEach((row, i) => {
    const outside = rank < skipRanks || rank >= maxRank
    const scored: RuleName | undefined = barriers[i]
      ? undefined
      : question.copied(row)
        ? 'duplicate'
        : question.near?.(row)
          ? 'nearPositive'
          : isRepeated(row)
            ? 'duplicate'
            : scores[row]! > ceiling
              ? 'ceiling'
              : scores[row]! < minScore
                ? 'floor'
                : outside
                  ? 'rank'
                  : undefined
    const rule = barriers[i] ?? scored
    if (rule) rejected.push({ row, rule })
    else {
      rows.push(row)
      ranks.push(rank)
    }
    if (!barriers[i]) rank++
  })
  const skip = rules.skipSurvivors ?? 0
  return {
    mined: true,
    inconsistent: false,
    reference: p,
    rows: rows.slice(skip),
    ranks: ranks.slice(skip),
    rejected,
  }
}
