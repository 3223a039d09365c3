// Shards of the queries merge to the result of one call, bit for bit.
import { describe, expect, it } from 'vitest'
import { minedLines } from '../../lib/data/mined-lines'
import { mergeMined } from '../../lib/mining/merge-mined'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import type { MinedNegatives } from '../../lib/mining/mined-negatives'
import type { MineHardNegativesOptions } from '../../lib/mining/mining-options'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { plantedScene } from '../conformance/mining-scenes'
import { optionsOf, type Scene, type Trial } from '../conformance/mining-suite'
import { uniform } from '../matrices'

const scene = plantedScene('shards', 20, 300, 12, 5)

const mine = (options: MineHardNegativesOptions, { queries, corpus, positives }: Scene = scene) =>
  mineHardNegatives(queries, corpus, positives, options)

/** In another order, the same for a seed. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const next = uniform(seed)
  const keyed = items.map((item) => [next(), item] as const)
  return keyed.sort(([a], [b]) => a - b).map(([, item]) => item)
}

const partsOf = (options: MineHardNegativesOptions, count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, index) => mine({ ...options, shard: { index, count } })),
  )

/** Everything that must not depend on the cut. */
const answerOf = ({ seconds, certified, fallback, ...answer }: MinedNegatives) => ({
  ...answer,
  settled: certified + fallback,
})

const words = { query: (row: number) => `q${row}`, document: (row: number) => row }

type Drawn = Pick<MineHardNegativesOptions, 'sampling' | 'pool' | 'seed'>

const trials: Record<string, Trial & Drawn> = {
  'the best': { numNegatives: 6, explain: 7 },
  'random draws': { sampling: 'random', pool: 30, seed: 4 },
  'the best and random draws': { sampling: 'top1-random', pool: 12, seed: 9, maxScore: 0.5 },
  'a band': { sampling: 'band', seed: 7, texts: true, minScore: -0.2, maxScore: 0.4, explain: 4 },
  'texts, groups and exclusions': {
    texts: true,
    groups: 'different',
    exclude: true,
    maxScore: 0.4,
    explain: 5,
  },
  'lists of candidates': { candidates: true, texts: true, maxScore: 0.6, explain: 3 },
  'positives that must rank well': { maxPositiveRank: 3, relativeMargin: 0.05 },
  'a list for each positive': { reference: 'each', relativeMargin: 0.1, explain: 4 },
  'lists beside the pool': {
    candidates: true,
    candidateMode: 'beside',
    sampling: 'random',
    seed: 4,
  },
  'rows near positives': { nearPositiveScore: 0.4, texts: true, explain: 4 },
  'weights of distances': { sampling: 'distance-weighted', pool: 40, seed: 2 },
}

describe('mergeMined gives the answer of one call for', () => {
  it.each(Object.entries(trials))('%s', async (_, trial) => {
    const options = optionsOf(scene, trial)
    const whole = await mine(options)
    for (const count of [1, 3, 7, 33]) {
      const merged = await mergeMined(shuffled(await partsOf(options, count), count))
      expect(answerOf(merged), `${count} parts`).toEqual(answerOf(whole))
      expect(await merged.statistics()).toEqual(await whole.statistics())
    }
  })

  it('queries that are themselves rows of the corpus', async () => {
    const { corpus } = scene
    const positives = Array.from({ length: corpus.rows }, (_, i) => [(i + 1) % corpus.rows])
    for (const excludeSelf of [true, Int32Array.from({ length: corpus.rows }, (_, i) => i)]) {
      const ask = (shard?: { index: number; count: number }) =>
        mineHardNegatives(corpus, corpus, positives, { excludeSelf, shard })
      const parts = [await ask({ index: 1, count: 2 }), await ask({ index: 0, count: 2 })]
      expect(answerOf(await mergeMined(parts))).toEqual(answerOf(await ask()))
    }
  })

  it('a prepared corpus', async () => {
    using corpus = await prepareCorpus(scene.corpus)
    const ask = (index: number) =>
      mineHardNegatives(scene.queries, corpus, scene.positives, { shard: { index, count: 2 } })
    expect(answerOf(await mergeMined([await ask(0), await ask(1)]))).toEqual(
      answerOf(await mine({})),
    )
  })

  it('no queries at all', async () => {
    const none = { ...scene, queries: { ...scene.queries, data: new Float32Array(0), rows: 0 } }
    const ask = (shard?: { index: number; count: number }) =>
      mine({ shard }, { ...none, positives: [] })
    const parts = [await ask({ index: 0, count: 2 }), await ask({ index: 1, count: 2 })]
    expect(answerOf(await mergeMined(parts))).toEqual(answerOf(await ask()))
  })
})

