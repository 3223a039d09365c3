// Audits of files with planted faults, in every layout.
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { minedFormats, minedLines, type MinedFormat } from '../../lib/data/mined-lines'
import { auditMined, type AuditMinedOptions } from '../../lib/mining/audit-mined'
import { minedFaults, type MinedFault } from '../../lib/mining/audit-findings'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { errorOf, expectFileError, temporaryFolder } from '../data/files'
import { gaussian } from '../matrices'

const folder = temporaryFolder()

/** Documents 6 and 1 have one text, and so have 8 and 9; query 2 has the text of query 0. */
const corpusTexts = ['a', 'b', 'c', 'd', 'e', 'f', 'b', 'g', 'h', 'h']
const queryTexts = ['what', 'who', 'what', 'g']
const idsOf = (letter: string, count: number) =>
  new Map(Array.from({ length: count }, (_, row) => [`${letter}${row}`, row]))
const ids = { queryIds: idsOf('q', 4), corpusIds: idsOf('d', 10) }
const texts = { queryTexts, corpusTexts }
const sides = { queries: 4, corpus: 10, positives: [[1], [2, 3], [0], [4]] }

type Given = Omit<Partial<AuditMinedOptions>, 'path'>

let files = 0
const writeLinesOf = (lines: readonly unknown[]) =>
  folder.write(
    `${files++}.jsonl`,
    lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
  )

const audit = (lines: readonly unknown[], options: Given = ids) =>
  auditMined(writeLinesOf(lines), { ...sides, ...options })

/** The faults that were found, those that were not left out. */
async function faultsIn(lines: readonly unknown[], options?: Given) {
  const found = await audit(lines, options)
  const entries = minedFaults.map((fault) => [fault, found[fault]] as const)
  const faults = Object.fromEntries(entries.filter(([, count]) => count > 0))
  expect(found.isClean).toBe(Object.keys(faults).length === 0)
  for (const [fault, count] of entries)
    expect(found.examples.filter((each) => each.fault === fault)).toHaveLength(Math.min(count, 10))
  return faults
}

const firstText = async (lines: readonly unknown[], options?: Given) =>
  (await audit(lines, options)).examples.map(({ line, text }) => `${line}: ${text}`)

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

describe('a line that is no example', () => {
  const first = { query: 'q0', pos: ['d1'], neg: ['d4'] }
  const layoutNames = 'labeled, flag-embedding, tevatron, nemo, n-tuple, triplet'

  it.each<[string, string]>([
    ['{"query":"q0"', 'expected a JSON object, received {"query":"q0"'],
    ['[1]', 'expected a JSON object, received an array of 1'],
    ['null', 'expected a JSON object, received null'],
    ['7', 'expected a JSON object, received 7'],
    [
      '{"a":1}',
      'expected the fields pos of the layout flag-embedding, as on the first line, received the fields a',
    ],
    ['{"pos":[],"neg":[]}', 'expected a text, an id or a row in query, received nothing'],
    ['{"query":1.5,"pos":[],"neg":[]}', 'expected a text, an id or a row in query, received 1.5'],
    ['{"query":"q0","pos":"d1","neg":[]}', 'expected an array in pos, received d1'],
    ['{"query":"q0","pos":["d1"],"neg":{}}', 'expected an array in neg, received an object'],
    [
      '{"query":"q0","pos":["d1"],"neg":[null]}',
      'expected a text, an id or a row in neg, received null',
    ],
    [
      '{"query":"q0","pos":["d1"],"neg":[{"x":1}]}',
      'expected an object with a docid, an id or a text in neg, received an object',
    ],
    [
      '{"query":"q0","pos":["d1"],"neg":["d4"],"neg_scores":[1,2]}',
      'expected 1 scores in neg_scores, one for each document, received 2',
    ],
    [
      '{"query":"q0","pos":["d1"],"neg":["d4"],"neg_scores":3}',
      'expected an array in neg_scores, received 3',
    ],
    [
      '{"query":"query","neg":["neg"],"pos":["d1"],"n\\u0065g":[]}',
      'expected every field once, received neg twice',
    ],
  ])('is refused by its number: %s', async (text, sentence) => {
    const path = writeLinesOf([first, '', text])
    await expectFileError(
      () => auditMined(path, { ...sides, ...ids }),
      `${path}: line 3: ${sentence}`,
    )
  })

  it.each<[string, string]>([
    ['{"a":1}', `expected the fields of one of the layouts ${layoutNames}, received the fields a`],
    ['{}', `expected the fields of one of the layouts ${layoutNames}, received the fields none`],
    [
      '{"negative":1}',
      'expected an anchor and a positive beside the negatives, received the fields negative',
    ],
    [
      '{"labels":[]}',
      'expected a query and a list of documents beside the labels, received the fields labels',
    ],
    [
      '{"query":1,"docs":[1],"labels":[]}',
      'expected 1 labels, one for each document of docs, received 0',
    ],
    ['{"query":1,"docs":[1],"labels":["a"]}', 'expected numbers in labels, received a'],
    [
      '{"anchor":1,"positive":2,"negative":3,"scores":[1]}',
      'expected 2 scores in scores, one for each document, received 1',
    ],
  ])('is refused on the first line: %s', async (text, sentence) => {
    const path = writeLinesOf([text])
    await expectFileError(
      () => auditMined(path, { ...sides, ...ids }),
      `${path}: line 1: ${sentence}`,
    )
  })

  it('is refused when it is longer than 32 MiB', async () => {
    const path = writeLinesOf([first, 'x'.repeat(2 ** 25 + 2 ** 16)])
    await expectFileError(
      () => auditMined(path, { ...sides, ...ids }),
      `${path}: line 2: expected at most 33554432 bytes in a line, received more`,
    )
  })

  it('is missing in an empty file', async () => {
    for (const lines of [[], ['', ' ']]) {
      const path = writeLinesOf(lines)
      const message = `${path}: expected at least one line of mined examples, received none`
      await expectFileError(() => auditMined(path, { ...sides, ...ids }), message)
    }
    const path = folder.path('absent.jsonl')
    const message = `${path}: there is no such file or folder`
    await expectFileError(() => auditMined(path, { ...sides, ...ids }), message)
  })
})

