// Losses at the edges of float32, and beside models and options that do not have them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  FactorizationModel,
  nmf,
  semiNmf,
  writeSafetensors,
  type ModelName,
  type NmfOptions,
} from '../../lib/index'
import { fit } from '../../lib/factorization/fit'
import { fitDefaults, notOffered } from '../../lib/factorization/fit-options'
import { matrixOf, uniform } from '../matrices'
import { totalLoss } from '../reference/losses'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-losses-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const binary = () => ({ data: Float32Array.of(1, 0, 0, 1, 1, 0), rows: 3, cols: 2 })
const H = () => ({ data: Float32Array.of(1, 2), rows: 1, cols: 2 })

describe('a loss that a model does not have is refused before native code', () => {
  it.each(['hals', 'mu', 'anls-bpp', 'projected-gradient'] as const)(
    'logistic by semiNmf with %s',
    async (solver) => {
      const run = semiNmf(binary(), { rank: 1, loss: 'logistic' as never, solver })
      await expect(run).rejects.toThrow(
        "one of frobenius, huber, l21, correntropy, row-correntropy for loss, received 'logistic'",
      )
    },
  )

  it.each(['semi-nmf', 'nmf', 'snmf', 'orthogonal-nmf', 'min-volume-nmf'] as const)(
    'logistic by any other way to a fit of %s',
    async (model) => {
      const solver = { 'min-volume-nmf': 'hals', 'orthogonal-nmf': 'alt-onmf' }[model as string]
      const init = 'random'
      const own = { rank: 1, loss: 'logistic', solver: solver ?? 'mu', init } as const
      const run = fit(model, binary(), { ...fitDefaults, ...notOffered, ...own } as never)
      await expect(run).rejects.toThrow(/frobenius.* for loss, received 'logistic'/)
    },
  )

  const wrong = [
    ['semi-nmf', 'poisson'],
    ['semi-nmf', 'logistic'],
    ['nmf', 'logistic'],
    ['semi-orthogonal-nmf', 'l21'],
    ['orthogonal-nmf', 'l21'],
  ] as const satisfies (readonly [ModelName, string])[]
  it.each(wrong)('a model %s with the loss %s', (model, loss) => {
    expect(() => new FactorizationModel(model, H(), { loss })).toThrow(
      /frobenius.* for options.loss, received/,
    )
  })

  it.each(wrong)('a file of a model %s with the loss %s', async (model, loss) => {
    const path = join(folder, `${model}-${loss}.safetensors`)
    const { data } = H()
    await writeSafetensors(path, {
      tensors: { H: { data, shape: [1, 2] } },
      metadata: { format: 'gemmine.factorization', model, options: JSON.stringify({ loss }) },
    })
    await expect(FactorizationModel.load(path)).rejects.toMatchObject({
      code: 'ERR_GEMMINE_FILE',
      message: expect.stringContaining('options.loss') as string,
    })
  })
})

describe('weights of a correntropy that vanish in float32', () => {
  const small = { data: Float32Array.of(17, 10, 11, 15, 7, 3, 1, 0, 9, 5, 19, 4), rows: 4, cols: 3 }
  const losses = ['row-correntropy', 'correntropy'] as const

  it.each(losses)('leave the factors finite: %s', async (loss) => {
    const found = await nmf(small, { rank: 1, loss, bandwidth: 1 })
    expect([...found.W.data, ...found.H.data].every(Number.isFinite)).toBe(true)
    expect(found.relativeError).toBeLessThan(2)
  })

  it.each(losses)('warn where nothing is within the bandwidth: %s', async (loss) => {
    const init = {
      W: matrixOf(4, 1, () => 1),
      H: matrixOf(1, 3, () => 100),
    }
    const sampleWeight = Float32Array.of(1, 2, 3, 4)
    const own = { rank: 1, loss, bandwidth: 0.1, init, sampleWeight } as const
    for (const solver of ['mu', 'hals'] as const) {
      const { W, H, warnings } = await nmf(small, { ...own, solver })
      expect(W.data[0]! * H.data[0]!).toBeCloseTo(100, 3)
      expect(warnings.join()).toMatch(/count as outliers.*bandwidth.*init/)
    }
  })

  it.each(losses)('leave factors finite and raise no objective: 60 cases of %s', async (loss) => {
    const draw = uniform(31)
    for (let seed = 0; seed < 60; seed++) {
      const [n, d] = [2 + Math.floor(draw() * 5), 2 + Math.floor(draw() * 5)]
      const X = matrixOf(n, d, () => Math.floor(draw() * 20))
      const mask = seed % 3 === 0 ? Uint8Array.from(X.data, () => Number(draw() < 0.8)) : undefined
      const solver = seed % 4 === 1 ? 'hals' : 'mu'
      const bandwidth = 0.05 + 3 * draw() ** 2
      const own = { rank: 1 + (seed % 2), loss, bandwidth, mask, solver, seed } as const
      const { W, H, objective } = await nmf(X, { ...own, iterations: 30, tolerance: 0 })
      const text = JSON.stringify({ ...own, mask: [...(mask ?? [])], X: [...X.data], n, d })
      expect([...W.data, ...H.data].every(Number.isFinite), text).toBe(true)
      for (let t = 1; t < objective.length; t++)
        expect(objective[t]!, text).toBeLessThanOrEqual(objective[t - 1]! * (1 + 1e-6) + 1e-9)
    }
  })

  it('warn where nothing that was seen is within the bandwidth', async () => {
    const mask = Uint8Array.from(small.data, (_, at) => Number(at % 2 === 0))
    const init = { W: matrixOf(4, 1, () => 1), H: matrixOf(1, 3, () => 100) }
    const own = { rank: 1, loss: 'correntropy', bandwidth: 0.1, init } as const
    const { warnings } = await nmf(small, { ...own, mask })
    expect(warnings.join()).toContain('count as outliers')
  })

  it('do not warn where most rows are fitted', async () => {
    const { warnings } = await nmf(small, { rank: 2, loss: 'row-correntropy', bandwidth: 30 })
    expect(warnings).toEqual([])
  })
})

