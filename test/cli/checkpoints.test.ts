import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeNpy } from '../../lib/index'
import { gaussian, uniform } from '../matrices'
import { ended, launch, run } from './commands'

let folder: string
const at = (...parts: string[]) => join(folder, ...parts)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gemmine-checkpoints-'))
  const { data, rows, cols } = gaussian(4000, 60, 1)
  await writeNpy(at('mixed.npy'), { data, shape: [rows, cols] })
  await writeNpy(at('positive.npy'), { data: data.map(Math.abs), shape: [rows, cols] })
})
afterAll(() => rmSync(folder, { recursive: true }))

const often = ['--checkpoint', 'run.safetensors', '--checkpoint-seconds', '0']
const random = uniform(7)

/** In ms, from a run's first checkpoint to its kill; shorter after a run that ended before. */
let longestPause = 400

/** Kills a run at a random moment after its first checkpoint; returns whether it was still running. */
async function killed(args: string[]): Promise<boolean> {
  const child = launch(folder, ...args)
  const end = ended(child)
  while (!existsSync(at('run.safetensors')) && child.exitCode === null) await pause(2)
  await pause(longestPause * random())
  child.kill('SIGKILL')
  const running = (await end).code === null
  if (!running) longestPause /= 2
  return running
}

it.each([
  ['semi-nmf', ['mixed.npy']],
  ['nmf', ['positive.npy', '--model', 'nmf', '--acceleration', 'extrapolated']],
  ['nmf, kullback-leibler', ['positive.npy', '--model', 'nmf', '--loss', 'kullback-leibler']],
  ['snmf', ['mixed.npy', '--model', 'snmf', '--sparsity', '0.1']],
])('%s, killed again and again and resumed, has the bytes of one run', async (_, job) => {
  const options = ['factorize', ...job, '--rank', '8', '--iterations', '400', '--tolerance', '0']
  const whole = await run(folder, ...options, '--out', 'whole', '--force')
  expect(whole.code).toBe(0)
  rmSync(at('run.safetensors'), { force: true })
  rmSync(at('killed'), { recursive: true, force: true })
  let kills = 0
  let resume: string[] = []
  for (let run = 0; run < 10 && kills < 4; run++) {
    const own = [...options, ...often, ...resume, '--threads', run % 2 === 0 ? '2' : '1']
    if (!(await killed([...own, '--out', 'killed', '--force']))) {
      if (kills > 0) break
      rmSync(at('run.safetensors'), { force: true })
      rmSync(at('killed'), { recursive: true, force: true })
      continue
    }
    kills++
    expect(existsSync(at('killed', 'W.npy'))).toBe(false)
    resume = ['--resume', 'run.safetensors']
  }
  const end = await run(folder, ...options, ...resume, '--out', 'resumed', '--force')
  expect(end.code).toBe(0)
  expect(kills).toBeGreaterThan(0)
  for (const file of ['W.npy', 'H.npy'])
    expect(readFileSync(at('resumed', file)).equals(readFileSync(at('whole', file)))).toBe(true)
})
