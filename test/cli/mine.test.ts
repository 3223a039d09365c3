// gemmine mine: warnings, samplings, caps and the numbers in its lines.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../../lib/data/matrix'
import { loadMatrix } from '../../lib/data/matrix-files'
import { writeNpy } from '../../lib/data/npy'
import { writeParquetMatrix } from '../../lib/data/parquet/write-matrix'
import { readRows } from '../../lib/data/records'
import { gaussian } from '../matrices'
import { run } from './commands'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-cli-'))
const at = (...path: string[]) => join(folder, ...path)
const scan = ['--queries', 'docs.npy', '--corpus', 'docs.npy']

beforeAll(async () => {
  const { data } = gaussian(60, 8, 7)
  await writeNpy(at('docs.npy'), { data, shape: [60, 8] })
  await writeFile(at('positives.tsv'), '0\t1\n1\t2\n1\t3\n')
  await writeFile(at('none.tsv'), '0\t1\t0\n')
  await writeFile(at('all.tsv'), Array.from({ length: 60 }, (_, row) => `0\t${row}\n`).join(''))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('warns of what leaves nothing or has no effect', () => {
  const mine = (...args: string[]) => run(folder, 'mine', ...scan, '--json', ...args)
  const positives = ['--positives', 'positives.tsv']

  it.each([
    [
      [...positives, '--min-score', '.9', '--max-score', '.1'],
      /No query has a negative: the floor --min-score 0\.9 is above the ceiling --max-score 0\.1, \d+ /,
    ],
    [[...positives, '--min-score', '.99'], /No query has a negative: .*dropped by the rule floor$/],
    [
      [...positives, '--metric', 'l2'],
      /^No ceiling .* positives, and the query itself .*--exclude-self bars it\); --max-score sets one$/,
    ],
    [
      [...positives, '--metric', 'l2', '--exclude-self'],
      /^No ceiling .* unlabelled positives; --max-score sets one$/,
    ],
    [
      [
        ...positives,
        '--format',
        'n-tuple',
        '--absolute-margin',
        '.2',
        '--num-negatives',
        '58',
        '--out',
        'tuples',
      ],
      /^negatives\.jsonl is empty: no query with a positive has the 58 negatives .*--format n-tuple/,
    ],
    [
      [
        '--positives',
        'all.tsv',
        '--max-score',
        '0',
        '--relative-margin',
        'none',
        '--out',
        'lineless',
      ],
      /^negatives\.jsonl is empty: no query with a positive has a negative$/,
    ],
    [
      [
        ...positives,
        '--incomplete',
        'drop',
        '--absolute-margin',
        '.2',
        '--num-negatives',
        '58',
        '--out',
        'incomplete',
      ],
      /^negatives\.jsonl is empty: no query with a positive has the 58 negatives .*--incomplete keep/,
    ],
    [[...positives, '--incomplete', 'drop'], /^--incomplete drop has no effect without --out/],
    [[...positives, '--format', 'labeled'], /^--format labeled has no effect without --out/],
    [[...positives, '--parquet'], /^--parquet has no effect without --out/],
    [[...positives, '--explain', '3'], /^--explain 3 has no effect without --out/],
    [[...positives, '--pool', '20'], /--pool 20 has no effect on --sampling top/],
    [
      ['--positives', 'none.tsv', '--metric', 'l2'],
      /none\.tsv holds no positive: no query is mined/,
    ],
    [
      ['--positives', 'none.tsv', '--max-score', '1'],
      /none\.tsv holds no positive: negatives\.jsonl/,
    ],
  ])('%j', async (args, sentence) => {
    const { code, stdout, stderr } = await mine(...args)
    const { warnings } = JSON.parse(stdout) as { warnings: string[] }
    expect([code, warnings.length]).toEqual([0, 1])
    expect(warnings[0]).toMatch(sentence)
    expect(stderr).toBe(`gemmine: warning: ${warnings[0]}\n`)
  })

  it.each([
    ['--sampling', 'random', '--pool', '20'],
    ['--metric', 'l2', '--relative-margin', 'none'],
    ['--metric', 'l2', '--absolute-margin', '1'],
    ['--format', 'n-tuple', '--out', 'silent'],
  ])('and of nothing else: %s %s %s %s', async (...args) => {
    const { stderr } = await mine(...positives, ...args)
    expect(stderr).toBe('')
  })
})

it('writes the lines as Parquet if asked to, from files of Parquet, and audits them', async () => {
  const docs = (await loadMatrix(at('docs.npy'))) as DenseMatrix
  await writeParquetMatrix(at('docs.parquet'), docs)
  const from = ['--queries', 'docs.parquet', '--corpus', 'docs.parquet:embedding']
  const args = ['--positives', 'positives.tsv', '--format', 'tevatron', '--quiet']
  const lines = await run(folder, 'mine', ...scan, ...args, '--out', 'as-lines')
  const parquet = await run(folder, 'mine', ...from, ...args, '--parquet', '--out', 'as-parquet')
  expect([lines.code, parquet.code]).toEqual([0, 0])
  expect(readdirSync(at('as-parquet')).sort()).toEqual([
    'counts.npy',
    'indices.npy',
    'negatives.parquet',
    'scores.npy',
    'summary.json',
  ])
  const rows: unknown[] = []
  await readRows(at('as-parquet', 'negatives.parquet'), (row) => rows.push(row))
  const text = readFileSync(at('as-lines', 'negatives.jsonl'), 'utf8')
  expect(rows).toEqual(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  )
  await writeFile(at('ids.txt'), Array.from({ length: 60 }, (_, row) => `${row}\n`).join(''))
  const known = ['--corpus-ids', 'ids.txt', '--positives', 'positives.tsv', '--json']
  const audit = await run(folder, 'audit', 'as-parquet/negatives.parquet', ...known)
  expect(JSON.parse(audit.stdout)).toMatchObject({ layout: 'tevatron', lines: 2, unknownIds: 0 })
})

it('writes the scores of rejected rows as those of negatives, rounded to float32', async () => {
  const args = [...scan, '--positives', 'positives.tsv', '--format', 'labeled', '--explain', '9']
  await run(folder, 'mine', ...args, '--out', 'rounded')
  const scores = ['negatives.jsonl', 'rejected.jsonl'].flatMap((name) => {
    const numbers = readFileSync(at('rounded', name), 'utf8').match(/-?\d+\.\d+(e-\d+)?/g)
    return numbers!.map(Number)
  })
  expect(scores.length).toBeGreaterThan(20)
  expect(scores).toEqual(scores.map(Math.fround))
})

it('--sampling takes every choice, with its numbers, and counts what caps skip', async () => {
  const mine = [...scan, '--positives', 'positives.tsv', '--exclude-self', '--json']
  for (const own of [
    'weighted --temperature 0.1',
    'simans --simans-a 2 --simans-b -0.1 --pool 30',
    'stride --stride 3',
    'quantiles',
    'bins --bins 4',
    'mmr --mmr-lambda 0.7',
  ]) {
    const { code, stdout } = await run(folder, 'mine', ...mine, '--sampling', ...own.split(' '))
    expect(code, own).toBe(0)
    const { found, warnings, dropped } = JSON.parse(stdout)
    expect({ found, warnings }, own).toEqual({ found: 8, warnings: [] })
    expect(dropped).not.toHaveProperty('hub')
  }
  const caps = ['--near-duplicate-score', '0.2', '--hub-cap', '1']
  const { stdout } = await run(folder, 'mine', ...mine, ...caps)
  expect(JSON.parse(stdout).dropped).toMatchObject({ nearDuplicate: expect.any(Number), hub: 0 })
})
