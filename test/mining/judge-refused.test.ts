// Candidates and options that judgeNegatives refuses or warns of.
import { describe, expect, it } from 'vitest'
import { judgeNegatives } from '../../lib/mining/judge-negatives'
import type { Scorer, ScorerAnswer } from '../../lib/mining/scorer-answers'
import { scorerOf } from './judging'

describe('judgeNegatives refuses', () => {
  const score: Scorer = (pairs) => pairs.map(() => 0)
  const lists = { queries: 2, corpus: 5, rows: [[1], [2]] }
  it.each<[string, unknown, unknown, string]>([
    ['no candidates', undefined, { score }, 'for candidates, received undefined'],
    ['an array', [], { score }, 'for candidates, received an array of 0'],
    ['no scorer', lists, {}, 'a function that answers a batch of pairs for score'],
    ['an unknown option', lists, { score, margin: 1 }, 'the unknown option margin'],
    ['an unknown list', { ...lists, row: [] }, { score }, 'the unknown option row'],
    ['a row that does not exist', { ...lists, rows: [[5], []] }, { score }, 'a corpus row in 0..4'],
    [
      'such a row in typed lists',
      { ...lists, rows: { indptr: Int32Array.of(0, 1, 1), indices: Int32Array.of(-1) } },
      { score },
      'a corpus row in 0..4 for candidates.rows.indices[0], received -1',
    ],
    [
      'starts that do not fit',
      { ...lists, rows: { indptr: Int32Array.of(0, 1, 1), indices: new Int32Array(2) } },
      { score },
      '2, the number of rows listed for candidates.rows.indptr[2], received 1',
    ],
    ['half a query', { ...lists, queries: 2.5 }, { score }, 'for candidates.queries, received 2.5'],
    ['a negative margin', lists, { score, absoluteMargin: -1 }, 'absoluteMargin, received -1'],
    ['NaN', lists, { score, minScore: NaN }, 'a finite number for minScore, received NaN'],
    ['no stride', lists, { score, stride: 0 }, 'at least 1 for stride, received 0'],
    ['half a pair', lists, { score, budget: 0.5 }, 'at least 0 for budget, received 0.5'],
    ['no batch', lists, { score, batchSize: 0 }, 'at least 1 for batchSize'],
    ['an unknown order', lists, { score, rankBy: 'score' }, 'one of mined, judge for rankBy'],
    [
      'too few texts',
      lists,
      { score, queryTexts: ['a'] },
      '2 texts, one for each row for queryTexts',
    ],
    [
      'a text that is none',
      lists,
      { score, corpusTexts: [0, 1, 2, 3, 4] },
      'a string for corpusTexts[1]',
    ],
    ['too few ids', lists, { score, corpusIds: [1] }, '5 ids, one for each row for corpusIds'],
    [
      'an id that is none',
      lists,
      { score, queryIds: ['a', null] },
      'for queryIds[1], received null',
    ],
    ['a path as cache', lists, { score, cache: 'x' }, 'an object of path, fingerprint for cache'],
    ['a cache without a path', lists, { score, cache: {} }, 'a path for cache.path'],
    ['no signal', lists, { score, signal: 1 }, 'an AbortSignal for signal, received 1'],
  ])('%s', async (_, candidates, options, message) => {
    await expect(judgeNegatives(candidates as never, options as never)).rejects.toThrow(message)
  })
})

describe('warnings', () => {
  const lists = { queries: 1, corpus: 9, rows: [[1, 2, 3]], positives: [[0]] }
  const warningsOf = async (answer: (query: number, row: number) => ScorerAnswer, options = {}) =>
    (await judgeNegatives(lists, { score: scorerOf(answer).score, ...options })).warnings

  it('tell why no query has a negative', async () => {
    const [small, none] = await warningsOf((_, row) => (row === 1 ? 'drop' : null))
    expect(small).toMatch(
      /^No query has more than 3 candidates for 4 negatives: mine a larger pool/,
    )
    expect(none).toBe(
      'No query has a negative: 2 candidates have the outcome unanswered, 1 candidates have the outcome drop',
    )
    expect(await warningsOf(() => 'keep', { numNegatives: 1, budget: 0 })).toEqual([
      'No query has a negative: for 1 queries a budget was used up',
    ])
  })

  it('tell of margins without scores, and are none otherwise', async () => {
    const options = { numNegatives: 2, relativeMargin: 0.1 }
    expect(await warningsOf(() => 'keep', options)).toEqual([
      'The scorer gave no positive a score, so absoluteMargin and relativeMargin have nothing to refer to',
    ])
    expect(await warningsOf((_, row) => -row, options)).toEqual([])
  })
})

it('no queries, no candidates and no corpus are results without negatives', async () => {
  const { score, asked } = scorerOf(() => 0)
  for (const lists of [
    { queries: 0, corpus: 5, rows: [] },
    { queries: 2, corpus: 5, rows: [[], []] },
    { queries: 1, corpus: 0, rows: [[]] },
  ]) {
    const judged = await judgeNegatives(lists, { score, maxScore: 1 })
    expect([judged.found, judged.shortfall]).toEqual([0, lists.queries])
    expect([...judged.indices]).toEqual(new Array(4 * lists.queries).fill(-1))
  }
  expect(asked).toEqual([])
})
