// The options of judgeNegatives(): all defaults and checks.
import { invalid } from '../errors'
import {
  checkInteger,
  checkNumber,
  checkOneOf,
  frozen,
  required,
  withDefaults,
  type Overrides,
} from '../options'
import {
  jointReferences,
  mineHardNegativesDefaults,
  type JointReferenceName,
} from './mining-options'
import type { Scorer } from './scorer-answers'
import {
  checkScorer,
  scorerDefaults,
  type ScoredExtent,
  type ScorerOptions,
} from './scorer-options'

/** What becomes of candidates that the scorer finds relevant. */
export const falseNegativeModes = ['relabel', 'remove', 'remove-query'] as const
export type FalseNegativeMode = (typeof falseNegativeModes)[number]

/** The orders of the candidates that survive. */
export const rankings = ['mined', 'judge'] as const
export type RankingName = (typeof rankings)[number]

/** All defaults of `judgeNegatives` except those of its scorer. */
const ownDefaults = {
  /** Negatives wanted for each query; 4 unless given. */
  numNegatives: mineHardNegativesDefaults.numNegatives,
  /** A negative has at most this score of the scorer; no limit unless given. */
  maxScore: undefined as number | undefined,
  /**
   * A negative has at most the score that the scorer gives the query's positives − this; no limit unless
   * given.
   */
  absoluteMargin: undefined as number | undefined,
  /** A negative has at most that score of the positives − this · |that score|; no limit unless given. */
  relativeMargin: undefined as number | undefined,
  /** A negative has at least this score of the scorer; no limit unless given. */
  minScore: undefined as number | undefined,
  /** The score of several positives that margins refer to; `min` unless given. */
  reference: 'min' as JointReferenceName,
  /** A candidate with at least this score and without a verdict is relevant; no limit unless given. */
  minPositiveScore: undefined as number | undefined,
  /**
   * Candidates that are relevant: `relabel` makes them positives, `remove` drops them, `remove-query` also
   * drops the negatives of their queries; `relabel` unless given.
   */
  falseNegatives: 'relabel' as FalseNegativeMode,
  /**
   * The order of the survivors: `mined`, that of the candidates, of which only as many are asked about as
   * needed; or `judge`, by the score of the scorer, for which all are asked about; `mined` unless given.
   */
  rankBy: 'mined' as RankingName,
  /** Distance of the survivors that are taken, for diversity: 5 takes each fifth first; 1 unless given. */
  stride: 1,
  /** Whether to ask about positives although no margin needs it; `false` unless given. */
  judgePositives: false,
  /** Pairs to ask about at most, positives included; no limit unless given. */
  budget: undefined as number | undefined,
  /** Candidates of one query to ask about at most; no limit unless given. */
  queryBudget: undefined as number | undefined,
} as const

/** All defaults of `judgeNegatives`, including those of its scorer. */
export const judgeNegativesDefaults: typeof ownDefaults & typeof scorerDefaults = frozen({
  ...ownDefaults,
  ...scorerDefaults,
})

export type JudgeNegativesOptions = Overrides<typeof ownDefaults> & ScorerOptions

const finiteNames = ['maxScore', 'minScore', 'minPositiveScore'] as const
const marginNames = ['absoluteMargin', 'relativeMargin'] as const

export type JudgeSettings = ReturnType<typeof settleJudge>

const settleJudge = (given: JudgeNegativesOptions) =>
  withDefaults<typeof all, JudgeNegativesOptions>(all, given)
const all = { score: required as Scorer, ...judgeNegativesDefaults }

function checkNumbers(options: JudgeSettings) {
  checkInteger('numNegatives', options.numNegatives, 1)
  for (const name of finiteNames) if (options[name] !== undefined) checkNumber(name, options[name])
  for (const name of marginNames)
    if (options[name] !== undefined) checkNumber(name, options[name], 0)
  checkInteger('stride', options.stride, 1)
  for (const name of ['budget', 'queryBudget'] as const)
    if (options[name] !== undefined) checkInteger(name, options[name], 0)
}

/** @throws {TypeError | RangeError} naming the first option that is wrong. */
export function checkedJudge(given: JudgeNegativesOptions, extent: ScoredExtent): JudgeSettings {
  const options = settleJudge(given)
  checkScorer(options, extent)
  checkNumbers(options)
  checkOneOf('reference', options.reference, jointReferences)
  checkOneOf('falseNegatives', options.falseNegatives, falseNegativeModes)
  checkOneOf('rankBy', options.rankBy, rankings)
  if (typeof options.judgePositives !== 'boolean')
    throw invalid('judgePositives', 'true or false', options.judgePositives)
  return options
}
