// Shards of the corpus merge to the result of one call over all of it, bit for bit.
import { describe, expect, it } from 'vitest'
import {
  digestTexts,
  drawnRows,
  mergeCorpusShards,
  mergePositiveScores,
  mergeTextDigests,
  mineCorpusShard,
  mineHardNegatives,
  prepareCorpus,
  rankDrawnRows,
  scorePositives,
  type CorpusInput,
  type MineHardNegativesOptions,
  type PreparedCorpus,
} from '../../lib/index'
import { plantedScene } from '../conformance/mining-scenes'
import { optionsOf, type Scene } from '../conformance/mining-suite'
import { uniform } from '../matrices'
import { answerOf, cuts, randomRules, rowsOf, tiedScene, trials, whole } from './shard-scenes'

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const next = uniform(seed)
  const keyed = items.map((item) => [next(), item] as const)
  return keyed.sort(([a], [b]) => a - b).map(([, item]) => item)
}

/** Mines every shard and merges, with all steps that the options need. `prepared`: the shards, if they are. */
async function shardedOf(
  { queries, corpus, positives }: Scene,
  options: MineHardNegativesOptions,
  bounds: readonly number[],
  prepared: readonly PreparedCorpus[] = [],
) {
  const { metric, corpusGroups, corpusTexts } = options
  const shards = bounds.slice(1).map((end, i) => ({
    firstRow: bounds[i]!,
    rows: prepared[i] ?? rowsOf(corpus, bounds[i]!, end),
    corpusGroups: corpusGroups?.slice(bounds[i], end),
    corpusTexts: corpusTexts?.slice(bounds[i], end),
  }))
  const sent = async <Part>(parts: Promise<Part>[], seed: number) =>
    structuredClone(shuffled(await Promise.all(parts), seed))
  const corpusRows = corpus.rows
  const sharedTexts =
    corpusTexts &&
    (await mergeTextDigests(
      await sent(
        shards.map((shard) =>
          digestTexts(shard.corpusTexts!, { firstRow: shard.firstRow, corpusRows }),
        ),
        bounds.length,
      ),
    ))
  const scored = await mergePositiveScores(
    await sent(
      shards.map(({ firstRow, rows, corpusGroups }) =>
        scorePositives(queries, rows, positives, {
          ...{ firstRow, corpusRows, metric, sharedTexts, corpusGroups },
        }),
      ),
      bounds.length,
    ),
  )
  const each = <Part>(
    call: (
      rows: CorpusInput,
      options: MineHardNegativesOptions & { firstRow: number },
    ) => Promise<Part>,
  ) =>
    sent(
      shards.map(({ rows, ...own }) => call(rows, { ...options, ...own })),
      5,
    )
  const parts = await each((rows, own) => mineCorpusShard(queries, rows, scored, own))
  const { sampling, maxRank, candidates } = options
  if (sampling !== 'band' || maxRank !== undefined || candidates) return mergeCorpusShards(parts)
  const drawn = structuredClone(await drawnRows(parts))
  const ranks = await each((rows, own) => rankDrawnRows(queries, rows, scored, drawn, own))
  return mergeCorpusShards(parts, { ranks })
}

