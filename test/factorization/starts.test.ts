// Starts of factorizations, and upper bounds of their results.
import { describe, expect, it } from 'vitest'
import { nmf, semiNmf, type Matrix, type NmfOptions, type SparseMatrix } from '../../lib/index'
import { solvers } from '../../lib/factorization/fit-options'
import { gaussian, matrixOf, planted } from '../matrices'
import { singularValues, squares } from '../reference/factors'

/** Temperatures in kelvin: a mean that is large beside what differs. */
function kelvin(n: number, d: number, k: number, seed: number, mean = 273): Matrix {
  const { data } = planted(n, d, k, seed)
  const noise = gaussian(n, d, seed + 7, 0.02)
  return matrixOf(n, d, (i, j) => mean + 4 * data[i * d + j]! + noise.data[i * d + j]!)
}

/** The share of ‖X‖² that the best approximation of a rank leaves. */
const shareLeft = (X: Matrix, rank: number) =>
  squares(singularValues(X).subarray(rank)) / squares(X.data)

describe('semiNmf without a start of the caller', () => {
  const rank = 6
  const sets: Record<string, Matrix> = {
    'positive data far from 0': kelvin(400, 40, 5, 5),
    'negative data far from 0': kelvin(400, 40, 5, 6, -273),
    'positive planted data': planted(500, 60, 6, 9, true),
    'one large column': matrixOf(
      300,
      30,
      (i, j) => (j === 3 ? 1e4 : 0) + Math.sin(i * i * (j + 1)),
    ),
  }

  it('keeps a start that is right up to the rounding of float32, however long it runs', async () => {
    const low = planted(600, 30, 4, 3)
    const X = matrixOf(600, 30, (i, j) => 1000 + low.data[i * 30 + j]!)
    for (const tolerance of [1e-4, 0]) {
      const { relativeError } = await semiNmf(X, { rank: 6, tolerance })
      expect(relativeError).toBeLessThan(5e-7)
    }
  })

  it.each(Object.entries(sets))(
    'ends below the error of one rank less, which is always within reach: %s',
    async (_, X) => {
      for (const solver of solvers) {
        const { relativeError } = await semiNmf(X, { rank, solver })
        expect(relativeError ** 2, solver).toBeLessThan(1.02 * shareLeft(X, rank - 1) + 1e-11)
      }
    },
  )

  const centre = gaussian(rank, 30, 8)
  const spread = gaussian(300, 30, 9)
  const clusters = matrixOf(
    300,
    30,
    (i, j) => 5 * centre.data[(i % rank) * 30 + j]! + 0.5 * spread.data[i * 30 + j]!,
  )

  it('names the start of the pair, and giving that start gives the same bits', async () => {
    for (const [X, init] of [
      [kelvin(400, 40, 5, 5), 'svd'],
      [clusters, 'kmeans'],
    ] as const) {
      const silent = await semiNmf(X, { rank })
      const spoken = await semiNmf(X, { rank, init })
      expect(silent.options['init']).toBe(init)
      expect(silent.W.data).toEqual(spoken.W.data)
      expect(silent.H.data).toEqual(spoken.H.data)
      expect(silent.objective).toEqual(spoken.objective)
    }
  })

  it('starts where it is told, and nowhere else', async () => {
    const X = kelvin(400, 40, 5, 5)
    expect((await semiNmf(X, { rank, init: 'kmeans' })).options['init']).toBe('kmeans')
    expect((await semiNmf(X, { rank, iterations: 0 })).options['init']).toBe('kmeans')
  })
})

describe('nmf without a start of the caller', () => {
  const X = planted(300, 80, 6, 11, true)
  const initOf = async (matrix: Matrix | SparseMatrix, more: Partial<NmfOptions> = {}) =>
    (await nmf(matrix, { rank: 4, iterations: 0, ...more })).options['init']

  it('begins on singular vectors where that is cheap, and the name of the start gives its bits', async () => {
    const silent = await nmf(X, { rank: 4 })
    expect(silent.options['init']).toBe('low-rank')
    const spoken = await nmf(X, { rank: 4, init: 'low-rank' })
    expect(spoken.W.data).toEqual(silent.W.data)
    expect(spoken.H.data).toEqual(silent.H.data)
  })

  it('begins at nndsvdar where its iterations would cost as much, or lack a term', async () => {
    expect(await initOf(planted(60, 20, 6, 12, true))).toBe('nndsvdar')
    for (const option of [
      { l1W: 1 },
      { l2H: 1 },
      { upperW: 1 },
      { sampleWeight: new Float32Array(300).fill(1) },
      { solver: 'anls-bpp' },
    ] as const)
      expect(await initOf(X, option)).toBe('nndsvdar')
    const sparse = {
      indptr: Int32Array.from({ length: 301 }, (_, i) => i),
      indices: Int32Array.from({ length: 300 }, (_, i) => i % 80),
      values: new Float32Array(300).fill(1),
      rows: 300,
      cols: 80,
    }
    expect(await initOf(sparse)).toBe('nndsvdar')
  })

  it('leaves less than nndsvdar before the first iteration, and no more after the last', async () => {
    for (const noise of [0, 0.3]) {
      const disturbed = matrixOf(300, 80, (i, j) =>
        Math.abs(X.data[i * 80 + j]! + noise * Math.sin(i * i * (j + 1))),
      )
      const [begun, ended] = await Promise.all(
        (['low-rank', 'nndsvdar'] as const).map((init) => nmf(disturbed, { rank: 6, init })),
      ).then(([low, plain]) => [
        low!.objective[0]! / plain!.objective[0]!,
        low!.objective.at(-1)! / plain!.objective.at(-1)!,
      ])
      expect(begun).toBeLessThan(0.9)
      expect(ended).toBeLessThan(1.01)
    }
  })
})

describe('svd', () => {
  it('gives up no component where the first singular vector is positive', async () => {
    const X = planted(300, 40, 8, 12, true)
    const { objective } = await semiNmf(X, { rank: 5, init: 'svd', iterations: 1 })
    expect(objective[0]! / squares(X.data) / shareLeft(X, 5)).toBeCloseTo(1, 4)
  })
})
