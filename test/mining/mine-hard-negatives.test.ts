import { describe, expect, it } from 'vitest'
import { fromRows } from '../../lib/data/matrix'
import { ceilingRules } from '../../lib/mining/ceiling-rules'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { mineHardNegativesDefaults } from '../../lib/mining/mining-options'
import { prepareCorpusDefaults } from '../../lib/mining/prepare-corpus'
import { topKDefaults } from '../../lib/mining/top-k'
import { gaussian, matrixOf } from '../matrices'

/** Scores of one query with rows of a single column, as dot products. */
const withScores = (...scores: number[]) =>
  [fromRows([[1]]), fromRows(scores.map((score) => [score]))] as const

describe('mineHardNegatives', () => {
  it('keeps a score equal to the ceiling and drops the next float above it (closed, in float64)', async () => {
    const [queries, corpus] = withScores(0.75, 0.5, 0.50000006, 0.25)
    const mined = await mineHardNegatives(queries, corpus, [[0]], {
      metric: 'dot',
      absoluteMargin: 0.25,
      relativeMargin: null,
      numNegatives: 3,
    })
    expect([...mined.indices]).toEqual([1, 3, -1])
    expect(mined.dropped.ceiling).toBe(1)
  })

  it('keeps the published rules apart: naive, shifted, absolute, margin, percentage', async () => {
    const [queries, corpus] = withScores(0.8, 0.9, 0.78, 0.7578125, 0.75, 0.5)
    const rows = async (options: object) => {
      const mined = await mineHardNegatives(queries, corpus, [[0]], {
        metric: 'dot',
        relativeMargin: null,
        numNegatives: 2,
        ...options,
      })
      return [...mined.negativesOf(0)]
    }
    expect(await rows({})).toEqual([1, 2])
    expect(await rows({ skipRanks: 1 })).toEqual([2, 3])
    expect(await rows({ maxScore: 0.7 })).toEqual([5])
    expect(await rows({ absoluteMargin: 0.045 })).toEqual([4, 5])
    expect(await rows({ relativeMargin: 0.05 })).toEqual([3, 4])
  })

  it('turns the relative margin the right way for a negative positive score', async () => {
    const [queries, corpus] = withScores(-0.5, -0.51, -0.53)
    const mined = await mineHardNegatives(queries, corpus, [[0]], {
      metric: 'dot',
      numNegatives: 2,
    })
    expect([...mined.negativesOf(0)]).toEqual([2])
  })

  it('does not mine a query without positives unless maxScore is given', async () => {
    const [queries, corpus] = withScores(0.9, 0.4, 0.3)
    expect(
      (await mineHardNegatives(queries, corpus, [[]], { metric: 'dot', numNegatives: 2 }))
        .counts[0],
    ).toBe(0)
    const mined = await mineHardNegatives(queries, corpus, [[]], {
      metric: 'dot',
      maxScore: 0.5,
      numNegatives: 2,
    })
    expect([...mined.indices]).toEqual([1, 2])
    expect(mined.queriesWithoutPositives).toBe(1)
  })

  it('draws the same from the same seed whatever the batch, and differently from another', async () => {
    const [queries, corpus] = [gaussian(40, 12, 3), gaussian(500, 12, 4)]
    const positives = Int32Array.from({ length: 40 }, (_, i) => i)
    const draw = async (seed: number, rows = 40) =>
      mineHardNegatives(
        { data: queries.data.subarray(0, rows * 12), rows, cols: 12 },
        corpus,
        positives.subarray(0, rows),
        {
          sampling: 'random',
          pool: 50,
          seed,
          relativeMargin: null,
        },
      )
    const [all, few, other] = [await draw(1), await draw(1, 7), await draw(2)]
    expect(few.indices).toEqual(all.indices.subarray(0, few.indices.length))
    expect(other.indices).not.toEqual(all.indices)
  })

  it('draws every row of a band as often as the others, and a pool beside it is an error', async () => {
    const [nq, nc] = [1500, 40]
    const queries = matrixOf(nq, 1, () => 1)
    const corpus = matrixOf(nc, 1, (row) => row)
    const positives = Int32Array.from({ length: nq }, () => nc - 1)
    const band = { metric: 'dot', sampling: 'band', minScore: 10, maxScore: 24 } as const
    const mined = await mineHardNegatives(queries, corpus, positives, {
      ...band,
      numNegatives: 3,
      seed: 12,
    })
    const times = new Array<number>(nc).fill(0)
    for (const row of mined.indices) times[row]!++
    const expected = (3 * nq) / 15
    const chiSquared = times
      .slice(10, 25)
      .reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    expect(times.slice(0, 10).concat(times.slice(25))).toEqual(new Array(25).fill(0))
    expect(chiSquared).toBeLessThan(36.1) // 14 degrees of freedom: one seed in a thousand
    for (let query = 0; query < nq; query++)
      expect(new Set(mined.negativesOf(query)).size, `rows of query ${query}`).toBe(3)
    expect([...mined.ranks]).toEqual([...mined.indices].map((row) => nc - 2 - row))
    await expect(
      mineHardNegatives(queries, corpus, positives, { ...band, pool: 20 }),
    ).rejects.toThrow(
      'Expected no pool beside the sampling band, which is all survivors for pool, received 20',
    )
  })

  it('yields triplets, tuples and labelled lists', async () => {
    const [queries, corpus] = withScores(0.9, 0.5, 0.4, 0.8)
    const mined = await mineHardNegatives(queries, corpus, [[0, 3]], {
      metric: 'dot',
      numNegatives: 2,
    })
    expect([...mined.triplets()]).toEqual([
      { query: 0, positive: 0, negative: 1 },
      { query: 0, positive: 0, negative: 2 },
      { query: 0, positive: 3, negative: 1 },
      { query: 0, positive: 3, negative: 2 },
    ])
    expect([...mined.nTuples()].map(({ positive, negatives }) => [positive, ...negatives])).toEqual(
      [
        [0, 1, 2],
        [3, 1, 2],
      ],
    )
    expect([...mined.labeledLists()][0]).toMatchObject({ rows: [0, 3, 1, 2], labels: [1, 1, 0, 0] })
  })

  it('has statistics without values as null', async () => {
    const [queries, corpus] = withScores(0.9, 0.5)
    const mined = await mineHardNegatives(queries, corpus, [[0]], {
      metric: 'dot',
      minScore: 2,
      numNegatives: 1,
    })
    expect((await mined.statistics()).negativeScore.mean).toBeNull()
    expect((await mined.statistics()).positiveScore.mean).toBeCloseTo(0.9, 6)
  })

  it('names the row of a positive that does not exist', async () => {
    const [queries, corpus] = withScores(0.9, 0.5)
    await expect(mineHardNegatives(queries, corpus, [[7]], { numNegatives: 1 })).rejects.toThrow(
      /positives.*7/,
    )
  })

  it('has no list for a query that there is not', async () => {
    const [queries, corpus] = withScores(0.9, 0.5)
    const mined = await mineHardNegatives(queries, corpus, [[0]], { numNegatives: 1 })
    const wanted = 'Expected an integer in 0..0 for query, received'
    expect(() => mined.negativesOf(99)).toThrow(`${wanted} 99`)
    expect(() => mined.positivesOf(-1)).toThrow(`${wanted} -1`)
  })

  it('takes typed arrays as lists, and tells how one row a query is given', async () => {
    const [queries, corpus] = withScores(0.9, 0.5)
    const positives = [Int32Array.of(0)]
    const mined = await mineHardNegatives(queries, corpus, positives, { numNegatives: 1 })
    expect([...mined.positivesOf(0)]).toEqual([0])
    await expect(
      mineHardNegatives(queries, corpus, [0] as never, { numNegatives: 1 }),
    ).rejects.toThrow('one row for each query goes into an Int32Array instead')
  })

  it('has defaults that nobody can change', () => {
    for (const defaults of [mineHardNegativesDefaults, prepareCorpusDefaults, topKDefaults])
      expect(Object.isFrozen(defaults)).toBe(true)
  })
})

