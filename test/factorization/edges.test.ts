import { describe, expect, it } from 'vitest'
import { nmf, semiNmf, truncatedSvd } from '../../lib/index'
import { gaussian, matrixOf, planted, uniform } from '../matrices'
import { productOf, singularValues, squaredError, squares } from '../reference/factors'

describe('semiNmf', () => {
  it('recovers a planted pair', async () => {
    const X = planted(900, 60, 5, 91)
    const runs = await Promise.all(
      [0, 1, 2].map((seed) =>
        semiNmf(X, { rank: 5, seed, iterations: 800, tolerance: 0, init: 'random' }),
      ),
    )
    expect(Math.min(...runs.map(({ relativeError }) => relativeError))).toBeLessThan(1e-3)
  })

  it('starts from the error of the best approximation of one rank less (Gillis & Kumar 2015)', async () => {
    const X = gaussian(50, 20, 7)
    const { objective } = await semiNmf(X, { rank: 6, init: 'svd', iterations: 1, tolerance: 0 })
    const floor = squares(singularValues(X).subarray(5))
    expect(objective[0]! / floor).toBeCloseTo(1, 4)
  })

  it('starts from the error of the same rank where its space has a positive vector', async () => {
    // Codes of all rows are at least 0, but components nearly cancel, so that the first singular vector has
    // both signs.
    const k = 4
    const next = uniform(3)
    const codes = matrixOf(80, k, () => next() ** 3)
    const H = gaussian(k, 20, 4)
    for (let t = 0; t < 20; t++) H.data[t] = 0.3 * H.data[t]! - H.data[20 + t]!
    const X = productOf(codes, H)
    const { U } = await truncatedSvd(X, { rank: k })
    const first = Array.from({ length: 80 }, (_, i) => U.data[i * k]!)
    expect(Math.min(...first) * Math.max(...first)).toBeLessThan(0)
    const { objective, W } = await semiNmf(X, { rank: k, init: 'svd', iterations: 0 })
    expect(objective[0]! / squares(X.data)).toBeLessThan(1e-9)
    expect(Math.min(...W.data)).toBeGreaterThanOrEqual(0)
  })

  it('needs a component more than the rank where rows surround 0', async () => {
    const X = matrixOf(4, 5, (i, j) => (j === i % 2 ? 3 * (1 - (i & 2)) + j : 0))
    const start = async (rank: number) =>
      (await semiNmf(X, { rank, init: 'svd', iterations: 0 })).objective[0]!
    expect(await start(2)).toBeCloseTo(squares(singularValues(X).subarray(1)), 3)
    expect(await start(3)).toBeLessThan(1e-9)
  })

  it('starts at the error of rank 2 exactly where rows of singular vectors leave a half-plane free', async () => {
    const next = uniform(8)
    const counts = [0, 0]
    for (let trial = 0; trial < 60; trial++) {
      // Rows within an angle of up to 2 π of each other, in a plane, longer in one direction, and noise.
      const [angle, long] = [2 * Math.PI * next(), 4 * next()]
      const flat = matrixOf(6, 2, () => 0)
      for (let i = 0; i < 6; i++) {
        const [at, length] = [angle * next() + trial, 0.3 + next()]
        flat.data.set([length * Math.cos(at), long * length * Math.sin(at)], 2 * i)
      }
      const X = productOf(flat, gaussian(2, 7, trial))
      gaussian(6, 7, 100 + trial).data.forEach((value, at) => (X.data[at]! += 0.01 * value))
      const { U } = await truncatedSvd(X, { rank: 2 })
      const angles = Array.from({ length: 6 }, (_, i) =>
        Math.atan2(U.data[2 * i + 1]!, U.data[2 * i]!),
      ).sort((a, b) => a - b)
      const gaps = angles.map((at, i) => (angles[i + 1] ?? angles[0]! + 2 * Math.PI) - at)
      const beyond = Math.max(...gaps) - Math.PI
      // Nearer than this, shifts would lose the digits of float32.
      if (Math.abs(beyond) < 0.05) continue
      const { objective } = await semiNmf(X, { rank: 2, init: 'svd', iterations: 0 })
      const floor = squares(singularValues(X).subarray(beyond > 0 ? 2 : 1))
      expect(objective[0]! / floor, `trial ${trial}`).toBeCloseTo(1, 2)
      counts[beyond > 0 ? 0 : 1]!++
    }
    expect(Math.min(...counts)).toBeGreaterThan(8)
  })

  it('stays finite where the infimum is not attained, and l2 on H bounds the factors', async () => {
    const X = matrixOf(3, 2, (i, j) => [1, 0, 0, 1, -1, 0][i * 2 + j]!)
    const free = await semiNmf(X, { rank: 2, init: 'random', iterations: 300, tolerance: 0 })
    expect([...free.W.data, ...free.H.data].every(Number.isFinite)).toBe(true)
    const bound = await semiNmf(X, {
      rank: 2,
      init: 'random',
      iterations: 300,
      tolerance: 0,
      l2H: 0.01,
      l2W: 0.01,
    })
    expect(Math.max(...bound.H.data.map(Math.abs))).toBeLessThan(100)
  })

  it('counts a row of weight 2 twice, also where components cancel each other', async () => {
    const [X, w, h] = [gaussian(60, 12, 5), gaussian(60, 2, 6), gaussian(2, 12, 7)]
    const W = { ...w, data: w.data.map((value) => 1000 + value) }
    const H = {
      ...h,
      data: h.data.map((value, at) => (at < 12 ? value : 1e-3 * value - h.data[at - 12]!)),
    }
    const sampleWeight = Float32Array.from({ length: 60 }, (_, i) => 1 + (i % 3))
    const order = Array.from(sampleWeight).flatMap((times, i) => Array<number>(times).fill(i))
    const repeated = ({ data, cols }: typeof X) => ({
      data: Float32Array.from(order.flatMap((i) => [...data.subarray(i * cols, (i + 1) * cols)])),
      rows: order.length,
      cols,
    })
    for (const solver of ['hals', 'mu'] as const) {
      const steps = { rank: 2, solver, iterations: 4, tolerance: 0, innerSweeps: 1 } as const
      const options = { ...steps, acceleration: 'none' } as const
      const weighted = await semiNmf(X, { ...options, sampleWeight, init: { W, H } })
      const twice = await semiNmf(repeated(X), { ...options, init: { W: repeated(W), H } })
      for (const [t, value] of twice.objective.entries())
        expect(Math.abs(weighted.objective[t]! / value - 1)).toBeLessThan(1e-5)
    }
  })

  it('fills the arrays of the caller and takes strided rows', async () => {
    const wide = gaussian(40, 12, 3)
    const X = { data: wide.data, rows: 40, cols: 7, stride: 12 }
    const dense = matrixOf(40, 7, (i, j) => wide.data[i * 12 + j]!)
    const out = { W: new Float32Array(40 * 3), H: new Float32Array(3 * 7) }
    const strided = await semiNmf(X, { rank: 3, iterations: 9, tolerance: 0, out })
    const plain = await semiNmf(dense, { rank: 3, iterations: 9, tolerance: 0 })
    expect(strided.W.data).toBe(out.W)
    expect(out.H).toEqual(plain.H.data)
  })

  it('aborts with the reason of the signal', async () => {
    const X = gaussian(4000, 256, 5)
    const controller = new AbortController()
    const run = semiNmf(X, {
      rank: 32,
      iterations: 100_000,
      tolerance: 0,
      signal: controller.signal,
    })
    setTimeout(() => controller.abort(new Error('enough')), 100)
    await expect(run).rejects.toThrow('enough')
  })

  it('tells of its progress', async () => {
    const seen: number[] = []
    const { objective } = await semiNmf(gaussian(300, 30, 5), {
      rank: 4,
      iterations: 20,
      tolerance: 0,
      onProgress: ({ phase, done }) => phase.startsWith('iterate') && seen.push(done),
    })
    expect(seen.at(-1)).toBe(20)
    expect(objective.length).toBe(21)
  })

  it.each([
    [{ rank: 0 }, 'rank'],
    [{ rank: 3, tolerance: -1 }, 'tolerance'],
    [{ rank: 3, init: 'nndsvd' }, 'init'],
    [{ rank: 3, solver: 'als' }, 'solver'],
    [{ rank: 30, init: 'svd' }, 'rank'],
    [{ rank: 3, rnak: 2 }, 'rnak'],
    [{ rank: 3, l1W: NaN }, 'l1W'],
    [{ rank: 3, threads: 0 }, 'threads'],
  ])('names the option at fault: %o', async (options, name) => {
    await expect(semiNmf(gaussian(40, 20, 1), options as never)).rejects.toMatchObject({
      argument: name,
    })
  })
})

