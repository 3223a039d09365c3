// The contract of the functions that fit, for every model: files, arrays of the caller, signals, checkpoints.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import * as gemmine from '../../lib/index'
import { FactorizationModel, LayeredModel, type Matrix, type Progress } from '../../lib/index'
import { layeredNames } from '../../lib/factorization/layered-model'
import { modelNames, models } from '../../lib/factorization/models'
import { gaussian } from '../matrices'
import type { Fitted } from './factorization-suite'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-contract-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const [n, d, rank] = [90, 24, 4]
const mixed = gaussian(n, d, 5)
const positive = { ...mixed, data: mixed.data.map(Math.abs) }

interface Model extends Fitted {
  readonly iterations: number
  save(path: string): Promise<void>
}

interface Row {
  readonly X: Matrix
  /** A run of so many iterations. */
  run(iterations: number, more?: object): Promise<Model>
  load(path: string): Promise<{ transform(X: Matrix): Promise<{ W: Matrix }> }>
  /** The option for the caller's arrays of W and H. */
  outOf(out: { W: Float32Array; H: Float32Array }): object
  /** Whether the model has iterations. */
  readonly iterates: boolean
}

const single = (name: (typeof modelNames)[number]): Row => {
  const { call, isNonnegative } = models[name]
  const X = isNonnegative ? positive : mixed
  const fit = gemmine[call] as (X: Matrix, options: object) => Promise<gemmine.Factorization>
  const defaults = gemmine[`${call}Defaults`] as object
  const iterates = Object.hasOwn(defaults, 'iterations')
  const own = (iterations: number) => (iterates ? { iterations, tolerance: 0, seed: 2 } : {})
  return {
    X,
    iterates,
    run: (iterations, more) => fit(X, { rank, ...own(iterations), ...more }),
    load: (path) => FactorizationModel.load(path),
    outOf: (out) => ({ out }),
  }
}

const layers = { ranks: [7, rank] }
const rows: Record<string, Row> = {
  ...Object.fromEntries(modelNames.map((name) => [name, single(name)])),
  'deep-semi-nmf': {
    X: mixed,
    iterates: true,
    run: (fineTuneIterations, more) =>
      gemmine.deepSemiNmf(mixed, { ...layers, fit: { tolerance: 0 }, fineTuneIterations, ...more }),
    load: (path) => LayeredModel.load(path),
    outOf: (out) => ({ out: [undefined, out] }),
  },
  'hierarchical-semi-nmf': {
    X: mixed,
    // Its levels cannot go on for more iterations: those above are fitted to their components.
    iterates: false,
    run: (_, more) => gemmine.hierarchicalSemiNmf(mixed, { ...layers, ...more }),
    load: (path) => LayeredModel.load(path),
    outOf: (out) => ({ out: [undefined, out] }),
  },
}

it('covers every model', () => {
  expect(Object.keys(rows).sort()).toEqual([...modelNames, ...layeredNames].sort())
})

describe.each(Object.entries(rows))('%s', (name, { X, run, load, outOf, iterates }) => {
  it('has factors of its rank, an objective and an error', async () => {
    const { W, H, objective, relativeError } = await run(5)
    expect([W.rows, W.cols, H.rows, H.cols]).toEqual([n, rank, rank, d])
    expect(objective.length).toBeGreaterThan(0)
    expect(relativeError).toBeGreaterThan(0)
  })

  it('codes the same after save and load', async () => {
    const path = join(folder, `${name}.safetensors`)
    const fitted = await run(5)
    await fitted.save(path)
    expect((await (await load(path)).transform(X)).W).toEqual((await fitted.transform(X)).W)
  })

  it("writes the factors to the caller's arrays", async () => {
    const out = { W: new Float32Array(n * rank), H: new Float32Array(rank * d) }
    const [plain, given] = [await run(5), await run(5, outOf(out))]
    expect([given.W.data, given.H.data]).toEqual([plain.W.data, plain.H.data])
    expect(given.W.data).toBe(out.W)
    expect(given.H.data).toBe(out.H)
  })

  it('tells of its progress, and ends with the reason of a signal', async () => {
    const phases: string[] = []
    await run(5, { onProgress: ({ phase }: Progress) => phases.push(phase) })
    expect(phases.length).toBeGreaterThan(0)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(run(5, { signal })).rejects.toThrow('enough')
  })

  it('refuses a device that is not there', async () => {
    await expect(run(5, { device: 'cuda:99' })).rejects.toMatchObject({
      code: 'ERR_GEMMINE_DEVICE_UNAVAILABLE',
    })
  })

  it.runIf(iterates)('goes on from a checkpoint to the bits of one run', async () => {
    const checkpoint = join(folder, `${name}.checkpoint`)
    await run(3, { checkpoint })
    const [resumed, whole] = [await run(8, { resume: checkpoint, threads: 1 }), await run(8)]
    expect(resumed.W).toEqual(whole.W)
    expect(resumed.H).toEqual(whole.H)
    expect(resumed.objective).toEqual(whole.objective)
    expect(resumed.iterations).toBe(whole.iterations)
  })
})

it('convex-nmf and archetypal-analysis go on with their weights of rows', async () => {
  for (const fit of [gemmine.convexNmf, gemmine.archetypalAnalysis]) {
    const checkpoint = join(folder, 'weights.checkpoint')
    const options = { rank, tolerance: 0, seed: 2 }
    await fit(mixed, { ...options, iterations: 3, checkpoint })
    const resumed = await fit(mixed, { ...options, iterations: 8, resume: checkpoint })
    expect(resumed.A).toEqual((await fit(mixed, { ...options, iterations: 8 })).A)
    await expect(
      fit(mixed, { ...options, iterations: 8, seed: 3, resume: checkpoint }),
    ).rejects.toThrow('seed 3, as in this call, received 2')
  }
})
