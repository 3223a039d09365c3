// Sweeps: several sets of rules, answered by one mining call from the same scans.
import { invalid, isMistake, renamedMistake } from '../errors'
import { withDefaults } from '../options'
import { ceilingDefaults } from './ceiling-rules'
import {
  checkRules,
  mineHardNegativesDefaults,
  settleMining,
  type MineHardNegativesOptions,
  type SettledMining,
} from './mining-options'
import { samplingDefaults } from './samplings'

/** The options in which the sets of rules of a sweep may differ. */
const sweptNames = [
  ...(Object.keys(ceilingDefaults) as (keyof typeof ceilingDefaults)[]),
  'numNegatives',
  'minScore',
  'reference',
  'skipRanks',
  'maxRank',
  'maxPositiveRank',
  'skipSurvivors',
  ...(Object.keys(samplingDefaults) as (keyof typeof samplingDefaults)[]),
  'explain',
] as const

/** One set of rules of a sweep; a missing option has the value of the call's own options. */
export type SweptRules = Pick<MineHardNegativesOptions, (typeof sweptNames)[number]>

/** Options of `mineHardNegatives` with several sets of rules. */
export type MiningSweep = MineHardNegativesOptions & {
  /**
   * Sets of rules. Each gets its own answer, equal to that of a call with these rules alone; one scan serves
   * all of them. Must be given.
   */
  readonly sweep: readonly SweptRules[]
}

const sweptDefaults = Object.fromEntries(
  sweptNames.map((name) => [name, mineHardNegativesDefaults[name]]),
)

/** The settled options of each answer: of one call, or of each set of a sweep. All have the same lists. */
export function settleSweep(given: MineHardNegativesOptions | MiningSweep): SettledMining[] {
  if (typeof given !== 'object' || given === null || !('sweep' in given)) return [settledOne(given)]
  const { sweep, ...shared } = given
  if (sweep === undefined) return [settledOne(shared)]
  if (!Array.isArray(sweep) || sweep.length === 0)
    throw invalid('sweep', 'an array of sets of rules, at least one', sweep)
  settleMining(shared)
  return sweep.map((rules: SweptRules, i) => {
    withDefaults(sweptDefaults, rules, `sweep[${i}]`)
    const settled = settleMining({ ...shared, ...known(rules) })
    try {
      checkRules(settled, `sweep[${i}].`)
    } catch (error) {
      throw namedBySource(error, `sweep[${i}].`, known(rules))
    }
    return settled
  })
}

/** The error of a rule that is not one of its set names the call's own option. */
function namedBySource(error: unknown, at: string, rules: SweptRules): unknown {
  if (!isMistake(error) || !error.argument.startsWith(at)) return error
  const name = error.argument.slice(at.length)
  return name in rules ? error : renamedMistake(error, name)
}

function settledOne(given: MineHardNegativesOptions): SettledMining {
  const settled = settleMining(given)
  checkRules(settled)
  return settled
}

/** The rules without undefined fields, because undefined means not given. */
const known = (rules: SweptRules): SweptRules =>
  Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined))
