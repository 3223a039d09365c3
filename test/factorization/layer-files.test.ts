// Checkpoints of models of layers: the file of finished layers, and that of the fit that runs.
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import {
  deepSemiNmf,
  hierarchicalSemiNmf,
  nmf,
  type LayeredModel,
  type Matrix,
  type Progress,
} from '../../lib/index'
import { gaussian } from '../matrices'
import { ringGraph } from '../reference/graphs'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-layers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const X = gaussian(120, 24, 1)
const labels = [undefined, Int32Array.from({ length: 120 }, (_, i) => (i % 7) - 1)]

interface Layered extends LayeredModel {
  readonly codes: readonly Matrix[]
  readonly relativeErrors: readonly number[]
  readonly objective: Float64Array
}

const path = (name: string) => join(folder, name)
beforeEach(() => readdirSync(folder).forEach((name) => rmSync(path(name))))

const base = { ranks: [6, 3] }
const fit = { tolerance: 0, iterations: 15, seed: 3 }
const runs = {
  'hierarchical-semi-nmf': (more: object) => hierarchicalSemiNmf(X, { ...base, fit, ...more }),
  'deep-semi-nmf': (more: object) => deepSemiNmf(X, { ...base, fit, labels, ...more }),
} as const satisfies Record<string, (more: object) => Promise<Layered>>

const expectSame = (a: Layered, b: Layered) => {
  expect(a.codes).toEqual(b.codes)
  expect(a.components).toEqual(b.components)
  expect(a.links).toEqual(b.links)
  expect(a.objective).toEqual(b.objective)
  expect(a.relativeErrors).toEqual(b.relativeErrors)
}

/** A run that is aborted at the first progress of a stage. */
async function abortedIn(stage: string, run: (more: object) => Promise<unknown>) {
  const control = new AbortController()
  const onProgress = ({ phase }: Progress) => {
    if (phase.startsWith(stage)) control.abort(new Error('enough'))
  }
  await expect(run({ signal: control.signal, onProgress })).rejects.toThrow('enough')
}

describe.each(Object.entries(runs))('checkpoints of %s', (model, run) => {
  const stages =
    model === 'deep-semi-nmf' ? ['layer-0', 'layer-1', 'fine-tune'] : ['level-0', 'level-1']
  const checkpoint = path('run.safetensors')

  it('go on to the bits of one run, whichever fit was interrupted', async () => {
    const whole = await run({})
    for (const stage of stages) {
      rmSync(checkpoint, { force: true })
      await abortedIn(stage.replace('-', stage === 'fine-tune' ? '-' : ' '), (more) =>
        run({ checkpoint, ...more }),
      )
      expectSame((await run({ resume: checkpoint, threads: 1 })) as Layered, whole as Layered)
    }
  })

  it('go on in the middle of a fit, from the file beside the checkpoint', async () => {
    const long = { fit: { ...fit, iterations: 300, init: 'random', acceleration: 'none' } }
    const control = new AbortController()
    const onProgress = ({ phase, done }: Progress) => {
      if (phase.endsWith('iterate') && done > 3) control.abort(new Error('enough'))
    }
    const often = { checkpoint, checkpointSeconds: 0 }
    const stopped = run({ ...long, ...often, signal: control.signal, onProgress })
    await expect(stopped).rejects.toThrow('enough')
    const beside = `${checkpoint}.${stages[0]}`
    expect(existsSync(beside)).toBe(true)
    const iterated: number[] = []
    const resumed = await run({
      ...long,
      resume: checkpoint,
      onProgress: ({ phase, done }: Progress) =>
        phase.startsWith(stages[0]!.replace('-', ' ')) && iterated.push(done),
    })
    expect(iterated[0]).toBeGreaterThan(0)
    expectSame(resumed as Layered, (await run(long)) as Layered)
  })

  it('leave only what a later run can use', async () => {
    await run({ checkpoint })
    const left =
      model === 'deep-semi-nmf'
        ? ['run.safetensors', 'run.safetensors.fine-tune']
        : ['run.safetensors']
    expect(readdirSync(folder).sort()).toEqual(left)
  })

  it('of a finished run give its factors without another fit', async () => {
    const whole = await run({ checkpoint })
    const phases = new Set<string>()
    const onProgress = ({ phase }: Progress) => void phases.add(phase.split(',')[0]!)
    expectSame((await run({ resume: checkpoint, onProgress })) as Layered, whole as Layered)
    expect([...phases].filter((phase) => /^(layer|level)/.test(phase))).toEqual([])
  })

  it('ignore the file that another run left for a later fit', async () => {
    await abortedIn(stages[1]!.replace('-', ' '), (more) =>
      run({ checkpoint, fit: { ...fit, seed: 9 }, ...more }),
    )
    writeFileSync(path('kept'), '')
    await run({ checkpoint })
    expectSame((await run({ resume: checkpoint })) as Layered, (await run({})) as Layered)
  })

  it('of another X, model or option are refused by name', async () => {
    await run({ checkpoint })
    const resume = checkpoint
    const refused = (more: object, text: string) =>
      expect(run({ resume, ...more })).rejects.toThrow(text)
    await refused({ ranks: [6, 2] }, 'expected ranks 6,2, as in this call, received 6,3')
    await refused({ fit: { ...fit, seed: 4 } }, 'expected fit.seed 4, as in this call, received 3')
    await refused({ fit: { ...fit, l1W: 0.1 } }, 'expected fit.l1W 0.1')
    await refused({ inits: ['random'] }, 'expected inits[0] random, as in this call, received none')
    const H = gaussian(3, model === 'deep-semi-nmf' ? 6 : 24, 2)
    await refused({ inits: [undefined, { H }] }, 'a checkpoint of the same inits[1]')
    const other = { ...X, data: X.data.map((x) => 2 * x) }
    const again = model === 'deep-semi-nmf' ? deepSemiNmf : hierarchicalSemiNmf
    await expect(again(other, { ...base, resume })).rejects.toThrow('a checkpoint of the same X')
    await nmf(
      { ...X, data: X.data.map(Math.abs) },
      { rank: 3, checkpoint: path('nmf'), iterations: 1 },
    )
    await refused({ resume: path('nmf') }, `expected model ${model}, as in this call, received nmf`)
    writeFileSync(path('none'), 'no checkpoint')
    await refused({ resume: path('none') }, 'expected a checkpoint of gemmine')
    await refused({ resume: path('absent') }, 'no such file')
    await refused({ checkpoint: path('none'), resume: undefined }, 'expected a new file')
  })

  it('move with their file, to another place too', async () => {
    await abortedIn(stages[1]!.replace('-', ' '), (more) => run({ checkpoint, ...more }))
    renameSync(checkpoint, path('moved'))
    const again = path('again')
    expectSame(
      (await run({ resume: path('moved'), checkpoint: again })) as Layered,
      (await run({})) as Layered,
    )
    expectSame((await run({ resume: again })) as Layered, (await run({})) as Layered)
  })
})