describe('candidates', () => {
  const [queries, corpus] = withScores(0.9, 0.5, 0.4, 0.8, 0.3)
  const given = { metric: 'dot', numNegatives: 2 } as const
  const mine = (candidates: unknown, options: object = {}) =>
    mineHardNegatives(queries, corpus, [[0]], { ...given, candidates, ...options } as never)

  it('are the only rows that ranks and counters see', async () => {
    const mined = await mine([[4, 2, 0]])
    expect([...mined.indices]).toEqual([2, 4])
    expect([...mined.ranks]).toEqual([0, 1])
    expect(mined.dropped).toMatchObject({ positive: 1, ceiling: 0, self: 0 })
    expect(mined.candidatePairs).toBe(3)
    expect([mined.certified, mined.fallback]).toEqual([1, 0])
  })

  it('count once where they are listed twice, in any form of lists', async () => {
    for (const lists of [
      [[2, 4, 2, 2]],
      { indptr: Int32Array.of(0, 3), indices: Int32Array.of(4, 4, 2) },
    ]) {
      const mined = await mine(lists)
      expect([...mined.indices]).toEqual([2, 4])
      expect(mined.candidatePairs).toBe(2)
    }
    expect([...(await mine(Int32Array.of(3))).indices]).toEqual([3, -1])
  })

  it('are refused where a row does not exist, by place and value', async () => {
    await expect(mine([[2, 5]])).rejects.toThrow(
      'Expected a corpus row in 0..4 for candidates[0][1], received 5',
    )
    const lists = { indptr: Int32Array.of(0, 1), indices: Int32Array.of(-1) }
    await expect(mine(lists)).rejects.toThrow('for candidates.indices[0], received -1')
    await expect(mine([[1], [2]])).rejects.toThrow('1 entries, one for each query for candidates')
  })

  it('that are none leave the query without negatives, and say so', async () => {
    const mined = await mine([[]])
    expect([mined.found, mined.candidatePairs]).toEqual([0, 0])
    expect(mined.warnings).toEqual([
      'No query has a negative: candidates lists no row for a query that is mined',
    ])
  })

  it('all of them give the answer of a scan, whatever is drawn', async () => {
    const [Q, C] = [gaussian(9, 12, 3), gaussian(200, 12, 4)]
    const positives = Int32Array.from({ length: 9 }, (_, i) => i)
    const all = Array.from({ length: 9 }, () => Array.from({ length: 200 }, (_, row) => row))
    for (const trial of [
      { sampling: 'top' },
      { sampling: 'random', pool: 30, maxRank: 100 },
      { sampling: 'top1-random', pool: 30, maxRank: 100 },
      { sampling: 'band', skipRanks: 8 },
      { sampling: 'band', maxRank: 100 },
    ] as const) {
      const options = { ...trial, explain: 5, seed: 3 }
      const scanned = await mineHardNegatives(Q, C, positives, options)
      const listed = await mineHardNegatives(Q, C, positives, { ...options, candidates: all })
      expect({ ...listed, seconds: 0, certified: 0 }).toEqual({
        ...scanned,
        seconds: 0,
        certified: 0,
      })
    }
  })
})

