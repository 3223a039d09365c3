import { describe, expect, it } from 'vitest'
import { fromRows, type Matrix } from '../../lib/data/matrix'
import { mergeMined } from '../../lib/mining/merge-mined'
import { mergeCorpusShards } from '../../lib/mining/merge-corpus-shards'
import { mineCorpusShard } from '../../lib/mining/mine-corpus-shard'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import type { MineHardNegativesOptions } from '../../lib/mining/mining-options'
import { mergePositiveScores, scorePositives } from '../../lib/mining/score-positives'
import { gaussian } from '../matrices'

const free = { metric: 'dot', relativeMargin: null } as const

/** Queries that all score the rows of a corpus as told; the first row is their positive. */
const alike = (queries: number, scores: readonly number[]) =>
  [
    fromRows(Array.from({ length: queries }, () => [1])),
    fromRows(scores.map((score) => [score])),
    Array.from({ length: queries }, () => [0]),
  ] as const

/** The negatives of the first of some queries. */
async function rowsOf(scores: readonly number[], options: MineHardNegativesOptions) {
  const mined = await mineHardNegatives(...alike(1, scores), { ...free, ...options })
  return [...mined.negativesOf(0)]
}

/** How often each row is the only negative of 4000 queries. */
async function shares(scores: readonly number[], options: MineHardNegativesOptions) {
  const mined = await mineHardNegatives(...alike(4000, scores), {
    ...free,
    numNegatives: 1,
    ...options,
  })
  const counts = scores.map(() => 0)
  for (const row of mined.indices) counts[row]!++
  return counts.slice(1).map((count) => count / 4000)
}

const isNear = (got: readonly number[], expected: readonly number[]) =>
  got.forEach((share, i) => expect(Math.abs(share - expected[i]!), `row ${i}`).toBeLessThan(0.035))

const line = (count: number) => Array.from({ length: count }, (_, i) => -i)

