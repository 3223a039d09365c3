// With the reference `each`, every pair of a query and a positive has its own ceiling and list of negatives.
import { describe, expect, it } from 'vitest'
import { fromRows } from '../../lib/data/matrix'
import { minedLines, rejectedLines, writeLines } from '../../lib/data/mined-lines'
import {
  auditMined,
  judgeNegatives,
  mergeMined,
  mineHardNegatives,
  writeMinedParquet,
} from '../../lib/index'
import { temporaryFolder } from '../data/files'

const folder = temporaryFolder()

/** One dimension, so that a score is the row times the query. */
const corpus = fromRows([8, 6, 5, 4, 3, 2, 1].map((value) => [value]))
const queries = fromRows([[1], [1], [1]])
const positives = [[0, 3], [], [1]]
const options = {
  metric: 'dot',
  relativeMargin: null,
  absoluteMargin: 1,
  reference: 'each',
} as const
const words = { query: (row: number) => row, document: (row: number) => row }

const mine = (more: object = {}) =>
  mineHardNegatives(queries, corpus, positives, { ...options, numNegatives: 2, ...more })

describe('a list for each positive', () => {
  it('has a row of the arrays for each pair, and one for a query without positives', async () => {
    const mined = await mine()
    expect([mined.queries, mined.lists]).toEqual([3, 4])
    expect([...mined.listStarts!]).toEqual([0, 2, 3, 4])
    expect([...mined.indices]).toEqual([1, 2, 4, 5, -1, -1, 2, 3])
    expect([...mined.counts]).toEqual([2, 2, 0, 2])
    expect([mined.found, mined.served, mined.shortfall]).toEqual([6, 3, 1])
    expect([mined.queriesWithoutPositives, mined.scanned]).toEqual([1, 3])
  })

  it('is asked for by query and positive', async () => {
    const mined = await mine()
    expect([...mined.negativesOf(0, 0)]).toEqual([1, 2])
    expect([...mined.negativesOf(0, 3)]).toEqual([4, 5])
    expect([...mined.negativesOf(1)]).toEqual([])
    expect(() => mined.negativesOf(0)).toThrow(
      'a positive of query 0, which each have a list for positive, received undefined',
    )
    expect(() => mined.negativesOf(0, 1)).toThrow('received 1')
  })

  it('gives triplets, tuples, lists and lines of one positive each', async () => {
    const mined = await mine({ explain: 1 })
    expect([...mined.triplets()].map(({ positive, negative }) => [positive, negative])).toEqual([
      [0, 1],
      [0, 2],
      [3, 4],
      [3, 5],
      [1, 2],
      [1, 3],
    ])
    expect([...mined.nTuples()].map(({ positive, negatives }) => [positive, ...negatives])).toEqual(
      [
        [0, 1, 2],
        [3, 4, 5],
        [1, 2, 3],
      ],
    )
    expect([...mined.labeledLists()][1]).toEqual({
      query: 0,
      rows: [3, 4, 5],
      labels: [1, 0, 0],
      scores: [4, 3, 2],
    })
    expect([...minedLines('flag-embedding', mined, words)]).toEqual([
      '{"query":0,"pos":[0],"neg":[1,2],"pos_scores":[8],"neg_scores":[6,5]}',
      '{"query":0,"pos":[3],"neg":[4,5],"pos_scores":[4],"neg_scores":[3,2]}',
      '{"query":2,"pos":[1],"neg":[2,3],"pos_scores":[6],"neg_scores":[5,4]}',
    ])
    expect([...rejectedLines(mined.rejected, words)]).toEqual([
      '{"query":0,"positive":0,"rejected":[{"doc":0,"score":8,"rule":"positive"}]}',
      '{"query":0,"positive":3,"rejected":[{"doc":0,"score":8,"rule":"positive"}]}',
      '{"query":2,"positive":1,"rejected":[{"doc":0,"score":8,"rule":"ceiling"}]}',
    ])
  })

  it('follows scores of positives from outside, and positives that are listed twice count once', async () => {
    const listed = { indptr: Int32Array.of(0, 3, 3, 4), indices: Int32Array.of(3, 0, 3, 1) }
    const mined = await mineHardNegatives(queries, corpus, listed, {
      ...options,
      numNegatives: 1,
      positiveScores: Float64Array.of(3, 6, 9, 7),
    })
    expect([...mined.listStarts!]).toEqual([0, 2, 3, 4])
    expect([...mined.indices]).toEqual([2, 5, -1, 2])
    expect(mined.indices.length).toBe(4)
  })

  it('leaves out the lists of positives that rank badly, and no others', async () => {
    const mined = await mine({ maxPositiveRank: 2, explain: 1 })
    expect(mined.inconsistent).toBe(1)
    expect([...mined.counts]).toEqual([2, 0, 0, 2])
    expect([...mined.rejected.queries]).toEqual([0, 2])
    expect([...mined.rejected.positives]).toEqual([0, 1])
  })

  it('lets a hub be in one list of a query alone', async () => {
    const mined = await mine({ hubCap: 1, numNegatives: 1 })
    expect([...mined.indices]).toEqual([1, 4, -1, 2])
  })

  it('merges from parts of the queries', async () => {
    const part = (index: number) => mine({ shard: { index, count: 2 } })
    const merged = await mergeMined([await part(1), await part(0)])
    const whole = await mine()
    expect(merged.indices).toEqual(whole.indices)
    expect(merged.listStarts).toEqual(whole.listStarts)
  })

  it('is refused by a judge, which has one list for each query', async () => {
    const score = () => [0]
    await expect(judgeNegatives(await mine(), { score } as never)).rejects.toThrow(
      'one list for each query (reference min, max or mean) for candidates',
    )
  })
})

