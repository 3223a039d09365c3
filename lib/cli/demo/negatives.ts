import { ruleNames } from '../../data/mined-lines'
import type { MinedNegatives } from '../../mining/mined-negatives'
import type { PackageTexts } from './packages'

const score = (value: number) => value.toFixed(3)

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
    lines.push(
      `    rejected  ${score(rejected.scores[t]!)}  ${packages[rejected.rows[t]!]!.name}  (${rule}: probably a false negative)`,
    )
  }
  return lines
}

function describeQuery(
  mined: MinedNegatives,
  query: number,
  packages: readonly PackageTexts[],
): string[] {
  const { name, description } = packages[query]!
  const positive = mined.positiveScores[mined.positives.indptr[query]!]!
  const start = query * mined.numNegatives
  return [
    `  ${name}: "${description.trim().slice(0, 90)}"`,
    `    positive  ${score(positive)}  README of ${name}`,
    ...rejectedOf(mined, query, packages),
    ...Array.from(
      mined.negativesOf(query),
      (row, i) => `    negative  ${score(mined.scores[start + i]!)}  ${packages[row]!.name}`,
    ),
  ]
}

/** Some queries as examples: those with something rejected above the ceiling first, spread over the names. */
function examples(mined: MinedNegatives, count: number): number[] {
  const { rejected } = mined
  const telling = [...rejected.queries].filter((query, place) => {
    const rules = rejected.rules.subarray(rejected.indptr[place], rejected.indptr[place + 1])
    return mined.counts[query]! > 0 && rules.includes(ruleNames.indexOf('ceiling'))
  })
  const step = Math.max(1, Math.floor(telling.length / count))
  return telling.filter((_, i) => i % step === 0).slice(0, count)
}

export const describeNegatives = (
  mined: MinedNegatives,
  packages: readonly PackageTexts[],
  count: number,
): string[] => examples(mined, count).flatMap((query) => describeQuery(mined, query, packages))