describe('sampling', () => {
  it('weighted draws with the odds of exp(score / temperature)', async () => {
    isNear(
      await shares([9, Math.log(4), Math.log(2), 0], { sampling: 'weighted', temperature: 1 }),
      [4 / 7, 2 / 7, 1 / 7],
    )
  })

  it('distance-weighted draws with the odds of 1 / q(D), the density of distances (Wu et al. 2017)', async () => {
    // On the sphere in three dimensions q(D) is proportional to D.
    const distances = [0, 0.25, 1, 1.25, 1.5]
    const cosines = distances.map((distance) => 1 - distance ** 2 / 2)
    const rows = cosines.map((cosine) => [cosine, Math.sqrt(1 - cosine ** 2), 0])
    const queries = Array.from({ length: 4000 }, () => [1, 0, 0])
    const draw = (options: MineHardNegativesOptions) =>
      mineHardNegatives(
        fromRows(queries),
        fromRows(rows),
        queries.map(() => [0]),
        { relativeMargin: null, sampling: 'distance-weighted', ...options },
      )
    const { indices } = await draw({ numNegatives: 1 })
    const share = (row: number) => indices.filter((each) => each === row).length / 4000
    isNear([1, 2, 3].map(share), [2 / 3.8, 1 / 3.8, 0.8 / 3.8])
    expect(share(4)).toBe(0)
    const { shortfall, counts } = await draw({ numNegatives: 4 })
    expect([shortfall, counts[0]]).toEqual([4000, 3])
  })

  it('simans draws with the odds of exp(-a (score - p - b)^2) (Zhou et al. 2022)', async () => {
    const sum = Math.exp(-0.2) + 1 + Math.exp(-0.8)
    const odds = [Math.exp(-0.2) / sum, 1 / sum, Math.exp(-0.8) / sum]
    const scores = [0.8, 0.9, 0.8, 0.6]
    isNear(await shares(scores, { sampling: 'simans', simansA: 20 }), odds)
    const shifted = scores.map((score, i) => (i === 0 ? 0.7 : score))
    isNear(await shares(shifted, { sampling: 'simans', simansA: 20, simansB: 0.1 }), odds)
  })

  it('with equal weights draws what random draws', async () => {
    const scores = [1, ...line(9).map(() => 0.5)]
    const random = await mineHardNegatives(...alike(50, scores), { ...free, sampling: 'random' })
    for (const sampling of ['weighted', 'simans'] as const) {
      const mined = await mineHardNegatives(...alike(50, scores), { ...free, sampling })
      expect(mined.indices).toEqual(random.indices)
    }
  })

  it('stride takes every n-th of the pool, then those after them', async () => {
    const options = { sampling: 'stride', numNegatives: 3 } as const
    expect(await rowsOf(line(40), options)).toEqual([1, 6, 11])
    expect(await rowsOf(line(40), { ...options, stride: 2, pool: 4 })).toEqual([1, 2, 3])
    expect(await rowsOf(line(40), { ...options, stride: 2, pool: 40 })).toEqual([1, 3, 5])
  })

  it('quantiles takes one row from each equal part of the pool', async () => {
    const mined = await mineHardNegatives(...alike(300, line(40)), {
      ...free,
      sampling: 'quantiles',
      pool: 12,
    })
    const seen = new Set<number>()
    for (let i = 0; i < mined.indices.length; i++) {
      expect(Math.floor((mined.indices[i]! - 1) / 3)).toBe(i % 4)
      seen.add(mined.indices[i]!)
    }
    expect(seen.size).toBe(12)
  })

  it('bins takes as many rows from a bin of one row as from a bin of ten', async () => {
    const scores = [30, 20, ...line(10).map((i) => i / 100)]
    const [best] = await shares(scores, { sampling: 'bins', bins: 2, pool: 11 })
    expect(best).toBeGreaterThan(0.465)
    expect(best).toBeLessThan(0.535)
  })

  it('mmr takes the best row, then rows unlike those taken (Carbonell & Goldstein 1998)', async () => {
    const at = (degrees: number) => {
      const radians = (degrees * Math.PI) / 180
      return [Math.cos(radians), Math.sin(radians)]
    }
    const corpus = fromRows([0, 10, 12, -40, 80].map(at))
    const rows = async (mmrLambda: number, numNegatives = 3) => {
      const mined = await mineHardNegatives(fromRows([at(0)]), corpus, [[0]], {
        relativeMargin: null,
        sampling: 'mmr',
        numNegatives,
        mmrLambda,
      })
      return [...mined.negativesOf(0)]
    }
    expect(await rows(1)).toEqual([1, 2, 3])
    expect(await rows(0.5, 2)).toEqual([1, 3])
    expect(await rows(0.5)).toEqual([1, 2, 3])
    expect(await rows(0.3)).toEqual([1, 3, 4])
    expect(await rows(0)).toEqual([1, 3, 4])
  })

  it('warns of numbers of other samplings, and of a pool without use', async () => {
    const { warnings } = await mineHardNegatives(...alike(1, line(40)), {
      ...free,
      sampling: 'band',
      temperature: 2,
    })
    expect(warnings).toEqual(['temperature 2 has no effect on sampling band'])
  })

  it.each([
    ['temperature', 0, 'a number above 0 for temperature, received 0'],
    ['simansA', -1, 'a finite number of at least 0 for simansA, received -1'],
    ['simansB', NaN, 'a finite number for simansB'],
    ['stride', 0, 'an integer in 1..2147483647 for stride'],
    ['bins', 1.5, 'an integer in 1..2147483647 for bins'],
    ['distanceCutoff', 0, 'a number above 0 for distanceCutoff, received 0'],
    ['distanceLimit', 0.5, 'a number above distanceCutoff 0.5 for distanceLimit, received 0.5'],
    ['distanceCutoff', 1.5, 'a number below distanceLimit 1.4 for distanceCutoff, received 1.5'],
    ['distanceLimit', 2.1, 'a finite number in 0..2 for distanceLimit, received 2.1'],
    ['mmrLambda', 1.1, 'a finite number in 0..1 for mmrLambda, received 1.1'],
    ['nearDuplicateScore', '1', 'a finite number for nearDuplicateScore'],
    ['hubCap', 0, 'an integer in 1..2147483647 for hubCap'],
  ])('refuses %s %s', async (name, value, sentence) => {
    await expect(mineHardNegatives(...alike(1, line(9)), { [name]: value })).rejects.toThrow(
      sentence,
    )
  })
})

/** Twelve directions, each three times: rows 12 and 24 further on are the same. */
const copies = (): Matrix => {
  const { data } = gaussian(12, 6, 5)
  return { data: Float32Array.from([...data, ...data, ...data]), rows: 36, cols: 6 }
}

describe('nearDuplicateScore', () => {
  it('leaves one of equal rows, however deep the others lie', async () => {
    const corpus = copies()
    const queries = gaussian(5, 6, 6)
    const positives = [[0], [1], [2], [3], [4]]
    const mined = await mineHardNegatives(queries, corpus, positives, {
      relativeMargin: null,
      numNegatives: 12,
      nearDuplicateScore: 0.999,
      explain: 36,
    })
    expect([...mined.counts]).toEqual([12, 12, 12, 12, 12])
    for (let query = 0; query < 5; query++)
      expect(new Set([...mined.negativesOf(query)].map((row) => row % 12)).size).toBe(12)
    expect(mined.dropped.nearDuplicate).toBeGreaterThan(80)
  })

  it('counts only near-duplicates that stand before the last negative', async () => {
    const mined = await mineHardNegatives(...alike(1, [9, 5, 5, 4, 4, 1]), {
      ...free,
      numNegatives: 2,
      nearDuplicateScore: 20.5,
      explain: 9,
    })
    expect([...mined.negativesOf(0)]).toEqual([1, 3])
    expect(mined.dropped).toMatchObject({ nearDuplicate: 1, hub: 0 })
    expect([...mined.rejected.rows]).toEqual([0, 2])
  })
})

