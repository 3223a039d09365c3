// A corpus as a function that gives its shards has the answer of one call over all of it, bit for bit.
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Matrix, MatrixInput } from '../../lib/data/matrix'
import {
  mineHardNegatives,
  type CorpusShardRows,
  type CorpusStream,
  type MineHardNegativesOptions,
  type Progress,
} from '../../lib/index'
import { plantedScene } from '../conformance/mining-scenes'
import { optionsOf, type Scene } from '../conformance/mining-suite'
import { uniform } from '../matrices'
import { answerOf, cuts, randomRules, rowsOf, tiedScene, trials, whole } from './shard-scenes'

/** Rows of another element type are a block of their own, as small shards of one type are put together. */
const asFloat64 = ({ data, ...sides }: Matrix) => ({ ...sides, data: Float64Array.from(data) })

/** The shards of a corpus; `count.runs` counts how often they are asked for. */
function streamOf(
  corpus: Matrix,
  { corpusTexts, corpusGroups }: MineHardNegativesOptions,
  bounds: readonly number[],
  count = { runs: 0 },
): CorpusStream {
  return async function* () {
    count.runs++
    for (const [i, end] of bounds.slice(1).entries()) {
      await setImmediate()
      const rows = rowsOf(corpus, bounds[i]!, end)
      yield {
        corpus: i % 3 === 1 ? asFloat64(rows) : rows,
        corpusTexts: corpusTexts?.slice(bounds[i], end),
        corpusGroups: corpusGroups?.slice(bounds[i], end),
      }
    }
  }
}

const streamed = (
  { queries, corpus, positives }: Scene,
  { corpusTexts, corpusGroups, ...options }: MineHardNegativesOptions,
  bounds: readonly number[],
  count?: { runs: number },
) =>
  mineHardNegatives(
    queries,
    streamOf(corpus, { corpusTexts, corpusGroups }, bounds, count),
    positives,
    options,
  )

describe('a corpus in shards gives the answer of one call for', () => {
  it.each(Object.entries(trials))('%s', async (_, trial) => {
    const isTied = trial.sampling === undefined
    const scene = isTied ? tiedScene(20, 15, 130) : plantedScene('stream', 15, 130, 8, 3)
    const options = { ...optionsOf(scene, trial), metric: isTied ? 'l2' : 'cosine' } as const
    const found = await streamed(scene, options, cuts(130, 5, 1))
    expect(answerOf(found)).toEqual(answerOf(await whole(scene, options)))
  })

  it('random scenes under random rules', async () => {
    const next = uniform(78)
    for (let seed = 0; seed < 12; seed++) {
      const scene = tiedScene(200 + seed, 6, 60)
      const options = randomRules(scene, seed, next)
      const found = await streamed(scene, options, cuts(60, 5, seed))
      const expected = await whole(scene, options)
      const { corpusTexts, queryTexts, ...shown } = options
      expect(answerOf(found), `${seed} ${JSON.stringify(shown)}`).toEqual(answerOf(expected))
      expect(await found.statistics()).toEqual(await expected.statistics())
    }
  })

  it('given scores of the positives, in any order and with repeats, in one run', async () => {
    const scene = tiedScene(5, 15, 130)
    const indptr = Int32Array.from({ length: 16 }, (_, q) => 3 * q)
    const indices = Int32Array.from({ length: 45 }, (_, t) => [90, 4, t % 2 ? 90 : 17][t % 3]!)
    const positiveScores = Float64Array.from({ length: 45 }, (_, t) => ((t * 7) % 10) / 10)
    const listed = { ...scene, positives: { indptr, indices } }
    const options = { positiveScores, relativeMargin: 0.1, explain: 3, excludeSelf: false }
    const count = { runs: 0 }
    const found = await streamed(listed as never, options, cuts(130, 4, 1), count)
    const expected = await whole(listed as never, options)
    expect(answerOf(found)).toEqual(answerOf(expected))
    expect(count.runs).toBe(1)
  })

  it('queries that are the corpus', async () => {
    const scene = tiedScene(9, 15, 90)
    const positives = Array.from({ length: 90 }, (_, i) => [(i + 1) % 90])
    const same = { ...scene, queries: scene.corpus, positives }
    const found = await streamed(same, { excludeSelf: true, explain: 2 }, [0, 7, 30, 90])
    expect(answerOf(found)).toEqual(answerOf(await whole(same, { excludeSelf: true, explain: 2 })))
  })

  it('shards whose memory the caller uses again, and shards of an array', async () => {
    const scene = plantedScene('again', 10, 60, 4, 8)
    const data = new Float32Array(10 * 4)
    function* shards() {
      for (let begin = 0; begin < 60; begin += 10) {
        data.set(scene.corpus.data.subarray(4 * begin, 4 * (begin + 10)))
        yield { data, rows: 10, cols: 4 }
      }
    }
    const { queries, corpus, positives } = scene
    const expected = answerOf(await whole(scene, {}))
    expect(answerOf(await mineHardNegatives(queries, shards, positives))).toEqual(expected)
    const halves = [rowsOf(corpus, 0, 31), rowsOf(corpus, 31, 60)]
    expect(answerOf(await mineHardNegatives(queries, () => halves, positives))).toEqual(expected)
  })
})

