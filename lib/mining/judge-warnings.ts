// Warnings about missing results of a judge that are no errors, so that users do not train on empty data.
import { outcomeNames } from './judge-rules'
import type { JudgedRun } from './judged-negatives'
import type { MinedShard } from './query-shard'

/** The results that warnings mention. */
type Found = Omit<JudgedRun, 'warnings'>

/** The reason why no query has a negative. */
function ofNothingJudged(found: Found): string[] {
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
function ofNoScores({ judgePositiveScores, judgedPositives }: Found, isMargin: boolean): string[] {
  const isScored =
    judgedPositives === 0 || judgePositiveScores.some((score) => !Number.isNaN(score))
  if (isScored || !isMargin) return []
  return [
    'The scorer gave no positive a score, so absoluteMargin and relativeMargin have nothing to refer to',
  ]
}

function ofSmallPool(found: Found): string[] {
  const { numNegatives, shortfall, queries, mostCandidates: most } = found
  if (most > numNegatives || shortfall === 0 || queries === 0 || most === 0) return []
  return [
    `No query has more than ${most} candidates for ${numNegatives} negatives: ` +
      'mine a larger pool, of which some can be dropped',
  ]
}

/** Whether the last judge of a part of a job had a margin. */
export const partHasMargin = ({ judges, ...options }: MinedShard['options']): boolean =>
  (['absoluteMargin', 'relativeMargin'] as const).some(
    (name) => options[`${name} of judge ${String(judges)}`] !== undefined,
  )

/** @param isMargin Whether rules refer to the scores of positives. */
export const judgeWarnings = (found: Found, isMargin: boolean): string[] => [
  ...ofSmallPool(found),
  ...ofNoScores(found, isMargin),
  // That of a part of a job is given by the merge.
  ...(found.shard ? [] : ofNothingJudged(found)),
]
