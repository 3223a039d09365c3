// Audits of files with planted faults, in every layout.
import { describe, expect, it } from 'vitest'
import { minedFormats, type MinedFormat } from '../../lib/data/mined-layouts'
import { minedLines } from '../../lib/data/mined-lines'
import { type MinedFault } from '../../lib/mining/audit-findings'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { gaussian } from '../matrices'
import { corpusTexts, queryTexts, ids, texts, sides, audit, faultsIn, firstText } from './audits'

/** Two examples without a fault, and how one negative of the first is replaced. */
const layouts = {
  triplet: {
    clean: [
      { anchor: 'q0', positive: 'd1', negative: 'd4' },
      { anchor: 'q0', positive: 'd1', negative: 'd5' },
      { anchor: 'q1', positive: 'd2', negative: 'd0' },
    ],
    planted: (word: unknown) => ({ anchor: 'q0', positive: 'd1', negative: word }),
  },
  'n-tuple': {
    clean: [
      { anchor: 'q0', positive: 'd1', negative_1: 'd4', negative_2: 'd5' },
      { anchor: 'q1', positive: 'd2', negative_1: 'd0', negative_2: 'd5' },
    ],
    planted: (word: unknown) => ({
      anchor: 'q0',
      positive: 'd1',
      negative_1: 'd5',
      negative_2: word,
    }),
  },
  labeled: {
    clean: [
      { query: 'q0', docs: ['d1', 'd4', 'd5'], labels: [1, 0, 0], scores: [0.9, 0.5, 0.4] },
      {
        query: 'q1',
        docs: ['d2', 'd3', 'd0', 'd5'],
        labels: [1, 1, 0, 0],
        scores: [0.9, 0.8, 0.8, 0],
      },
    ],
    planted: (word: unknown) => ({
      query: 'q0',
      docs: ['d1', 'd5', word],
      labels: [1, 0, 0],
      scores: [0.9, 0.5, 0.4],
    }),
  },
  'flag-embedding': {
    clean: [
      { query: 'q0', pos: ['d1'], neg: ['d4', 'd5'], pos_scores: [0.9], neg_scores: [0.5, 0.4] },
      { query: 'q1', pos: ['d2', 'd3'], neg: ['d0', 'd5'] },
    ],
    planted: (word: unknown) => ({ query: 'q0', pos: ['d1'], neg: ['d5', word] }),
  },
  tevatron: {
    clean: [
      passages('q0', ['d1'], ['d4', 'd5']),
      {
        query_id: 'q1',
        query: 'who',
        positive_passages: [],
        negative_passages: [
          { docid: 'd0', text: 'a' },
          { docid: 'd5', text: 'f' },
        ],
      },
    ],
    planted: (word: unknown) => passages('q0', ['d1'], ['d5', word]),
  },
  nemo: {
    clean: [
      {
        question_id: 'q0',
        question: 'what',
        pos_doc: [{ id: 'd1', score: 0.9 }],
        neg_doc: [
          { id: 'd4', score: 0.1 },
          { id: 'd5', score: 0.1 },
        ],
      },
      { question_id: 'q1', question: 'who', pos_doc: { id: 'd2' }, neg_doc: ['d0', 'd5'] },
    ],
    planted: (word: unknown) => ({ question: 'q0', pos_doc: 'd1', neg_doc: ['d5', word] }),
  },
}

function passages(query: string, positives: unknown[], negatives: unknown[]) {
  const side = (words: unknown[]) => words.map((docid) => ({ docid, title: '' }))
  return {
    query_id: query,
    query: 'any',
    positive_passages: side(positives),
    negative_passages: side(negatives),
  }
}

