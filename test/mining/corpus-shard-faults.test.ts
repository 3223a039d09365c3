// Parts of a corpus job that do not fit together, or that were damaged on the way.
import { describe, expect, it } from 'vitest'
import type { Matrix } from '../../lib/data/matrix'
import {
  drawnRows,
  mergeCorpusShards,
  mergePositiveScores,
  mineCorpusShard,
  mineHardNegatives,
  rankDrawnRows,
  scorePositives,
  type MineCorpusShardOptions,
  type MinedCorpusShard,
  type MineHardNegativesOptions,
  type PositiveScores,
} from '../../lib/index'
import { plantedScene } from '../conformance/mining-scenes'

const { queries, corpus, positives } = plantedScene('faults', 10, 60, 4, 8)

const rowsOf = (begin: number, end: number): Matrix => ({
  data: corpus.data.slice(begin * 4, end * 4),
  rows: end - begin,
  cols: 4,
})
const scoresOf = (begin: number, end: number, lists: number[][] = positives as number[][]) =>
  scorePositives(queries, rowsOf(begin, end), lists, { firstRow: begin, corpusRows: 60 })
const scored = async () =>
  await mergePositiveScores([await scoresOf(0, 25), await scoresOf(25, 60)])
const mine = (
  begin: number,
  end: number,
  scores: PositiveScores,
  options: MineHardNegativesOptions = {},
): Promise<MinedCorpusShard> =>
  mineCorpusShard(queries, rowsOf(begin, end), scores, { firstRow: begin, ...options })
const bothOf = async (options: MineHardNegativesOptions = {}) => {
  const scores = await scored()
  return [await mine(0, 25, scores, options), await mine(25, 60, scores, options)] as const
}

/** With one element of an array replaced. */
function planted<Kind extends Float64Array | Int32Array | Uint8Array>(
  array: Kind,
  at: number,
  value: number,
) {
  const copy = array.slice() as Kind
  copy[at] = value
  return copy
}

describe('a reference score that is no number', () => {
  it.each([NaN, Infinity, -Infinity])('%s is named with its query and row', async (value) => {
    const scores = await scored()
    const at = scores.positives.indptr[3]!
    const row = scores.positives.indices[at]
    const damaged = { ...scores, scores: planted(scores.scores, at, value) }
    const message = `a finite score of query 3 with row ${row} for positives.scores[${at}], received ${value}`
    await expect(mine(0, 25, damaged)).rejects.toThrow(message)
    const [a, b] = await bothOf()
    const parts = [a, b].map((part) => ({ ...part, positiveScores: damaged }))
    await expect(mergeCorpusShards(parts)).rejects.toThrow(message)
  })
})

describe('damaged lists of positives', () => {
  it.each([
    [
      'a start that goes back',
      (p: PositiveScores) => ({ indptr: planted(p.positives.indptr, 4, 1) }),
      'indptr[4]',
    ],
    [
      'a row beyond the corpus',
      (p: PositiveScores) => ({ indices: planted(p.positives.indices, 0, 60) }),
      'indices[0]',
    ],
    [
      'a row twice',
      (p: PositiveScores) => ({
        indices: planted(p.positives.indices, 3, p.positives.indices[2]!),
      }),
      'indices[3]',
    ],
    [
      'a missing start',
      (p: PositiveScores) => ({ indptr: p.positives.indptr.slice(1) }),
      'positives.positives.indptr',
    ],
    [
      'rows without scores',
      (p: PositiveScores) => ({ indices: p.positives.indices.slice(1) }),
      'one for each positive',
    ],
  ] as const)('%s', async (_, damage, message) => {
    const scores = await scored()
    const damaged = { ...scores, positives: { ...scores.positives, ...damage(scores) } }
    await expect(mine(0, 25, damaged)).rejects.toThrow(message)
  })
})

it('scores that are no Float64Array are refused', async () => {
  const scores = await scored()
  await expect(mine(0, 25, { ...scores, scores: [...scores.scores] as never })).rejects.toThrow(
    'a Float64Array for positives.scores, received an array',
  )
})

