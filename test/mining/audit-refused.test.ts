// Audits of lines that are no examples, of wrong options, and of large files.
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { auditMined } from '../../lib/mining/audit-mined'
import { errorOf, expectFileError } from '../data/files'
import { folder, ids, idsOf, sides, writeLinesOf } from './audits'

describe('a line that is no example', () => {
  const first = { query: 'q0', pos: ['d1'], neg: ['d4'] }
  const layoutNames = 'labeled, flag-embedding, tevatron, nemo, labeled-pair, n-tuple, triplet'

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
  const path = () => writeLinesOf([{ anchor: 'q0', positive: 'd1', negative: 'd4' }])

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
      'an integer in 1..1 for positives.indptr[4], received 9',
    ],
    [
      { positives: { indptr: Int32Array.of(1, 1, 1, 1, 1), indices: Int32Array.of(1) } },
      'an integer in 0..0 for positives.indptr[0], received 1',
    ],
    [
      { positives: { indptr: Int32Array.of(0, 2, 1, 3, 3), indices: Int32Array.of(1, 2, 3) } },
      'an integer in 2..3 for positives.indptr[2], received 1',
    ],
    [
      { positives: { indptr: Int32Array.of(0, 1, 1, 1, 1), indices: Int32Array.of(1, 2) } },
      '2, the number of rows listed for positives.indptr[4], received 1',
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