describe.each(Object.entries(layouts))('an audit of the layout %s', (name, { clean, planted }) => {
  const among = (word: unknown) => [...clean.slice(1), planted(word)]

  it('finds nothing in lines without a fault', async () => {
    expect(await audit(clean)).toMatchObject({ layout: name, lines: clean.length, isClean: true })
    expect(await faultsIn([...clean, '', '  '], { ...ids, ...texts })).toEqual({})
  })

  it.each<[MinedFault, string]>([
    ['unknownIds', 'd99'],
    ['positivesAmongNegatives', 'd1'],
    ['repeatedNegatives', 'd5'],
  ])('counts %s', async (fault, word) => {
    expect(await faultsIn(among(word))).toEqual({ [fault]: 1 })
  })

  it('counts equalTexts: the text of a positive, of the query, of another negative', async () => {
    const withTexts = { ...ids, ...texts }
    expect(await faultsIn(among('d6'))).toEqual({})
    expect(await faultsIn(among('d6'), withTexts)).toEqual({ equalTexts: 1 })
    const same = { ...texts, corpusTexts: [...corpusTexts.slice(0, 9), 'f'] }
    expect(await faultsIn(among('d9'), { ...ids, ...same })).toEqual({ equalTexts: 1 })
    const asked = { ...texts, queryTexts: ['h', 'who', 'x', 'y'] }
    expect(await faultsIn(among('d9'), { ...ids, ...asked })).toEqual({ equalTexts: 1 })
  })

  it('counts equalTexts: a positive of another query with the text of this one', async () => {
    expect(await faultsIn(among('d0'), { ...ids, ...texts })).toEqual({ equalTexts: 1 })
  })
})

describe('tooFew', () => {
  const tuples = [
    { anchor: 'q0', positive: 'd1', negative_1: 'd4', negative_2: 'd5', negative_3: 'd0' },
    { anchor: 'q1', positive: 'd2', negative_1: 'd4', negative_2: null, negative_3: 'd0' },
    { anchor: 'q3', positive: 'd4', negative_2: 'd5' },
    { anchor: 'q3', positive: 'd4' },
  ]

  it('counts lines with fewer negatives than any other, columns with null or without', async () => {
    expect(await faultsIn(tuples)).toEqual({ tooFew: 3 })
    expect(await firstText(tuples)).toEqual([
      '2: the query q1 has 2 negatives, fewer than 3',
      '3: the query q3 has 1 negative, fewer than 3',
      '4: the query q3 has 0 negatives, fewer than 3',
    ])
  })

  it('asks no more of the other lines because of a repeat in one', async () => {
    const lines = [
      { query: 'q0', pos: ['d1'], neg: ['d4', 'd5', 'd4'] },
      { query: 'q1', pos: ['d2'], neg: ['d4', 'd5', 'd3', 'd99'] },
      { query: 'q3', pos: ['d4'], neg: ['d5', 'd0'] },
    ]
    expect(await faultsIn(lines)).toEqual({
      repeatedNegatives: 1,
      positivesAmongNegatives: 1,
      unknownIds: 1,
    })
  })

  it('counts lines with fewer than a number given', async () => {
    expect(await faultsIn(tuples, { ...ids, numNegatives: 2 })).toEqual({ tooFew: 2 })
    expect(await faultsIn(tuples, { ...ids, numNegatives: 4 })).toEqual({ tooFew: 4 })
  })

  it.each([
    { query: 'q1', pos: ['d2'], neg: [] },
    { query: 'q1', pos: ['d2'] },
    { query: 'q1', docs: ['d2'], labels: [1] },
    { query: 'q1', positive_passages: [{ docid: 'd2' }], negative_passages: null },
    { anchor: 'q1', positive: 'd2', negative: null },
    { anchor: 'q1', positive: 'd2' },
  ])('counts a line without negatives: %j', async (line) => {
    expect(await faultsIn([line])).toEqual({ tooFew: 1 })
  })

  it('counts pairs of triplets that are short of a number given, and no others', async () => {
    const lines = [...layouts.triplet.clean, { anchor: 'q1', positive: 'd3', negative: 'd0' }]
    expect(await faultsIn(lines)).toEqual({})
    expect(await faultsIn(lines, { ...ids, numNegatives: 2 })).toEqual({ tooFew: 2 })
    expect(await firstText(lines, { ...ids, numNegatives: 2 })).toEqual([
      '3: its query and positive have 1 negative, fewer than 2 in all their lines',
      '4: its query and positive have 1 negative, fewer than 2 in all their lines',
    ])
  })
})