describe('hubCap', () => {
  it('leaves a row to the queries that score it highest; the others take their next choice', async () => {
    const queries = fromRows([[1], [3], [2]])
    const corpus = fromRows([[10], [9], [8], [7]])
    const mined = await mineHardNegatives(queries, corpus, [[0], [0], [0]], {
      ...free,
      numNegatives: 1,
      hubCap: 1,
      explain: 4,
    })
    expect([...mined.indices]).toEqual([3, 1, 2])
    expect(mined.dropped.hub).toBe(3)
    expect(mined.ranks).toEqual(Int32Array.of(2, 0, 1))
  })

  it('never gives a row to more queries than allowed, and gives each query all that is left', async () => {
    const queries = gaussian(40, 8, 1)
    const corpus = gaussian(60, 8, 2)
    const positives = Array.from({ length: 40 }, () => [] as number[])
    const mined = await mineHardNegatives(queries, corpus, positives, {
      maxScore: 2,
      numNegatives: 4,
      hubCap: 3,
    })
    const uses = new Map<number, number>()
    for (const row of mined.indices) uses.set(row, (uses.get(row) ?? 0) + 1)
    expect(Math.max(...uses.values())).toBe(3)
    expect(mined.shortfall).toBe(0)
  })

  it('runs out of rows where there are too few for all queries', async () => {
    const mined = await mineHardNegatives(...alike(5, [9, 5, 4]), {
      ...free,
      numNegatives: 2,
      hubCap: 2,
    })
    expect([...mined.counts]).toEqual([2, 2, 0, 0, 0])
  })

  it('is refused for a part of the queries', async () => {
    await expect(
      mineHardNegatives(...alike(2, [1, 2]), { hubCap: 1, shard: { index: 0, count: 2 } }),
    ).rejects.toThrow(
      'none beside a shard, as the other queries of the job take rows too for hubCap',
    )
  })
})

const choices = ['weighted', 'simans', 'stride', 'quantiles', 'bins', 'mmr'] as const

describe.each(choices)('sampling %s', (sampling) => {
  const queries = gaussian(21, 8, 3)
  const corpus = gaussian(200, 8, 4)
  const positives = Array.from({ length: 21 }, (_, i) => [i, 40 + i])
  const options = { sampling, numNegatives: 5, pool: 40, seed: 9, maxScore: 0.7 }

  it('gives the same rows for any number of threads and for parts of the queries', async () => {
    const whole = await mineHardNegatives(queries, corpus, positives, { ...options, threads: 1 })
    const again = await mineHardNegatives(queries, corpus, positives, { ...options, threads: 3 })
    const parts = await Promise.all(
      [0, 1, 2].map((index) =>
        mineHardNegatives(queries, corpus, positives, { ...options, shard: { index, count: 3 } }),
      ),
    )
    const merged = await mergeMined(parts)
    for (const each of [again, merged]) {
      expect(each.indices).toEqual(whole.indices)
      expect(each.ranks).toEqual(whole.ranks)
    }
  })

  it('gives the rows of one run from a corpus in shards, or is refused', async () => {
    const cuts = [0, 90, 200]
    const shards = [0, 1].map((i) => ({
      firstRow: cuts[i]!,
      corpus: {
        data: corpus.data.subarray(cuts[i]! * 8, cuts[i + 1]! * 8),
        rows: cuts[i + 1]! - cuts[i]!,
        cols: 8,
      },
    }))
    const scored = await mergePositiveScores(
      await Promise.all(
        shards.map((shard) =>
          scorePositives(queries, shard.corpus, positives, {
            firstRow: shard.firstRow,
            corpusRows: 200,
          }),
        ),
      ),
    )
    const parts = Promise.all(
      shards.map((shard) =>
        mineCorpusShard(queries, shard.corpus, scored, { ...options, firstRow: shard.firstRow }),
      ),
    )
    if (sampling === 'mmr') {
      await expect(parts).rejects.toThrow('one that compares no rows of different shards')
      return
    }
    const whole = await mineHardNegatives(queries, corpus, positives, options)
    const merged = await mergeCorpusShards(await parts)
    expect(merged.indices).toEqual(whole.indices)
    expect(merged.scores).toEqual(whole.scores)
  })
})
