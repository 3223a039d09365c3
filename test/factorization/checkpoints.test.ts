import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSafetensors, writeSafetensors, type Tensor } from '../../lib/data/safetensors'
import { checkPlace, stamped } from '../../lib/data/checkpoint-file'
import { checkResume } from '../../lib/factorization/checkpoint'
import { nmf, semiNmf, type Factorization } from '../../lib/index'
import { gaussian } from '../matrices'

let folder: string
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'checkpoint-'))))
afterAll(() => rmSync(folder, { recursive: true }))

const X = gaussian(300, 40, 1)
const positive = { ...X, data: X.data.map(Math.abs) }

/** A mask. */
const everyThird = Uint8Array.from(X.data, (_, at) => (at % 3 === 0 ? 0 : 1))

const expectSame = (a: Factorization, b: Factorization) => {
  expect(a.W.data).toEqual(b.W.data)
  expect(a.H.data).toEqual(b.H.data)
  expect(a.objective).toEqual(b.objective)
}

describe('checkpoints', () => {
  it.each([
    ['semiNmf', semiNmf, X, {}],
    ['nmf', nmf, positive, {}],
    ['nmf, extrapolated', nmf, positive, { acceleration: 'extrapolated' }],
    ['nmf, kullback-leibler', nmf, positive, { loss: 'kullback-leibler' }],
    ['nmf, a mask and hals', nmf, positive, { mask: everyThird, solver: 'hals' }],
    ['semiNmf, huber', semiNmf, X, { loss: 'huber', delta: 1 }],
  ] as const)(
    '%s goes on to the bits of a run that was not interrupted',
    async (_, fit, data, more) => {
      const options = { rank: 6, tolerance: 0, iterations: 9, ...more } as never
      const checkpoint = join(folder, 'run.safetensors')
      const whole = await (fit as typeof nmf)(data, options)
      const part = { ...(options as object), iterations: 4, checkpoint } as never
      await (fit as typeof nmf)(data, part)
      const rest = { ...(options as object), resume: checkpoint, threads: 1 } as never
      expectSame(await (fit as typeof nmf)(data, rest), whole)
    },
  )

  it('are written when a signal aborts, at the end of the iteration', async () => {
    const checkpoint = join(folder, 'aborted.safetensors')
    const control = new AbortController()
    const steps = { init: 'random', acceleration: 'none' } as const
    const options = { rank: 6, tolerance: 0, ...steps }
    const stopped = nmf(positive, {
      ...options,
      // Far from its end when it is aborted, however fast an iteration is.
      iterations: 1e7,
      checkpoint,
      checkpointSeconds: 1e6,
      signal: control.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'iterate' && done > 3) control.abort(new Error('enough'))
      },
    })
    await expect(stopped).rejects.toThrow('enough')
    const { metadata } = await readSafetensors(checkpoint)
    const iterations = Number(metadata!.objectives) + 10
    expectSame(
      await nmf(positive, { ...options, iterations, resume: checkpoint }),
      await nmf(positive, { ...options, iterations }),
    )
    expect(readdirSync(folder).filter((name) => name.includes('.part-'))).toEqual([])
  })

  it('fail in the words of other files when the place goes away in the middle', async () => {
    const gone = join(folder, 'gone')
    mkdirSync(gone)
    const checkpoint = join(gone, 'run.safetensors')
    const onProgress = () => existsSync(gone) && renameSync(gone, join(folder, 'elsewhere'))
    const options = { rank: 3, checkpoint, checkpointSeconds: 0, tolerance: 0, onProgress }
    const { message, code, cause } = (await nmf(positive, { ...options, iterations: 1000 }).catch(
      (error: unknown) => error,
    )) as NodeJS.ErrnoException
    expect(message).toBe(`${checkpoint}: there is no such file or folder`)
    expect(code).toBe('ERR_GEMMINE_FILE')
    expect(cause).toMatchObject({ code: 'ENOENT' })
  })

  it('of another X, model or option, and what is none, are refused by name', async () => {
    const checkpoint = join(folder, 'other.safetensors')
    const options = { rank: 5, iterations: 2 }
    await nmf(positive, { ...options, checkpoint })
    expect(existsSync(checkpoint)).toBe(true)
    const other = { ...positive, data: positive.data.slice() }
    other.data[77]! += 1
    const resume = checkpoint
    await expect(nmf(other, { ...options, resume })).rejects.toThrow('a checkpoint of the same X')
    await expect(semiNmf(positive, { ...options, resume })).rejects.toThrow('model semi-nmf')
    await expect(nmf(positive, { ...options, rank: 4, resume })).rejects.toThrow('rank 4')
    await expect(nmf(positive, { ...options, seed: 3, resume })).rejects.toThrow('seed 3')
    const damaged = join(folder, 'damaged.safetensors')
    writeFileSync(damaged, 'no checkpoint')
    await expect(nmf(positive, { ...options, resume: damaged })).rejects.toThrow('another file')
    copyFileSync(checkpoint, damaged)
    writeFileSync(damaged, '', { flag: 'a' })
    await expect(nmf(positive, { ...options, resume: join(folder, 'none') })).rejects.toThrow(
      'no such',
    )
  })

  it('of a survey of thousands of ranks are checkpoints, not other files', async () => {
    const path = join(folder, 'survey.safetensors')
    const tensors: Record<string, Tensor> = {}
    for (let rank = 1; rank <= 10_000; rank++)
      for (const name of [
        'H',
        'components',
        'silhouettes',
        'relativeErrors',
        'heldOutErrors',
        'numbers',
      ])
        tensors[`${name}.${rank}`] = { data: Float64Array.of(1), shape: [1] }
    const identity = { X: 'the same' }
    await writeSafetensors(path, { tensors, metadata: { ...stamped(identity), objectives: '0' } })
    expect(await checkResume(path, identity)).toBe(0)
    await expect(checkPlace(path)).resolves.toBeUndefined()
  })
})