describe('nearPositiveScore', () => {
  const rows = fromRows([
    [1, 0],
    [0.96, 0.28],
    [0.6, 0.8],
    [0.8, 0.6],
  ])
  const ask = (nearPositiveScore: number | undefined) =>
    mineHardNegatives(fromRows([[0, 1]]), rows, [[0]], {
      relativeMargin: null,
      nearPositiveScore,
      explain: 4,
    })

  it('drops rows that score at least this with a positive, which keep their ranks', async () => {
    const mined = await ask(0.79)
    expect([...mined.negativesOf(0)]).toEqual([2])
    expect(mined.dropped).toMatchObject({ positive: 1, nearPositive: 2, ceiling: 0 })
    expect([...rejectedLines(mined.rejected, words)][0]).toContain('"doc":3,"score":0.6')
    const { ranks } = await ask(0.9)
    expect([...ranks]).toEqual([0, 1, -1, -1])
  })

  it('is off unless given, and must be a number', async () => {
    expect((await ask(undefined)).found).toBe(3)
    await expect(ask('1' as never)).rejects.toThrow('a finite number for nearPositiveScore')
  })
})

it('labeled pairs have each document of a query once, and pass the audit', async () => {
  const best = fromRows([9, 8, 7, 6, 5, 4].map((value) => [value]))
  const mined = await mineHardNegatives(fromRows([[1]]), best, [[0, 1]], {
    ...{ metric: 'dot', reference: 'each', relativeMargin: null, numNegatives: 3 },
  })
  const lines = [...minedLines('labeled-pair', mined, words)].map(
    (line) => JSON.parse(line) as { passage: number; label: number },
  )
  expect(lines.map(({ passage, label }) => [passage, label])).toEqual([
    [0, 1],
    [2, 0],
    [3, 0],
    [4, 0],
    [1, 1],
  ])
  const [text, table] = [folder.path('pairs.jsonl'), folder.path('pairs.parquet')]
  await writeLines(text, minedLines('labeled-pair', mined, words))
  await writeMinedParquet(table, 'labeled-pair', mined, words)
  for (const path of [text, table]) {
    const audit = await auditMined(path, { queries: 1, corpus: 6, positives: mined.positives })
    expect(audit).toMatchObject({ layout: 'labeled-pair', lines: 5, isClean: true })
  }
})