const scene = plantedScene('refused', 10, 60, 4, 8)
const { queries, corpus, positives } = scene
const mine = (stream: unknown, options: object = {}) =>
  mineHardNegatives(queries, stream as CorpusStream, positives, options)

/** Shards of the whole corpus, and other ones from the second run on. */
function changing(later: readonly (MatrixInput | CorpusShardRows)[]): CorpusStream {
  let runs = 0
  return () => (runs++ === 0 ? [rowsOf(corpus, 0, 20), asFloat64(rowsOf(corpus, 20, 60))] : later)
}

describe('a corpus in shards refuses', () => {
  it.each([
    ['no iterable', () => 7, 'an async iterable of shards for corpus(), received 7'],
    ['no rows', () => [], 'at least one shard with rows for corpus(), received none'],
    ['empty shards', () => [{ data: new Float32Array(0), rows: 0, cols: 4 }], 'received none'],
    [
      'other columns',
      () => [corpus, { data: new Float32Array(6), rows: 2, cols: 3 }],
      '4 columns, as in the queries for corpus[1].cols, received 3',
    ],
    ['what is no matrix', () => [corpus, 'rows'], 'for corpus[1]'],
    ['fewer shards later', changing([rowsOf(corpus, 0, 20)]), '40 rows from row 20 on'],
    ['no shards later', changing([]), 'received the end'],
    [
      'more rows later',
      changing([rowsOf(corpus, 0, 20), asFloat64(rowsOf(corpus, 20, 60)), rowsOf(corpus, 0, 1)]),
      'the end, for corpus(), received 1 rows from row 60 on',
    ],
    [
      'texts that the queries lack',
      () => [{ corpus, corpusTexts: scene.corpusTexts }],
      'shards without corpusTexts',
    ],
    [
      'too few texts',
      () => [{ corpus, corpusTexts: ['a'] }],
      '60 texts, one for each row for corpus[0].corpusTexts, received 1',
    ],
  ])('%s', async (_, stream, message) => {
    await expect(mine(stream)).rejects.toThrow(message)
  })

  it.each([
    [{ sweep: [{}] }, 'none beside a corpus in shards for sweep'],
    [{ shard: { index: 0, count: 2 } }, 'for shard'],
    [{ hubCap: 2 }, 'for hubCap'],
    [{ nearPositiveScore: 0.9 }, 'for nearPositiveScore'],
    [{ corpusTexts: [] }, 'each shard of the corpus has its own for corpusTexts'],
    [{ checkpoint: 'file' }, 'for checkpoint'],
    [{ queryTexts: scene.queryTexts }, 'shards with corpusTexts, beside queryTexts,'],
    [{ numNegatives: 0 }, 'for numNegatives'],
    [{ exclude: positives.map(() => [60]) }, 'in 0..59 for exclude[0][0], received 60'],
    [{ excludeSelf: true }, 'as many queries as corpus rows (60) for excludeSelf'],
  ])('%o', async (options, message) => {
    await expect(mine(() => [corpus], options)).rejects.toThrow(message)
  })

  it('positives beyond the corpus, and values that are no numbers, by the rows of the whole', async () => {
    const wrong = mineHardNegatives(
      queries,
      () => [corpus],
      positives.map(() => [60]),
    )
    await expect(wrong).rejects.toThrow('in 0..59 for positives[0][0], received 60')
    const bad = asFloat64(rowsOf(corpus, 20, 60))
    bad.data[4 * 3 + 1] = NaN
    await expect(mine(() => [rowsOf(corpus, 0, 20), bad])).rejects.toThrow(
      'at row 23, column 1 of corpus, received NaN',
    )
  })
})

describe('a corpus in shards stops', () => {
  it('with the error of its iterator, which is closed', async () => {
    let closed = 0
    async function* failing() {
      try {
        yield corpus
        throw new Error('the disk is gone')
      } finally {
        closed++
      }
    }
    await expect(mine(failing)).rejects.toThrow('the disk is gone')
    async function* short() {
      try {
        yield { data: new Float32Array(6), rows: 2, cols: 3 }
      } finally {
        closed++
      }
    }
    await expect(mine(short)).rejects.toThrow('4 columns')
    expect(closed).toBe(2)
  })

  it('at an abort, while it waits for a shard', async () => {
    const stop = new AbortController()
    async function* slow() {
      yield corpus
      stop.abort(new Error('enough'))
      await new Promise(() => {})
    }
    await expect(mine(slow, { signal: stop.signal })).rejects.toThrow('enough')
  })
})

it('tells of the rows of the corpus that are done', async () => {
  const told: Progress[] = []
  await mine(streamOf(corpus, {}, [0, 10, 20, 60]), {
    onProgress: (progress: Progress) => told.push(progress),
  })
  const ends = told.filter(({ done, total }) => done === total)
  // The last shard may tell of its end, too.
  expect(new Set(ends.map(({ phase, total }) => `${phase} ${total}`))).toEqual(
    new Set(['positives 60', 'mine 60']),
  )
  expect(told.every(({ done, total }) => done <= total)).toBe(true)
})
