// Several sets of rules that one mining call answers from the same scans.
import { invalid } from '../errors'
import { withDefaults } from '../options'
import { ceilingDefaults } from './ceiling-rules'
import {
  checkRules,
  mineHardNegativesDefaults,
  settleMining,
  type MineHardNegativesOptions,
  type SettledMining,
} from './mining-options'

/** What the sets of rules of a sweep may differ in. */
const sweptNames = [
  ...(Object.keys(ceilingDefaults) as (keyof typeof ceilingDefaults)[]),
  'numNegatives',
  'minScore',
  'reference',
  'skipRanks',
  'maxRank',
  'maxPositiveRank',
  'skipSurvivors',
  'sampling',
  'pool',
  'seed',
  'explain',
] as const

/** One set of rules of a sweep: what it leaves out is what the call's own options say. */
export type SweptRules = Pick<MineHardNegativesOptions, (typeof sweptNames)[number]>

/** Options of `mineHardNegatives` with several sets of rules. */
export type MiningSweep = MineHardNegativesOptions & {
  /**
   * Sets of rules, each of which gets an answer of its own, that of a call with these rules alone: one scan
   * keeps what each of them needs. Must be given.
   */
  readonly sweep: readonly SweptRules[]
}

const sweptDefaults = Object.fromEntries(
  sweptNames.map((name) => [name, mineHardNegativesDefaults[name]]),
)

/** The settled options of every answer: one, or those of a sweep. All have the same lists. */
export function settleSweep(given: MineHardNegativesOptions | MiningSweep): SettledMining[] {
  if (typeof given !== 'object' || given === null || !('sweep' in given)) return [settledOne(given)]
  const { sweep, ...shared } = given
  if (sweep === undefined) return [settledOne(shared)]
  if (!Array.isArray(sweep) || sweep.length === 0)
    throw invalid('sweep', 'an array of sets of rules, at least one', sweep)
  settledOne(shared)
  return sweep.map((rules: SweptRules, i) => {
    withDefaults(sweptDefaults, rules, `sweep[${i}]`)
    const settled = settleMining({ ...shared, ...known(rules) })
    checkRules(settled, `sweep[${i}].`)
    return settled
  })
}

function settledOne(given: MineHardNegativesOptions): SettledMining {
  const settled = settleMining(given)
  checkRules(settled)
  return settled
}

/** Without the fields that are undefined, which stand for nothing given. */
const known = (rules: SweptRules): SweptRules =>
  Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined))
