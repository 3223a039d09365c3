// Texts that rows of several shards of a corpus have: which row counts, and the counters.
import { describe, expect, it } from 'vitest'
import { fromRows } from '../../lib/data/matrix'
import {
  digestTexts,
  mergeCorpusShards,
  mergePositiveScores,
  mergeTextDigests,
  mineCorpusShard,
  mineHardNegatives,
  prepareCorpus,
  scorePositives,
  type MinedNegatives,
  type MineHardNegativesOptions,
} from '../../lib/index'

type Document = readonly [score: number, text: string]

/** Rows of one column: by dot product a score is the number that stands for a row. */
const rowsOf = (documents: readonly Document[]) => fromRows(documents.map(([score]) => [score]))
const textsOf = (documents: readonly Document[]) => documents.map(([, text]) => text)
const queriesOf = (texts: readonly string[]) => fromRows(texts.map(() => [1]))

const atStarts = (shards: readonly (readonly Document[])[]) =>
  shards.map((documents, i) => ({
    documents,
    firstRow: shards.slice(0, i).reduce((sum, { length }) => sum + length, 0),
  }))

async function sharedOf(shards: readonly (readonly Document[])[]) {
  const corpusRows = shards.flat().length
  const digests = atStarts(shards).map(({ documents, firstRow }) =>
    digestTexts(textsOf(documents), { firstRow, corpusRows }),
  )
  return mergeTextDigests(await Promise.all(digests))
}

async function scoredOf(
  queryTexts: readonly string[],
  shards: readonly (readonly Document[])[],
  positives: number[][],
  corpusGroups?: Int32Array,
) {
  const sharedTexts = await sharedOf(shards)
  const corpusRows = shards.flat().length
  const scores = atStarts(shards).map(({ documents, firstRow }) =>
    scorePositives(queriesOf(queryTexts), rowsOf(documents), positives, {
      ...{ firstRow, corpusRows, metric: 'dot', sharedTexts },
      corpusGroups: corpusGroups?.slice(firstRow, firstRow + documents.length),
    }),
  )
  return await mergePositiveScores(await Promise.all(scores))
}

async function mineShards(
  queryTexts: string[],
  shards: readonly (readonly Document[])[],
  positives: number[][],
  given: MineHardNegativesOptions = {},
) {
  const scored = await scoredOf(queryTexts, shards, positives, given.corpusGroups)
  const options = { metric: 'dot', relativeMargin: null, queryTexts, ...given } as const
  const parts = atStarts(shards).map(({ documents, firstRow }) =>
    mineCorpusShard(queriesOf(queryTexts), rowsOf(documents), scored, {
      ...options,
      firstRow,
      corpusTexts: textsOf(documents),
      corpusGroups: given.corpusGroups?.slice(firstRow, firstRow + documents.length),
    }),
  )
  const all = shards.flat()
  const whole = await mineHardNegatives(queriesOf(queryTexts), rowsOf(all), positives, {
    ...options,
    corpusTexts: textsOf(all),
  })
  const merged = await mergeCorpusShards(await Promise.all(parts))
  expect(answerOf(merged)).toEqual(answerOf(whole))
  return merged
}

const answerOf = ({ seconds, certified, fallback, ...answer }: MinedNegatives) => answer

