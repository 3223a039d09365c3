// A sweep: several sets of rules on one scan, each with the answer of its own call.
import { describe, expect, it } from 'vitest'
import {
  mergeMined,
  mineHardNegatives,
  prepareCorpus,
  type MinedNegatives,
  type MineHardNegativesOptions,
  type MiningSweep,
  type SweptRules,
} from '../../lib/index'
import { plantedScene } from '../conformance/mining-scenes'
import { optionsOf, type Trial } from '../conformance/mining-suite'

const scene = plantedScene('a sweep', 33, 400, 16, 5)
const { queries, corpus, positives } = scene

const sweep: SweptRules[] = [
  {},
  { relativeMargin: 0.05, numNegatives: 9, explain: 6 },
  { maxScore: 0.4, minScore: -0.1, sampling: 'band', seed: 3 },
  { maxScore: 0.5, sampling: 'random', pool: 20, reference: 'max', skipRanks: 4 },
  { maxPositiveRank: 3, maxRank: 50, sampling: 'band', numNegatives: 2, explain: 2 },
  { absoluteMargin: 0.1, skipSurvivors: 5, sampling: 'top1-random' },
  { reference: 'each', relativeMargin: 0.1, numNegatives: 3, explain: 5 },
]

/** All fields except those that depend on the course of a scan. */
const answerOf = ({ seconds, certified, fallback, ...answer }: MinedNegatives) => ({
  ...answer,
  settled: certified + fallback,
})

const lists: Record<string, Trial> = {
  'the corpus': {},
  'texts, groups and exclusions': { texts: true, groups: 'different', exclude: true },
  'lists of candidates': { candidates: true, texts: true },
}

describe('every answer of a sweep is that of its own call, over', () => {
  it.each(Object.entries(lists))('%s', async (_, trial) => {
    const shared = { ...optionsOf(scene, trial), explain: 1, seed: 8 }
    const mine = (rules: SweptRules): Promise<MinedNegatives> =>
      mineHardNegatives(queries, corpus, positives, { ...shared, ...rules })
    const alone = await Promise.all(sweep.map(mine))
    const together = await mineHardNegatives(queries, corpus, positives, { ...shared, sweep })
    expect(together.map(answerOf)).toEqual(alone.map(answerOf))
  })

  it('a prepared corpus, in parts that merge', async () => {
    const prepared = await prepareCorpus(corpus, { metric: 'dot' })
    const whole = await mineHardNegatives(queries, prepared, positives, { sweep })
    const parts = await Promise.all(
      [0, 1, 2].map((index) =>
        mineHardNegatives(queries, prepared, positives, { sweep, shard: { index, count: 3 } }),
      ),
    )
    for (const i of sweep.keys()) {
      const merged = await mergeMined(parts.map((part) => part[i]!))
      expect(answerOf(merged)).toEqual(answerOf(whole[i]!))
    }
  })

  it('no queries', async () => {
    const none = { data: new Float32Array(0), rows: 0, cols: 16 }
    const mined = await mineHardNegatives(none, corpus, [], { sweep: sweep.slice(0, 2) })
    expect(mined.map(({ queries: rows, indices }) => [rows, indices.length])).toEqual([
      [0, 0],
      [0, 0],
    ])
  })
})

describe('a sweep that is none', () => {
  it.each([
    [[], 'Expected an array of sets of rules, at least one for sweep'],
    [{}, 'Expected an array of sets of rules, at least one for sweep'],
    [[{}, 7], 'for sweep[1], received 7'],
    [[{}, { maxRank: 0 }], 'Expected an integer of at least 1 for sweep[1].maxRank, received 0'],
    [[{ maxScore: '1' }], 'for sweep[0].maxScore'],
    [[{ metric: 'dot' }], 'sweep[0].metric'],
    [[{ sampling: 'band' }, { pool: 9, sampling: 'band' }], 'for sweep[1].pool, received 9'],
  ])('%j', async (wrong, message) => {
    const options = { sweep: wrong } as unknown as MineHardNegativesOptions
    await expect(mineHardNegatives(queries, corpus, positives, options)).rejects.toThrow(message)
  })

  it('names an option of the call that a set keeps, and checks none that all sets replace', async () => {
    const options = { numNegatives: 0, sweep: [{ numNegatives: 2 }] }
    expect(await mineHardNegatives(queries, corpus, positives, options)).toHaveLength(1)
    await expect(
      mineHardNegatives(queries, corpus, positives, { ...options, sweep: [{ maxRank: 9 }] }),
    ).rejects.toThrow('for numNegatives, received 0')
    const beside: MiningSweep = {
      ...{ candidateMode: 'beside', candidates: positives.map(() => [1]) },
      sweep: [{ sampling: 'random' }],
    }
    expect(await mineHardNegatives(queries, corpus, positives, beside)).toHaveLength(1)
  })

  it('undefined is no sweep', async () => {
    const options = { sweep: undefined } as MineHardNegativesOptions
    expect(await mineHardNegatives(queries, corpus, positives, options)).not.toBeInstanceOf(Array)
  })
})
