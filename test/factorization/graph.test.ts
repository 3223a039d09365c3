import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { nmf, semiNmf } from '../../lib/index'
import { matrixOf } from '../matrices'
import { ringGraph, roughness } from '../reference/graphs'
import { squares } from '../reference/factors'

const X = matrixOf(60, 20, (i, j) => ((i * 7 + j * 13) % 11) / 3)
const ring = ringGraph(60)

const folder = mkdtempSync(join(tmpdir(), 'gemmine-graph-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const options = { rank: 4, solver: 'mu', init: 'random', tolerance: 0, iterations: 60 } as const

describe('nmf with a graph', () => {
  it('makes the codes of neighbours alike', async () => {
    const rough = async (weight: number) => {
      const graph = { adjacency: ring, weight }
      const { W } = await nmf(X, { ...options, graph, l2H: 0.1 })
      return roughness(ring, W) / squares(W.data)
    }
    const [none, some, much] = [await rough(0), await rough(1), await rough(100)]
    expect(some).toBeLessThan(none)
    expect(much).toBeLessThan(0.5 * some)
  })

  it('warns that scaling evades the term', async () => {
    const { warnings } = await nmf(X, { ...options, graph: { adjacency: ring, weight: 1 } })
    expect(warnings.join()).toContain('The penalty on W alone can be evaded by shrinking W')
    const both = { ...options, graph: { adjacency: ring, weight: 1 }, l2H: 0.1 }
    expect((await nmf(X, both)).warnings.join()).not.toContain('alone')
  })

  it('keeps the weight among the options of its model', async () => {
    const { options: kept } = await nmf(X, { ...options, graph: { adjacency: ring, weight: 3 } })
    expect(kept).toMatchObject({ graphWeight: 3 })
    expect(kept).not.toHaveProperty('adjacency')
  })

  const other = ringGraph(50)
  const values = (change: (values: Float32Array) => void) => {
    const copy = Float32Array.from(ring.values)
    change(copy)
    return { adjacency: { ...ring, values: copy }, weight: 1 }
  }
  it.each([
    [{ graph: { adjacency: ring } }, 'graph.weight', 'a finite number of at least 0'],
    [{ graph: { adjacency: ring, weight: -1 } }, 'graph.weight', 'a finite number of at least 0'],
    [{ graph: { weight: 1 } }, 'graph.adjacency', 'a sparse matrix of 60 × 60'],
    [{ graph: { adjacency: X, weight: 1 } }, 'graph.adjacency', 'a sparse matrix of 60 × 60'],
    [{ graph: { adjacency: other, weight: 1 } }, 'graph.adjacency.rows', '60, the rows of X'],
    [{ graph: { adjacency: { ...ring, cols: 59 }, weight: 1 } }, 'graph.adjacency.cols', '60'],
    [{ graph: { adjacency: ring, weight: 1, wieght: 2 } }, 'graph.wieght', 'one of the options'],
    [{ graph: { adjacency: ring, weight: 1 }, solver: 'hals' }, 'solver', 'mu'],
    [{ graph: { adjacency: ring, weight: 1 }, innerSweeps: 2 }, 'innerSweeps', '1 '],
    [
      { graph: { adjacency: ring, weight: 1 }, loss: 'kullback-leibler' },
      'loss',
      'frobenius for a factorization with a graph',
    ],
    [{ graph: 3 }, 'graph', 'an object of adjacency, weight'],
  ])('names what is wrong: %#', async (given, argument, expected) => {
    const failure = await nmf(X, { ...options, ...given } as never).catch((error) => error)
    expect(failure).toMatchObject({ argument })
    expect(failure.expected).toContain(expected)
  })

  it.each([
    [(v: Float32Array) => (v[0]! += 1), 'a symmetric matrix (0.5, as at row 1, column 0)', 0, 1],
    [(v: Float32Array) => (v[2] = -3), 'a non-negative number', 0, 57],
    [(v: Float32Array) => (v[5] = NaN), 'a finite number', 1, 2],
  ])('names the entry of A that is wrong: %#', async (change, expected, row, column) => {
    const run = nmf(X, { ...options, graph: values(change) })
    await expect(run).rejects.toMatchObject({ argument: 'graph.adjacency', expected, row, column })
  })

  it('counts beside missing entries and row weights, and never raises the objective', async () => {
    const mask = Uint8Array.from({ length: 60 * 20 }, (_, at) => (at % 7 === 0 ? 0 : 1))
    const sampleWeight = Float32Array.from({ length: 60 }, (_, i) => 1 + (i % 3))
    const graph = { adjacency: ring, weight: 2 }
    const plain = await nmf(X, { ...options, graph })
    const seen = await nmf(X, { ...options, graph, mask: new Uint8Array(60 * 20).fill(1) })
    seen.objective.forEach((f, t) => expect(f / plain.objective[t]!).toBeCloseTo(1, 4))
    for (const more of [{ mask }, { sampleWeight }, { mask, sampleWeight }]) {
      const { objective } = await nmf(X, { ...options, graph, ...more })
      for (let t = 1; t < objective.length; t++)
        expect(objective[t]!).toBeLessThanOrEqual(objective[t - 1]! * (1 + 1e-6))
    }
  })

  it('is part of what a checkpoint must agree with', async () => {
    const checkpoint = join(folder, 'graph.safetensors')
    const graph = { adjacency: ring, weight: 2 }
    const whole = await nmf(X, { ...options, graph })
    await nmf(X, { ...options, iterations: 20, graph, checkpoint })
    const rest = await nmf(X, { ...options, graph, resume: checkpoint })
    expect([rest.W, rest.H]).toEqual([whole.W, whole.H])
    for (const other of [{ ...graph, weight: 3 }, values((v) => v.fill(0)), undefined])
      await expect(nmf(X, { ...options, graph: other, resume: checkpoint })).rejects.toThrow(
        'graph.safetensors',
      )
  })

  it('takes entries that differ by rounding for equal', async () => {
    const nearly = values((v) => (v[0] = v[0]! * (1 + 2 ** -22)))
    expect((await nmf(X, { ...options, graph: nearly })).iterations).toBe(60)
  })
})

describe('semiNmf with a graph', () => {
  const mixed = matrixOf(60, 20, (i, j) => ((i * 7 + j * 13) % 11) / 3 - 1.5)
  const semi = { rank: 4, solver: 'mu', init: 'random', tolerance: 0, iterations: 60 } as const

  it('makes the codes of neighbours alike, and never raises the objective', async () => {
    const rough = async (weight: number) => {
      const graph = { adjacency: ring, weight }
      const { W, objective } = await semiNmf(mixed, { ...semi, graph, l2H: 0.1 })
      for (let t = 1; t < objective.length; t++)
        expect(objective[t]!).toBeLessThanOrEqual(objective[t - 1]! * (1 + 1e-6))
      return roughness(ring, W) / squares(W.data)
    }
    const [none, some, much] = [await rough(0), await rough(1), await rough(100)]
    expect(some).toBeLessThan(none)
    expect(much).toBeLessThan(0.5 * some)
  })

  it.each([
    [{ solver: 'hals' }, 'solver', 'mu'],
    [{ innerSweeps: 2 }, 'innerSweeps', '1 '],
    [{ sampleWeight: new Float32Array(60).fill(1) }, 'sampleWeight', 'none beside a graph'],
    [{ mask: new Uint8Array(1200).fill(1) }, 'mask', 'none beside a graph'],
    [{ missing: 'nan' }, 'missing', 'none beside a graph'],
  ])('names what is wrong: %#', async (given, argument, expected) => {
    const graph = { adjacency: ring, weight: 1 }
    const failure = await semiNmf(mixed, { ...semi, graph, ...given } as never).catch((e) => e)
    expect(failure).toMatchObject({ argument })
    expect(failure.expected).toContain(expected)
  })
})
