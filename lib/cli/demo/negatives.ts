import { ruleNames } from '../../data/mined-lines'
import type { MinedNegatives } from '../../mining/mined-negatives'
import type { PackageTexts } from './packages'

const score = (value: number) => value.toFixed(3)

/** A package in its own words, as far as a line has room for them. */
function told({ name, description }: PackageTexts): string {
  const text = description.trim().replace(/\s+/g, ' ')
  return `${name}: "${text.length > 72 ? `${text.slice(0, 71)}…` : text}"`
}

function rejectedOf(
  { rejected }: MinedNegatives,
  query: number,
  packages: readonly PackageTexts[],
): string[] {
  const place = rejected.queries.indexOf(query)
  if (place === -1) return []
  const lines: string[] = []
  for (let t = rejected.indptr[place]!; t < rejected.indptr[place + 1]!; t++) {
    const rule = ruleNames[rejected.rules[t]!]!
    // The package's own README is no negative at all; it has its line already.
    if (rule === 'positive') continue
    const why = `(${rule}: probably a false negative)`
    lines.push(
      `    rejected  ${score(rejected.scores[t]!)}  ${told(packages[rejected.rows[t]!]!)}  ${why}`,
    )
  }
  return lines
}

const positiveScoreOf = ({ positives, positiveScores }: MinedNegatives, query: number) =>
  positiveScores[positives.indptr[query]!]!

function describeQuery(
  mined: MinedNegatives,
  query: number,
  packages: readonly PackageTexts[],
): string[] {
  const start = query * mined.numNegatives
  return [
    `  ${told(packages[query]!)}`,
    `    positive  ${score(positiveScoreOf(mined, query))}  README of ${packages[query]!.name}`,
    ...rejectedOf(mined, query, packages),
    ...Array.from(
      mined.negativesOf(query),
      (row, i) => `    negative  ${score(mined.scores[start + i]!)}  ${told(packages[row]!)}`,
    ),
  ]
}

/**
 * Some queries as examples, spread over the names: of those with something rejected above the ceiling
 * the third with the best positives, as a bad positive has a ceiling that rejects at random.
 */
function examples(mined: MinedNegatives, count: number): number[] {
  const { rejected } = mined
  const telling = [...rejected.queries].filter((query, place) => {
    const rules = rejected.rules.subarray(rejected.indptr[place], rejected.indptr[place + 1])
    return mined.counts[query]! > 0 && rules.includes(ruleNames.indexOf('ceiling'))
  })
  const best = telling
    .sort((a, b) => positiveScoreOf(mined, b) - positiveScoreOf(mined, a))
    .slice(0, Math.max(count, Math.ceil(telling.length / 3)))
    .sort((a, b) => a - b)
  const step = Math.max(1, Math.floor(best.length / count))
  return best.filter((_, i) => i % step === 0).slice(0, count)
}

export const describeNegatives = (
  mined: MinedNegatives,
  packages: readonly PackageTexts[],
  count: number,
): string[] => examples(mined, count).flatMap((query) => describeQuery(mined, query, packages))
