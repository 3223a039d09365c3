// gemmine select-rank: the files that it writes, and its messages.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FactorizationModel } from '../../lib/index'
import { readNpy, writeNpy } from '../../lib/data/npy'
import { planted } from '../matrices'
import { failureFrom, run } from './commands'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-ranks-'))
const at = (...path: string[]) => join(folder, ...path)
beforeAll(() => writeNpy(at('x.npy'), { data: planted(60, 8, 2, 3, true).data, shape: [60, 8] }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const surveyed = ['select-rank', 'x.npy', '--model', 'nmf', '--ranks', '1:3', '--restarts', '3']

it('writes the survey, and the factors and the model of the chosen rank', async () => {
  const { code, stderr } = await run(folder, ...surveyed, '--out', 'out', '--progress')
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('; wrote ') })
  expect(stderr).toMatch(/select-rank: rank 2: restart \d of 3/)
  expect(readdirSync(at('out')).sort()).toEqual([
    'H.npy',
    'W.npy',
    'model.safetensors',
    'summary.json',
  ])
  const summary = JSON.parse(readFileSync(at('out', 'summary.json'), 'utf8')) as Record<
    string,
    unknown
  > & { chosen: number; ranks: Record<string, unknown>[] }
  expect(summary).toMatchObject({
    command: 'select-rank',
    model: 'nmf',
    shape: [60, 8],
    restarts: 3,
  })
  expect(summary.ranks.map(({ rank }) => rank)).toEqual([1, 2, 3])
  for (const each of summary.ranks)
    for (const field of ['minSilhouette', 'meanSilhouette', 'relativeError', 'aic', 'bic'])
      expect(each[field], field).toEqual(expect.any(Number))
  const { rows, cols } = await readNpy(at('out', 'W.npy'))
  expect([rows, cols]).toEqual([60, summary.chosen])
  expect((await FactorizationModel.load(at('out', 'model.safetensors'))).rank).toBe(summary.chosen)
})

it('reports the errors of entries that were held out, which may decide', async () => {
  const options = ['--criterion', 'hold-out', '--hold-out', '0.2', '--out', 'held-out']
  expect((await run(folder, ...surveyed, ...options)).code).toBe(0)
  const summary = JSON.parse(readFileSync(at('held-out', 'summary.json'), 'utf8')) as {
    ranks: Record<string, unknown>[]
  }
  expect(summary).toMatchObject({ criterion: 'hold-out' })
  for (const each of summary.ranks)
    expect(each).toMatchObject({
      heldOutError: expect.any(Number),
      heldOutErrors: [expect.any(Number), expect.any(Number), expect.any(Number)],
    })
})

it('surveys minimum-volume NMF with its own start and options', async () => {
  const model = ['--model', 'min-volume-nmf', '--volume', '0.2', '--row-sums', 'one']
  const options = ['select-rank', at('x.npy'), '--ranks', '2', '--restarts', '2', ...model]
  expect((await run(folder, ...options, '--out', 'volume')).code).toBe(0)
  const summary = JSON.parse(readFileSync(at('volume', 'summary.json'), 'utf8')) as object
  expect(summary).toMatchObject({ model: 'min-volume-nmf', init: 'spa', criterion: 'stability' })
  const told = await failureFrom(...options, '--l1-w', '1', '--out', at('refused'))
  expect(told.sentence).toContain(
    'nothing (the model min-volume-nmf has no such option) for --l1-w',
  )
})

it.each([
  [['--ranks', '2', '--hold-out', '1'], 'from 0 to 0.9 for --hold-out, received 1'],
  [
    ['--ranks', '2-4'],
    'a range A:B, such as 2:10, or a list, such as 2,4,8 for --ranks, received 2-4',
  ],
  [['--ranks', '2:9'], 'an integer from 2 to 8 for --ranks, received 9'],
  [['--ranks', '4:2'], 'an integer from 4 to 8 for --ranks, received 2'],
  [['--ranks', '2,9'], 'an integer from 1 to 8 for --ranks, received 9'],
  [[], 'the ranks to survey, such as 2:10 for --ranks, received nothing'],
  [['--ranks', '2', '--restarts', '1'], 'an integer of at least 2 for --restarts, received 1'],
  [
    ['--ranks', '2', '--loss', 'itakura-saito'],
    'one of frobenius, huber, l21, correntropy, row-correntropy for --loss',
  ],
  [['--ranks', '2', '--rank', '2'], '--rank'],
])('tells what is wrong with %j', async (options, sentence) => {
  const { exitCode, sentence: told } = await failureFrom(
    'select-rank',
    at('x.npy'),
    ...options,
    '--json',
  )
  expect({ exitCode, told }).toEqual({ exitCode: 2, told: expect.stringContaining(sentence) })
})
