// The rules that give a query its ceiling, each declared once on this side of the border: its option,
// its default, its check and its place in a result come from this list. Their formulae are those of
// native/mining/score_ceiling.h, their derivation is in docs/math/mining.md.
import { checkNumber } from '../options'
import type { Metric } from './metric'

interface CeilingRule {
  /** The lowest value that makes sense; any finite number does when left out. */
  readonly lowest?: number
  /** The value where the option is left out, by metric. A rule that has one is turned off by null. */
  readonly standard?: Readonly<Partial<Record<Metric, number>>>
}

/** The published value for cosines (NV-Retriever, 2024): a ceiling at 95 % of the positive's score. */
export const defaultRelativeMargin = 0.05

/** What stands above a rule is what an editor shows of its option. */
export const ceilingRules = {
  /** A negative scores at most this; no limit unless given. */
  maxScore: {},
  /** A negative scores at most the reference − this; no limit unless given. */
  absoluteMargin: { lowest: 0 },
  /**
   * A negative scores at most the reference − this · |reference|; null turns the rule off. 0.05 for cosine
   * and dot unless given, whatever other ceilings are, and off for l2.
   */
  relativeMargin: {
    lowest: 0,
    standard: { cosine: defaultRelativeMargin, dot: defaultRelativeMargin },
  },
} as const satisfies Readonly<Record<string, CeilingRule>>

type Declared = typeof ceilingRules
export type CeilingName = keyof Declared

/** The options of the rules: a number, or null for a rule that is on by itself. */
export type CeilingOptions = {
  -readonly [Name in keyof Declared]?:
    number | (Declared[Name] extends { readonly standard: object } ? null : never) | undefined
}

/** The ceilings in force: a rule that is off is left out. */
export type Ceilings = { readonly [Name in keyof Declared]?: number }

type CeilingDefaults = { readonly [Name in keyof Declared]: undefined }

const rules = Object.entries<CeilingRule>(ceilingRules) as (readonly [CeilingName, CeilingRule])[]

/** Undefined for every rule: what that means may depend on the metric. */
export const ceilingDefaults = Object.fromEntries(
  rules.map(([name]) => [name, undefined]),
) as unknown as CeilingDefaults

/**
 * @param at What messages put before the name of a rule.
 * @throws {TypeError | RangeError} naming the rule whose value is no number that it takes.
 */
export function checkCeilings(options: CeilingOptions, at = '') {
  for (const [name, { lowest, standard }] of rules) {
    const value = options[name]
    if (value === undefined || (value === null && standard)) continue
    checkNumber(`${at}${name}`, value, lowest)
  }
}

export function ceilingsOf(options: CeilingOptions, metric: Metric): Ceilings {
  const inForce = rules.flatMap(([name, { standard }]) => {
    const value = options[name] === undefined ? standard?.[metric] : options[name]
    return typeof value === 'number' ? [[name, value] as const] : []
  })
  return Object.fromEntries(inForce)
}
