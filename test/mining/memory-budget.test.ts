import { describe, expect, it } from 'vitest'
import * as lib from '../../lib/index'
import { gaussian } from '../matrices'

const least = 2 ** 26
const queries = gaussian(600, 8, 1)
const corpus = gaussian(800, 8, 2)
const positives = Array.from({ length: queries.rows }, (_, i) => [i])
const starts = Array.from({ length: 201 }, (_, i) => 3 * i)
const many = (tokens: lib.Matrix) => ({ tokens, starts: [...starts.slice(0, -1), tokens.rows] })

type Budget = lib.MemoryOptions

const jobs: Record<string, (budget: Budget) => Promise<object>> = {
  topK: (budget) => lib.topK(queries, corpus, { k: 60, ...budget }),
  'topK of a corpus among itself': (budget) =>
    lib.topK(corpus, corpus, { k: 60, excludeSelf: true, ...budget }),
  rangeSearch: (budget) => lib.rangeSearch(queries, corpus, { threshold: 0.5, ...budget }),
  reverseTopK: (budget) => lib.reverseTopK(queries, corpus, { k: 60, ...budget }),
  mutualNeighbours: (budget) => lib.mutualNeighbours(queries, corpus, { k: 60, ...budget }),
  maxSim: (budget) => lib.maxSim(many(queries), many(corpus), { k: 60, ...budget }),
  logSumExp: (budget) => lib.logSumExp(queries, corpus, { temperature: 0.1, ...budget }),
  communities: (budget) => lib.communities(corpus, { threshold: 0.6, minSize: 3, ...budget }),
  mineHardNegatives: (budget) =>
    lib.mineHardNegatives(queries, corpus, positives, { numNegatives: 40, ...budget }),
}

/** The arrays of an answer. */
const arraysOf = (found: object) =>
  Object.entries(found).filter(([, part]) => ArrayBuffer.isView(part))

describe.each(Object.entries(jobs))('memoryBudget of %s', (_, job) => {
  it('changes no bit of the answer', async () => {
    const all = arraysOf(await job({}))
    expect(all.length).toBeGreaterThan(0)
    for (const memoryBudget of [least, 4 * least])
      expect(arraysOf(await job({ memoryBudget }))).toEqual(all)
  })

  it.each([least - 1, '512MiB'])('refuses %s', async (memoryBudget) => {
    await expect(job({ memoryBudget: memoryBudget as number })).rejects.toThrow(
      'an integer of at least 67108864 for memoryBudget',
    )
  })
})

it('communities whose near rows exceed a memoryBudget are those without one', async () => {
  // Two million near rows, where the budget has room for 87 000 at a time, and as many ties as rows.
  const near = gaussian(2000, 3, 5)
  near.data.copyWithin(300, 0, 300)
  const X = { ...near, data: Float64Array.from(near.data) }
  const { seconds, ...all } = await lib.communities(X, { threshold: 0, minSize: 40 })
  expect(all.count).toBeGreaterThan(1)
  const told: string[] = []
  const { seconds: _, ...within } = await lib.communities(X, {
    ...{ threshold: 0, minSize: 40, memoryBudget: least },
    onProgress: ({ phase }) => told.push(phase),
  })
  expect(within).toEqual(all)
  expect(new Set(told)).toEqual(new Set(['count', 'scan']))
  expect(told.length).toBeGreaterThan(20)
})

it('memoryBudget is unknown where it would have no effect', async () => {
  const budget = { memoryBudget: least } as object
  await expect(lib.prepareCorpus(corpus, budget)).rejects.toThrow('the unknown option memoryBudget')
})

it('a query whose lists exceed a memoryBudget is refused with their bytes', async () => {
  const rows = { data: new Float32Array(8e5).map((_, i) => i % 977), rows: 400_000, cols: 2 }
  const one = { data: Float32Array.of(1, 2), rows: 1, cols: 2 }
  const asked = { k: 400_000, metric: 'l2', memoryBudget: least } as const
  await expect(lib.topK(one, rows, asked)).rejects.toThrow(
    /The lists of one query need about \d+ bytes of memory, and its budget has 33554432 for them/,
  )
})

it('a hub cap that keeps more rows than fit in a memoryBudget is refused with their bytes', async () => {
  const rows = gaussian(40_000, 1, 3)
  const own = Array.from({ length: rows.rows }, (_, i) => [i])
  await expect(
    lib.mineHardNegatives(rows, rows, own, { hubCap: 2, memoryBudget: least }),
  ).rejects.toMatchObject({
    code: 'ERR_GEMMINE_OUT_OF_MEMORY',
    message:
      'The rows that hubCap shares out need about 38400000 bytes of memory, and the budget has 33554432 for them',
  })
})

it('texts that exceed half of a memoryBudget are refused with their bytes', async () => {
  const count = 600_000
  const rows = { data: new Float32Array(count).fill(1), rows: count, cols: 1 }
  const one = { data: Float32Array.of(1), rows: 1, cols: 1 }
  const texts = { queryTexts: ['a'], corpusTexts: Array<string>(count).fill('b') }
  const asked = { ...texts, numNegatives: 1, maxScore: 2 }
  await expect(
    lib.mineHardNegatives(one, rows, [[0]], { ...asked, memoryBudget: least }),
  ).rejects.toMatchObject({
    code: 'ERR_GEMMINE_OUT_OF_MEMORY',
    message: expect.stringMatching(
      /A table of the texts, for which half of memoryBudget is free, needs about \d+ bytes of memory, and its budget is 33554432/,
    ) as string,
  })
  const mined = await lib.mineHardNegatives(one, rows, [[0]], { ...asked, memoryBudget: 4 * least })
  expect(mined.indices).toHaveLength(1)
})

it('texts leave the scan less of a memoryBudget, and change no bit of the answer', async () => {
  const texts = (rows: number) => Array.from({ length: rows }, (_, i) => `text ${i % 500}`)
  const asked = {
    numNegatives: 40,
    queryTexts: texts(queries.rows),
    corpusTexts: texts(corpus.rows),
  }
  const all = arraysOf(await lib.mineHardNegatives(queries, corpus, positives, asked))
  const within = { ...asked, memoryBudget: least }
  expect(arraysOf(await lib.mineHardNegatives(queries, corpus, positives, within))).toEqual(all)
})
