// Warnings about missing results of a judge that are no errors, so that users do not train on empty data.
import type { JudgeSettings } from './judge-options'
import { hasMargin, outcomeNames } from './judge-rules'
import type { JudgedRun } from './judged-negatives'

/** The results that warnings mention. */
type Found = Omit<JudgedRun, 'warnings'>

/** The reason why no query has a negative. */
export function ofNothingJudged(found: Found): string[] {
  const { queries, outcomes, queriesWithoutPositives, queriesRemoved, overBudget } = found
  if (queries === 0 || found.found > 0) return []
  const reasons = outcomeNames
    .filter((name) => name !== 'keep' && outcomes[name] > 0)
    .map((name) => `${outcomes[name]} candidates have the outcome ${name}`)
  if (queriesWithoutPositives > 0)
    reasons.push(`${queriesWithoutPositives} queries have no positive, whose score margins need`)
  if (queriesRemoved > 0) reasons.push(`${queriesRemoved} queries have a relevant candidate`)
  if (overBudget > 0) reasons.push(`for ${overBudget} queries a budget was used up`)
  if (reasons.length === 0) reasons.push('there are no candidates')
  return [`No query has a negative: ${reasons.join(', ')}`]
}

/** Margins refer to scores of positives; verdicts are none. */
function ofNoScores({ judgePositiveScores, judgedPositives }: Found, options: JudgeSettings) {
  const isScored =
    judgedPositives === 0 || judgePositiveScores.some((score) => !Number.isNaN(score))
  if (isScored || !hasMargin(options)) return []
  return [
    'The scorer gave no positive a score, so absoluteMargin and relativeMargin have nothing to refer to',
  ]
}

function ofSmallPool(found: Found, most: number): string[] {
  const { numNegatives, shortfall, queries } = found
  if (most > numNegatives || shortfall === 0 || queries === 0 || most === 0) return []
  return [
    `No query has more than ${most} candidates for ${numNegatives} negatives: ` +
      'mine a larger pool, of which some can be dropped',
  ]
}

/** @param most Candidates of the query that has most. */
export const judgeWarnings = (found: Found, options: JudgeSettings, most: number): string[] => [
  ...ofSmallPool(found, most),
  ...ofNoScores(found, options),
  // That of a part of a job is given by the merge.
  ...(found.shard ? [] : ofNothingJudged(found)),
]
