import { describe, expect, it } from 'vitest'
import { deviceKinds, resolveDevice } from '../lib/device'
import { ceilingRules } from '../lib/mining/ceiling-rules'
import { elementTypeNames } from '../lib/data/element-types'
import { ruleNames } from '../lib/data/mined-lines'
import { accelerations } from '../lib/factorization/fit-options'
import { lossKinds } from '../lib/factorization/losses'
import { modelNames, models, startNames } from '../lib/factorization/models'
import { info } from '../lib/info'
import { metrics } from '../lib/mining/metric'
import { groupModes, references } from '../lib/mining/mining-options'
import { samplingNames } from '../lib/mining/samplings'
import { native } from '../lib/native'
import * as lib from '../lib/index'
import {
  checkInteger,
  checkJob,
  jobDefaults,
  priorities,
  withDefaults,
  type Overrides,
} from '../lib/options'

describe('withDefaults', () => {
  it('lays overrides over defaults, and leaves a default where the override is undefined', () => {
    expect(withDefaults({ a: 1, b: 'x' }, { a: undefined, b: 'y' })).toEqual({ a: 1, b: 'y' })
  })

  it('refuses an unknown option and names those there are', () => {
    expect(() => withDefaults({ rank: 1 }, { rnak: 2 })).toThrow('one of the options rank')
  })
})

describe('the defaults', () => {
  const { semiNmfDefaults, nmfDefaults, kmeansDefaults, truncatedSvdDefaults } = lib
  const { loadNpyDefaults, loadMatrixDefaults, readNpzDefaults } = lib
  const { semiOrthogonalNmfDefaults, snmfDefaults, selectRankDefaults } = lib
  const { separableNmfDefaults, convexNmfDefaults } = lib
  const { archetypalAnalysisDefaults, minVolumeNmfDefaults } = lib
  const hulls = { separableNmfDefaults, convexNmfDefaults, archetypalAnalysisDefaults }
  const others = { semiNmfDefaults, nmfDefaults, semiOrthogonalNmfDefaults, snmfDefaults }
  const { dictionaryLearningDefaults, orthogonalNmfDefaults, sparseCodeDefaults } = lib
  const { hierarchicalSemiNmfDefaults, deepSemiNmfDefaults, labelGraphDefaults } = lib
  const layered = { hierarchicalSemiNmfDefaults, deepSemiNmfDefaults, labelGraphDefaults }
  const sparse = {
    dictionaryLearningDefaults,
    orthogonalNmfDefaults,
    sparseCodeDefaults,
    ...layered,
  }
  const models = { ...others, ...hulls, minVolumeNmfDefaults, ...sparse }
  const all = { ...models, kmeansDefaults, truncatedSvdDefaults, selectRankDefaults }

  it.each(
    Object.entries({ ...all, loadNpyDefaults, loadMatrixDefaults, readNpzDefaults, jobDefaults }),
  )('%s cannot be changed', (_, defaults) => {
    expect(() => Object.assign(defaults, { seed: 7, limit: 7, threads: 7 })).toThrow(TypeError)
  })

  it('have the types of their options', () => {
    const given: Overrides<typeof kmeansDefaults> = { seed: 3, tolerance: undefined }
    expect(withDefaults(kmeansDefaults, given)).toEqual({ ...kmeansDefaults, seed: 3 })
  })
})

describe('checkInteger', () => {
  it('tells the bounds and the value', () => {
    expect(() => checkInteger('rank', 21, 1, 20)).toThrow(
      'Expected an integer in 1..20 for rank, received 21',
    )
    expect(() => checkInteger('rank', 2.5, 1)).toThrow(
      'an integer of at least 1 for rank, received 2.5',
    )
    expect(() => checkInteger('rank', '3', 1)).toThrow(TypeError)
  })
})

describe('checkJob', () => {
  it('refuses what is no signal, no listener, no thread', () => {
    expect(() => checkJob({ signal: {} as AbortSignal })).toThrow('signal')
    expect(() => checkJob({ onProgress: 3 as never })).toThrow('onProgress')
    expect(() => checkJob({ threads: 0 })).toThrow('threads')
  })

  it('never falls back from a device that was asked for', () => {
    expect(resolveDevice('auto')).toBe('cpu')
    expect(() => resolveDevice('cuda:99')).toThrow('The device cuda:99 is not available')
    expect(() => resolveDevice('gpu')).toThrow('device')
  })
})

describe('lists that stand on both sides of the border', () => {
  it('agree', () => {
    const { cpu, blas, threads, threadsReason, ...lists } = native().info()
    const { devices, rules, solvers: declared, elementTypes, ...shared } = lists
    // A list that only the addon has fails too.
    expect(shared).toEqual({
      models: [...modelNames],
      losses: [...lossKinds],
      starts: [...startNames],
      metrics: [...metrics],
      accelerations: [...accelerations],
      priorities: [...priorities],
      ceilings: [...Object.keys(ceilingRules)],
      references: [...references],
      samplings: [...samplingNames],
      groupings: ['off', ...groupModes],
    })
    expect(elementTypes).toEqual(elementTypeNames)
    expect([...new Set(devices.map(({ name }) => name.split(':')[0]))]).toEqual([...deviceKinds])
    expect(rules).toEqual([...ruleNames])
    const offered = Object.entries(models).flatMap(([model, { solvers }]) =>
      solvers.map((solver) => `${model}/${solver}`),
    )
    expect(new Set(declared)).toEqual(new Set(offered))
  })
})

describe('info', () => {
  it('tells what there is, and why the rest is not', () => {
    const { version, cpu, blas, threads, threadsReason, devices } = info()
    expect(version).toMatch(/^\d+\.\d+\.\d+/)
    expect(cpu.model && blas.core && threadsReason).toBeTruthy()
    const bfloat16 = cpu.features.some((feature) => feature.endsWith('bf16'))
    expect(cpu.scan).toBe(bfloat16 ? 'bfloat16' : 'float32')
    expect(threads).toBeGreaterThanOrEqual(1)
    for (const { available, reason } of devices) expect(available || reason).toBeTruthy()
  })
})
