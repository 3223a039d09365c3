// Ids, texts, pairs and mined examples in Parquet files.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readIds, readTexts } from '../../lib/data/ids-and-texts'
import { minedFormats, type Mined, type Words } from '../../lib/data/mined-layouts'
import { minedLines } from '../../lib/data/mined-lines'
import { readPairs } from '../../lib/data/pairs'
import { writeMinedParquet } from '../../lib/data/parquet/mined-parquet'
import { readRows } from '../../lib/data/records'
import { auditMined } from '../../lib/mining/audit-mined'
import { errorOf, expectFileError, temporaryFolder } from './files'
import { parquetSample, type Sample } from './parquet-samples'

const folder = temporaryFolder()

const fileOf = (name: Sample) => folder.write(`${name}.parquet`, parquetSample(name))

describe('a Parquet file', () => {
  it('has ids of 64 bits, and texts behind their titles', async () => {
    const corpus = fileOf('corpus')
    const ids = await readIds(corpus, 3, 'corpus')
    expect([...ids.keys()]).toEqual(['4611686018427387905', '5', '-7'])
    expect(ids).toMatchObject({ areIntegers: true })
    expect(await readTexts(corpus, 3, 'corpus')).toEqual(['T one', 'two é', 'three'])
    expect(await readTexts(`${corpus}:text`, 3, 'corpus')).toEqual(['T one', 'two é', 'three'])
    expect(await readTexts(`${fileOf('float32')}:id`, 3, 'corpus')).toEqual(['a', 'b', 'c'])
  })

  it('has pairs, of which those of relevance 0 are left out', async () => {
    const corpusIds = await readIds(fileOf('corpus'), 3, 'corpus')
    const queryIds = new Map([
      ['q1', 0],
      ['q2', 1],
    ])
    const pairs = await readPairs(fileOf('qrels'), { queries: 2, corpus: 3, queryIds, corpusIds })
    expect([...pairs.indptr]).toEqual([0, 1, 2])
    expect([...pairs.indices]).toEqual([0, 2])
  })

  it.each<[Sample, string]>([
    ['nullId', 'row 1: expected an id, received null'],
    ['twice', 'row 2: expected every id once, received a, which is in row 0 too'],
    ['float64', 'expected one column of ids, texts or integers, received e (lists of float64)'],
  ])('%s has no ids, which is said in one sentence', async (name, sentence) => {
    const path = fileOf(name)
    await expectFileError(() => readIds(path, 'any', 'corpus'), `${path}: ${sentence}`)
  })

  it('names the row of a pair that does not exist', async () => {
    const path = fileOf('qrels')
    await expectFileError(
      () => readPairs(path, { queries: 2, corpus: 3, queryIds: new Map([['q1', 0]]) }),
      `${path}: row 0: expected a corpus row in 0..2, received 4611686018427387905`,
    )
  })
})

const numNegatives = 2

/** Two queries with two and one negatives. */
const mined: Mined = {
  queries: 2,
  numNegatives,
  indices: Int32Array.of(2, 3, 0, -1),
  scores: Float32Array.of(0.5, 0.25, 0.125, NaN),
  counts: Int32Array.of(2, 1),
  positives: { indptr: Int32Array.of(0, 2, 3), indices: Int32Array.of(0, 1, 1) },
  positiveScores: Float64Array.of(0.75, 0.6, 0.9),
}

const texts = ['a', 'é\n"', '', 'd'.repeat(300)]

const words = {
  query: (row: number) => `query ${row}`,
  document: (row: number) => texts[row]!,
  documentId: (row: number) => `d${row}`,
}

async function rowsIn(path: string) {
  const rows: unknown[] = []
  await readRows(path, (row) => rows.push(row))
  return rows
}