it('deviances of zeros do not saturate for a dispersion far above 1', async () => {
  const X = { data: Float32Array.of(0, 1e15, 3e15, 0, 2e15, 0), rows: 3, cols: 2 }
  const loss = { loss: 'negative-binomial', dispersion: 1e20 } as const
  const { W, H, objective } = await nmf(X, { rank: 1, ...loss, iterations: 50, tolerance: 0 })
  const size = 1 / loss.dispersion
  let deviance = 0
  X.data.forEach((x, at) => {
    const v = W.data[Math.floor(at / 2)]! * H.data[at % 2]!
    const own = x > 0 ? x * Math.log1p((size * (x - v)) / (v * (x + size))) : 0
    deviance += 2 * (own - size * Math.log((x + size) / (v + size)))
  })
  expect(objective.at(-1)! / deviance).toBeCloseTo(1, 5)
  for (let t = 1; t < objective.length; t++)
    expect(objective[t]!).toBeLessThanOrEqual(objective[t - 1]! * (1 + 1e-9))
})

const ofLosses = [
  { loss: 'huber', delta: 0.5 },
  { loss: 'l21' },
  { loss: 'correntropy', bandwidth: 2 },
  { loss: 'row-correntropy', bandwidth: 6 },
] as const
it.each(ofLosses)('transform keeps codes below upperW: $loss', async (loss) => {
  const draw = uniform(8)
  const X = matrixOf(12, 7, () => 4 * draw())
  const bounded = { rank: 3, upperW: 0.5, solver: 'hals', ...loss } as NmfOptions
  const model = await nmf(X, bounded)
  const { W } = await model.transform(X)
  expect(Math.max(...W.data)).toBeLessThanOrEqual(0.5)
  // No bounded code alone could be better: those of the fit are steps to the same minimum.
  const ofFit = totalLoss(X, model.W, model.H, loss)
  expect(totalLoss(X, W, model.H, loss)).toBeLessThan(1.02 * ofFit)
})

it('H that grows beyond float32 under a penalty on W alone is refused by its name', async () => {
  const draw = uniform(3)
  const X = matrixOf(10, 6, () => 1e15 * draw())
  const more = { iterations: 200, tolerance: 0, loss: 'l21' } as const
  await expect(nmf(X, { rank: 1, l2W: 1e15, ...more })).rejects.toThrow(
    /beside a penalty on H, that the entries of H are float32.* for l2W, received 1000000000000000/,
  )
})

describe('options that have no effect or no steps', () => {
  it('forgetFactor without batchSize', async () => {
    for (const run of [nmf, semiNmf])
      await expect(run(binary(), { rank: 1, forgetFactor: 0.7 })).rejects.toThrow(
        'none without batchSize for forgetFactor, received 0.7',
      )
  })

  it('the solver hals for a loss that it does not have, where entries are missing too', async () => {
    const own = { rank: 1, solver: 'hals', loss: 'poisson' } as const
    const run = nmf(binary(), { ...own, mask: new Uint8Array(6).fill(1) })
    await expect(run).rejects.toThrow("mu for the loss poisson for solver, received 'hals'")
  })
})
