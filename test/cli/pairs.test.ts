// Pairs in practice: unknown ids, qrels of TREC, a corpus of a few rows, no queries.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromRows } from '../../lib/data/matrix'
import { writeNpy } from '../../lib/data/npy'
import { run } from './commands'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-pairs-'))
const at = (...path: string[]) => join(folder, ...path)

const matrix = (rows: number[][]) => {
  const { data, cols } = fromRows(rows)
  return { data, shape: [rows.length, cols] }
}

const files = {
  'q.txt': 'd2\nq2\n',
  'c.txt': 'd1\nd2\nd3\n',
  'q.jsonl': '{"_id":"d2","text":"one"}\n{"_id":"q2","text":"two"}\n',
  'qrels.tsv': 'query-id\tcorpus-id\tscore\nd2\td1\t1\nd2\td9\t1\nq7\td2\t1\n',
  'trec.txt': 'd2 0 d1 1\nd2 0 d3 0\n',
  'p.tsv': '0\t0\n',
  'lists.tsv': 'd2\td3\t-7\nd2\td1\t2.5\nd2\td9\t1\nd2\td3\t-7\n',
  'nothing.tsv': '',
}

beforeAll(async () => {
  await writeNpy(
    at('q.npy'),
    matrix([
      [1, 0.2],
      [0, 1],
    ]),
  )
  await writeNpy(
    at('c.npy'),
    matrix([
      [1, 0.1],
      [0.5, 0.5],
      [0, 1],
    ]),
  )
  await writeNpy(at('none.npy'), { data: new Float32Array(0), shape: [0, 2] })
  await writeNpy(at('zeros.npy'), { data: new Float32Array(8), shape: [4, 2] })
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const both = ['--queries', 'q.npy', '--corpus', 'c.npy']
const ids = ['--query-ids', 'q.txt', '--corpus-ids', 'c.txt']

interface Summary {
  readonly unknownIds: number
  readonly found: number
  readonly gflops: number
  readonly seconds: number
  readonly dropped: Record<string, number>
  readonly warnings: readonly string[]
}

async function summaryOf(...args: string[]): Promise<Summary> {
  const { code, stdout, stderr } = await run(folder, ...args, '--json', '--quiet')
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Summary
}

describe('pairs that name what is not there', () => {
  const mine = ['mine', ...both, ...ids, '--num-negatives', '1', '--positives', 'qrels.tsv']

  it('are an error that names the line', async () => {
    const { code, stderr } = await run(folder, ...mine, '--json')
    expect([code, stderr]).toEqual([
      2,
      'gemmine: qrels.tsv: line 3: expected a known corpus id, received d9\n',
    ])
  })

  it('are left out and counted with --unknown-ids skip', async () => {
    const { unknownIds, found } = await summaryOf(...mine, '--unknown-ids', 'skip')
    expect([unknownIds, found]).toEqual([2, 1])
  })
})

it('qrels of TREC and ids of BEIR are read', async () => {
  const given = ['--query-ids', 'q.jsonl', '--corpus-ids', 'c.txt', '--positives', 'trec.txt']
  const { dropped } = await summaryOf('mine', ...both, ...given, '--num-negatives', '1')
  expect(dropped).toMatchObject({ positive: 1 })
})

describe('--candidates', () => {
  const lists = ['--candidates', 'lists.tsv']
  const mine = [
    'mine',
    ...both,
    ...ids,
    ...lists,
    '--num-negatives',
    '1',
    '--positives',
    'trec.txt',
  ]

  it('are the only rows of a query, by ids, whatever scores are recorded', async () => {
    const summary = await summaryOf(...mine, '--unknown-ids', 'skip', '--relative-margin', 'none')
    expect(summary).toMatchObject({ unknownIds: 1, found: 1, precision: 'canonical' })
    expect(summary.dropped).toMatchObject({ positive: 1, self: 0, ceiling: 0 })
  })

  it('that do not exist are an error that names the line', async () => {
    const { code, stderr } = await run(folder, ...mine, '--json')
    expect([code, stderr]).toEqual([
      2,
      'gemmine: lists.tsv: line 3: expected a known corpus id, received d9\n',
    ])
  })
})

describe('--exclude-self with ids leaves out the row of the own id', () => {
  it('in topk', async () => {
    const { code } = await run(
      folder,
      'topk',
      ...both,
      ...ids,
      '--exclude-self',
      '--k',
      '3',
      '--out',
      'k',
    )
    expect(code).toBe(0)
    const bytes = readFileSync(at('k', 'indices.npy'))
    const rows = [
      ...new Int32Array(bytes.buffer.slice(bytes.byteOffset + 128, bytes.byteOffset + 152)),
    ]
    expect(rows.slice(0, 3)).toEqual([0, 2, -1])
    expect(rows.slice(3).sort()).toEqual([0, 1, 2])
  })

  it('in mine', async () => {
    const given = ['--exclude-self', '--positives', 'qrels.tsv', '--unknown-ids', 'skip']
    const { dropped } = await summaryOf('mine', ...both, ...ids, ...given)
    expect(dropped).toMatchObject({ self: 1, positive: 1 })
  })
})

describe('a corpus of three rows', () => {
  it('is enough for the defaults of mine, with a warning', async () => {
    const { found, warnings } = await summaryOf('mine', ...both, '--positives', 'p.tsv')
    expect(found).toBe(2)
    expect(warnings[0]).toMatch(/^--num-negatives 4 is above the 3 rows of the corpus: /)
  })

  it('pads a k of ten, with a warning', async () => {
    const { warnings } = await summaryOf('topk', ...both, '--k', '10')
    expect(warnings).toEqual([
      '--k 10 is above the 3 rows of the corpus: the places beyond hold -1 and NaN',
    ])
  })
})

it('no queries have an answer without rows', async () => {
  const none = ['--queries', 'none.npy', '--corpus', 'c.npy', '--json']
  for (const args of [
    ['topk', ...none, '--k', '2', '--out', 'none-k'],
    ['mine', ...none, '--positives', 'nothing.tsv', '--out', 'none-mine'],
  ]) {
    const { code, stdout, stderr } = await run(folder, ...args)
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toMatchObject({ queries: 0, corpus: 3, warnings: [] })
  }
  expect(readFileSync(at('none-k', 'scores.npy'), 'latin1')).toContain("'shape': (0, 2)")
  expect(readFileSync(at('none-mine', 'negatives.jsonl'), 'utf8')).toBe('')
  const asCorpus = ['topk', '--queries', 'c.npy', '--corpus', 'none.npy', '--k', '2', '--json']
  expect((await run(folder, ...asCorpus)).code).toBe(2)
})

it('zero vectors are told of', async () => {
  const { warnings } = await summaryOf(
    'topk',
    '--queries',
    'zeros.npy',
    '--corpus',
    'c.npy',
    '--k',
    '1',
  )
  expect(warnings).toEqual([expect.stringMatching(/^4 of 4 queries are zero vectors: /)])
})

it('gflops counts the queries that were mined', async () => {
  const { gflops, seconds } = await summaryOf('mine', ...both, '--positives', 'p.tsv')
  expect(gflops).toBeCloseTo((2 * 1 * 3 * 2) / seconds / 1e9, 12)
})

it('a seed has no effect where nothing is drawn, and says so', async () => {
  const { warnings } = await summaryOf('topk', ...both, '--k', '1', '--seed', '5')
  expect(warnings).toEqual(['--seed 5 has no effect on topk, which draws nothing'])
})