describe('mined examples as Parquet', () => {
  it.each(minedFormats)('%s hold what the lines hold', async (format) => {
    const path = folder.path(`${format}.parquet`)
    await writeMinedParquet(path, format, mined, words)
    const lines = [...minedLines(format, mined, words)].map((line) => JSON.parse(line) as unknown)
    expect(await rowsIn(path)).toEqual(lines)
  })

  it('leave out queries short of negatives if asked to', async () => {
    const path = folder.path('dropped.parquet')
    await writeMinedParquet(path, 'nemo', mined, words, { incomplete: 'drop' })
    expect(await rowsIn(path)).toMatchObject([{ query: 'query 0' }])
  })

  it('are a file without rows if there are none', async () => {
    const path = folder.path('none.parquet')
    await writeMinedParquet(path, 'triplet', { ...mined, counts: new Int32Array(2) }, words)
    expect(await rowsIn(path)).toEqual([])
  })

  it('keep ids of 64 bits', async () => {
    const path = folder.path('ids.parquet')
    const document = (row: number) => 2n ** 62n + BigInt(row)
    await writeMinedParquet(path, 'triplet', mined, { query: (row) => row, document })
    const [first] = await rowsIn(path)
    const digits = '4611686018427387904'
    expect(first).toEqual({ anchor: 0, positive: digits, negative: String(document(2)) })
  })

  it.each([
    [2n ** 63n, '9223372036854775808n'],
    [0.5, '0.5'],
    [2 ** 60, String(2 ** 60)],
    [NaN, 'NaN'],
  ])('name the side and row of %s, which no column holds', async (word, received) => {
    const path = folder.path('unstorable.parquet')
    const write = (words: Words) => writeMinedParquet(path, 'nemo', mined, words)
    const row = (row: number) => row
    const sentence = 'Expected a text, a safe integer or a bigint of 64 bits for words'
    const document = (row: number) => (row === 2 ? word : row)
    await expect(write({ query: row, document })).rejects.toThrow(
      `${sentence}.document(2), received ${received}`,
    )
    const query = (row: number) => (row === 1 ? word : row)
    await expect(write({ query, document: row })).rejects.toThrow(
      `${sentence}.query(1), received ${received}`,
    )
  })

  it('refuse texts beside integers, and leave no file', async () => {
    const path = folder.path('mixed.parquet')
    const document = (row: number) => (row === 3 ? 3 : 'text')
    const write = () => writeMinedParquet(path, 'nemo', mined, { query: (row) => row, document })
    expect(await errorOf(write)).toMatchObject({ argument: 'words.document(3)' })
    expect(() => readFileSync(path)).toThrow('ENOENT')
  })
})

describe('an audit of a Parquet file', () => {
  const sides = { queries: 2, corpus: 4, queryTexts: ['query 0', 'query 1'], corpusTexts: texts }

  it.each(minedFormats)('finds nothing in %s', async (format) => {
    const path = folder.path(`audited-${format}.parquet`)
    await writeMinedParquet(path, format, mined, words, { incomplete: 'drop' })
    const corpusIds = new Map(texts.map((_, row) => [`d${row}`, row]))
    const queryIds = new Map([
      ['0', 0],
      ['1', 1],
    ])
    const { positives } = mined
    const audit = await auditMined(path, { ...sides, positives, corpusIds, queryIds })
    expect(audit).toMatchObject({ layout: format, unit: 'row', isClean: true })
  })

  it('names the row of a repeated negative', async () => {
    const audit = await auditMined(fileOf('tevatron'), {
      queries: 1,
      corpus: 2,
      queryIds: new Map([['q1', 0]]),
      corpusIds: new Map([
        ['5', 0],
        ['-7', 1],
      ]),
      positives: { indptr: Int32Array.of(0, 1), indices: Int32Array.of(0) },
    })
    expect(audit).toMatchObject({ layout: 'tevatron', unit: 'row', repeatedNegatives: 1 })
    expect(audit.examples[0]).toMatchObject({ fault: 'repeatedNegatives', line: 0 })
  })
})
