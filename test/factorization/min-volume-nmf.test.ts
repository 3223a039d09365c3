import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FactorizationModel, minVolumeNmf, nmf } from '../../lib/index'
import { gaussian, matrixOf, sparseOf, uniform } from '../matrices'
import { impureMixtures, mixtures, noisyProduct } from '../mixtures'
import { productOf } from '../reference/factors'
import { logVolume, rowsOf, simplexViolation, worstMatch } from '../reference/hulls'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-volume-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const next = uniform(4)
/** No component has a zero and no sample is pure: NMF has many solutions. */
const planted = matrixOf(3, 15, () => 0.3 + next())
const X = productOf(impureMixtures(500, 3, 0.85, 3), planted)

const sumsOf = (W: Parameters<typeof rowsOf>[0]) =>
  rowsOf(W).map((row) => row.reduce((a, b) => a + b, 0))

/** NMF determines no lengths: its components at those of the planted ones that they are nearest to. */
function atPlantedLength(H: Parameters<typeof rowsOf>[0]) {
  const unit = (row: Float64Array) => row.map((x) => x / Math.hypot(...row))
  const parts = rowsOf(planted)
  const rows = rowsOf(H).map((row) => {
    const distances = parts.map((part) =>
      Math.hypot(...unit(part).map((x, t) => x - unit(row)[t]!)),
    )
    const length = Math.hypot(...parts[distances.indexOf(Math.min(...distances))]!)
    return unit(row).map((x) => x * length)
  })
  return matrixOf(3, 15, (j, t) => rows[j]![t]!)
}

describe('minVolumeNmf', () => {
  it('finds components of which no sample is pure, where NMF does not', async () => {
    const { H, W, relativeError } = await minVolumeNmf(X, { rank: 3 })
    expect(relativeError).toBeLessThan(0.005)
    expect(worstMatch(H, planted)).toBeLessThan(0.03)
    expect(Math.max(...sumsOf(W))).toBeLessThan(1 + 1e-5)
    const plain = await nmf(X, { rank: 3, iterations: 1000, tolerance: 1e-9 })
    expect(plain.relativeError).toBeLessThan(0.005)
    expect(worstMatch(atPlantedLength(plain.H), planted)).toBeGreaterThan(0.06)
  })

  it('finds them for any start, with rows of W that sum to 1, and under noise', async () => {
    const noisy = noisyProduct(impureMixtures(500, 3, 0.85, 3), planted, 0.005, 2)
    const positive = { ...noisy, data: noisy.data.map((value) => Math.max(0, value)) }
    for (const init of ['spa', 'furthest-sum', 'random'] as const) {
      const { H, W } = await minVolumeNmf(positive, { rank: 3, init, rowSums: 'one', volume: 0.03 })
      expect(worstMatch(H, planted), init).toBeLessThan(0.08)
      for (const sum of sumsOf(W)) expect(Math.abs(sum - 1)).toBeLessThan(1e-5)
    }
  })

  it('spans a smaller volume with a larger weight', async () => {
    const offset = 0.1 * (X.data.reduce((sum, x) => sum + x * x, 0) / X.rows)
    const volumes = []
    for (const volume of [0.01, 1, 10, 100]) {
      const { H, objective } = await minVolumeNmf(X, { rank: 3, volume })
      volumes.push(logVolume(H, offset))
      for (let t = 1; t < objective.length; t++)
        expect(objective[t]!).toBeLessThanOrEqual(objective[t - 1]! * (1 + 1e-6))
    }
    expect([...volumes].sort((a, b) => b - a)).toEqual(volumes)
    expect(volumes[3]!).toBeLessThan(0.9 * volumes[0]!)
  })

  it('ends at codes that no exchange improves', async () => {
    const { W, H } = await minVolumeNmf(X, { rank: 3, iterations: 300 })
    expect(simplexViolation(X, W, H, true)).toBeLessThan(1e-4)
  })

  it('resumes with the same bits, and codes new rows with the same sums after a load', async () => {
    const checkpoint = join(folder, 'run.safetensors')
    const options = { rank: 3, tolerance: 0 }
    for (const rowSums of ['one', 'at-most-one'] as const) {
      const whole = await minVolumeNmf(X, { ...options, rowSums, iterations: 25 })
      await minVolumeNmf(X, { ...options, rowSums, iterations: 12, checkpoint })
      const rest = await minVolumeNmf(X, {
        ...options,
        rowSums,
        iterations: 25,
        resume: checkpoint,
      })
      expect(rest.H.data).toEqual(whole.H.data)
      expect(rest.W.data).toEqual(whole.W.data)
      expect(rest.objective).toEqual(whole.objective)
      const path = join(folder, 'model.safetensors')
      await whole.save(path)
      const half = { ...X, data: X.data.map((value) => value / 2) }
      const { W } = await (await FactorizationModel.load(path)).transform(half)
      const sums = sumsOf(W)
      if (rowSums === 'one') for (const sum of sums) expect(Math.abs(sum - 1)).toBeLessThan(1e-5)
      else expect(Math.max(...sums)).toBeLessThan(0.6)
      expect(simplexViolation(half, W, whole.H, rowSums === 'at-most-one')).toBeLessThan(1e-5)
    }
  })

  it('takes sparse rows, rows of zeros and an exact start', async () => {
    const counts = matrixOf(120, 15, (i, t) =>
      i === 7 ? 0 : Math.max(0, ((i * 7 + t * 3) % 11) - 6),
    )
    const [dense, sparse] = [
      await minVolumeNmf(counts, { rank: 3, iterations: 20 }),
      await minVolumeNmf(sparseOf(counts), { rank: 3, iterations: 20 }),
    ]
    expect(Math.abs(dense.relativeError - sparse.relativeError)).toBeLessThan(1e-4)
    expect(Math.max(...dense.W.data.subarray(21, 24))).toBeLessThan(1e-6)
    const exact = matrixOf(30, 4, (i, t) => (i % 4 === t ? 1 : 0))
    expect((await minVolumeNmf(exact, { rank: 4 })).relativeError).toBeLessThan(1e-5)
    const zeros = await minVolumeNmf(
      matrixOf(9, 4, () => 0),
      { rank: 2, init: 'random' },
    )
    expect(zeros.objective.at(-1)).toBe(0)
  })

  it('refuses what it cannot take', async () => {
    const small = productOf(
      mixtures(9, 3, 1),
      matrixOf(3, 4, (j, t) => ((j + 2 * t) % 5) + 1),
    )
    const wrong = (options: object) => minVolumeNmf(small, { rank: 2, ...options } as never)
    await expect(wrong({ rank: 5 })).rejects.toThrow('an integer in 1..4 for rank')
    await expect(wrong({ volume: 0 })).rejects.toThrow(
      'a finite number above 0 for volume, received 0',
    )
    await expect(wrong({ volumeOffset: -1 })).rejects.toThrow(
      'Expected a finite number above 0 for volumeOffset, received -1',
    )
    await expect(wrong({ rowSums: 'two' })).rejects.toThrow('one of at-most-one, one for rowSums')
    await expect(wrong({ init: 'nndsvd' })).rejects.toThrow('init')
    await expect(wrong({ upperW: 1 })).rejects.toThrow('upperW')
    await expect(minVolumeNmf(gaussian(9, 4, 1), { rank: 2 })).rejects.toMatchObject({
      argument: 'X',
      expected: 'a non-negative number',
    })
  })
})