describe('damaged candidates', () => {
  const places = (each: MinedCorpusShard) => each.candidates[0]!

  it.each([
    ['a score that is no number', 'scores', NaN, 'a finite score of query'],
    ['an infinite score', 'scores', Infinity, 'a finite score of query'],
    ['a row beyond the corpus', 'rows', 60, 'a corpus row in 0..59 of query'],
    ['a negative row', 'rows', -1, 'a corpus row in 0..59 of query'],
    ['an unknown rule', 'rules', 12, 'a rule in 0..11 of query'],
    ['a negative count', 'populations', -1, 'a count, at least 0 of query'],
    ['a start beyond the rows', 'indptr', 1e6, 'an integer in the order of the queries'],
    ['a start that is no number', 'indptr', NaN, 'an integer in the order of the queries'],
    ['a start between rows', 'indptr', 0.5, 'an integer in the order of the queries'],
  ] as const)('%s is named', async (_, field, value, message) => {
    const [a, b] = await bothOf()
    const at = 1
    const damaged = { ...places(b), [field]: planted(places(b)[field] as Float64Array, at, value) }
    const merge = mergeCorpusShards([a, { ...b, candidates: [damaged] }])
    await expect(merge).rejects.toThrow(message)
    await expect(merge).rejects.toThrow(`for parts[1].candidates[0].${field}[${at}], received`)
  })

  it('of another length', async () => {
    const [a, b] = await bothOf()
    for (const [field, array] of Object.entries(places(b))) {
      const damaged = { ...places(b), [field]: array.slice(0, -1) }
      const merge = mergeCorpusShards([a, { ...b, candidates: [damaged] }])
      // Rows without their scores are scores without their rows.
      const name = field === 'rows' ? 'scores' : field
      await expect(merge).rejects.toThrow(`for parts[1].candidates[0].${name}, received`)
      const plain = { ...places(b), [field]: [...array] } as never
      await expect(mergeCorpusShards([a, { ...b, candidates: [plain] }])).rejects.toThrow(
        `that mineCorpusShard() gave for parts[1].candidates[0].${field}, received an array`,
      )
    }
    const merge = mergeCorpusShards([a, { ...b, candidates: [{}] as never }])
    await expect(merge).rejects.toThrow('for parts[1].candidates[0].indptr')
    await expect(mergeCorpusShards([a, { ...b, candidates: 1 as never }])).rejects.toThrow(
      'an array for parts[1].candidates',
    )
  })
})

describe('a merge of a corpus refuses', () => {
  it('a shard twice, and a shard of the rows of another', async () => {
    const [a, b] = await bothOf()
    await expect(mergeCorpusShards([a, b, a])).rejects.toThrow('begins at row 25 for parts[2]')
    await expect(mergeCorpusShards([b])).rejects.toThrow('begins at row 0 for parts[0]')
    const wider = await mine(20, 60, await scored())
    await expect(mergeCorpusShards([wider, a])).rejects.toThrow('begins at row 25 for parts[0]')
  })

  it('a shard under scores of another corpus', async () => {
    const [a] = await bothOf()
    const moved = { ...rowsOf(25, 60), data: rowsOf(25, 60).data.map((value) => -value) }
    const other = await mergePositiveScores([
      await scoresOf(0, 25),
      await scorePositives(queries, moved, positives, { firstRow: 25, corpusRows: 60 }),
    ])
    const part = await mine(25, 60, other)
    await expect(mergeCorpusShards([a, part])).rejects.toThrow('fingerprint of the inputs')
  })

  it.each([
    [{ seed: 1, sampling: 'random' }, { seed: 2, sampling: 'random' }, 'seed'],
    [{ sampling: 'random' }, { sampling: 'band' }, 'sampling'],
    [{ minScore: 0 }, {}, 'minScore'],
    [{ explain: 1 }, { explain: 2 }, 'explain'],
    [{ maxRank: 3 }, { maxRank: 4 }, 'maxRank'],
    [{ candidates: new Int32Array(10) }, {}, 'candidates'],
    [{ excludeSelf: new Int32Array(10) }, {}, 'excludeSelf'],
  ] as const)('shards with %o and %o', async (first, second, message) => {
    const scores = await scored()
    const parts = [
      await mine(0, 25, scores, first as MineHardNegativesOptions),
      await mine(25, 60, scores, second as MineHardNegativesOptions),
    ]
    await expect(mergeCorpusShards(parts)).rejects.toThrow(message)
  })
})