it('a checkpoint of labels or graphs of a layer names them when they differ', async () => {
  const run = runs['deep-semi-nmf']
  const resume = path('labels')
  await run({ checkpoint: resume })
  const others = [undefined, labels[1]!.map((label) => Math.max(label, 0))]
  await expect(run({ resume, labels: others })).rejects.toThrow(
    'a checkpoint of the same labels[1]',
  )
  await expect(run({ resume, labelWeight: 3 })).rejects.toThrow('labelWeight 3')
  const graphs = [undefined, { adjacency: ringGraph(120), weight: 1 }]
  await expect(run({ resume, labels: undefined, graphs })).rejects.toThrow('the same graphs[1]')
})

it('a fine-tuning goes on for more iterations than it had', async () => {
  const run = runs['deep-semi-nmf']
  const checkpoint = path('longer')
  await run({ checkpoint, fineTuneIterations: 5 })
  const longer = await run({ resume: checkpoint, fineTuneIterations: 15 })
  expect(longer.iterations).toBe(15)
  expectSame(longer as Layered, (await run({ fineTuneIterations: 15 })) as Layered)
})

describe.each(Object.entries(runs))('%s', (_, run) => {
  it('starts each layer from its own start', async () => {
    const plain = await run({})
    const levels = 'levels' in plain ? plain.levels : undefined
    const named = await run({ inits: ['kmeans', 'kmeans'] })
    expectSame((await run({ fit: { ...fit, init: 'kmeans' } })) as Layered, named as Layered)
    const H = plain.components[0]!
    const W = plain.codes[0]!
    const none = { fineTuneIterations: 0, labels: undefined }
    const from = await run({
      inits: [{ W, H }],
      fit: { ...fit, iterations: 0 },
      ...(levels ? {} : none),
    })
    expect(from.components[0]).toEqual(H)
  })

  it('writes the factors of layers to the arrays of the caller', async () => {
    const plain = await run({})
    const out = [{ H: new Float32Array(6 * 24) }, { W: new Float32Array(120 * 3) }]
    const given = await run({ out })
    expectSame(given as Layered, plain as Layered)
    expect(given.components[0]!.data).toBe(out[0]!.H)
    expect(given.codes[1]!.data).toBe(out[1]!.W)
    expect(given.W.data).toBe(out[1]!.W)
    expect((await given.transform(X)).W).toEqual((await plain.transform(X)).W)
  })

  it.each([
    [{ out: {} }, 'out', 'an array with an entry for each layer'],
    [{ out: [{}, {}, {}] }, 'out', 'at most 2 entries'],
    [{ out: [{ W: new Float32Array(5) }] }, 'out[0].W', '720 elements'],
    [{ out: [{ V: 1 }] }, 'out[0].V', 'one of the options W, H'],
    [{ out: [{ W: X.data.subarray(0, 720) }] }, 'out[0].W', 'memory apart from that of X'],
    [{ inits: 'kmeans' }, 'inits', 'an array with an entry for each layer'],
    [{ inits: ['kmeans', 'kmeans', 'svd'] }, 'inits', 'at most 2 entries'],
    [{ inits: ['nndsvd'] }, 'inits[0]', 'one of random, kmeans, svd'],
    [{ inits: [{ W: gaussian(4, 6, 1) }] }, 'inits[0].W.rows', '120 rows'],
    [{ fit: { init: { H: X } } }, 'fit.init', 'inits for the factors of layers'],
    [{ checkpoint: '' }, 'checkpoint', 'the name of a file'],
    [{ checkpointSeconds: -1 }, 'checkpointSeconds', 'a finite number of at least 0'],
  ])('names what is wrong in what layers share: %#', async (more, argument, expected) => {
    const failure = await run(more as never).catch((error: unknown) => error)
    expect(failure).toMatchObject({ argument })
    expect((failure as { expected: string }).expected).toContain(expected)
  })
})
