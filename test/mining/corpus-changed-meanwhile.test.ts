// Calls whose corpus changes, or is disposed of, while they still prepare their inputs.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  logSumExp,
  maxSim,
  mineCorpusShard,
  mineHardNegatives,
  mutualNeighbours,
  prepareCorpus,
  rangeSearch,
  reverseTopK,
  scorePositives,
  topK,
  type PreparedCorpus,
} from '../../lib/index'
import { gaussian } from '../matrices'

const folder = mkdtempSync(join(tmpdir(), 'meanwhile-'))
afterAll(() => rmSync(folder, { recursive: true }))

const n = 20_000
const queries = gaussian(n, 4, 1)
const rows = gaussian(50, 4, 2)
const lists = Array.from({ length: n }, () => [5])
const texts = Array.from({ length: n }, (_, i) => `query ${i}`)
const options = { numNegatives: 2 }

const calls: Record<string, (corpus: PreparedCorpus) => Promise<object>> = {
  topK: (corpus) => topK(queries, corpus, { k: 2, exclude: lists }),
  rangeSearch: (corpus) => rangeSearch(queries, corpus, { threshold: 0.99, exclude: lists }),
  reverseTopK: (corpus) => reverseTopK(queries, corpus, { k: 2, exclude: lists }),
  mutualNeighbours: (corpus) => mutualNeighbours(queries, corpus, { k: 2, exclude: lists }),
  logSumExp: (corpus) => logSumExp(queries, corpus, { temperature: 1 }),
  maxSim: (corpus) => {
    const starts = Array.from({ length: n + 1 }, (_, i) => i)
    return maxSim({ tokens: queries, starts }, { tokens: corpus, starts: [0, 50] }, { k: 1 })
  },
  mineHardNegatives: (corpus) => mineHardNegatives(queries, corpus, lists, options),
  'mineHardNegatives with texts': (corpus) =>
    mineHardNegatives(queries, corpus, lists, {
      ...options,
      queryTexts: texts,
      corpusTexts: texts.slice(0, 50),
    }),
  'mineHardNegatives with a checkpoint': (corpus) =>
    mineHardNegatives(queries, corpus, lists, {
      ...options,
      checkpoint: join(folder, `${Math.random()}.safetensors`),
    }),
  scorePositives: (corpus) =>
    scorePositives(queries, corpus, lists, { firstRow: 0, corpusRows: 50 }),
}

const withoutTime = (answer: object) =>
  JSON.stringify({ ...answer, seconds: 0 }, (_, value: unknown) =>
    ArrayBuffer.isView(value) ? Buffer.from(value.buffer).toString('base64') : value,
  )

describe.each(Object.entries(calls))('%s', (_, call) => {
  it('answers for the corpus of its start if that is changed or disposed of meanwhile', async () => {
    using corpus = await prepareCorpus(rows)
    const expected = withoutTime(await call(corpus))
    const [during] = await Promise.all([call(corpus), corpus.update([0], gaussian(1, 4, 3))])
    expect(withoutTime(during)).toBe(expected)
    const other = await prepareCorpus(rows)
    const asked = call(other)
    other.dispose()
    expect(withoutTime(await asked)).toBe(expected)
    await expect(call(other)).rejects.toMatchObject({ code: 'ERR_GEMMINE_DISPOSED' })
  })
})

it('mineCorpusShard answers for the shard of its start if that changes meanwhile', async () => {
  using corpus = await prepareCorpus(rows)
  const scored = await scorePositives(queries, corpus, lists, { firstRow: 0, corpusRows: 50 })
  const mine = () => mineCorpusShard(queries, corpus, scored, { ...options, firstRow: 0 })
  const expected = await mine()
  const [during] = await Promise.all([mine(), corpus.update([0], gaussian(1, 4, 3))])
  expect(withoutTime(during.candidates)).toBe(withoutTime(expected.candidates))
})