describe('shards of the corpus give the answer of one call for', () => {
  it.each(Object.entries(trials))('%s', async (_, trial) => {
    for (const [seed, metric] of (['cosine', 'dot', 'l2'] as const).entries()) {
      const scene =
        seed === 0 ? plantedScene('shards', 15, 220, 8, 3) : tiedScene(20 + seed, 15, 130)
      const options = { ...optionsOf(scene, trial), metric }
      const expected = answerOf(await whole(scene, options))
      for (const count of [1, 2, 5]) {
        const bounds = cuts(scene.corpus.rows, count, seed + count)
        const merged = await shardedOf(scene, options, bounds)
        expect(answerOf(merged), `${metric}, ${count} shards`).toEqual(expected)
      }
    }
  })

  it('weights of distances', async () => {
    const scene = plantedScene('shards', 15, 220, 8, 3)
    const options = optionsOf(scene, { sampling: 'distance-weighted', pool: 40, seed: 2 })
    const merged = await shardedOf(scene, options, cuts(220, 3, 1))
    expect(answerOf(merged)).toEqual(answerOf(await whole(scene, options)))
  })

  it('random scenes under random rules', async () => {
    const next = uniform(77)
    const one = <T>(...choices: T[]) => choices[Math.floor(next() * choices.length)]!
    for (let seed = 0; seed < 40; seed++) {
      const scene = tiedScene(100 + seed, 6, 60)
      const options = randomRules(scene, seed, next)
      const merged = await shardedOf(scene, options, cuts(60, one(1, 2, 5), seed))
      const { corpusTexts, queryTexts, ...shown } = options
      const expected = await whole(scene, options)
      expect(answerOf(merged), `${seed} ${JSON.stringify(shown)}`).toEqual(answerOf(expected))
      expect(await merged.statistics()).toEqual(await expected.statistics())
    }
  })

  it('queries that are themselves rows of the corpus', async () => {
    const { corpus } = tiedScene(9, 15, 90)
    const positives = Array.from({ length: 90 }, (_, i) => [(i + 1) % 90])
    const scene = { ...tiedScene(9, 15, 90), queries: corpus, positives }
    const options = { excludeSelf: true, explain: 2 }
    const merged = await shardedOf(scene, options, [0, 7, 90])
    expect(answerOf(merged)).toEqual(answerOf(await whole(scene, options)))
  })

  it('zero vectors, and no queries', async () => {
    const scene = plantedScene('zeros', 10, 60, 4, 8)
    scene.corpus.data.fill(0, 100, 140)
    scene.queries.data.fill(0, 0, 8)
    const none = {
      ...scene,
      queries: { data: new Float32Array(0), rows: 0, cols: 4 },
      positives: [],
    }
    for (const each of [scene, none]) {
      const merged = await shardedOf(each, { explain: 3 }, [0, 0, 30, 60])
      const { zeroRows, ...expected } = answerOf(await whole(each, { explain: 3 }))
      const { zeroRows: found, ...answer } = answerOf(merged)
      expect(answer).toEqual(expected)
      expect(found).toBe(zeroRows)
    }
  })

  it('prepared shards with removed rows', async () => {
    const removed = [0, 4, 30, 40, 42, 58]
    for (const [name, trial] of Object.entries(trials)) {
      const scene = plantedScene('removed', 12, 60, 4, 8)
      const positives = Array.from(scene.queries.data.subarray(0, 12), (_, i) => [1 + 2 * i])
      const options = { ...optionsOf(scene, trial), metric: 'dot' as const }
      const candidates = options.candidates as number[][] | undefined
      const live = (list: number[]) => list.filter((row) => !removed.includes(row))
      const own = { ...options, candidates: candidates?.map(live) }
      using all = await prepareCorpus(scene.corpus, { metric: 'dot' })
      await all.remove(removed)
      const expected = await mineHardNegatives(scene.queries, all, positives, own)
      const bounds = [0, 20, 60]
      const shards = await Promise.all(
        [0, 1].map(async (i) => {
          const [begin, end] = [bounds[i]!, bounds[i + 1]!]
          const shard = await prepareCorpus(rowsOf(scene.corpus, begin, end), { metric: 'dot' })
          const own = removed.filter((row) => row >= begin && row < end)
          await shard.remove(own.map((row) => row - begin))
          return shard
        }),
      )
      const merged = await shardedOf({ ...scene, positives }, own, bounds, shards)
      expect(answerOf(merged), name).toEqual(answerOf(expected))
      for (const shard of shards) shard.dispose()
    }
  })

  it('a prepared shard beside one that is not', async () => {
    const scene = plantedScene('prepared', 10, 60, 4, 8)
    using first = await prepareCorpus(rowsOf(scene.corpus, 0, 20), { metric: 'dot' })
    const { queries, positives } = scene
    const rest = rowsOf(scene.corpus, 20, 60)
    const at = { corpusRows: 60, metric: 'dot' } as const
    const scored = await mergePositiveScores([
      await scorePositives(queries, rest, positives, { firstRow: 20, ...at }),
      await scorePositives(queries, first, positives, { firstRow: 0, corpusRows: 60 }),
    ])
    const merged = await mergeCorpusShards([
      await mineCorpusShard(queries, rest, scored, { firstRow: 20, metric: 'dot' }),
      await mineCorpusShard(queries, first, scored, { firstRow: 0 }),
    ])
    expect(answerOf(merged)).toEqual(answerOf(await whole(scene, { metric: 'dot' })))
  })
})

const scene = plantedScene('refused', 10, 60, 4, 8)
const { queries, corpus, positives } = scene
const score = (begin: number, end: number, corpusRows = 60) =>
  scorePositives(queries, rowsOf(corpus, begin, end), positives, { firstRow: begin, corpusRows })

