// Batches of rows between which H is improved.
import { describe, expect, it } from 'vitest'
import { closeMatrix, nmf, openNpy, semiNmf, writeNpy, type NmfOptions } from '../../lib/index'
import { temporaryFolder } from '../data/files'
import { gaussian, matrixOf, planted, sparseOf, uniform } from '../matrices'
import { inBatches } from '../reference/batches'
import { absolutes, squaredError, squares } from '../reference/factors'

const folder = temporaryFolder()
const X = planted(300, 24, 4, 3, true)
const options = { rank: 4, batchSize: 70, tolerance: 0, iterations: 12 } as const

/** The set that scikit-learn was given, from the same generator. */
function plantedSet() {
  const [n, d, k] = [2000, 60, 8]
  const [u, v, w] = [uniform(21), uniform(22), uniform(23)]
  const W = Float64Array.from({ length: n * k }, () => u() ** 2)
  const H = Float64Array.from({ length: k * d }, () => v() ** 2)
  return matrixOf(n, d, (i, j) => {
    let sum = 0
    for (let c = 0; c < k; c++) sum += W[i * k + c]! * H[c * d + j]!
    return sum + 0.2 * w()
  })
}

describe('batchSize', () => {
  // scikit-learn 1.9.1, MiniBatchNMF(8, batch_size=256, random_state=0), after 200 iterations without an early
  // stop 784.987; with init='random' and seeds 0 to 2: 849.965, 682.189, 903.778. Its NMF ends at 355.162.
  it('reaches a lower loss than MiniBatchNMF of scikit-learn, and nearly that of all rows at once', async () => {
    const set = plantedSet()
    for (const init of ['random', 'nndsvdar'] as const) {
      const few = { rank: 8, batchSize: 256, iterations: 40, tolerance: 0, init } as const
      const { objective, W, H } = await nmf(set, few)
      expect(objective.at(-1)!).toBeLessThan(1.02 * 355.162)
      expect(objective.at(-1)! / squaredError(set, W, H)).toBeCloseTo(1, 4)
    }
  })

  it('takes the steps of the formula', async () => {
    const draw = uniform(6)
    const W = matrixOf(300, 4, () => draw() + 0.1)
    const H = matrixOf(4, 24, () => draw() + 0.1)
    const schedule = { batchSize: 70, forgetFactor: 0.6, iterations: 3 }
    const expected = inBatches(X, W, H, schedule)
    const steps = { rank: 4, tolerance: 0, innerSweeps: 1, init: { W, H }, ...schedule }
    const found = await nmf(X, steps)
    const scale = found.W.data[0]! / expected.W[0]!
    found.W.data.forEach((w, at) => expect(w / scale).toBeCloseTo(expected.W[at]!, 3))
    const { rows: k, cols: d, data } = found.H
    for (let j = 0; j < k; j++)
      for (let t = 0; t < d; t++)
        expect(data[j * d + t]! * scale).toBeCloseTo(expected.Ht[t * k + j]!, 3)
  })

  it.each(['hals', 'mu', 'anls-bpp', 'projected-gradient'] as const)(
    'hands back the best pair, whose objective is exact: %s',
    async (solver) => {
      const penalties = { l1W: 0.02, l2W: 0.01, l1H: 0.03, l2H: 0.01 }
      const noisy = { ...X, data: X.data.map((x, at) => x + (at % 5) / 4) }
      for (const fit of [nmf, semiNmf] as const) {
        const { W, H, objective } = await fit(noisy, { ...options, ...penalties, solver })
        const expected =
          squaredError(noisy, W, H) +
          penalties.l1W * absolutes(W.data) +
          penalties.l2W * squares(W.data) +
          penalties.l1H * absolutes(H.data) +
          penalties.l2H * squares(H.data)
        expect(Math.min(...objective) / expected).toBeCloseTo(1, 4)
        expect(objective.at(-1)!).toBeLessThan(0.9 * objective[0]!)
      }
    },
  )

  it('has the same bits for any number of threads, from a file, and resumed', async () => {
    const one = await nmf(X, { ...options, threads: 1 })
    const path = folder.path('X.npy')
    await writeNpy(path, { data: X.data, shape: [X.rows, X.cols] })
    const file = await openNpy(path)
    const checkpoint = folder.path('run.safetensors')
    await nmf(X, { ...options, iterations: 5, checkpoint })
    for (const again of [
      await nmf(X, { ...options, threads: 2 }),
      await nmf(file, options),
      await nmf(X, { ...options, resume: checkpoint }),
    ]) {
      expect(again.W.data).toEqual(one.W.data)
      expect(again.H.data).toEqual(one.H.data)
      expect(again.objective).toEqual(one.objective)
    }
    await closeMatrix(file)
    await expect(nmf(X, { ...options, batchSize: 71, resume: checkpoint })).rejects.toThrow(
      'expected batchSize 71, as in this call, received 70',
    )
  })

  it('serves sparse rows, rows of weights and an H of any sign', async () => {
    const holes = { ...X, data: X.data.map((x, at) => (at % 3 === 0 ? 0 : x)) }
    const dense = await nmf(holes, options)
    const sparse = await nmf(sparseOf(holes), options)
    expect(sparse.objective.at(-1)! / dense.objective.at(-1)!).toBeCloseTo(1, 3)
    const mixed = gaussian(200, 20, 4)
    const sampleWeight = Float32Array.from({ length: 200 }, (_, i) => i % 3)
    const whole = await semiNmf(mixed, { rank: 5, sampleWeight, tolerance: 0, iterations: 60 })
    const batches = { rank: 5, sampleWeight, batchSize: 30, tolerance: 0, iterations: 60 }
    const found = await semiNmf(mixed, batches)
    expect(Math.min(...found.objective)).toBeLessThan(1.05 * whole.objective.at(-1)!)
  })

  it('of all rows or of more is one batch', async () => {
    const whole = await nmf(X, { ...options, batchSize: 300 })
    expect((await nmf(X, { ...options, batchSize: 10_000 })).W.data).toEqual(whole.W.data)
  })

  it.each([
    [{ batchSize: 0 }, 'an integer of at least 1 for batchSize'],
    [{ forgetFactor: 0 }, 'a number above 0 for forgetFactor'],
    [{ forgetFactor: 1.5 }, 'forgetFactor'],
    [{ loss: 'poisson' }, 'none for the loss poisson for batchSize, received 70'],
    [{ mask: new Uint8Array(300 * 24) }, 'none where entries are missing for batchSize'],
    [{ acceleration: 'extrapolated' }, 'none beside batchSize for acceleration'],
  ])('%j is refused', async (wrong, message) => {
    await expect(nmf(X, { ...options, ...wrong } as NmfOptions)).rejects.toThrow(message)
  })

  it('beside a graph is refused', async () => {
    const graph = { adjacency: sparseOf(matrixOf(300, 300, () => 0)), weight: 1 }
    await expect(nmf(X, { ...options, solver: 'mu', innerSweeps: 1, graph })).rejects.toThrow(
      'none for a factorization with a graph for batchSize, received 70',
    )
  })
})
