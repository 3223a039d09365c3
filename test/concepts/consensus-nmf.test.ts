import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkSelectRank } from '../../lib/factorization/select-rank'
import { restartsOfRank } from '../../lib/factorization/rank-survey'
import { consensusNmf, selectRank } from '../../lib/index'
import type { Matrix } from '../../lib/data/matrix'
import { matrixOf, normal, uniform } from '../matrices'

/** W H with half of the entries of both factors 0, and noise. */
function planted(n: number, d: number, k: number, seed: number) {
  const next = uniform(seed)
  const noise = normal(seed + 1)
  const factor = (rows: number, cols: number) =>
    matrixOf(rows, cols, () => Math.max(0, 2 * next() - 1))
  const [W, H] = [factor(n, k), factor(k, d)]
  const X = matrixOf(n, d, (i, j) => {
    let sum = 0
    for (let c = 0; c < k; c++) sum += W.data[i * k + c]! * H.data[c * d + j]!
    return Math.max(0, sum + 0.02 * noise())
  })
  return { X, H }
}

const rowsOf = ({ data, rows, cols }: Matrix) =>
  Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * cols, (i + 1) * cols)))

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, t) => sum + value * b[t]!, 0)

const unit = (row: readonly number[]) => row.map((value) => value / Math.sqrt(dot(row, row)))

const { X, H } = planted(120, 30, 4, 3)
const options = { rank: 4, restarts: 8, perturbation: 0, tolerance: 1e-6 }

