// The rules for a query's ceiling. TypeScript declares each rule only here: its option, default, check, help and
// place in a result come from this list. The formulae are in native/mining/score_ceiling.h, the derivation is
// in docs/math/mining.md.
import { checkNumber } from '../options'
import type { Metric } from './metric'

interface CeilingRule {
  /** The option's value in the formula: S for a score, M for a margin. */
  readonly value: string
  /** The ceiling in the words of the help, with p for the reference score. */
  readonly ceiling: string
  /** The lowest valid value; every finite number is valid if left out. */
  readonly lowest?: number
  /** The default value, by metric. null turns off a rule with a default. */
  readonly standard?: Readonly<Partial<Record<Metric, number>>>
}

/** The published value for cosines (NV-Retriever, 2024): the ceiling is 95 % of the positive's score. */
export const defaultRelativeMargin = 0.05

/** An editor shows the comment of a rule as the text of its option. */
export const ceilingRules = {
  /** A negative scores at most this; no limit unless given. */
  maxScore: { value: 'S', ceiling: 'S' },
  /** A negative scores at most the reference − this; no limit unless given. */
  absoluteMargin: { value: 'M', ceiling: 'p - M', lowest: 0 },
  /**
   * A negative scores at most the reference − this · |reference|; null turns the rule off. 0.05 for cosine
   * and dot unless given, with or without other ceilings, and off for l2.
   */
  relativeMargin: {
    value: 'M',
    ceiling: 'p - M*|p|',
    lowest: 0,
    standard: { cosine: defaultRelativeMargin, dot: defaultRelativeMargin },
  },
} as const satisfies Readonly<Record<string, CeilingRule>>

type Declared = typeof ceilingRules
export type CeilingName = keyof Declared

/** The options of the rules: a number, or null for a rule with a default. */
export type CeilingOptions = {
  -readonly [Name in keyof Declared]?:
    number | (Declared[Name] extends { readonly standard: object } ? null : never) | undefined
}

/** The active ceilings, without rules that are off. */
export type Ceilings = { readonly [Name in keyof Declared]?: number }

type CeilingDefaults = { readonly [Name in keyof Declared]: undefined }

export const rules = Object.entries<CeilingRule>(ceilingRules) as readonly (readonly [
  CeilingName,
  CeilingRule,
])[]

export const ceilingNames = rules.map(([name]) => name)

/** Undefined for every rule, because the default may depend on the metric. */
export const ceilingDefaults = Object.fromEntries(
  rules.map(([name]) => [name, undefined]),
) as unknown as CeilingDefaults

/**
 * @param at Prefix of a rule's name in messages.
 * @throws {TypeError | RangeError} naming the rule with an invalid value.
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