describe('the ceilings of mineHardNegatives', () => {
  const [queries, corpus] = withScores(0.9, 0.5)
  const mine = (options: object) =>
    mineHardNegatives(queries, corpus, [[0]], { numNegatives: 1, metric: 'dot', ...options })

  it.each(Object.keys(ceilingRules))('%s is a number or refused', async (name) => {
    for (const wrong of ['0.5', NaN, Infinity, true, [0.5]])
      await expect(mine({ [name]: wrong }), String(wrong)).rejects.toThrow(`number`)
    expect((await mine({ [name]: 0.25 })).ceilings).toMatchObject({ [name]: 0.25 })
  })

  it('are those that were asked for, and the margin that is on by itself', async () => {
    expect((await mine({})).ceilings).toEqual({ relativeMargin: 0.05 })
    expect((await mine({ metric: 'l2' })).ceilings).toEqual({})
    expect((await mine({ relativeMargin: null, maxScore: 1 })).ceilings).toEqual({ maxScore: 1 })
    await expect(mine({ maxScore: null })).rejects.toThrow('maxScore')
    await expect(mine({ absoluteMargin: -1 })).rejects.toThrow('at least 0 for absoluteMargin')
  })
})

describe('warnings of mineHardNegatives', () => {
  const [queries, corpus] = withScores(0.9, 0.5)
  const warnings = async (options: object, positives: number[] = [0]) => {
    const given = { metric: 'dot', numNegatives: 1, ...options } as const
    return (await mineHardNegatives(queries, corpus, [positives], given)).warnings
  }

  it.each([
    [{ relativeMargin: 0.95 }, [/margin of 0\.05$/, /No query has a negative: 1 .* rule ceiling$/]],
    [
      { minScore: 0.8, maxScore: 0.2 },
      [/: the floor minScore 0\.8 is above the ceiling maxScore 0\.2, 1 candidates/],
    ],
    [{ pool: 20 }, [/^pool 20 has no effect on sampling top, /]],
    [{ skipSurvivors: 3 }, [/the best 3 of each query left out by skipSurvivors$/]],
    [{ sampling: 'random', pool: 20 }, []],
  ])('%j', async (options, sentences) => {
    const told = await warnings(options)
    expect(told.length).toBe(sentences.length)
    sentences.forEach((sentence, i) => expect(told[i]).toMatch(sentence))
  })

  it.each([
    [{}, 'so the first rows that the rules admit are the negatives'],
    [{ sampling: 'random' }, 'so the negatives are drawn from the first rows that the rules admit'],
    [
      { sampling: 'top1-random' },
      'so the first row that the rules admit is a negative, and others are drawn from the next ones',
    ],
    [{ sampling: 'band' }, 'so the negatives are drawn from all rows that the rules admit'],
  ] as const)(
    'tell what a zero vector gets with %j, not always the first rows',
    async (given, end) => {
      const corpus = matrixOf(40, 2, (i, j) => i + j + 1)
      const zero = matrixOf(1, 2, () => 0)
      const mined = await mineHardNegatives(zero, corpus, [[0]], { numNegatives: 2, ...given })
      expect(mined.warnings).toEqual([
        `1 of 1 query is a zero vector: the cosine with every row is 0, ${end}`,
      ])
      expect(mined.counts[0]).toBe(2)
    },
  )

  it('tell of queries without positives', async () => {
    expect(await warnings({}, [])).toEqual([
      'positives holds no positive: no query is mined, as only maxScore mines queries without positives',
    ])
    expect(await warnings({ maxScore: 1 }, [])).toEqual([
      'positives holds no positive: triplets() is empty, as it sets negatives beside positives',
    ])
  })
})
