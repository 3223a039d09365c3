// Removed rows are no rows of the corpus in warnings, and sets of rows are those of one size.
import { describe, expect, it } from 'vitest'
import {
  logSumExp,
  maxSim,
  mergeMined,
  mineHardNegatives,
  mutualNeighbours,
  prepareCorpus,
  prepareRowSet,
  rangeSearch,
  reverseTopK,
  topK,
  type PreparedCorpus,
} from '../../lib/index'
import { gaussian } from '../matrices'

const queries = gaussian(3, 4, 1)
const tokens = { tokens: queries, starts: [0, 3] }

/** Six rows, of which two zero vectors and one other are left. */
async function sixRows() {
  const rows = gaussian(6, 4, 2)
  rows.data.fill(0, 0, 12)
  const corpus = await prepareCorpus(rows)
  await corpus.remove([0, 3, 4])
  return corpus
}

const calls: Record<string, (corpus: PreparedCorpus) => Promise<{ warnings: readonly string[] }>> =
  {
    topK: (corpus) => topK(queries, corpus, { k: 1 }),
    rangeSearch: (corpus) => rangeSearch(queries, corpus, { threshold: 0.5 }),
    reverseTopK: (corpus) => reverseTopK(queries, corpus, { k: 1 }),
    mutualNeighbours: (corpus) => mutualNeighbours(queries, corpus, { k: 1 }),
    logSumExp: (corpus) => logSumExp(queries, corpus, { temperature: 1 }),
    maxSim: (corpus) => maxSim(tokens, { tokens: corpus, starts: [0, 6] }, { k: 1 }),
    mineHardNegatives: (corpus) =>
      mineHardNegatives(queries, corpus, [[5], [5], [5]], { numNegatives: 2 }),
  }

describe.each(Object.entries(calls))('warnings of %s', (_, call) => {
  it('count zero vectors among the rows that are left', async () => {
    using corpus = await sixRows()
    const { warnings } = await call(corpus)
    expect(warnings.join('\n')).toMatch(/2 of 3 (corpus rows|bank rows|document tokens) are zero/)
  })
})

it('parts of a job warn, when they are merged, as one call does', async () => {
  const rows = gaussian(6, 4, 2)
  rows.data.fill(0, 0, 12)
  using corpus = await prepareCorpus(rows, { ids: ['a', 'b', 'c', 'd', 'e', 'f'] })
  await corpus.remove([0, 3, 4])
  const mine = (options: object) =>
    mineHardNegatives(queries, corpus, [[5], [5], [5]], { numNegatives: 4, ...options })
  const whole = await mine({})
  const merged = await mergeMined(
    await Promise.all([0, 1].map((index) => mine({ shard: { index, count: 2 } }))),
  )
  expect(merged.warnings).toEqual(whole.warnings)
  expect(merged.warnings.join('\n')).toContain('above the 3 rows of the corpus')
  expect(merged.ids).toEqual(whole.ids)
  expect(merged.positiveIds).toEqual(whole.positiveIds)
})

it('numNegatives above the rows that are left is told', async () => {
  using corpus = await sixRows()
  const { warnings } = await mineHardNegatives(queries, corpus, [[5], [5], [5]], {
    numNegatives: 4,
  })
  expect(warnings.join('\n')).toContain('numNegatives 4 is above the 3 rows of the corpus')
})

it('a set of rows that was made before an append is refused with both sizes', async () => {
  using corpus = await sixRows()
  const allow = await prepareRowSet([1, 5], corpus)
  await corpus.append(gaussian(2, 4, 3))
  await expect(topK(queries, corpus, { k: 1, allow })).rejects.toThrow(
    /a set of rows of a corpus of 8.*6/,
  )
})
