import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { minedLines, rejectedLines, ruleNames, writeLines } from '../../lib/data/mined-lines'
import type { MinedFormat } from '../../lib/data/mined-layouts'
import { errorOf, expectFileError, temporaryFolder } from './files'

const folder = temporaryFolder()

/** Query 0 has two positives and both negatives; 1 is short of one; 2 has no positive; 3 no negative. */
const mined = {
  queries: 4,
  numNegatives: 2,
  indices: Int32Array.of(5, 6, 7, -1, 8, 9, -1, -1),
  scores: Float32Array.of(0.5, Infinity, 0.25, NaN, 1, 1, NaN, NaN),
  counts: Int32Array.of(2, 1, 2, 0),
  positives: { indptr: Int32Array.of(0, 2, 3, 3, 4), indices: Int32Array.of(1, 2, 3, 4) },
  positiveScores: Float64Array.of(0.75, 1e300, -0, 0.1),
}

/** One positive for query 0, and none for the others. */
const few = { indptr: Int32Array.of(0, 1, 1, 1, 1), indices: Int32Array.of(1) }

const rows = { query: (row: number) => row, document: (row: number) => row }
const texts = { query: (row: number) => `q"${row}"`, document: (row: number) => `d\n${row}` }

const expected: Record<MinedFormat, string[]> = {
  triplet: [
    '{"anchor":0,"positive":1,"negative":5}',
    '{"anchor":0,"positive":1,"negative":6}',
    '{"anchor":0,"positive":2,"negative":5}',
    '{"anchor":0,"positive":2,"negative":6}',
    '{"anchor":1,"positive":3,"negative":7}',
  ],
  'n-tuple': [
    '{"anchor":0,"positive":1,"negative_1":5,"negative_2":6}',
    '{"anchor":0,"positive":2,"negative_1":5,"negative_2":6}',
  ],
  'labeled-pair': [
    '{"query":0,"passage":1,"label":1}',
    '{"query":0,"passage":2,"label":1}',
    '{"query":0,"passage":5,"label":0}',
    '{"query":0,"passage":6,"label":0}',
    '{"query":1,"passage":3,"label":1}',
    '{"query":1,"passage":7,"label":0}',
    '{"query":2,"passage":8,"label":0}',
    '{"query":2,"passage":9,"label":0}',
    '{"query":3,"passage":4,"label":1}',
  ],
  labeled: [
    '{"query":0,"docs":[1,2,5,6],"labels":[1,1,0,0],"scores":[0.75,null,0.5,null]}',
    '{"query":1,"docs":[3,7],"labels":[1,0],"scores":[0,0.25]}',
  ],
  'flag-embedding': [
    '{"query":0,"pos":[1,2],"neg":[5,6],"pos_scores":[0.75,null],"neg_scores":[0.5,null]}',
    '{"query":1,"pos":[3],"neg":[7],"pos_scores":[0],"neg_scores":[0.25]}',
  ],
  tevatron: [
    '{"query_id":"0","query":0,"positive_passages":[{"docid":"1","text":1},{"docid":"2","text":2}],"negative_passages":[{"docid":"5","text":5},{"docid":"6","text":6}]}',
    '{"query_id":"1","query":1,"positive_passages":[{"docid":"3","text":3}],"negative_passages":[{"docid":"7","text":7}]}',
  ],
  nemo: ['{"query":0,"pos_doc":[1,2],"neg_doc":[5,6]}', '{"query":1,"pos_doc":[3],"neg_doc":[7]}'],
}

