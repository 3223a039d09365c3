import { describe, expect, it } from 'vitest'
import { parseIds, parseTexts, readIds, readTexts } from '../../lib/data/ids-and-texts'
import { parsePairs, readPairs } from '../../lib/data/pairs'
import { bytes, errorOf, expectFileError, realFile, temporaryFolder } from './files'
import { expectSurvival } from './mutations'

const folder = temporaryFolder()
const sides = { queries: 3, corpus: 12 }
const lists = (indptr: number[], indices: number[]) => ({
  indptr: Int32Array.from(indptr),
  indices: Int32Array.from(indices),
})

const pairs = (indptr: number[], indices: number[], unknownIds = 0) => ({
  ...lists(indptr, indices),
  unknownIds,
})

const queryIds = new Map(['q0', 'q1', 'q2'].map((id, row) => [id, row]))
const corpusIds = new Map(Array.from({ length: 12 }, (_, row) => [`c ${row}`, row]))

describe('a pairs file', () => {
  it('is read in any order, each pair once', async () => {
    expect(await parsePairs(bytes('2\t5\n0\t9\n2\t1\n2\t5\n'), 'p.tsv', sides)).toEqual(
      pairs([0, 1, 1, 3], [9, 1, 5]),
    )
  })

  it('may have a header, relevances, blank lines, a byte order mark and carriage returns', async () => {
    const text =
      '\ufeffquery-id\tcorpus-id\tscore\r\n0\t9\t1\r\n\r\n1\t3\t0\r\n1\t4\t-1\r\n2\t1\t0.5'
    expect(await readPairs(folder.write('p.tsv', text), sides)).toEqual(pairs([0, 1, 1, 2], [9, 1]))
  })

  it('may hold ids', async () => {
    const text = 'query-id\tcorpus-id\nq2\tc 5\nq0\tc 11\n'
    const options = { ...sides, queryIds, corpusIds }
    expect(await parsePairs(bytes(text), 'p.tsv', options)).toEqual(pairs([0, 1, 1, 2], [11, 5]))
  })

  it.each<[string, unknown, string]>([
    ['without options', undefined, 'an integer of at least 0 for queries, received undefined'],
    [
      'with an unknown option',
      { ...sides, ids: 1 },
      'queries, corpus, queryIds, corpusIds, unknownIds, value for ids',
    ],
    [
      'with ids that are no Map',
      { ...sides, queryIds: { q0: 0 } },
      'a Map of ids to rows, which readIds() makes for queryIds, received an object',
    ],
  ])('is refused %s', async (_, options, message) => {
    const error = await errorOf(() => readPairs('p.tsv', options as never))
    expect(error).toMatchObject({ message: expect.stringContaining(message) })
  })

  it.each(['\t', ' ', '  '])('may have the four columns of TREC between %j', async (blank) => {
    const judged = [
      ['q0', '0', 'd3', '1'],
      ['q2', 'Q0', 'd1', '2'],
      ['q2', '0', 'd0', '0'],
    ]
    const text = judged.map((columns) => columns.join(blank)).join('\n')
    const docs = new Map(Array.from({ length: 12 }, (_, row) => [`d${row}`, row]))
    const options = { ...sides, queryIds, corpusIds: docs }
    expect(await parsePairs(bytes(text), 'qrels', options)).toEqual(pairs([0, 1, 1, 2], [3, 1]))
  })

  it('leaves out what it does not know, where that is asked for, and counts it', async () => {
    const skipping = { ...sides, unknownIds: 'skip' } as const
    const ids = { ...skipping, queryIds, corpusIds }
    const text = 'query-id\tcorpus-id\tscore\nq0\tc 3\t1\nq0\tc 99\t1\nq7\tc 1\t1\nq9\tc 98\t0\n'
    expect(await parsePairs(bytes(text), 'p.tsv', ids)).toEqual(pairs([0, 1, 1, 1], [3], 3))
    expect(await parsePairs(bytes('0\t3\n0\t12\n3\t0'), 'p.tsv', skipping)).toEqual(
      pairs([0, 1, 1, 1], [3], 2),
    )
    await expect(parsePairs(bytes('0\tfive'), 'p.tsv', skipping)).rejects.toThrow('received five')
    await expect(
      parsePairs(bytes(''), 'p.tsv', { ...sides, unknownIds: 'drop' as 'skip' }),
    ).rejects.toThrow("one of error, skip for unknownIds, received 'drop'")
  })

  it('of candidates has scores of any sign, or is a run of TREC', async () => {
    const options = { queries: 3, corpus: 9, value: 'score' } as const
    const read = (text: string) => parsePairs(Buffer.from(text), 'lists.tsv', options)
    const { indptr, indices } = await read(
      'query-id\tcorpus-id\tscore\n2\t8\t-1.5\n0\t1\t0\n2\t3\n',
    )
    expect([[...indptr], [...indices]]).toEqual([
      [0, 1, 1, 3],
      [1, 3, 8],
    ])
    expect([...(await read('1 Q0 7 1 12.5 bm25\n1 Q0 2 2 -3e-1 bm25\n')).indices]).toEqual([2, 7])
    await expect(read('0\t1\thigh\n')).rejects.toThrow(
      'line 1: expected a number as score, received high',
    )
    await expect(read('0 0 1 1\n')).rejects.toThrow(
      "then a score or nothing, or TREC's six columns",
    )
  })

  it('may be empty', async () => {
    expect(await parsePairs(bytes(''), 'p.tsv', sides)).toEqual(pairs([0, 0, 0, 0], []))
  })

  it('of real data is read', async () => {
    const path = realFile('cranfield/qrels/test.tsv')
    if (!path) return
    const numbered = (prefix: string, count: number) =>
      new Map(Array.from({ length: count }, (_, row) => [`${prefix}${row}`, row]))
    const { indptr } = await readPairs(path, {
      queries: 5000,
      corpus: 5000,
      queryIds: numbered('', 5000),
      corpusIds: numbered('', 5000),
    })
    expect(indptr.at(-1)).toBeGreaterThan(500)
  })

  it.each<[string, string, string]>([
    [
      'a row that does not exist',
      '0\t1\n1\t999',
      'line 2: expected a corpus row in 0..11, received 999',
    ],
    ['a query that does not exist', '77\t1', 'line 1: expected a query row in 0..2, received 77'],
    ['a row that is no number', '0\tfive', 'line 1: expected a corpus row in 0..11, received five'],
    ['a negative row', '0\t-1', 'line 1: expected a corpus row in 0..11, received -1'],
    ['a broken row', '0\t1.5', 'line 1: expected a corpus row in 0..11, received 1.5'],
    ['an empty column', '0\t', 'line 1: expected a corpus row in 0..11, received nothing'],
    [
      'one column',
      '0 1',
      "line 1: expected query<TAB>corpus, then a relevance or nothing, or TREC's four columns, received 0 1",
    ],
    [
      'six columns, as runs of TREC have',
      '0 Q0 1 1 0.5 run',
      "line 1: expected query<TAB>corpus, then a relevance or nothing, or TREC's four columns, received 0 Q0 1 1 0.5 run",
    ],
    [
      'a relevance that is no number',
      '0\t1\thigh',
      'line 1: expected a number as relevance, received high',
    ],
    ['no relevance', '0\t1\t', 'line 1: expected a number as relevance, received nothing'],
    [
      'a header that comes late',
      '0\t1\nquery-id\tcorpus-id',
      'line 2: expected a query row in 0..2, received query-id',
    ],
  ])('with %s is refused', async (_, text, sentence) => {
    await expectFileError(() => parsePairs(bytes(text), 'far.tsv', sides), `far.tsv: ${sentence}`)
    const path = folder.write('far.tsv', text)
    await expectFileError(() => readPairs(path, sides), `${path}: ${sentence}`)
  })

  it('with an unknown id is refused', async () => {
    await expectFileError(
      () => parsePairs(bytes('q0\tc 3\nq1\tc 12'), 'p.tsv', { ...sides, queryIds, corpusIds }),
      'p.tsv: line 2: expected a known corpus id, received c 12',
    )
  })
})

