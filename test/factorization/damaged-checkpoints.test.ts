// A damaged checkpoint was resumed with other numbers, or ended in a TypeError that named no file.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  deepSemiNmf,
  hierarchicalSemiNmf,
  mineHardNegatives,
  nmf,
  selectRank,
} from '../../lib/index'
import { gaussian } from '../matrices'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-damaged-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string) => join(folder, name)

const X = gaussian(12, 8, 1)
const positive = { ...X, data: X.data.map(Math.abs) }
const fit = { tolerance: 0, iterations: 2, init: 'random' } as const

const runs: Readonly<Record<string, (files: object) => Promise<unknown>>> = {
  nmf: (files) => nmf(positive, { rank: 2, ...fit, ...files }),
  deepSemiNmf: (files) => deepSemiNmf(X, { ranks: [3, 2], fit, fineTuneIterations: 1, ...files }),
  hierarchicalSemiNmf: (files) => hierarchicalSemiNmf(X, { ranks: [3, 2], fit, ...files }),
  selectRank: (files) =>
    selectRank(positive, { ranks: [2, 3], model: 'nmf', restarts: 2, iterations: 2, ...files }),
}

/** Resumes from these bytes. A space or the like beside the JSON may differ without effect on a number. */
async function expectRefused(run: (files: object) => Promise<unknown>, bytes: Buffer, at: number) {
  const resume = path('damaged')
  writeFileSync(resume, bytes)
  const failure = await run({ resume }).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(failure, `byte ${at}`).toMatchObject({ code: 'ERR_GEMMINE_FILE' })
  expect((failure as Error).message, `byte ${at}`).toContain(resume)
}

describe.each(Object.entries(runs))('a checkpoint of %s', (name, run) => {
  it('with a wrong byte anywhere is refused by its name', async () => {
    await run({ checkpoint: path(name) })
    const whole = readFileSync(path(name))
    const start = 8 + Number(whole.readBigUInt64LE())
    const padding = whole.subarray(0, start).lastIndexOf('}') + 1
    const step = Math.ceil(whole.length / 200)
    for (let at = 0; at < whole.length; at += at < start ? 5 : step) {
      if (at >= padding && at < start) continue
      const bytes = Buffer.from(whole)
      bytes[at]! ^= 1 << (at % 7)
      await expectRefused(run, bytes, at)
    }
  })

  it('that is cut off, or longer, is refused by its name', async () => {
    const whole = readFileSync(path(name))
    for (const length of [0, 5, 100, whole.length >> 1, whole.length - 1])
      await expectRefused(run, whole.subarray(0, length), length)
    await expectRefused(run, Buffer.concat([whole, Buffer.alloc(8)]), whole.length)
  })
})

it('a file that tells of more objectives than it can hold is refused', async () => {
  const whole = readFileSync(path('nmf')).toString('latin1')
  expect(whole).toContain('"objectives":"3"')
  for (const text of [
    '"NaN":"3333333"',
    '"objectives":"9"',
    '"objectives":"x"',
    '"objectives":"-"',
  ]) {
    const bytes = Buffer.from(whole.replace('"objectives":"3"', text.padEnd(16)), 'latin1')
    await expectRefused(runs['nmf']!, bytes, 0)
  }
})

it('a checkpoint of layers that is given to another model names the model, not a graph', async () => {
  const resume = path('hierarchicalSemiNmf')
  await expect(runs['nmf']!({ resume })).rejects.toThrow(
    'expected model nmf, as in this call, received hierarchical-semi-nmf',
  )
  await expect(runs['hierarchicalSemiNmf']!({ resume: path('nmf') })).rejects.toThrow(
    'expected model hierarchical-semi-nmf, as in this call, received nmf',
  )
  const positives = Array.from({ length: 12 }, (_, i) => [i])
  const mine = (files: object) => mineHardNegatives(X, X, positives, { numNegatives: 1, ...files })
  await expect(mine({ resume })).rejects.toThrow(
    'expected a checkpoint of a mining job, received that of a fit of hierarchical-semi-nmf',
  )
  await mine({ checkpoint: path('mined') })
  await expect(runs['nmf']!({ resume: path('mined') })).rejects.toThrow(
    'expected a checkpoint of a fit of nmf, received that of a mining job',
  )
})