describe('a shard of the corpus refuses', () => {
  it.each([
    [{ queryTexts: scene.queryTexts }, 'scores with sharedTexts'],
    [{ corpusTexts: scene.corpusTexts }, 'scores with sharedTexts'],
    [{ shard: { index: 0, count: 2 } }, 'all queries for a shard of a corpus for shard'],
    [{ sweep: [{}] }, 'the unknown option sweep'],
    [{ firstRow: undefined }, 'for firstRow'],
    [{ firstRow: 1 }, 'an integer in 0..0 for firstRow, received 1'],
    [{ metric: 'dot' }, 'scores with metric dot for positives'],
    [{ exclude: [[60], ...Array.from({ length: 9 }, () => [])] }, '0..59 for exclude[0][0]'],
    [
      { corpusGroups: new Int32Array(3), queryGroups: new Int32Array(10), groups: 'same' },
      '60 groups',
    ],
    [{ excludeSelf: new Int32Array(10).fill(60) }, 'for excludeSelf[0], received 60'],
    [{ numNegatives: 0 }, 'for numNegatives'],
  ])('%o', async (wrong, message) => {
    const scored = await score(0, 60)
    const options = { firstRow: 0, ...wrong } as never
    await expect(mineCorpusShard(queries, corpus, scored, options)).rejects.toThrow(message)
  })

  it('scores of some positives alone, and other things', async () => {
    const part = await score(0, 20)
    const mine = (scored: never) => mineCorpusShard(queries, corpus, scored, { firstRow: 0 })
    await expect(mine(part as never)).rejects.toThrow('scores for all 60 rows')
    await expect(mine(positives as never)).rejects.toThrow('what mergePositiveScores() gave')
  })

  it('positives that are no rows of the corpus, and rows beyond it', async () => {
    await expect(score(0, 60, 59)).rejects.toThrow('at most 59 rows, as corpusRows says')
    const wrong = { indptr: Int32Array.from({ length: 11 }, (_, i) => Math.min(i, 1)) }
    for (const [row, start] of [
      [60, 0],
      [-1, 0],
      [0, 5],
    ] as const) {
      const lists = { indptr: wrong.indptr.slice(), indices: Int32Array.of(row) }
      lists.indptr[0] = start
      const asked = scorePositives(queries, corpus, lists, { firstRow: 0, corpusRows: 60 })
      await expect(asked).rejects.toThrow(start ? 'positives.indptr[0]' : 'positives[0][0]')
    }
  })
})

describe('a merge refuses', () => {
  it('rows that no shard or several shards have', async () => {
    const [a, b, c] = [await score(0, 20), await score(20, 60), await score(10, 60)]
    await expect(mergePositiveScores([a])).rejects.toThrow('none from row 20 on')
    await expect(mergePositiveScores([b])).rejects.toThrow(
      'a shard that begins at row 0 for parts[0]',
    )
    await expect(mergePositiveScores([c, a])).rejects.toThrow(
      'begins at row 20 for parts[0], received one',
    )
    await expect(mergePositiveScores([a, b, a])).rejects.toThrow('for parts[2]')
    await expect(mergePositiveScores([])).rejects.toThrow('the results of all shards')
    await expect(mergeCorpusShards([a] as never)).rejects.toThrow(
      'what mineCorpusShard() gave for parts[0]',
    )
  })

  it('shards of other jobs', async () => {
    const scored = await mergePositiveScores([await score(0, 20), await score(20, 60)])
    const mine = (begin: number, end: number, options: MineHardNegativesOptions, asked = queries) =>
      mineCorpusShard(asked, rowsOf(corpus, begin, end), scored, { firstRow: begin, ...options })
    const a = await mine(0, 20, {})
    const other = { ...queries, data: queries.data.map((value) => value + 1) }
    await expect(mergeCorpusShards([a])).rejects.toThrow('none from row 20 on')
    for (const [options, asked, message] of [
      [{ numNegatives: 5 }, queries, 'with numNegatives 4 for parts[1], received 5'],
      [{ exclude: scene.excluded }, queries, 'fingerprint of the inputs'],
      [{}, other, 'fingerprint of the inputs'],
    ] as const) {
      const part = await mine(20, 60, options, asked)
      await expect(mergeCorpusShards([a, part])).rejects.toThrow(message)
    }
  })
})