describe('a file of ids', () => {
  it('gives each id its row', async () => {
    const path = folder.write('ids.txt', 'b\r\na\r\n数 1\r\n')
    expect([...(await readIds(path, 3, 'query'))]).toEqual([
      ['b', 0],
      ['a', 1],
      ['数 1', 2],
    ])
  })

  it.each<[string, string, string]>([
    ['too few', 'c0\nc1\n', 'expected 3 ids, one for each corpus row, received 2'],
    ['too many', 'a\nb\nc\nd', 'expected 3 ids, one for each corpus row, received 4'],
    ['none', '', 'expected 3 ids, one for each corpus row, received 0'],
    [
      'a repeated',
      'c0\nb\nc0\n',
      'line 3: expected every id once, received c0, which is on line 1 too',
    ],
    ['an empty', 'a\n\nb\n', 'line 2: expected an id, received an empty line'],
  ])('with %s id is refused', async (_, text, sentence) => {
    await expectFileError(() => parseIds(bytes(text), 'c.txt', 3, 'corpus'), `c.txt: ${sentence}`)
    const path = folder.write('c.txt', text)
    await expectFileError(() => readIds(path, 3, 'corpus'), `${path}: ${sentence}`)
  })
})

describe('a JSONL file of ids', () => {
  it('has them as _id, as queries.jsonl and corpus.jsonl of BEIR do', async () => {
    const lines = [{ _id: 'PLAIN-1', text: 'one' }, { text: 'two', _id: 'b c' }, { _id: 7 }]
    const path = folder.write('ids.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'))
    expect([...(await readIds(path, 3, 'corpus')).keys()]).toEqual(['PLAIN-1', 'b c', '7'])
  })

  it.each<[string, string, string]>([
    ['no _id', '{"id":"a"}', 'an object with a string as _id, received {"id":"a"}'],
    [
      'an _id that is no text',
      '{"_id":[1]}',
      'an object with a string as _id, received {"_id":[1]}',
    ],
    ['no object', 'a', 'a JSON object with an _id, received a'],
    ['an empty _id', '{"_id":""}', 'an id, received an empty line'],
  ])('with %s is refused', async (_, line, expected) => {
    await expectFileError(
      () => parseIds(bytes(line), 'c.jsonl', 1, 'corpus'),
      `c.jsonl: line 1: expected ${expected}`,
    )
  })
})