describe('nmf', () => {
  it('refuses an entry below zero by its place', async () => {
    const X = matrixOf(9, 5, (i, j) => (i === 6 && j === 2 ? -3.5 : 1))
    await expect(nmf(X, { rank: 2 })).rejects.toMatchObject({
      argument: 'X',
      row: 6,
      column: 2,
      received: '-3.5',
    })
  })

  it('warns of a penalty on one factor alone', async () => {
    const { warnings } = await nmf(
      matrixOf(20, 9, (i, j) => i + j),
      { rank: 2, l1W: 0.5 },
    )
    expect(warnings.join()).toMatch(/penalt/i)
  })

  it('fits sparse rows as it fits dense ones', async () => {
    const dense = matrixOf(80, 30, (i, j) => ((i * 7 + j * 13) % 9 === 0 ? 1 + ((i + j) % 5) : 0))
    const entries = [...dense.data.keys()].filter((at) => dense.data[at] !== 0)
    const indptr = Int32Array.from(
      { length: 81 },
      (_, i) => entries.filter((at) => at < i * 30).length,
    )
    const X = {
      rows: 80,
      cols: 30,
      indptr,
      indices: Int32Array.from(entries, (at) => at % 30),
      values: Float32Array.from(entries, (at) => dense.data[at]!),
    }
    const options = { rank: 4, init: 'random', iterations: 15, tolerance: 0 } as const
    const [a, b] = [await nmf(dense, options), await nmf(X, options)]
    expect(b.objective.at(-1)! / a.objective.at(-1)!).toBeCloseTo(1, 4)
    expect(b.relativeError).toBeCloseTo(
      Math.sqrt(squaredError(dense, b.W, b.H) / squares(dense.data)),
      4,
    )
  })

  it('gives zeros for an X of zeros', async () => {
    const { relativeError } = await nmf(
      matrixOf(12, 6, () => 0),
      { rank: 2, init: 'random' },
    )
    expect(relativeError).toBe(0)
  })
})

