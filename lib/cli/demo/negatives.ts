import { ruleNames } from '../../data/mined-lines'
import type { MinedNegatives } from '../../mining/mined-negatives'
import type { Collection } from './texts'

const score = (value: number) => value.toFixed(3)

function rejectedOf(
  { rejected }: MinedNegatives,
  query: number,
  { texts, documentLabel }: Collection,
): string[] {
  const place = rejected.queries.indexOf(query)
  if (place === -1) return []
  const lines: string[] = []
  for (let t = rejected.indptr[place]!; t < rejected.indptr[place + 1]!; t++) {
    const rule = ruleNames[rejected.rules[t]!]!
    // The positive already has a separate line.
    if (rule === 'positive') continue
    const document = documentLabel(texts[rejected.rows[t]!]!)
    lines.push(`    rejected  ${score(rejected.scores[t]!)}  ${document}  (${rule})`)
  }
  return lines
}

const positiveScoreOf = ({ positives, positiveScores }: MinedNegatives, query: number) =>
  positiveScores[positives.indptr[query]!]!

function describeQuery(mined: MinedNegatives, query: number, collection: Collection): string[] {
  const { texts, queryLabel, positiveLabel, documentLabel } = collection
  const start = query * mined.numNegatives
  return [
    `  ${queryLabel(texts[query]!)}`,
    `    positive  ${score(positiveScoreOf(mined, query))}  ${positiveLabel(texts[query]!)}`,
    ...rejectedOf(mined, query, collection),
    ...Array.from(
      mined.negativesOf(query),
      (row, i) => `    negative  ${score(mined.scores[start + i]!)}  ${documentLabel(texts[row]!)}`,
    ),
  ]
}

/** Whether the ceiling rejected a candidate of the query at index `place` of `rejected.queries`. */
function isCeiled({ rejected }: MinedNegatives, place: number): boolean {
  const rules = rejected.rules.subarray(rejected.indptr[place], rejected.indptr[place + 1])
  return rules.includes(ruleNames.indexOf('ceiling'))
}

/**
 * Some queries as examples, spread over the names. They are from the queries with a candidate above the
 * ceiling (from all if there are none), and among the third with the best positives, because the ceiling of a
 * bad positive rejects at random.
 */
function examples(mined: MinedNegatives, count: number): number[] {
  const served = Array.from(mined.counts.keys()).filter((query) => mined.counts[query]! > 0)
  const ceiled = new Set([...mined.rejected.queries].filter((_, place) => isCeiled(mined, place)))
  const telling = served.filter((query) => ceiled.has(query))
  const best = (telling.length > 0 ? telling : served)
    .sort((a, b) => positiveScoreOf(mined, b) - positiveScoreOf(mined, a))
    .slice(0, Math.max(count, Math.ceil(telling.length / 3)))
    .sort((a, b) => a - b)
  const step = Math.max(1, Math.floor(best.length / count))
  return best.filter((_, i) => i % step === 0).slice(0, count)
}

export const describeNegatives = (
  mined: MinedNegatives,
  collection: Collection,
  count: number,
): string[] => examples(mined, count).flatMap((query) => describeQuery(mined, query, collection))
