// Data on which mining rules drop rows.
import { gaussian, matrixOf, uniform } from '../matrices'
import type { Scene } from './mining-suite'

const sample = (count: number, limit: number, seed: number) => {
  const next = uniform(seed)
  const chosen = new Set<number>()
  while (chosen.size < count) chosen.add(Math.floor(next() * limit))
  return [...chosen].sort((a, b) => a - b)
}

/** Rows near the queries so that ceilings bite; every eleventh row repeats the one before it. */
export function plantedScene(
  metricName: string,
  nq: number,
  nc: number,
  d: number,
  seed: number,
): Scene {
  const queries = gaussian(nq, d, seed)
  const noise = gaussian(nc, d, seed + 1).data
  const group = uniform(seed + 2)
  const groups = (count: number) =>
    Int32Array.from({ length: count }, () => Math.floor(group() * 5) - 1)
  return {
    name: metricName,
    queries,
    corpus: matrixOf(nc, d, (row, j) => {
      const i = row - Number(row % 11 === 10)
      return i < nc / 5
        ? queries.data[(i % nq) * d + j]! + 0.5 * noise[i * d + j]!
        : noise[i * d + j]!
    }),
    positives: Array.from({ length: nq }, (_, i) =>
      sample([0, 1, 1, 2, 4][i % 5]!, nc, seed + 100 + i),
    ),
    excluded: Array.from({ length: nq }, (_, i) => sample(7 * (i % 3), nc, seed + 300 + i)),
    // Some hold nothing, some a positive, the texts of others or excluded rows.
    listed: Array.from({ length: nq }, (_, i) =>
      sample([0, 1, 12, 60, nc / 2][i % 5]!, nc, seed + 500 + i),
    ),
    queryGroups: groups(nq),
    corpusGroups: groups(nc),
    // The last queries ask what the first do; some rows say nothing, and one text stands in many rows.
    queryTexts: Array.from({ length: nq }, (_, i) => (i % 7 === 6 ? '' : `text ${i % (nq - 4)}`)),
    corpusTexts: Array.from({ length: nc }, (_, i) =>
      i % 13 === 12 ? '' : i % 17 === 3 ? 'boilerplate' : `text ${i % (nc / 2)}`,
    ),
  }
}
