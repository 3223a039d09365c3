// The built program: its files, its output, and how it stops.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpy, writeNpy } from '../../lib/data/npy'
import { info } from '../../lib/info'
import { gaussian } from '../matrices'
import { ended, launch, run } from './commands'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-cli-'))
const at = (...path: string[]) => join(folder, ...path)

beforeAll(async () => {
  for (const [name, rows, cols] of [
    ['docs.npy', 60, 8],
    ['large.npy', 20_000, 512],
  ] as const) {
    const { data } = gaussian(rows, cols, 7)
    await writeNpy(at(name), { data, shape: [rows, cols] })
  }
  await writeFile(at('positives.tsv'), '0\t1\n1\t2\n1\t3\n')
  await writeFile(
    at('counts.mtx'),
    '%%MatrixMarket matrix coordinate real general\n4 3 4\n1 1 2\n2 2 3\n3 3 1\n4 1 5\n',
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fields = {
  factorize:
    'command version model solver init innerSweeps shape rank objective relativeError iterations converged seconds gflops threads seed device blas warnings',
  transform:
    'command version model shape rank relativeError seconds gflops threads device warnings',
  kmeans:
    'command version shape clusters inertia iterations converged restarts seconds gflops threads seed device warnings',
  svd: 'command version shape rank relativeError seconds gflops threads seed device warnings',
  topk: 'command version queries corpus dimensions k metric seconds gflops threads device precision certified fallback unknownIds warnings',
  range:
    'command version queries corpus dimensions threshold metric found seconds gflops threads device precision certified fallback unknownIds warnings',
  'near-duplicates':
    'command version shape threshold metric found seconds gflops threads device precision certified fallback warnings',
  communities:
    'command version shape threshold minSize metric communities members seconds gflops threads device warnings',
  mine: 'command version queries corpus dimensions numNegatives metric found shortfall queriesWithoutPositives inconsistent dropped ceilings positiveScore negativeScore negativeRank seconds gflops threads seed device precision certified fallback unknownIds warnings',
}
const scan = ['--queries', 'docs.npy', '--corpus', 'docs.npy']

describe('--memory-budget', () => {
  it('leaves a large file in place, with the same result', async () => {
    const svd = ['svd', 'large.npy', '--rank', '2', '--power-iterations', '1', '--json']
    const [whole, within] = [
      await run(folder, ...svd),
      await run(folder, ...svd, '--memory-budget', '64MiB'),
    ].map(({ stdout }) => JSON.parse(stdout) as Record<string, unknown>)
    expect({ ...within, seconds: 0, gflops: 0 }).toEqual({ ...whole, seconds: 0, gflops: 0 })
  })

  it('that is too small for a job is refused with the bytes that it needs', async () => {
    const nmf = ['factorize', 'large.npy', '--model', 'semi-nmf', '--rank', '300']
    const { code, stderr } = await run(folder, ...nmf, '--json', '--memory-budget', '64MiB')
    expect(code).toBe(3)
    expect(stderr).toMatch(/needs about \d+ bytes of memory, and its budget is 67108864/)
  })
})

describe.each([
  ['semi-orthogonal-nmf', []],
  ['snmf', ['--sparsity', '0.4', '--patience', '3', '--refit']],
  ['separable-nmf', []],
  ['convex-nmf', ['--init', 'furthest-sum']],
  ['archetypal-analysis', ['--relaxation', '0.25']],
])('gemmine factorize --model %s', (model, own) => {
  it('writes factors that transform takes', async () => {
    const factorize = ['factorize', 'docs.npy', '--rank', '3', '--model', model, ...own]
    expect(await run(folder, ...factorize, '--out', model)).toMatchObject({ code: 0 })
    const coded = await run(folder, 'transform', 'docs.npy', '--model', model, '--json')
    expect(JSON.parse(coded.stdout)).toMatchObject({ model, rank: 3 })
  })

  it('names an option that it does not have', async () => {
    const wrong = ['--rank', '3', '--model', model, '--l1-w', '1', '--json']
    const { code, stderr } = await run(folder, 'factorize', 'docs.npy', ...wrong)
    expect(code).toBe(2)
    expect(stderr).toContain(`nothing (the model ${model} has no such option) for --l1-w`)
  })
})

describe.each([
  [
    'factorize',
    ['docs.npy', '--rank', '3'],
    'H.npy W.npy model.safetensors summary.json',
    'relative error 0\\.\\d{3} after \\d+ iterations, converged',
  ],
  [
    'transform',
    ['docs.npy', '--model', 'factorize'],
    'W.npy summary.json',
    '60 rows, relative error 0\\.\\d{3}',
  ],
  [
    'kmeans',
    ['docs.npy', '--clusters', '4', '--restarts', '3'],
    'centers.npy labels.npy summary.json',
    'inertia \\d+\\.\\d+ after \\d+ iterations?, converged',
  ],
  [
    'svd',
    ['docs.npy', '--rank', '3'],
    'U.npy V.npy s.npy summary.json',
    'relative error 0\\.\\d{3}',
  ],
  [
    'topk',
    [...scan, '--k', '5'],
    'indices.npy scores.npy summary.json',
    '60 queries × 5 of 60 rows',
  ],
  [
    'range',
    [...scan, '--threshold', '0.5'],
    'indices.npy indptr.npy scores.npy summary.json',
    '\\d+ rows at 0.5 or above for 60 queries',
  ],
  [
    'near-duplicates',
    ['docs.npy', '--threshold', '0.5'],
    'indices.npy indptr.npy scores.npy summary.json',
    '\\d+ pairs at 0.5 or above among 60 rows',
  ],
  [
    'communities',
    ['docs.npy', '--threshold', '0.5', '--min-size', '3'],
    'indices.npy indptr.npy labels.npy summary.json',
    '\\d+ communities with \\d+ of 60 rows',
  ],
  [
    'mine',
    [...scan, '--positives', 'positives.tsv', '--explain', '3'],
    'counts.npy indices.npy negatives.jsonl rejected.jsonl scores.npy summary.json',
    '8 negatives for 2 of 60 queries, 58 with fewer than 4, \\d+ candidates? above the ceiling',
  ],
] as const)('gemmine %s', (command, args, files, outcome) => {
  it('writes its files, prints the summary alone, and says nothing else', async () => {
    const { code, stdout, stderr } = await run(folder, command, ...args, '--out', command, '--json')
    expect([code, stderr]).toEqual([0, ''])
    expect(readdirSync(at(command)).sort().join(' ')).toBe(files)
    expect(stdout).toBe(readFileSync(at(command, 'summary.json'), 'utf8'))
    expect(Object.keys(JSON.parse(stdout) as object).join(' ')).toBe(fields[command])
  })

  it('writes nothing without --out', async () => {
    const before = readdirSync(folder)
    const { code } = await run(folder, command, ...args, '--json')
    expect([code, readdirSync(folder)]).toEqual([0, before])
  })

  it('reports progress as lines when asked, and not when told to be quiet', async () => {
    const into = [...args, '--out', command, '--force', '--progress']
    const told = await run(folder, command, ...into)
    expect(told.stderr).toMatch(new RegExp(`^(gemmine: ${command}: .*\n)+$`))
    expect(told.stderr).toMatch(
      // No rate of a job that took hardly any time.
      new RegExp(`: ${outcome}; (0\\.\\d\\d s|\\d+\\.\\d\\d s, \\d+\\.\\d GFLOP/s); wrote .*\n$`),
    )
    const quiet = await run(folder, command, ...into, '--quiet')
    expect(quiet.stderr).toBe('')
  })
})

it.each(['topk', 'range', 'mine'])('%s tells the precision that the scan began in', (command) => {
  const { precision } = JSON.parse(readFileSync(at(command, 'summary.json'), 'utf8')) as {
    precision: string
  }
  expect(precision).toBe(info().cpu.scan)
})

describe('keeps its inputs, also with --force', () => {
  const refused = async (path: string, out: string, ...args: string[]) => {
    const before = readdirSync(at(out)).sort()
    const { code, stderr } = await run(folder, ...args, '--out', out, '--force')
    expect(code).toBe(2)
    expect(stderr).toContain(`gemmine: ${path}: expected an input outside the results in --out,`)
    expect(readdirSync(at(out)).sort()).toEqual(before)
  }
  const positives = ['--positives', 'positives.tsv']
  const mined = [...scan, ...positives]

  it.each([
    ['factorize/W.npy', 'factorize', ['factorize', 'factorize/W.npy', '--rank', '2']],
    ['factorize/H.npy', 'factorize', ['transform', 'factorize/H.npy', '--model', 'factorize']],
    [
      'topk/scores.npy',
      'topk',
      ['topk', '--queries', 'topk/scores.npy', ...scan.slice(2), '--k', '3'],
    ],
    ['topk/scores.npy', 'topk', ['mine', ...scan.slice(0, 3), 'topk/scores.npy', ...positives]],
    ...['--query-ids', '--corpus-ids', '--exclude'].map((option) => [
      'mine/negatives.jsonl',
      'mine',
      ['mine', ...mined, option, 'mine/negatives.jsonl'],
    ]),
    [
      'mine/counts.npy',
      'mine',
      [
        'mine',
        ...mined,
        '--groups',
        'same',
        '--query-groups',
        'mine/counts.npy',
        '--corpus-groups',
        'x',
      ],
    ],
    [
      'mine/negatives.jsonl',
      'mine',
      ['mine', ...mined, '--query-texts', 'docs.npy', '--corpus-texts', 'mine/negatives.jsonl'],
    ],
  ] as [string, string, string[]][])('%s in %s', (path, out, args) => refused(path, out, ...args))

  it.each(['factorize', 'factorize/model.safetensors'])('the model %s', (model) =>
    refused('factorize/model.safetensors', 'factorize', 'transform', 'docs.npy', '--model', model),
  )
})

it.each(['anls-bpp', 'projected-gradient'])('factorizes by %s', async (solver) => {
  const asked = ['--model', 'nmf', '--rank', '2', '--solver', solver, '--json']
  const { code, stdout } = await run(folder, 'factorize', 'counts.mtx', ...asked)
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { solver, init: 'nndsvdar' }])
})

it('keeps W and the codes of new rows below --upper-w', async () => {
  const asked = ['--rank', '3', '--upper-w', '.25', '--out', 'bounded']
  expect(await run(folder, 'factorize', 'docs.npy', ...asked)).toMatchObject({ code: 0 })
  await run(folder, 'transform', 'docs.npy', '--model', 'bounded', '--out', 'codes')
  for (const of of ['bounded', 'codes'])
    expect(Math.max(...((await readNpy(at(of, 'W.npy'))).data as Float32Array))).toBe(0.25)
})

it('pads what --min-score leaves short', async () => {
  const { code } = await run(
    folder,
    ...['topk', ...scan, '--k', '3', '--min-score', '.999', '--out', 'near'],
  )
  expect(code).toBe(0)
  const { data } = await readNpy(at('near', 'indices.npy'))
  expect([...data].slice(0, 6)).toEqual([0, -1, -1, 1, -1, -1])
})

it('factorizes a sparse file, and counts the work of its entries', async () => {
  const { code, stderr } = await run(
    folder,
    'factorize',
    'counts.mtx',
    '--model',
    'nmf',
    '--rank',
    '2',
    '--out',
    'sparse',
  )
  expect([code, stderr]).toEqual([0, ''])
  const { rows, cols } = await readNpy(at('sparse', 'W.npy'))
  expect([rows, cols]).toEqual([4, 2])
  const { shape, gflops, seconds, iterations } = JSON.parse(
    readFileSync(at('sparse', 'summary.json'), 'utf8'),
  )
  expect(shape).toEqual([4, 3])
  expect(gflops).toBeCloseTo((4 * 4 * 2 * iterations) / seconds / 1e9, 12)
})

it('repeats a warning on stderr, word for word', async () => {
  const { stdout, stderr } = await run(
    folder,
    'factorize',
    'docs.npy',
    '--rank',
    '2',
    '--l1-w',
    '1',
    '--json',
  )
  const [warning] = (JSON.parse(stdout) as { warnings: string[] }).warnings
  expect(stderr).toBe(`gemmine: warning: ${warning}\n`)
})

it('names the file, row and column of an entry that is no number', async () => {
  const { data } = gaussian(6, 4, 1)
  data[4 * 4 + 1] = NaN
  await writeNpy(at('broken.npy'), { data, shape: [6, 4] })
  const { code, stderr } = await run(
    folder,
    'topk',
    '--queries',
    'broken.npy',
    '--corpus',
    'broken.npy',
    '--k',
    '2',
    '--out',
    'none',
  )
  expect([code, stderr]).toEqual([
    2,
    'gemmine: Expected a finite number at row 4, column 1 of broken.npy, received NaN\n',
  ])
  expect(existsSync(at('none'))).toBe(false)
})

it('tells what it is', async () => {
  const { code, stdout } = await run(folder, 'info', '--json')
  expect(code).toBe(0)
  expect(Object.keys(JSON.parse(stdout) as object)).toEqual([
    'version',
    'node',
    'cpu',
    'blas',
    'threads',
    'threadsReason',
    'devices',
  ])
})

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('stops soon after %s, says so, and leaves nothing', async (signal, exitCode) => {
  const before = readdirSync(folder)
  const long = ['--rank', '64', '--iterations', '10000', '--tolerance', '0', '--init', 'random']
  const child = launch(folder, 'factorize', 'large.npy', ...long, '--out', 'stopped')
  const end = ended(child)
  while (readdirSync(folder).length === before.length) await pause(20)
  await pause(500)
  const asked = performance.now()
  child.kill(signal)
  const { code, stderr } = await end
  expect([code, stderr]).toEqual([exitCode, `gemmine: stopped by ${signal}; nothing was written\n`])
  expect(performance.now() - asked).toBeLessThan(10_000)
  expect(readdirSync(folder)).toEqual(before)
})