describe('mined lines', () => {
  it('hold ids of 64 bits as strings, which no JSON parser rounds', () => {
    const document = (row: number) => 2n ** 62n + BigInt(row)
    const [first] = minedLines('triplet', mined, { ...rows, document })
    expect(first).toBe(
      '{"anchor":0,"positive":"4611686018427387905","negative":"4611686018427387909"}',
    )
  })

  it.each(Object.entries(expected))('in the layout %s', (format, lines) => {
    expect([...minedLines(format as MinedFormat, mined, rows)]).toEqual(lines)
  })

  it.each(Object.keys(expected))('of texts in the layout %s are JSON', (format) => {
    const lines = [...minedLines(format as MinedFormat, mined, texts)]
    const [first] = lines
    expect(first).not.toContain('\n')
    const { anchor, query } = JSON.parse(first!)
    expect(anchor ?? query).toBe('q"0"')
    expect(lines.join()).toContain(JSON.stringify('d\n5'))
  })

  it('of Tevatron have the ids beside the texts', () => {
    const ids = { queryId: (row: number) => `Q"${row}`, documentId: (row: number) => row + 100 }
    const [first] = minedLines('tevatron', mined, { ...texts, ...ids })
    expect(JSON.parse(first!)).toMatchObject({
      query_id: 'Q"0',
      query: 'q"0"',
      positive_passages: [{ docid: '101', text: 'd\n1' }, {}],
      negative_passages: [{ docid: '105', text: 'd\n5' }, {}],
    })
  })

  it.each(Object.entries(expected))(
    'in the layout %s without queries that are short of negatives, when those are dropped',
    (format, lines) => {
      const complete = lines.filter((line) => !/^{"(query_id|query|anchor)":"?[13]/.test(line))
      const given = [format as MinedFormat, mined, rows] as const
      expect([...minedLines(...given, { incomplete: 'drop' })]).toEqual(complete)
      expect([...minedLines(...given, { incomplete: 'keep' })]).toEqual(lines)
    },
  )

  it.each<[string, unknown[], string]>([
    [
      'another way with queries that are short',
      ['triplet', mined, rows, { incomplete: 'pad' }],
      "Expected one of keep, drop for incomplete, received 'pad'",
    ],
    [
      'an option that is none',
      ['triplet', mined, rows, { imcomplete: 'drop' }],
      'Expected one of the options incomplete for imcomplete, received the unknown option imcomplete',
    ],
    [
      'a layout that is none',
      ['tripletz', mined, rows],
      "Expected one of triplet, n-tuple, labeled-pair, labeled, flag-embedding, tevatron, nemo for format, received 'tripletz'",
    ],
    ['nothing mined', ['triplet', undefined, rows], 'for mined, received undefined'],
    ['no words', ['triplet', mined], 'a function of a row for words.query, received undefined'],
  ])('are refused for %s, before the first is asked for', (_, given, message) => {
    expect(() => (minedLines as (...given: unknown[]) => unknown)(...given)).toThrow(message)
  })

  it.each<[string, object, string]>([
    ['undefined', { document: (row: number) => ['a', 'b'][row] }, 'words.document(5)'],
    ['a function', { query: () => () => 1 }, 'words.query(0)'],
    ['NaN', { query: () => NaN }, 'words.query(0)'],
  ])('are refused when a word is %s', (_, wrong, argument) => {
    for (const format of Object.keys(expected) as MinedFormat[]) {
      const lines = minedLines(format, { ...mined, positives: few }, { ...rows, ...wrong })
      expect(() => [...lines]).toThrow(TypeError)
      const again = minedLines(format, { ...mined, positives: few }, { ...rows, ...wrong })
      expect(() => [...again]).toThrow(
        `Expected a string, a finite number or a bigint for ${argument}`,
      )
    }
  })

  it('are made as they are asked for', () => {
    let asked = 0
    const words = { ...rows, query: (row: number) => ((asked = row), row) }
    minedLines('triplet', mined, words).next()
    expect(asked).toBe(0)
  })
})

describe('rejected lines', () => {
  const rejected = {
    queries: Int32Array.of(0, 3),
    indptr: Int32Array.of(0, 3, 3),
    rows: Int32Array.of(4, 2, 9),
    scores: Float64Array.of(0.9, Infinity, 0.125),
    rules: Uint8Array.of(6, 1, 8),
  }

  it('name the rule, one line for each query mined, scores as float32', () => {
    expect([...rejectedLines(rejected, rows)]).toEqual([
      '{"query":0,"rejected":[{"doc":4,"score":0.8999999761581421,"rule":"ceiling"},{"doc":2,"score":null,"rule":"positive"},{"doc":9,"score":0.125,"rule":"rank"}]}',
      '{"query":3,"rejected":[]}',
    ])
    const [line] = rejectedLines(rejected, texts)
    expect(JSON.parse(line!)).toMatchObject({ query: 'q"0"', rejected: [{ doc: 'd\n4' }, {}, {}] })
  })

  it('are refused when a word is no text', () => {
    for (const side of ['query', 'document'] as const)
      expect(() => [...rejectedLines(rejected, { ...rows, [side]: () => undefined })]).toThrow(
        `for words.${side}(${side === 'query' ? 0 : 4}), received undefined`,
      )
  })

  it('are refused when there is nothing to tell of', () => {
    expect(() => rejectedLines(undefined as never, rows)).toThrow(
      'for rejected, received undefined',
    )
  })

  it('know the rules in their order', () => {
    expect(ruleNames.join(' ')).toBe(
      'self positive excluded group duplicate nearPositive ceiling floor rank nearDuplicate hub',
    )
  })
})

describe('writing lines', () => {
  it('ends each with a line feed', async () => {
    const path = folder.path('lines.jsonl')
    await writeLines(path, ['{"a":1}', '"é"'])
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n"é"\n')
    await writeLines(path, [])
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  it('keeps the event loop turning and asks for lines as they are written', async () => {
    const path = folder.path('many.jsonl')
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await writeLines(path, numbered(200_000))
    clearInterval(timer)
    expect(readFileSync(path, 'utf8')).toBe([...numbered(200_000), ''].join('\n'))
    expect(turns).toBeGreaterThan(1)
  })

  it('stops when it is aborted', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 5)
    const endless = numbered(Infinity)
    expect(await errorOf(() => writeLines(folder.path('endless'), endless, controller))).toBe(
      reason,
    )
    const path = folder.path('never')
    expect(
      await errorOf(() => writeLines(path, ['a'], { signal: AbortSignal.abort(reason) })),
    ).toBe(reason)
  })

  it.each([
    ['abc', "'abc'"],
    [undefined, 'undefined'],
    [{ length: 1 }, 'an object'],
  ])('refuses %s, and leaves the file alone', async (lines, received) => {
    const path = folder.write('kept.jsonl', 'kept')
    expect(await errorOf(() => writeLines(path, lines as never))).toMatchObject({
      name: 'TypeError',
      message: `Expected an array or a generator of lines for lines, received ${received}`,
    })
    expect(readFileSync(path, 'utf8')).toBe('kept')
  })

  it('fails with a sentence where it may not write', async () => {
    const path = folder.path('none/lines')
    await expectFileError(() => writeLines(path, ['a']), `${path}: there is no such file or folder`)
  })

  it('passes on what the lines throw', async () => {
    const error = new Error('no such text')
    const broken = (function* () {
      yield 'a'
      throw error
    })()
    expect(await errorOf(() => writeLines(folder.path('broken'), broken))).toBe(error)
  })
})

function* numbered(count: number) {
  for (let i = 0; i < count; i++) yield `{"line":${i},"text":"some words to fill it"}`
}
