// What a mining job left out without an error, so that nobody trains on nothing.
import { mineHardNegativesDefaults } from '../mining/mine-hard-negatives'
import type { MinedNegatives } from '../mining/mined-negatives'
import type { MineOptions } from './mining-options'

function ofPositives({ positives }: MinedNegatives, given: MineOptions): string[] {
  if (positives.indices.length > 0) return []
  const consequence =
    given.maxScore === undefined
      ? 'no query is mined, as only --max-score mines queries without positives'
      : 'negatives.jsonl is empty, as its lines speak of positives'
  return [`${given.positives} holds no positive: ${consequence}`]
}

/** Why no query has a negative, though some were mined. */
function ofNothingLeft(mined: MinedNegatives, given: MineOptions): string[] {
  const { maxScore, minScore } = given
  if (mined.found > 0 || (mined.positives.indices.length === 0 && maxScore === undefined)) return []
  const reasons = Object.entries(mined.dropped)
    .filter(([, count]) => count > 0)
    .map(([rule, count]) => `${count} candidates dropped by the rule ${rule}`)
  if (mined.inconsistent > 0)
    reasons.push(`${mined.inconsistent} queries left out by --max-positive-rank`)
  if (given.skipSurvivors)
    reasons.push(`the best ${given.skipSurvivors} of each query left out by --skip-survivors`)
  if (minScore !== undefined && maxScore !== undefined && minScore > maxScore)
    reasons.unshift(
      `the floor --min-score ${minScore} is above the ceiling --max-score ${maxScore}`,
    )
  return [`No query has a negative: ${reasons.join(', ')}`]
}

function ofPool({ pool, sampling = mineHardNegativesDefaults.sampling }: MineOptions): string[] {
  if (pool === undefined || sampling !== 'top') return []
  return [`--pool ${pool} has no effect on --sampling top, which takes the best and draws nothing`]
}

/** Complete sentences about options and files that leave less than was meant. */
export const miningWarnings = (mined: MinedNegatives, given: MineOptions): string[] => [
  ...ofPositives(mined, given),
  ...ofNothingLeft(mined, given),
  ...ofPool(given),
]