describe('a text in several shards', () => {
  it('counts once, by its best row', async () => {
    const shards: Document[][] = [
      [
        [9, 'answer'],
        [5, 'same'],
        [4, 'only here'],
      ],
      [[8, 'same']],
      [
        [8, 'same'],
        [7, 'other'],
      ],
    ]
    const mined = await mineShards(['question'], shards, [[0]])
    expect([...mined.negativesOf(0)]).toEqual([3, 5, 2])
    expect([...mined.ranks.subarray(0, 3)]).toEqual([0, 2, 4])
    expect(mined.dropped.duplicate).toBe(2)
  })

  it('whose best row is above the ceiling is not replaced by a row of another shard', async () => {
    const shards: Document[][] = [
      [
        [9, 'answer'],
        [7, 'same'],
        [6, 'only here'],
      ],
      [[8, 'same']],
    ]
    const mined = await mineShards(['question'], shards, [[0]], { maxScore: 7.5, explain: 5 })
    expect([...mined.negativesOf(0)]).toEqual([2])
    expect(mined.dropped).toMatchObject({ ceiling: 1, duplicate: 1 })
  })

  it('that is the text of a positive in another shard is no negative', async () => {
    const shards: Document[][] = [
      [
        [9, 'answer'],
        [5, 'other'],
      ],
      [
        [8, 'answer'],
        [7, 'question'],
        [6, 'third'],
      ],
    ]
    const mined = await mineShards(['question', 'question'], shards, [[0], [4]])
    expect([...mined.negativesOf(0)]).toEqual([1])
    expect([...mined.negativesOf(1)]).toEqual([1])
  })

  it('moves ranks of rows in a shard that has no admissible row with a text left', async () => {
    // The best row of 'twin' is above the ceiling; its other rows have ranks before the row of shard 1.
    const shards: Document[][] = [
      [
        [9, 'answer'],
        [8, 'twin'],
        [6, 'single'],
        [5, 'twin'],
        [4, 'twin'],
      ],
      [[3, 'last']],
    ]
    for (const maxRank of [undefined, 3, 5]) {
      const mined = await mineShards(['question'], shards, [[0]], { maxScore: 7, maxRank })
      expect([...mined.negativesOf(0)]).toEqual(maxRank === 3 ? [2] : [2, 5])
    }
  })

  it('has groups of rows in other shards', async () => {
    const shards: Document[][] = [
      [
        [9, 'answer'],
        [5, 'same'],
      ],
      [
        [8, 'same'],
        [7, 'same'],
      ],
    ]
    const groups = {
      groups: 'different',
      queryGroups: Int32Array.of(1),
      corpusGroups: Int32Array.of(0, 0, 1, 2),
    } as const
    const mined = await mineShards(['question'], shards, [[0]], groups)
    expect([...mined.negativesOf(0)]).toEqual([3])
    expect(mined.dropped).toMatchObject({ group: 1, duplicate: 1 })
  })

  it('is equal character by character: an empty one equals none, nor do lone surrogates', async () => {
    const shards: Document[][] = [
      [
        [9, 'answer'],
        [8, ''],
        [7, '\ud800'],
      ],
      [
        [6, ''],
        [5, '\udc00'],
        [4, ' answer'],
      ],
    ]
    const mined = await mineShards([''], shards, [[0]], { numNegatives: 9 })
    expect([...mined.negativesOf(0)]).toEqual([1, 2, 3, 4, 5])
    expect((await sharedOf(shards)).rows).toHaveLength(0)
  })

  it('in a prepared shard and in one of float64', async () => {
    const queryTexts = ['question']
    const [first, second] = [
      [
        [0.1, 'answer'],
        [0.3, 'same'],
      ],
      [
        [0.2, 'same'],
        [0.05, 'other'],
      ],
    ] as Document[][] as [Document[], Document[]]
    const sharedTexts = await sharedOf([first, second])
    using prepared = await prepareCorpus(rowsOf(first), { metric: 'dot' })
    const doubles = { data: Float64Array.of(0.2, 0.05), rows: 2, cols: 1 }
    const at = { corpusRows: 4, metric: 'dot', sharedTexts } as const
    const queries = queriesOf(queryTexts)
    const scored = await mergePositiveScores([
      await scorePositives(queries, prepared, [[0]], { ...at, firstRow: 0 }),
      await scorePositives(queries, doubles, [[0]], { ...at, firstRow: 2 }),
    ])
    expect(scored.shared!.vectors).toEqual(Float32Array.of(0.3, 0.2))
    const options = { metric: 'dot', relativeMargin: null, queryTexts } as const
    const merged = await mergeCorpusShards([
      await mineCorpusShard(queries, prepared, scored, {
        ...options,
        ...{ firstRow: 0, corpusTexts: textsOf(first) },
      }),
      await mineCorpusShard(queries, doubles, scored, {
        ...options,
        ...{ firstRow: 2, corpusTexts: textsOf(second) },
      }),
    ])
    expect([...merged.negativesOf(0)]).toEqual([1, 3])
  })
})