describe('a file of texts', () => {
  it('has one a line, empty ones too', async () => {
    const path = folder.write('t.txt', '\ufeffone\r\n\r\n{"text":1}\r\n')
    expect(await readTexts(path, 3, 'query')).toEqual(['one', '', '{"text":1}'])
  })

  it('may be JSONL, with titles', async () => {
    const lines = [
      { _id: '7', title: 'A title:', text: ' and\na text', more: [1] },
      { title: '', text: 'no title' },
      { title: null, text: '' },
      { text: 'é 数' },
    ]
    const path = folder.write('t.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'))
    expect(await readTexts(path, 4, 'corpus')).toEqual([
      'A title:  and\na text',
      'no title',
      '',
      'é 数',
    ])
  })

  it('is read across pieces of the file', async () => {
    const texts = Array.from({ length: 3000 }, (_, row) => `${row} `.padEnd(1000 + (row % 7), 'é'))
    const path = folder.write('long.txt', texts.join('\n'))
    expect(await readTexts(path, 3000, 'corpus')).toEqual(texts)
    expect(parseTexts(bytes(texts.join('\r\n')), 'long.txt', 3000, 'corpus')).toEqual(texts)
  })

  it.each<[string, string, string]>([
    ['too few lines', '{"text":"one"}\n', 'expected 2 texts, one for each corpus row, received 1'],
    [
      'a line that is no JSON',
      '{"text":"a"}\n{"text":',
      'line 2: expected a JSON object with a text, received {"text":',
    ],
    [
      'an empty line',
      '\n{"text":"a"}',
      'line 1: expected a JSON object with a text, received nothing',
    ],
    ['a text alone', '"a"\n"b"', 'line 1: expected a JSON object with a text, received "a"'],
    ['no text', '{}\n{}', 'line 1: expected an object with a string as text, received {}'],
    [
      'a number as text',
      '{"text":"a"}\n{"text":5}',
      'line 2: expected an object with a string as text, received {"text":5}',
    ],
    [
      'a list as title',
      '{"text":"a","title":["b"]}\n{"text":"c"}',
      'line 1: expected a string as title, received an array of 1',
    ],
  ])('with %s is refused', async (_, text, sentence) => {
    await expectFileError(
      () => parseTexts(bytes(text), 'c.jsonl', 2, 'corpus'),
      `c.jsonl: ${sentence}`,
    )
    const path = folder.write('c.jsonl', text)
    await expectFileError(() => readTexts(path, 2, 'corpus'), `${path}: ${sentence}`)
  })

  it('in another encoding, or absent, is refused', async () => {
    const path = folder.write('latin.txt', Buffer.from('one\ntwo\nf\xfcr\nfour', 'latin1'))
    await expectFileError(
      () => readTexts(path, 4, 'query'),
      `${path}: line 3: expected UTF-8 text, received other bytes`,
    )
    const absent = folder.path('absent.txt')
    await expectFileError(
      () => readTexts(absent, 4, 'query'),
      `${absent}: there is no such file or folder`,
    )
  })
})

