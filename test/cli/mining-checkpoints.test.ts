// gemmine mine, killed and resumed, writes the bytes of an undisturbed run.
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeNpy } from '../../lib/index'
import { gaussian, uniform } from '../matrices'
import { ended, failureFrom, launch, run } from './commands'

let folder: string
const at = (...parts: string[]) => join(folder, ...parts)

const queries = 4000

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gemmine-mining-checkpoints-'))
  for (const [name, rows, seed] of [
    ['q.npy', queries, 1],
    ['c.npy', 3000, 2],
  ] as const) {
    const { data, cols } = gaussian(rows, 24, seed)
    await writeNpy(at(name), { data, shape: [rows, cols] })
  }
  const pairs = Array.from({ length: queries }, (_, query) => `${query}\t${(query * 7) % 3000}\n`)
  writeFileSync(at('p.tsv'), pairs.join(''))
})
afterAll(() => rmSync(folder, { recursive: true }))

const checkpoint = 'run.safetensors'
const job = ['mine', '--queries', 'q.npy', '--corpus', 'c.npy', '--positives', 'p.tsv']
const often = ['--checkpoint', checkpoint, '--checkpoint-seconds', '0']
const random = uniform(11)

/** In ms, from a run's first checkpoint to its kill; shorter after a run that ended before. */
let longestPause = 300

/** The moment at which the checkpoint was last replaced. */
const written = () => (existsSync(at(checkpoint)) ? statSync(at(checkpoint)).mtimeMs : 0)

/** Kills a run at a random moment after it wrote a checkpoint; returns whether it was still running. */
async function killed(args: string[]): Promise<boolean> {
  const before = written()
  const child = launch(folder, ...args)
  const end = ended(child)
  while (written() === before && child.exitCode === null) await pause(2)
  await pause(longestPause * random())
  child.kill('SIGKILL')
  const running = (await end).code === null
  if (!running) longestPause /= 2
  return running
}

it.each([
  ['the best', 2, ['--explain', '2', '--format', 'flag-embedding']],
  ['a shard of random draws', 1, ['--sampling', 'random', '--shard', '0/2']],
])('%s, killed %d times and resumed, have the bytes of one run', async (_, wanted, options) => {
  const args = [...job, ...options]
  expect((await run(folder, ...args, '--out', 'whole', '--force')).code).toBe(0)
  rmSync(at(checkpoint), { force: true })
  rmSync(at('killed'), { recursive: true, force: true })
  let kills = 0
  let resume: string[] = []
  for (let run = 0; run < 6 && kills < wanted; run++) {
    const threads = ['--threads', run % 2 === 0 ? '2' : '1']
    if (!(await killed([...args, ...often, ...resume, ...threads, '--out', 'killed', '--force']))) {
      rmSync(at('killed'), { recursive: true, force: true })
      if (kills > 0) break
      rmSync(at(checkpoint), { force: true })
      continue
    }
    kills++
    resume = ['--resume', checkpoint]
  }
  const end = await run(folder, ...args, ...resume, '--out', 'resumed', '--force')
  expect(end.code).toBe(0)
  expect(kills).toBeGreaterThan(0)
  const files = readdirSync(at('whole')).filter((name) => /npy|jsonl/.test(name))
  expect(files.length).toBeGreaterThan(3)
  for (const file of files)
    expect(readFileSync(at('resumed', file)).equals(readFileSync(at('whole', file))), file).toBe(
      true,
    )
})

it('an interrupted run writes its checkpoint and says so', async () => {
  rmSync(at(checkpoint), { force: true })
  const args = [...job, '--checkpoint', checkpoint, '--out', 'interrupted']
  const child = launch(folder, ...args)
  const end = ended(child)
  while (!existsSync(at(checkpoint)) && child.exitCode === null) await pause(2)
  child.kill('SIGINT')
  const { code, stderr } = await end
  expect([0, 130]).toContain(code)
  if (code === 130) {
    expect(existsSync(at('interrupted'))).toBe(false)
    expect(stderr).toBe(
      'gemmine: stopped by SIGINT; the checkpoint run.safetensors was written, and no results\n',
    )
  }
  expect((await run(folder, ...args, '--resume', checkpoint, '--force')).code).toBe(0)
})

it('a checkpoint of another run is refused in the words of the command line', async () => {
  const options = ['--checkpoint', 'other.safetensors', '--num-negatives', '2']
  expect((await run(folder, ...job, ...options, '--json')).code).toBe(0)
  const { code, stderr } = await run(folder, ...job, '--resume', 'other.safetensors', '--json')
  expect([code, stderr]).toEqual([
    2,
    'gemmine: other.safetensors: expected --num-negatives 4, as in this call, received 2\n',
  ])
})

it('a checkpoint inside --out, in no folder or over another file is refused before work starts', async () => {
  const refused = (...options: string[]) =>
    failureFrom(...job.map((arg) => (/\.(npy|tsv)$/.test(arg) ? at(arg) : arg)), ...options)
  const out = at('refused')
  expect(await refused('--out', out, '--checkpoint', join(out, 'run.safetensors'))).toEqual({
    sentence: `Expected a file outside --out ${out} for --checkpoint, received ${join(out, 'run.safetensors')}`,
    exitCode: 2,
  })
  const nowhere = at('nowhere', 'run.safetensors')
  expect(await refused('--out', out, '--checkpoint', nowhere)).toEqual({
    sentence: `${nowhere}: there is no such file or folder`,
    exitCode: 2,
  })
  expect(await refused('--out', out, '--checkpoint', at('p.tsv'))).toMatchObject({ exitCode: 2 })
  expect(await refused('--out', out, '--resume', at('q.npy'))).toMatchObject({
    sentence: expect.stringContaining('expected a checkpoint of gemmine') as string,
    exitCode: 2,
  })
  expect(existsSync(out)).toBe(false)
})