describe('scores', () => {
  const line = (positive: unknown, negative: unknown) => [
    {
      query: 'q1',
      pos: ['d2', 'd3'],
      neg: ['d0'],
      pos_scores: [0.5, positive],
      neg_scores: [negative],
    },
  ]

  it.each([null, '0.5', [], true, {}])('are no finite numbers: %j', async (score) => {
    expect(await faultsIn(line(1, score))).toEqual({ scoresNotFinite: 1 })
    expect(await faultsIn(line(score, 0))).toEqual({ scoresNotFinite: 1 })
  })

  it.each(['NaN', 'Infinity', '-Infinity', '1e999'])('are no finite numbers: %s', async (score) => {
    const text = JSON.stringify(line(1, 8)[0]).replace('8', score)
    expect(await faultsIn([text])).toEqual({ scoresNotFinite: 1 })
    const named =
      '{"anchor":"NaN \\" Infinity","positive":"-Infinity","negative":"NaN","score":[1,NaN]}'
    const found = await audit([named])
    expect([found.unknownIds, found.scoresNotFinite]).toEqual([3, 1])
  })

  it('may lie at the reference score, not above it', async () => {
    expect(await faultsIn(line(1, 0.5))).toEqual({})
    expect(await faultsIn(line(1, 0.6))).toEqual({ scoresAbovePositive: 1 })
    expect(await faultsIn(line(1, 0.75), { ...ids, reference: 'mean' })).toEqual({})
    expect(await faultsIn(line(1, 0.76), { ...ids, reference: 'mean' })).toEqual({
      scoresAbovePositive: 1,
    })
    expect(await faultsIn(line(1, 1), { ...ids, reference: 'max' })).toEqual({})
    expect(await faultsIn(line(NaN, 0.4))).toEqual({ scoresNotFinite: 1 })
  })

  it('of triplets, n-tuples and documents are read too', async () => {
    const lines = [
      {
        anchor: 'q0',
        positive: 'd1',
        negative_1: 'd4',
        negative_2: 'd5',
        scores: [0.5, 0.6, null],
      },
      { anchor: 'q1', positive: 'd2', negative_1: 'd4', negative_2: 'd5', score: [0.5, 0.4, 0.7] },
    ]
    expect(await faultsIn(lines)).toEqual({ scoresAbovePositive: 2, scoresNotFinite: 1 })
    const nemo = {
      question: 'q0',
      pos_doc: [{ id: 'd1', score: 0.2 }],
      neg_doc: [
        { id: 'd4', score: 0.3 },
        { id: 'd5', score: null },
      ],
    }
    expect(await faultsIn([nemo])).toEqual({ scoresAbovePositive: 1, scoresNotFinite: 1 })
  })
})