describe('texts in shards are refused', () => {
  const shards: [Document[], Document[]] = [
    [
      [9, 'answer'],
      [5, 'same'],
    ],
    [[8, 'same']],
  ]
  const [first] = shards
  const queries = queriesOf(['question'])
  const mine = async (options: MineHardNegativesOptions, corpusGroups?: Int32Array) =>
    mineCorpusShard(
      queries,
      rowsOf(first),
      await scoredOf(['question'], shards, [[0]], corpusGroups),
      { metric: 'dot', firstRow: 0, queryTexts: ['question'], ...options },
    )

  it('that are not those that were digested', async () => {
    await expect(mine({ corpusTexts: ['answer', 'new'] })).rejects.toThrow(
      "the text that digestTexts() was given for corpusTexts[1], received 'new'",
    )
    await expect(mine({ corpusTexts: ['answer'] })).rejects.toThrow('2 texts, one for each row')
    await expect(mine({ corpusTexts: undefined })).rejects.toThrow('for corpusTexts')
    await expect(mine({ corpusTexts: ['answer', 7] as never })).rejects.toThrow('corpusTexts[1]')
    await expect(mine({ queryTexts: [7] as never })).rejects.toThrow('queryTexts[0]')
    await expect(mine({ queryTexts: [] })).rejects.toThrow('1 texts, one for each row')
  })

  it.each([undefined, null, 'answer'])('that are no array to digest: %o', async (texts) => {
    await expect(digestTexts(texts as never, { firstRow: 0, corpusRows: 9 })).rejects.toThrow(
      'an array of texts for corpusTexts',
    )
  })

  it('whose groups in other shards are unknown', async () => {
    const groups: MineHardNegativesOptions = {
      ...{ groups: 'same', queryGroups: Int32Array.of(1), corpusGroups: Int32Array.of(1, 1) },
      corpusTexts: textsOf(first),
    }
    await expect(mine(groups)).rejects.toThrow('scores with corpusGroups')
    await mine(groups, Int32Array.of(1, 1, 1))
  })

  it('of shards that miss or repeat rows, or are no digests', async () => {
    const digest = (texts: string[], firstRow: number, corpusRows = 3) =>
      digestTexts(texts, { firstRow, corpusRows })
    const [a, b] = [await digest(['a', 'b'], 0), await digest(['b'], 2)]
    expect((await mergeTextDigests([b, a])).rows).toEqual(Int32Array.of(1, 2))
    await expect(mergeTextDigests([a])).rejects.toThrow('none from row 2 on')
    await expect(mergeTextDigests([a, b, b])).rejects.toThrow('for parts[2]')
    await expect(mergeTextDigests([b])).rejects.toThrow('begins at row 0 for parts[0]')
    await expect(mergeTextDigests([])).rejects.toThrow('the results of all shards')
    await expect(mergeTextDigests([a, { ...b, digests: new Uint8Array(15) }])).rejects.toThrow(
      '16 bytes, as from digestTexts() for parts[1].digests',
    )
    await expect(digest(['a', 'b'], 2)).rejects.toThrow('firstRow')
    await expect(digest(['a', 'b'], 0, 1)).rejects.toThrow('at most 1 rows')
    await expect(digest('ab' as never, 0)).rejects.toThrow('an array of texts for corpusTexts')
  })

  it('of another corpus', async () => {
    const sharedTexts = await sharedOf(shards)
    const score = (shared: unknown, corpusRows = 3) =>
      scorePositives(queries, rowsOf(first), [[0]], {
        ...{ firstRow: 0, corpusRows, metric: 'dot', sharedTexts: shared as never },
      })
    await expect(score(sharedTexts, 4)).rejects.toThrow('the texts of a corpus of 4 rows')
    await expect(score('texts')).rejects.toThrow('what mergeTextDigests() gave')
    await expect(score({ ...sharedTexts, rows: Int32Array.of(2, 1) })).rejects.toThrow(
      'an integer in 3..2 for sharedTexts.rows[1], received 1',
    )
  })
})
