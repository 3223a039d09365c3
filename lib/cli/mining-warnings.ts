// What a mining job left out without an error, so that nobody trains on nothing.
import { resolve } from 'node:path'
import { mineHardNegativesDefaults } from '../mining/mine-hard-negatives'
import type { MinedNegatives } from '../mining/mined-negatives'
import { mineDefaults, type MineOptions } from './mining-options'

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

/** Only l2 has no ceiling of its own, and whoever turns the rule off has thought of it. */
function ofNoCeiling(mined: MinedNegatives, given: MineOptions): string[] {
  const { queries = '', corpus = '', excludeSelf, relativeMargin } = given
  const isCeiled = Object.keys(mined.ceilings).length > 0
  if (mined.found === 0 || isCeiled || relativeMargin === 'none') return []
  const isSelf = !excludeSelf && resolve(queries) === resolve(corpus)
  return [
    `No ceiling is in force, as --metric ${mined.metric} has none by default, so negatives may be unlabelled positives` +
      `${isSelf ? ' and the query itself, which --exclude-self bars' : ''}: --max-score sets one, and so do other ` +
      'options that gemmine mine --help lists under Scores',
  ]
}

/** Why negatives.jsonl has no line, though some query has a negative. */
function ofNoLine(
  mined: MinedNegatives,
  { out, format = mineDefaults.format }: MineOptions,
): string[] {
  const { counts, positives, numNegatives } = mined
  if (out === undefined || mined.found === 0 || positives.indices.length === 0) return []
  const isTuple = format === 'n-tuple'
  const fewest = isTuple ? numNegatives : 1
  const hasLine = (count: number, query: number) =>
    count >= fewest && mined.positivesOf(query).length > 0
  if (counts.some(hasLine)) return []
  return [
    `negatives.jsonl is empty: no query with a positive has ${
      isTuple
        ? `the ${numNegatives} negatives that a line of --format n-tuple needs; a lower --num-negatives or another --format gives lines`
        : 'a negative'
    }`,
  ]
}

/** Options that shape files only, where none is written. */
const ofNoFiles = ({ out, format, explain }: MineOptions): string[] =>
  Object.entries({ format, explain })
    .filter(([, value]) => out === undefined && value !== undefined)
    .map(
      ([name, value]) =>
        `--${name} ${value} has no effect without --out, where its file would stand`,
    )

/** Complete sentences about options and files that leave less than was meant. */
export const miningWarnings = (mined: MinedNegatives, given: MineOptions): string[] => [
  ...ofPositives(mined, given),
  ...ofNothingLeft(mined, given),
  ...ofNoCeiling(mined, given),
  ...ofNoLine(mined, given),
  ...ofPool(given),
  ...ofNoFiles(given),
]