describe('truncatedSvd', () => {
  it('finds the largest singular values', async () => {
    const X = matrixOf(90, 24, (i, j) => Math.sin(i * 0.7 + j) / (1 + j) + ((i * j) % 7) / 9)
    const { s, U, V } = await truncatedSvd(X, { rank: 6, powerIterations: 6 })
    const right = singularValues(X)
    s.forEach((value, r) => expect(value / right[r]!).toBeCloseTo(1, 4))
    const gram = (i: number, j: number) =>
      U.data.reduce(
        (sum, _, at) => (at % 6 === i ? sum + U.data[at]! * U.data[at - i + j]! : sum),
        0,
      )
    expect(gram(0, 0)).toBeCloseTo(1, 4)
    expect(gram(1, 4)).toBeCloseTo(0, 4)
    expect(V.rows).toBe(6)
  })

  it('keeps the left singular vectors of data with a common offset', async () => {
    const noise = gaussian(400, 12, 5)
    const X = matrixOf(400, 12, (i, j) => 1e4 * (1 + (j % 3)) + 0.1 * noise.data[i * 12 + j]!)
    const { U, s, V, warnings } = await truncatedSvd(X, { rank: 6 })
    expect(s[5]! / s[0]!).toBeLessThan(1e-5)
    expect(warnings).toEqual([])
    for (let r = 0; r < 6; r++) {
      let residual = 0
      for (let i = 0; i < 400; i++) {
        let left = -s[r]! * U.data[i * 6 + r]!
        for (let t = 0; t < 12; t++) left += X.data[i * 12 + t]! * V.data[r * 12 + t]!
        residual += left * left
      }
      expect(Math.sqrt(residual) / s[r]!).toBeLessThan(0.02)
      for (let q = 0; q < r; q++) {
        let along = 0
        for (let i = 0; i < 400; i++) along += U.data[i * 6 + r]! * U.data[i * 6 + q]!
        expect(Math.abs(along)).toBeLessThan(1e-5)
      }
    }
  })

  it.each([
    [4, 2, 'Columns 2 to 3 of U only complete its orthonormal columns'],
    [3, 2, 'Column 2 of U only completes its orthonormal columns'],
    [2, 0, 'X is zero: U and V are any orthonormal columns and rows.'],
  ])('warns of arbitrary columns at rank %i of %i', async (rank, truth, sentence) => {
    const X = matrixOf(40, 9, (i, j) => (truth === 0 ? 0 : (i % 5) + (i % 7) * j))
    const { warnings } = await truncatedSvd(X, { rank })
    expect(warnings).toEqual([expect.stringContaining(sentence)])
  })
})