it('the parser of pairs survives damage', async () => {
  const rows = bytes('query-id\tcorpus-id\tscore\n0\t9\t1\n\n1\t3\t0\n1\t4\t-1\n2\t11\t0.5\n')
  const ids = bytes('q0\tc 3\nq1\tc 11\r\nq2\tc 0\n')
  await expectSurvival(
    'p.tsv',
    [rows, ids],
    (content) =>
      parsePairs(
        content,
        'p.tsv',
        content.includes(0x71) ? { ...sides, queryIds, corpusIds } : sides,
      ),
    ({ indptr, indices }) => {
      if (indptr.length !== 4 || indptr.at(-1) !== indices.length)
        throw new Error('ill-formed starts')
      if (indices.some((row) => row < 0 || row > 11)) throw new Error('ill-formed rows')
    },
  )
})

it('the parsers of ids and texts survive damage', async () => {
  const plain = bytes('one\r\n\r\nthree é\n')
  const count = (values: { length: number }) => {
    if (values.length !== 3) throw new Error('ill-formed texts')
  }
  await expectSurvival(
    't.txt',
    [plain],
    (content) => parseTexts(content, 't.txt', 3, 'query'),
    count,
  )
  const lines = bytes(
    '{"text":"a"}\n{"title":"b","text":"c"}\n{"text":"\\u00e9\\n","_id":[{"x":1e5}]}\n',
  )
  await expectSurvival(
    't.jsonl',
    [lines],
    (content) => parseTexts(content, 't.jsonl', 3, 'query'),
    count,
  )
  const ids = bytes('q0\nq1\nlonger id\n')
  await expectSurvival(
    'ids.txt',
    [ids],
    (content) => parseIds(content, 'ids.txt', 3, 'query'),
    ({ size }) => count({ length: size }),
  )
})

it('ids and texts want the number of rows and the side', async () => {
  expect(await errorOf(() => (readIds as (path: string) => unknown)('i.txt'))).toMatchObject({
    message: 'Expected an integer of at least 0 for count, received undefined',
  })
  expect(await errorOf(() => readTexts('t.txt', 3, 'left' as never))).toMatchObject({
    message: "Expected one of query, corpus for side, received 'left'",
  })
})

it('a line too long to be read at one turn of the event loop is refused', async () => {
  const path = folder.write('long.txt', `a\n${'b'.repeat((1 << 22) + 1)}`)
  const sentence = 'line 2: expected at most 4194304 bytes in a line, received more'
  await expectFileError(() => readIds(path, 'any', 'corpus'), `${path}: ${sentence}`)
  const pairs = () => readPairs(path, { queries: 1, corpus: 1, unknownIds: 'skip' })
  await expectFileError(
    pairs,
    `${path}: line 1: expected query<TAB>corpus, then a relevance or nothing, or TREC's four columns, received a`,
  )
  expect(await readTexts(path, 2, 'corpus')).toHaveLength(2)
})