describe('rows drawn from a band', () => {
  const band = { sampling: 'band', maxScore: 0.9, relativeMargin: null } as const
  const ranksOf = async (
    parts: readonly MinedCorpusShard[],
    options: Partial<MineCorpusShardOptions> = band,
    drawn?: object,
  ) => {
    const rows = { ...(await drawnRows(parts)), ...drawn }
    const scores = parts[0]!.positiveScores
    const rank = (begin: number, end: number) =>
      rankDrawnRows(queries, rowsOf(begin, end), scores, rows, { firstRow: begin, ...options })
    return [await rank(0, 25), await rank(25, 60)] as const
  }

  it('have no ranks before every shard counted', async () => {
    const parts = await bothOf(band)
    await expect(mergeCorpusShards(parts)).rejects.toThrow(
      'what rankDrawnRows() gave for every shard',
    )
    const [a, b] = await ranksOf(parts)
    const merged = await mergeCorpusShards(parts, { ranks: [b, a] })
    expect(merged.ranks).toEqual((await mineHardNegatives(queries, corpus, positives, band)).ranks)
    for (const [ranks, message] of [
      [[a], 'none from row 25 on'],
      [[a, b, b], 'for ranks[2]'],
      [[a, { ...b, ranks: b.ranks.slice(1) }], 'for ranks[1].ranks'],
      [[], 'the results of all shards, at least one for ranks'],
      [[{}], 'what rankDrawnRows() gave for ranks[0]'],
      [[a, { ...b, fingerprint: 'other' }], 'fingerprint of the inputs'],
    ] as const)
      await expect(mergeCorpusShards(parts, { ranks: ranks as never })).rejects.toThrow(message)
  })

  it('have ranks already within maxRank or candidates, and none are taken', async () => {
    const all = Array.from({ length: 10 }, () => Array.from({ length: 60 }, (_, row) => row))
    for (const more of [{ maxRank: 9 }, { candidates: all }]) {
      const options = { ...band, ...more }
      const parts = await bothOf(options)
      await expect(drawnRows(parts)).rejects.toThrow('shards that draw from a band')
      await expect(mergeCorpusShards(parts, { ranks: [] })).rejects.toThrow('for ranks')
      const whole = await mineHardNegatives(queries, corpus, positives, options)
      expect((await mergeCorpusShards(parts)).ranks).toEqual(whole.ranks)
    }
  })

  it('are those of the job, with scores that are numbers', async () => {
    const parts = await bothOf(band)
    const drawn = await drawnRows(parts)
    await expect(ranksOf(parts, { ...band, seed: 7 })).rejects.toThrow('with seed 7 for drawn')
    await expect(ranksOf(parts, { ...band, numNegatives: 3 })).rejects.toThrow(
      'with numNegatives 3 for drawn',
    )
    await expect(ranksOf(parts, band, { scores: planted(drawn.scores, 0, NaN) })).rejects.toThrow(
      `a finite score of query 0 with row ${drawn.indices[0]} for drawn.scores[0], received NaN`,
    )
    await expect(ranksOf(parts, band, { indices: planted(drawn.indices, 1, 60) })).rejects.toThrow(
      'for drawn.indices[1], received 60',
    )
    await expect(ranksOf(parts, band, { indices: drawn.indices.slice(1) })).rejects.toThrow(
      'for drawn.indices',
    )
    await expect(ranksOf(parts, band, { indices: [1] })).rejects.toThrow('what drawnRows() gave')
  })
})

it('a merge of a corpus ends when its signal is aborted', async () => {
  const parts = await bothOf()
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(mergeCorpusShards(parts, { signal })).rejects.toThrow('enough')
})