describe('a part of a job', () => {
  it('has arrays of its own queries, and numbers of all', async () => {
    const whole = await mine({ numNegatives: 3, explain: 2 })
    const part = await mine({ numNegatives: 3, explain: 2, shard: { index: 1, count: 3 } })
    expect([part.firstQuery, part.queries]).toEqual([6, 7])
    expect(part.indices).toEqual(whole.indices.subarray(18, 39))
    expect([...part.rejected.queries].every((query) => query >= 6 && query < 13)).toBe(true)
    for (const query of [6, 12]) {
      expect(part.negativesOf(query)).toEqual(whole.negativesOf(query))
      expect(part.positivesOf(query)).toEqual(whole.positivesOf(query))
    }
    expect(() => part.negativesOf(5)).toThrow('an integer in 6..12 for query, received 5')
    const inPart = ({ query }: { query: number }) => query >= 6 && query < 13
    expect([...part.triplets()]).toEqual([...whole.triplets()].filter(inPart))
    expect([...part.labeledLists()]).toEqual([...whole.labeledLists()].filter(inPart))
    const lines = [...minedLines('labeled', part, words)]
    expect(lines).toEqual(
      [...minedLines('labeled', whole, words)].filter((line) =>
        inPart({ query: Number(/"q(\d+)"/.exec(line)![1]) }),
      ),
    )
  })

  it('leaves what is said of all queries to the whole', async () => {
    const few = { ...scene, positives: scene.positives.map((_, i) => (i === 0 ? [7] : [])) }
    const { warnings } = await mine({ shard: { index: 1, count: 2 } }, few)
    expect(warnings).toEqual([])
  })

  it('names an entry that is no number by its row among all queries', async () => {
    const data = scene.queries.data.slice()
    data[13 * 12 + 2] = NaN
    const wrong = { ...scene, queries: { ...scene.queries, data } }
    await expect(mine({ shard: { index: 1, count: 2 } }, wrong)).rejects.toMatchObject({
      argument: 'queries',
      row: 13,
      column: 2,
    })
    await mine({ shard: { index: 0, count: 2 } }, wrong)
  })

  it.each([
    [{ index: 3, count: 3 }, 'an integer in 0..2 for shard.index, received 3'],
    [{ index: 0, count: 0 }, 'an integer of at least 1 for shard.count'],
    [[0, 2], 'an object of index and count'],
    ['0/2', 'an object of index and count for shard'],
  ])('is not %j', async (shard, message) => {
    await expect(mine({ shard: shard as never })).rejects.toThrow(message)
  })
})

describe('mergeMined refuses', () => {
  const options = { numNegatives: 2 } as const

  it.each([
    ['no parts', [], 'the parts of a job, at least one for parts'],
    ['a whole job', [{}], 'what mineHardNegatives() gave with shard for parts[0]'],
  ])('%s', async (_, parts, message) => {
    await expect(mergeMined(parts as never)).rejects.toThrow(message)
  })

  it('parts that are missing or double, by their names', async () => {
    const [a, b, c] = (await partsOf(options, 3)) as [
      MinedNegatives,
      MinedNegatives,
      MinedNegatives,
    ]
    await expect(mergeMined([a, c])).rejects.toThrow(
      /all 3 parts .* for parts\[0\], received no part 1\/3/,
    )
    await expect(mergeMined([a, b, c, b])).rejects.toThrow(
      /every part once for parts\[3\], received part 1\/3 again, which parts\[1\] is/,
    )
    expect((await mergeMined([b, c, a])).queries).toBe(20)
  })

  it('a part with ids beside one without', async () => {
    using named = await prepareCorpus(scene.corpus, {
      ids: Array.from({ length: 300 }, (_, row) => `d${row}`),
    })
    const half = (corpus: Scene['corpus'] | typeof named, index: number) =>
      mineHardNegatives(scene.queries, corpus, scene.positives, { shard: { index, count: 2 } })
    const parts = [await half(named, 0), await half(scene.corpus, 1)]
    for (const given of [parts, [...parts].reverse()])
      await expect(mergeMined(given)).rejects.toThrow(/ids of the corpus/)
  })

  it('parts of another job, by what differs', async () => {
    const [a, b] = (await partsOf(options, 2)) as [MinedNegatives, MinedNegatives]
    const other = async (given: MineHardNegativesOptions, of: Scene = scene) =>
      mine({ ...options, shard: { index: 1, count: 2 }, ...given }, of)
    const expectRefused = async (message: string, given: MineHardNegativesOptions, of?: Scene) => {
      const part = await other(given, of)
      await expect(mergeMined([a, part])).rejects.toThrow(message)
    }
    await expectRefused(
      'Expected a part of the job of parts[0], with numNegatives 2 for parts[1], received 3',
      { numNegatives: 3 },
    )
    await expectRefused('with seed 0 for parts[1], received 7', { seed: 7 })
    await expectRefused('relativeMargin 0.05', { relativeMargin: null })
    await expectRefused('minScore not given for parts[1], received 0', { minScore: 0 })
    await expectRefused('parts of the job 2', { shard: { index: 1, count: 3 } })
    const swapped = {
      ...scene,
      queries: { ...scene.queries, data: scene.queries.data.slice().reverse() },
    }
    await expectRefused('fingerprint of the inputs', {}, swapped)
    await expectRefused('fingerprint of the inputs', { exclude: scene.excluded })
    expect((await mergeMined([a, b])).queries).toBe(20)
  })
})
