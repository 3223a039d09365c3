// Warnings about missing results of a mining job that are no errors, so that users do not train on empty
// data.
import type { MinedNegatives } from './mined-negatives'
import { samplingDefaults, samplingNumbers, samplingOf, type SamplingName } from './samplings'
import { ofSmallCorpus, ofZeroVectors, type Naming, type Searched } from './search-warnings'

/** The results that warnings mention. */
type Found = Pick<
  MinedNegatives,
  | 'metric'
  | 'queries'
  | 'liveRows'
  | 'numNegatives'
  | 'positives'
  | 'found'
  | 'dropped'
  | 'inconsistent'
  | 'candidatePairs'
  | 'shard'
  | 'ceilings'
  | 'zeroQueries'
  | 'zeroRows'
>

/** The options that warnings mention. */
export interface Asked {
  readonly minScore?: number | undefined
  readonly skipSurvivors?: number | undefined
  readonly sampling: SamplingName
  readonly temperature?: number | undefined
  readonly simansA?: number | undefined
  readonly simansB?: number | undefined
  readonly distanceCutoff?: number | undefined
  readonly distanceLimit?: number | undefined
  readonly stride?: number | undefined
  readonly bins?: number | undefined
  readonly mmrLambda?: number | undefined
  readonly nearPositiveScore?: number | undefined
  readonly nearDuplicateScore?: number | undefined
  readonly hubCap?: number | undefined
  readonly relativeMargin?: number | null | undefined
  readonly excludeSelf: unknown
  readonly pool?: number | undefined
}

function ofMargin({ ceilings: { relativeMargin = 0 } }: Found): string[] {
  if (relativeMargin < 0.5) return []
  return [
    `A relative margin of ${relativeMargin} drops everything above ${Math.round(100 * (1 - relativeMargin))} % of ` +
      "the positive's score; a ceiling at 95 % of it is a margin of 0.05",
  ]
}

function ofPositives({ positives, queries, ceilings }: Found, name: Naming): string[] {
  if (positives.indices.length > 0 || queries === 0) return []
  const consequence =
    ceilings.maxScore === undefined
      ? `no query is mined, as only ${name('maxScore')} mines queries without positives`
      : `${name('triplets()')} is empty, as it sets negatives beside positives`
  return [`${name('positives')} holds no positive: ${consequence}`]
}

/** The reason why no query has a negative although some were mined. */
function ofNothingLeft(found: Found, { minScore, skipSurvivors }: Asked, name: Naming): string[] {
  const { positives, queries, dropped, inconsistent, ceilings } = found
  const { maxScore } = ceilings
  const unmined = positives.indices.length === 0 && maxScore === undefined
  if (unmined || queries === 0 || found.found > 0) return []
  const reasons = Object.entries(dropped)
    .filter(([, count]) => count > 0)
    .map(([rule, count]) => `${count} candidates dropped by the rule ${rule}`)
  if (inconsistent > 0)
    reasons.push(`${inconsistent} queries left out by ${name('maxPositiveRank')}`)
  if (skipSurvivors)
    reasons.push(`the best ${skipSurvivors} of each query left out by ${name('skipSurvivors')}`)
  if (found.candidatePairs === 0)
    reasons.push(`${name('candidates')} lists no row for a query that is mined`)
  if (minScore !== undefined && maxScore !== undefined && minScore > maxScore)
    reasons.unshift(
      `the floor ${name('minScore')} ${minScore} is above the ceiling ${name('maxScore')} ${maxScore}`,
    )
  return [`No query has a negative: ${reasons.join(', ')}`]
}

function ofPool({ pool, sampling }: Asked, name: Naming): string[] {
  if (pool === undefined || samplingOf(sampling).from !== undefined) return []
  const taking = `${name('sampling')} ${sampling}, which takes the best and draws nothing`
  return [`${name('pool')} ${pool} has no effect on ${taking}`]
}

/** Numbers of other samplings. A number that equals its default is not known to be given. */
const ofIdleNumbers = (asked: Asked, name: Naming): string[] =>
  samplingNumbers
    .filter((number) => !samplingOf(asked.sampling).uses.includes(number))
    .filter((number) => (asked[number] ?? samplingDefaults[number]) !== samplingDefaults[number])
    .map(
      (number) =>
        `${name(number)} ${asked[number]} has no effect on ${name('sampling')} ${asked.sampling}`,
    )

/**
 * Only l2 has no default ceiling. There is no warning if the user turned a rule off, because that was
 * intended.
 */
function ofNoCeiling(found: Found, { relativeMargin, excludeSelf }: Asked, name: Naming): string[] {
  const isCeiled = Object.keys(found.ceilings).length > 0
  if (isCeiled || relativeMargin === null || found.found === 0) return []
  const itself = excludeSelf
    ? ''
    : `, and the query itself where it stands in the corpus (${name('excludeSelf')} bars it)`
  return [
    `No ceiling is in force, as the metric ${found.metric} has none by default: ` +
      `negatives may be unlabelled positives${itself}; ${name('maxScore')} sets one`,
  ]
}

/** All rows score 0 for a query that is a zero vector, and the order of equal scores is that of rows. */
const ofZeros = (found: Found, { sampling }: Asked): string[] =>
  ofZeroVectors(searchedIn(found), { ofQuery: `, so ${samplingOf(sampling).ofZeroQuery}` })

/** Warnings about all queries are left out for a part of a job; the merge gives them. */
const ofAllQueries = (found: Found, asked: Asked, name: Naming): string[] =>
  found.shard ? [] : [...ofPositives(found, name), ...ofNothingLeft(found, asked, name)]

const searchedIn = ({ liveRows, ...found }: Found): Searched => ({ ...found, corpus: liveRows })

/** Complete sentences about options and lists that give fewer negatives than intended. */
export const miningWarnings = (found: Found, asked: Asked, name: Naming): string[] => [
  ...ofSmallCorpus('numNegatives', found.numNegatives, searchedIn(found), name),
  ...ofZeros(found, asked),
  ...ofMargin(found),
  ...ofAllQueries(found, asked, name),
  ...ofNoCeiling(found, asked, name),
  ...ofPool(asked, name),
  ...ofIdleNumbers(asked, name),
]