describe('words', () => {
  const both = { ...ids, ...texts }
  const line = (query: unknown, positive: unknown, ...neg: unknown[]) => ({
    query,
    pos: [positive],
    neg,
  })

  it('are texts, of which one may stand for several rows', async () => {
    expect(await faultsIn([line('who', 'c', 'a', 'e')], both)).toEqual({})
    expect(await faultsIn([line('who', 'c', 'a', 'a')], both)).toEqual({ repeatedNegatives: 1 })
    expect(await faultsIn([line('who', 'c', 'd', 'none')], both)).toEqual({
      positivesAmongNegatives: 1,
      unknownIds: 1,
    })
    // Row 6 has the text of the positive 1.
    expect(await faultsIn([line('what', 'a', 'b')], both)).toEqual({ equalTexts: 1 })
    // Both queries of this text have their positives.
    expect(await faultsIn([line('what', 'b', 'a')], both)).toEqual({ positivesAmongNegatives: 1 })
    expect(await faultsIn([line('g', 'e', 'g')], both)).toEqual({ equalTexts: 1 })
  })

  it('are rows as numbers, or ids that are all integers', async () => {
    const rows = { queryIds: undefined, corpusIds: undefined }
    expect(await faultsIn([line(0, 1, 2, 9)], rows)).toEqual({})
    expect(await faultsIn([line(0, 1, 1, 10)], rows)).toEqual({
      positivesAmongNegatives: 1,
      unknownIds: 1,
    })
    const numbers = {
      queryIds: new Map([10, 11, 12, 13].map((id, row) => [`${id}`, row])),
      corpusIds: new Map(Array.from({ length: 10 }, (_, row) => [`${9 - row}`, row])),
    }
    expect(await faultsIn([line(10, 8, 1, '2')], numbers)).toEqual({})
    expect(await faultsIn([line(0, 8, 8)], numbers)).toEqual({
      unknownIds: 1,
      positivesAmongNegatives: 1,
    })
  })

  it('are texts where a string is both the text of one row and the id of another', async () => {
    const crossed = { ...texts, corpusIds: new Map([...'012e456789'].map((id, row) => [id, row])) }
    expect(await faultsIn([line('who', 'c', 'e')], crossed)).toEqual({})
    expect(await faultsIn([line('who', '2', 'e')], crossed)).toEqual({ positivesAmongNegatives: 1 })
  })

  it('that are all unknown are warned of', async () => {
    const { warnings, unknownIds } = await audit([line('how', 'x', 'y')])
    expect(unknownIds).toBe(3)
    expect(warnings).toEqual([
      'No query of the lines is known: if the lines hold texts, queryTexts names them',
      'No document of the lines is known: if the lines hold texts, corpusTexts names them',
    ])
    expect((await audit([line('how', 'x', 'y')], both)).warnings[1]).toBe(
      'No document of the lines is known: corpusIds and corpusTexts may be those of other data',
    )
  })
})

describe('columns of sentence-transformers', () => {
  it('keep their own names', async () => {
    const lines = [{ question: 'q0', answer: 'd1', negative: 'd1', score: 0.4 }]
    expect(await faultsIn(lines)).toEqual({ positivesAmongNegatives: 1 })
    const lists = [{ q: 'q0', texts: ['d1', 'd4', 'd2'], labels: [true, false, 0] }]
    expect(await faultsIn(lists)).toEqual({})
    const scored = [{ q: 'q0', texts: ['d1', 'd4', 'd2', 'd4'], scores: [0.5, 0.4, 0.6, null] }]
    expect(await faultsIn(scored)).toEqual({
      repeatedNegatives: 1,
      scoresNotFinite: 1,
      scoresAbovePositive: 1,
    })
  })
})

describe('what gemmine mines', () => {
  it.each(minedFormats)('is clean in the layout %s', async (format) => {
    const [Q, C] = [gaussian(4, 6, 1), gaussian(10, 6, 2)]
    const options = { numNegatives: 2, relativeMargin: 0, ...texts }
    const mined = await mineHardNegatives(Q, C, sides.positives, options)
    const named = [
      [(row: number) => `q${row}`, (row: number) => `d${row}`],
      [(row: number) => queryTexts[row]!, (row: number) => corpusTexts[row]!],
      [(row: number) => row, (row: number) => row],
    ] as const
    for (const [query, document] of named) {
      const words = { query, document }
      const lines = [...minedLines(format as MinedFormat, mined, words, { incomplete: 'drop' })]
      expect(lines.length).toBeGreaterThan(1)
      expect(await faultsIn(lines, { ...ids, ...texts })).toEqual({})
    }
  })
})