describe('an option of an audit', () => {
  const path = () => writeLinesOf(layouts.triplet.clean)

  it.each<[object, string]>([
    [{ corpus: undefined }, 'Expected an integer of at least 0 for corpus, received undefined'],
    [{ corpusIds: {} }, 'a Map of ids to rows, which readIds() makes for corpusIds'],
    [
      { corpusTexts: ['a'] },
      'Expected 10 texts, one for each row for corpusTexts, received 1 texts',
    ],
    [{ reference: 'best' }, "one of min, max, mean for reference, received 'best'"],
    [{ numNegatives: 0 }, 'an integer of at least 1 for numNegatives, received 0'],
    [{ positives: [[1]] }, '4 entries, one for each query for positives, received 1'],
    [{ positives: [[1], [10], [], []] }, 'a corpus row in 0..9 for positives[1][0], received 10'],
    [
      { positives: { indptr: Int32Array.of(0, 1, 1, 1, 1), indices: Int32Array.of(10) } },
      'a corpus row in 0..9 for positives.indices[0], received 10',
    ],
    [
      { positives: { indptr: Int32Array.of(0, 1, 1, 1, 9), indices: Int32Array.of(1) } },
      'list starts from 0 to 1 for positives.indptr, received 0 to 9',
    ],
    [{ signal: {} }, 'an AbortSignal for signal'],
    [{ numNegative: 2 }, 'the unknown option numNegative'],
  ])('is refused: %j', async (wrong, message) => {
    const error = await errorOf(() => auditMined(path(), { ...sides, ...ids, ...wrong } as never))
    expect((error as Error).message).toContain(message)
  })
})

describe('a large file', () => {
  /** Distinct triplets, in an order that is not that of the queries. */
  const lines = Array.from({ length: 40_000 }, (_, i) => {
    const [query, positive, negative] = [i % 400, 400 + (i % 400), 800 + Math.floor(i / 400)]
    return `{"anchor":"q${query}","positive":"d${positive}","negative":"d${negative}"}\n`
  })
  const text = [...lines, ...lines.slice(7, 9)].join('')
  const many = {
    queries: 400,
    corpus: 1100,
    positives: Int32Array.from({ length: 400 }, (_, query) => 400 + query),
    queryIds: idsOf('q', 400),
    corpusIds: idsOf('d', 1100),
  }
  const path = folder.write('many.jsonl', text)

  it('is read in pieces, packed or not, and repeats are found however far apart', async () => {
    const packed = folder.write('many.jsonl.gz', gzipSync(text))
    for (const each of [path, packed]) {
      const found = await auditMined(each, many)
      expect([found.lines, found.repeatedNegatives, found.unknownIds]).toEqual([40_002, 2, 0])
      expect(found.examples.map(({ line }) => line)).toEqual([40_001, 40_002])
    }
  })

  it('leaves the event loop turning, and tells of its progress', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const told: number[] = []
    await auditMined(path, {
      ...many,
      onProgress({ phase, done, total }) {
        expect([phase, total]).toEqual(['audit', text.length])
        told.push(done)
      },
    })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
    expect(told.at(-1)).toBe(text.length)
    expect(told).toEqual([...told].sort((a, b) => a - b))
  })

  it('is left when the signal is aborted, or the listener throws', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const onProgress = () => controller.abort(reason)
    const { signal } = controller
    expect(await errorOf(() => auditMined(path, { ...many, signal, onProgress }))).toBe(reason)
    expect(await errorOf(() => auditMined(path, { ...many, signal }))).toBe(reason)
    const broken = () => {
      throw reason
    }
    expect(await errorOf(() => auditMined(path, { ...many, onProgress: broken }))).toBe(reason)
  })
})
