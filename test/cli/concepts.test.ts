// gemmine concepts: the files that it writes, what it prints, and its messages.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reducerNames } from '../../lib/concepts/reducer'
import { FactorizationModel } from '../../lib/index'
import type { Concept } from '../../lib/concepts/describe-concepts'
import { readNpy, writeNpy } from '../../lib/data/npy'
import { plantedConcepts } from '../concepts/planted'
import { gaussian, matrixOf } from '../matrices'
import { failureFrom, run } from './commands'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-concepts-'))
const at = (...path: string[]) => join(folder, ...path)
const rows = 90
const tokens = Array.from({ length: rows }, (_, i) => `s${i >> 2}\tt<${i}>`)

beforeAll(async () => {
  const { X } = plantedConcepts([rows, 12, 3], 5)
  await writeNpy(at('x.npy'), { data: X.data, shape: [rows, 12] })
  const positive = matrixOf(rows, 12, (i, j) => Math.abs(X.data[i * 12 + j]!))
  await writeNpy(at('positive.npy'), { data: positive.data, shape: [rows, 12] })
  await writeNpy(at('unembedding.npy'), { data: gaussian(4, 5, 1).data, shape: [4, 5] })
  await writeNpy(at('output.npy'), { data: gaussian(5, 12, 2).data, shape: [5, 12] })
  writeFileSync(at('tokens.tsv'), `${tokens.join('\n')}\n`)
  writeFileSync(at('words.txt'), 'a\nb\nc\nd\n')
  writeFileSync(at('texts.txt'), tokens.map((_, i) => `text ${i} \u001b[31m\n`).join(''))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const conceptsIn = (out: string) =>
  readFileSync(at(out, 'concepts.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Concept)

const basic = ['concepts', 'x.npy', '--rank', '3', '--contexts', 'tokens.tsv']

describe('gemmine concepts', () => {
  it('prints concepts, and writes codes, components, a model, lines and a page', async () => {
    const { code, stdout, stderr } = await run(folder, ...basic, '--out', 'out', '--count', '4')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^concept 0, \d+\.\d % of the energy\n +\d[\d.]+ {2}.*\[t<\d+>\]/)
    expect(stdout.match(/^concept /gm)).toHaveLength(3)
    expect(readdirSync(at('out')).sort()).toEqual([
      ...['H.npy', 'W.npy', 'concepts.html', 'concepts.jsonl', 'model.safetensors', 'summary.json'],
    ])
    const concepts = conceptsIn('out')
    expect(concepts.map(({ component }) => component)).toEqual([0, 1, 2])
    for (const { contexts } of concepts) {
      expect(contexts).toHaveLength(4)
      expect(new Set(contexts.map(({ row }) => row >> 2)).size).toBe(4)
      for (const { row, token } of contexts) expect(token).toBe(`t<${row}>`)
    }
    const [W, H] = [await readNpy(at('out', 'W.npy')), await readNpy(at('out', 'H.npy'))]
    expect([W.rows, W.cols, H.rows, H.cols]).toEqual([rows, 3, 3, 12])
    expect((await FactorizationModel.load(at('out', 'model.safetensors'))).rank).toBe(3)
    const page = readFileSync(at('out', 'concepts.html'), 'utf8')
    expect(page).toContain('t&lt;0&gt;')
    expect(page).not.toContain('<0>')
  })

  it('gives a summary alone with --json', async () => {
    const { code, stdout } = await run(folder, ...basic, '--json')
    expect(code).toBe(0)
    const summary = JSON.parse(stdout) as { shares: number[] }
    expect(summary).toMatchObject({
      ...{ command: 'concepts', model: 'semi-nmf', shape: [rows, 12], rank: 3, seed: 0 },
      ...{ dead: [], collinear: [], warnings: [], converged: true },
    })
    expect(summary.shares).toHaveLength(3)
  })

  it.each(reducerNames)('takes --model %s', async (model) => {
    const X = /^(nmf|orthogonal-nmf|min-volume-nmf)$/.test(model) ? 'positive.npy' : 'x.npy'
    const given = [X, '--rank', '2', '--model', model, '--out', model, '--quiet', '--force']
    const { code, stdout } = await run(folder, 'concepts', ...given)
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(conceptsIn(model)).toHaveLength(2)
    expect(readdirSync(at(model)).includes('model.safetensors')).toBe(
      !['kmeans', 'svd'].includes(model),
    )
  })

  it('shows texts without their control characters, and words of a vocabulary', async () => {
    const words = ['--unembedding', 'unembedding.npy', '--vocabulary', 'words.txt']
    const given = ['--contexts', 'texts.txt', ...words, '--output-weights', 'output.npy']
    const { code, stdout } = await run(
      folder,
      'concepts',
      'x.npy',
      '--rank',
      '2',
      ...given,
      '--out',
      'texts',
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/\[text \d+ \\u001b\[31m\]/)
    for (const { words } of conceptsIn('texts'))
      expect([...words!.top].sort()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('writes the same bytes for any number of threads', async () => {
    for (const threads of ['1', '2'])
      await run(folder, ...basic, '--threads', threads, '--out', `threads${threads}`, '--quiet')
    for (const name of ['W.npy', 'H.npy', 'concepts.jsonl', 'concepts.html'])
      expect(readFileSync(at('threads1', name))).toEqual(readFileSync(at('threads2', name)))
  })
})

it.each([
  [[], 'the number of concepts for --rank, received nothing'],
  [['--rank', '13', '--model', 'svd'], 'an integer from 1 to 12 for --rank, received 13'],
  [['--rank', '91', '--model', 'kmeans'], 'an integer from 1 to 90 for --rank, received 91'],
  [['--rank', '2', '--model', 'pca'], 'for --model, received pca'],
  [
    ['--rank', '2', '--sparsity', '0.1'],
    'nothing (the model semi-nmf has no such option) for --sparsity',
  ],
  [['--rank', '2', '--model', 'nmf'], 'a non-negative number at row 0'],
  [['--rank', '2', '--count', '0'], 'an integer of at least 1 for --count, received 0'],
  [
    ['--rank', '2', '--collinear-at', '2'],
    'a finite number from 0 to 1 for --collinear-at, received 2',
  ],
  [
    ['--rank', '2', '--contexts', at('words.txt')],
    'words.txt: expected 90 texts, one for each row of X, received 4',
  ],
  [['--rank', '2', '--contexts', at('none.tsv')], 'none.tsv'],
  [['--rank', '2', '--vocabulary', at('words.txt')], '--unembedding beside it for --vocabulary'],
  [
    ['--rank', '2', '--output-weights', at('output.npy')],
    '--unembedding beside it for --output-weights',
  ],
  [
    ['--rank', '2', '--unembedding', at('output.npy'), '--vocabulary', at('words.txt')],
    'words.txt: expected 5 tokens, one for each row of',
  ],
  [
    ['--rank', '2', '--unembedding', at('unembedding.npy'), '--vocabulary', at('words.txt')],
    `12 columns, as in the directions for ${at('unembedding.npy')}, received 5`,
  ],
])('tells what is wrong with %j', async (options, sentence) => {
  const { exitCode, sentence: told } = await failureFrom(
    'concepts',
    at('x.npy'),
    ...options,
    '--json',
  )
  expect({ exitCode, told }).toEqual({ exitCode: 2, told: expect.stringContaining(sentence) })
})
