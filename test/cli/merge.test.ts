// gemmine mine --shard and gemmine merge write the same bytes as one run.
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gemmine } from '../../lib/cli/program'
import { writeNpy } from '../../lib/data/npy'
import { readRows } from '../../lib/data/records'
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors'
import { gaussian } from '../matrices'
import { failureFrom } from './commands'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-merge-'))
const at = (...path: string[]) => join(folder, ...path)
const [nq, nc, d] = [11, 90, 8]
const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('')

beforeAll(async () => {
  for (const [name, rows, seed] of [
    ['q.npy', nq, 1],
    ['c.npy', nc, 2],
    ['other.npy', nc, 3],
  ] as const)
    await writeNpy(at(name), { data: gaussian(rows, d, seed).data, shape: [rows, d] })
  for (const [name, rows] of [
    ['qg.npy', nq],
    ['cg.npy', nc],
  ] as const)
    await writeNpy(at(name), {
      data: Int32Array.from({ length: rows }, (_, i) => (i % 3) - 1),
      shape: [rows],
    })
  // The last queries have no positive; some texts stand in several rows and queries.
  writeFileSync(
    at('p.tsv'),
    lines(2 * nq, (i) => (i % nq > 7 ? '' : `${i % nq}\t${(7 * i) % nc}`)),
  )
  writeFileSync(
    at('lists.tsv'),
    lines(20 * nq, (i) => `${i % nq}\t${(13 * i) % nc}\t${i - 50}`),
  )
  writeFileSync(
    at('qt.txt'),
    lines(nq, (i) => `query ${i % 9}`),
  )
  writeFileSync(
    at('ct.txt'),
    lines(nc, (i) => `document ${i % 60}`),
  )
  writeFileSync(
    at('q.txt'),
    lines(nq, (i) => `q${i}`),
  )
  writeFileSync(
    at('c.txt'),
    lines(nc, (i) => `d${i}`),
  )
  writeFileSync(
    at('named.tsv'),
    lines(8, (i) => `q${i}\td${7 * i}`),
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const base = ['mine', '--queries', at('q.npy'), '--corpus', at('c.npy'), '--positives', at('p.tsv')]
const texts = ['--query-texts', at('qt.txt'), '--corpus-texts', at('ct.txt')]
const ids = ['--query-ids', at('q.txt'), '--corpus-ids', at('c.txt')]
const groups = ['--query-groups', at('qg.npy'), '--corpus-groups', at('cg.npy')]

const gemmineRuns = (...args: string[]) =>
  gemmine().parseAsync([...args, '--quiet', '--force'], { from: 'user' })

async function mineParts(name: string, count: number, ...options: string[]) {
  const folders = Array.from({ length: count }, (_, index) => at(`${name}-${index}-${count}`))
  for (const [index, out] of folders.entries())
    await gemmineRuns(...base, ...options, '--shard', `${index}/${count}`, '--out', out)
  return folders
}

/** What may differ between one run and several. */
const exempt = ['seconds', 'gflops', 'threads', 'precision', 'certified', 'fallback']

function contentsOf(out: string) {
  return Object.fromEntries(
    readdirSync(out).map((name) => {
      const bytes = readFileSync(join(out, name))
      if (name !== 'summary.json') return [name, bytes.toString('latin1')]
      const kept = bytes.toString().split('\n')
      return [name, kept.filter((line) => !exempt.some((key) => line.includes(`"${key}"`)))]
    }),
  )
}

describe('gemmine merge writes what one run writes for', () => {
  it.each([
    ['triplets and rejected rows', ['--format', 'triplet', '--explain', '3']],
    ['a band and texts', ['--sampling', 'band', '--min-score', '-0.2', '--explain', '4', ...texts]],
    ['random draws and texts', ['--format', 'labeled', '--sampling', 'random', ...texts]],
    [
      'the best, drawn ones and groups',
      ['--format', 'n-tuple', '--sampling', 'top1-random', '--groups', 'different', ...groups],
    ],
    [
      'lists of candidates',
      ['--format', 'flag-embedding', '--candidates', at('lists.tsv'), '--max-positive-rank', '4'],
    ],
    ['Parquet of rows', ['--parquet', '--format', 'triplet', '--explain', '2']],
    ['Parquet of texts in n-tuples', ['--parquet', '--format', 'n-tuple', ...texts]],
    ['Parquet of labeled pairs', ['--parquet', '--format', 'labeled-pair', ...texts]],
    ['Parquet of lists without texts', ['--parquet', '--format', 'flag-embedding']],
    ['Parquet of passages', ['--parquet', '--format', 'tevatron', ...texts]],
    [
      'Parquet of a list for each positive, only whole ones',
      ['--parquet', '--format', 'labeled', '--reference', 'each', '--incomplete', 'drop'],
    ],
    ['Parquet without a line', ['--parquet', '--format', 'n-tuple', '--num-negatives', '80']],
    [
      'a list for each positive',
      ['--format', 'labeled', '--reference', 'each', '--explain', '2', '--num-negatives', '3'],
    ],
    [
      'lists beside the pool',
      ['--candidates', at('lists.tsv'), '--candidate-mode', 'beside', '--sampling', 'bins'],
    ],
    ['rows near positives', ['--near-positive-score', '0.5', '--sampling', 'distance-weighted']],
    ['ids', ['--positives', at('named.tsv'), ...ids]],
    ['ids and texts', ['--positives', at('named.tsv'), '--format', 'tevatron', ...ids, ...texts]],
    [
      'queries that are short of negatives and dropped',
      ['--incomplete', 'drop', '--min-score', '0.6', '--relative-margin', 'none'],
    ],
    ['nothing at all', ['--min-score', '2', '--pool', '20']],
  ])('%s', async (_, options) => {
    await gemmineRuns(...base, ...options, '--out', at('one'))
    for (const count of [1, 3, nq + 2]) {
      const parts = await mineParts('part', count, ...options)
      await gemmineRuns('merge', ...parts.reverse(), '--out', at('merged'))
      expect(contentsOf(at('merged')), `${count} parts`).toEqual(contentsOf(at('one')))
      for (const part of parts) rmSync(part, { recursive: true })
    }
    for (const out of ['one', 'merged']) rmSync(at(out), { recursive: true })
  })
})

it('parts with 64-bit ids and several row groups merge to the Parquet file of one run', async () => {
  const count = 300
  const data = gaussian(count, d, 4).data
  await writeNpy(at('many.npy'), { data, shape: [count, d] })
  const idsOf = (rows: number) =>
    Array.from({ length: rows }, (_, i) => 2n ** 62n + BigInt(i) ** 7n)
  for (const [name, rows] of [
    ['many.parquet', count],
    ['docs.parquet', nc],
  ] as const) {
    const column = { name: '_id', data: idsOf(rows), type: 'INT64' as const }
    writeFileSync(at(name), new Uint8Array(parquetWriteBuffer({ columnData: [column] })))
  }
  const [queries, documents] = [idsOf(count), idsOf(nc)]
  writeFileSync(
    at('many.tsv'),
    lines(count, (i) => `${queries[i]}\t${documents[i % nc]}`),
  )
  const args = ['mine', '--queries', at('many.npy'), '--corpus', at('c.npy'), '--parquet']
  args.push('--positives', at('many.tsv'), '--query-ids', at('many.parquet'), '--max-score', '0.9')
  args.push(
    '--corpus-ids',
    at('docs.parquet'),
    '--num-negatives',
    '12',
    '--relative-margin',
    'none',
  )
  await gemmineRuns(...args, '--out', at('one'))
  const parts = [0, 1, 2].map((index) => at(`ids-${index}`))
  for (const [index, out] of parts.entries())
    await gemmineRuns(...args, '--shard', `${index}/3`, '--out', out)
  await gemmineRuns('merge', ...parts, '--out', at('merged'))
  const [one, merged] = ['one', 'merged'].map((name) => readFileSync(at(name, 'negatives.parquet')))
  expect(merged!.equals(one!)).toBe(true)
  let rows = 0
  await readRows(at('merged', 'negatives.parquet'), ({ anchor, positive, negative }) => {
    const query = Math.floor(rows++ / 12)
    expect([anchor, positive]).toEqual([`${queries[query]}`, `${documents[query % nc]}`])
    expect(documents.map(String)).toContain(negative)
  })
  expect(rows).toBe(12 * count)
  const last = join(parts[2]!, 'negatives.jsonl')
  writeFileSync(last, readFileSync(last, 'utf8').replace(`"${queries[200]}"`, '"text"'))
  expect(await failureFrom('merge', ...parts, '--out', at('wrong'))).toEqual({
    exitCode: 2,
    sentence: `${last}: line 1: expected an integer of 64 bits, received text`,
  })
  for (const name of [...parts, at('one'), at('merged')]) rmSync(name, { recursive: true })
})

it('threads, devices and seeds do not change a merge, which says so', async () => {
  const parts = await mineParts('part', 2)
  const useless = ['--threads', '1', '--device', 'cpu', '--seed', '3']
  await gemmineRuns('merge', ...parts, ...useless, '--quiet', '--out', at('merged'))
  const { warnings } = JSON.parse(readFileSync(join(at('merged'), 'summary.json'), 'utf8')) as {
    warnings: string[]
  }
  expect(warnings).toEqual([
    '--seed 3 has no effect on merge, which draws nothing',
    '--threads 1 has no effect on merge, which computes nothing',
    '--device cpu has no effect on merge, which computes nothing',
  ])
  for (const folder of [...parts, at('merged')]) rmSync(folder, { recursive: true })
})

it('--incomplete drop leaves lines of some queries out of negatives.jsonl', async () => {
  const linesOf = async (...options: string[]) => {
    await gemmineRuns(
      ...base,
      '--min-score',
      '0.6',
      '--relative-margin',
      'none',
      ...options,
      '--out',
      at('some'),
    )
    return readFileSync(at('some', 'negatives.jsonl'), 'utf8').split('\n').slice(0, -1)
  }
  const all = await linesOf()
  const complete = await linesOf('--incomplete', 'drop')
  expect(complete.length).toBeGreaterThan(0)
  expect(complete.length).toBeLessThan(all.length)
  expect(complete).toEqual(all.filter((line) => complete.includes(line)))
})

describe('gemmine merge refuses', () => {
  const merge = (...args: string[]) => failureFrom('merge', ...args, '--out', at('refused'))

  it('parts that are missing, double or of another job, and names them', async () => {
    const [a, b, c] = (await mineParts('p', 3)) as [string, string, string]
    const other = at('other')
    const shard = ['--shard', '1/3', '--out', other]
    expect(await merge(a, c)).toEqual({
      exitCode: 2,
      sentence: `${a}: expected all 3 parts of the job beside it, received no part 1/3`,
    })
    expect(await merge(a, b, c, b)).toEqual({
      exitCode: 2,
      sentence: `${b}: expected every part once, received part 1/3 again, which ${b} is`,
    })
    for (const [options, what] of [
      [['--num-negatives', '7'], 'numNegatives'],
      [['--seed', '1'], 'seed'],
      [['--corpus', at('other.npy')], 'fingerprint of the inputs'],
      [['--format', 'labeled'], 'format'],
      [['--incomplete', 'drop'], 'incomplete'],
      [texts, 'ids and texts'],
    ] as const) {
      await gemmineRuns(...base, ...options, ...shard)
      const { exitCode, sentence } = await merge(a, other, c)
      expect([exitCode, sentence]).toEqual([
        2,
        expect.stringContaining(`${other}: expected a part of the job of ${a}, with ${what}`),
      ])
    }
    expect(readdirSync(folder)).not.toContain('refused')
  })

  it('a folder that is no part, or a damaged one', async () => {
    await gemmineRuns(...base, '--out', at('whole'))
    const missing = await merge(at('whole'))
    expect(missing).toMatchObject({ exitCode: 2 })
    expect(missing.sentence).toBe(
      `${at('whole')}: expected a folder that gemmine mine --shard wrote, received one without part.safetensors`,
    )
    const [part] = (await mineParts('d', 1)) as [string]
    const path = join(part, 'part.safetensors')
    const { tensors, metadata } = await readSafetensors(path)
    const damages = [
      { tensors, metadata: {} },
      { tensors, metadata: { ...metadata, facts: '{' } },
      { tensors, metadata: { ...metadata, facts: '{}' } },
      { tensors: { ...tensors, ranks: { data: Int32Array.of(1), shape: [1] } }, metadata },
    ]
    for (const damage of damages) {
      await writeSafetensors(path, damage)
      const { exitCode, sentence } = await merge(part)
      expect([exitCode, sentence]).toEqual([
        2,
        expect.stringContaining(`${path}: expected what gemmine mine --shard writes`),
      ])
    }
    await writeSafetensors(path, { tensors, metadata })
    copyFileSync(join(part, 'scores.npy'), join(part, 'indices.npy'))
    expect((await merge(part)).sentence).toContain(join(part, 'indices.npy'))
  })

  it('lines that are cut off or fewer than the part wrote', async () => {
    const parts = await mineParts('cut', 2, '--explain', '2')
    for (const name of ['negatives.jsonl', 'rejected.jsonl']) {
      const path = join(parts[0]!, name)
      const whole = readFileSync(path)
      const count = whole.toString().split('\n').length - 1
      const refused = async (kept: Buffer, received: string) => {
        writeFileSync(path, kept)
        expect(await merge(...parts)).toEqual({
          exitCode: 2,
          sentence: `${path}: expected the ${count} lines that gemmine mine --shard wrote, received ${received}`,
        })
      }
      await refused(whole.subarray(0, -3), `${count - 1} and one that is cut off`)
      await refused(whole.subarray(whole.indexOf('\n') + 1), `${count - 1}`)
      await refused(whole.subarray(0, 0), '0')
      writeFileSync(path, whole)
    }
    expect(readdirSync(folder)).not.toContain('refused')
  })

  it('a part.safetensors of which a byte has changed, and names it', async () => {
    const [part] = (await mineParts('byte', 1)) as [string]
    const path = join(part, 'part.safetensors')
    const whole = readFileSync(path)
    const start = 8 + Number(whole.readBigUInt64LE())
    for (let i = 0; i < 8; i++) {
      const bytes = Buffer.from(whole)
      bytes[start + Math.floor(((bytes.length - start) * i) / 8)]! ^= 0x40
      writeFileSync(path, bytes)
      expect(await merge(part)).toEqual({
        exitCode: 2,
        sentence: `${path}: expected what gemmine mine --shard writes, received a damaged file`,
      })
    }
  })

  it('to replace one of the parts', async () => {
    const parts = await mineParts('r', 2)
    const failure = await failureFrom('merge', ...parts, '--out', parts[0]!, '--force')
    expect(failure).toMatchObject({ exitCode: 2 })
    expect(failure.sentence).toContain('expected an input outside the results in --out')
  })

  it.each(['2/2', '1', '-1/2', '0/0', 'a/b', '1/2/3'])('--shard %s', async (shard) => {
    const failure = await failureFrom(...base, '--shard', shard, '--json')
    expect(failure).toEqual({
      exitCode: 2,
      sentence: `Expected I/N with I from 0 to N - 1, such as 0/4 for --shard, received ${shard}`,
    })
  })
})