describe('consensusNmf', () => {
  it('finds planted parts, with the least squares of X for their medians', async () => {
    const found = await consensusNmf(X, options)
    const truth = rowsOf(H).map(unit)
    for (const row of rowsOf(found.model.H).map(unit)) {
      expect(Math.max(...truth.map((each) => dot(each, row)))).toBeGreaterThan(0.99)
    }
    expect(Math.min(...found.silhouettes)).toBeGreaterThan(0.9)
    const codes = await found.model.transform(X)
    found.model.W.data.forEach((code, at) => expect(code).toBeCloseTo(codes.W.data[at]!, 4))
    expect(found.warnings).toEqual([])
  })

  it('has the densities, clusters and medians of a naive computation', async () => {
    // Few iterations, so that restarts differ.
    const rough = { ...options, rank: 5, iterations: 6, densityThreshold: 0.3 } as const
    const found = await consensusNmf(X, rough)
    const { densityThreshold, rank, ...rest } = rough
    const settled = checkSelectRank(
      { rows: 120, cols: 30, entries: 3600 },
      { ...rest, model: 'nmf', ranks: [rank] },
    )
    const { components } = await restartsOfRank(X, settled)
    const all = rowsOf(components!).map(unit)
    const distance = (a: readonly number[], b: readonly number[]) =>
      Math.sqrt(a.reduce((sum, value, t) => sum + (value - b[t]!) ** 2, 0))
    const neighbours = 2 // ⌊0.3 · 8⌋
    all.forEach((row, i) => {
      const others = all.filter((_, other) => other !== i).map((other) => distance(row, other))
      const nearest = others.sort((a, b) => a - b).slice(0, neighbours)
      const mean = nearest.reduce((sum, each) => sum + each, 0) / neighbours
      expect(found.densities[i]).toBeCloseTo(mean, 5)
      expect(found.labels[i] === -1).toBe(found.densities[i]! > densityThreshold)
    })
    expect(found.kept).toBe(found.labels.filter((label) => label >= 0).length)
    expect(found.kept).toBeLessThan(all.length)
    rowsOf(found.model.H).forEach((row, c) => {
      const members = all.filter((_, i) => found.labels[i] === c)
      const medians = Array.from(row, (_, t) => {
        const values = members.map((member) => member[t]!).sort((a, b) => a - b)
        return (values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2
      })
      unit(medians).forEach((value, t) => expect(unit(row)[t]).toBeCloseTo(value, 5))
      const silhouettes = members.map((member) => {
        const to = (label: number) => {
          const others = all.filter((each, i) => found.labels[i] === label && each !== member)
          return others.reduce((sum, each) => sum + 1 - dot(each, member), 0) / others.length
        }
        const outside = Math.min(
          ...[0, 1, 2, 3, 4].filter((label) => label !== c).map((label) => to(label)),
        )
        return (outside - to(c)) / Math.max(outside, to(c))
      })
      const mean = silhouettes.reduce((sum, each) => sum + each, 0) / members.length
      if (members.length > 1) expect(found.silhouettes[c]).toBeCloseTo(mean, 3)
    })
  })

  it('takes the restarts of a stored survey', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gemmine-consensus-'))
    const file = join(folder, 'survey')
    const { rank, ...rest } = options
    await selectRank(X, { ...rest, model: 'nmf', ranks: [3, 4], checkpoint: file })
    const phases = new Set<string>()
    const onProgress = ({ phase }: { phase: string }) => void phases.add(phase)
    const stored = await consensusNmf(X, { ...options, resume: file, onProgress })
    expect([...phases].some((phase) => phase.includes('restart'))).toBe(false)
    const direct = await consensusNmf(X, { ...options, threads: 1 })
    expect(stored.model.H.data).toEqual(direct.model.H.data)
    expect(stored.densities).toEqual(direct.densities)
    await expect(consensusNmf(X, { ...options, resume: file, seed: 1 })).rejects.toThrow('seed')
    rmSync(folder, { recursive: true })
  })

  it('has numbers for one component, and says where components coincide', async () => {
    const one = await consensusNmf(X, { ...options, rank: 1 })
    expect(one.silhouettes[0]).toBeGreaterThan(0.9)
    const flat = await consensusNmf(
      matrixOf(8, 5, () => 1),
      { ...options, rank: 2 },
    )
    expect(flat.densities.every((each) => each >= 0)).toBe(true)
  })

  it.each([
    [{ rank: 31 }, 'an integer in 1..30'],
    [{ rank: 2.5 }, 'an integer of at least 1 for rank'],
    [{ densityThreshold: -1 }, 'for densityThreshold, received -1'],
    [{ densityThreshold: 0 }, 'which leaves 4 of the components, for densityThreshold'],
    [{ neighbourhood: 2 }, 'in 0..1 for neighbourhood'],
    [{ model: 'semi-nmf' }, 'model'],
    [{ ranks: [2] }, 'ranks'],
    [{ loss: 'logistic' }, 'one of frobenius, kullback-leibler'],
  ])('refuses %j', async (wrong, sentence) => {
    await expect(consensusNmf(X, { ...options, ...wrong } as never)).rejects.toThrow(sentence)
  })

  it('takes a loss without a solver, and a masked survey to resume from', async () => {
    const { model } = await consensusNmf(X, { ...options, loss: 'poisson' })
    expect(model.options['solver']).toBe('mu')
    const folder = mkdtempSync(join(tmpdir(), 'gemmine-consensus-'))
    const file = join(folder, 'survey')
    const mask = Uint8Array.from(X.data, (_, at) => (at % 7 === 0 ? 0 : 1))
    const { rank, ...ofSurvey } = { ...options, mask }
    const asked = { ...ofSurvey, model: 'nmf', ranks: [rank], checkpoint: file } as const
    await selectRank(X, asked)
    const phases = new Set<string>()
    const onProgress = ({ phase }: { phase: string }) => void phases.add(phase)
    const resumed = await consensusNmf(X, { ...options, mask, resume: file, onProgress })
    expect(resumed.model.options['solver']).toBe('anls-bpp')
    expect([...phases].filter((phase) => phase.endsWith('restart'))).toEqual([])
    rmSync(folder, { recursive: true })
  })

  it('names the argument where X has no such number of parts', async () => {
    await expect(
      consensusNmf(
        matrixOf(8, 5, () => 0),
        options,
      ),
    ).rejects.toThrow('a matrix in which restarts find 4 components for X')
  })
})
