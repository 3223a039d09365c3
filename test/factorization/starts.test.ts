// Starts of factorizations, and upper bounds of their results.
import { describe, expect, it } from 'vitest'
import { nmf, semiNmf, type Matrix } from '../../lib/index'
import { solvers } from '../../lib/factorization/fit-options'
import { gaussian, matrixOf, planted, uniform } from '../matrices'
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

describe('svd', () => {
  it('gives up no component where the first singular vector is positive', async () => {
    const X = planted(300, 40, 8, 12, true)
    const { objective } = await semiNmf(X, { rank: 5, init: 'svd', iterations: 1 })
    expect(objective[0]! / squares(X.data) / shareLeft(X, 5)).toBeCloseTo(1, 4)
  })
})

/** Documents of few words out of six subjects; every third one may be empty. */
function documents(empty: boolean): Matrix {
  const random = uniform(5)
  const [rows, cols] = [300, 60]
  const data = new Float32Array(rows * cols)
  for (let i = 0; i < rows; i++)
    for (let word = 0; word < 15 && !(empty && i % 3 === 0); word++)
      data[i * cols + 10 * (i % 6) + Math.floor(10 * random())]! += 1
  return { data, rows, cols }
}

describe('mu starts without zeros, which it cannot leave', () => {
  it.each(['kmeans', 'random', 'nndsvda', 'nndsvdar'] as const)('nmf, %s', async (init) => {
    for (const empty of [true, false]) {
      const options = { rank: 6, solver: 'mu', init, iterations: 0 } as const
      const { W, H } = await nmf(documents(empty), options)
      expect([...W.data, ...H.data].every((value) => value > 0)).toBe(true)
    }
  })

  it.each(['kmeans', 'random', 'svd'] as const)('semi-nmf, %s', async (init) => {
    const X = matrixOf(40, 12, (i, j) => (i % 3 === 0 ? 0 : Math.sin(i + j * j)))
    for (const rank of [1, 4]) {
      const { W } = await semiNmf(X, { rank, solver: 'mu', init, iterations: 0 })
      expect(W.data.every((value) => value > 0)).toBe(true)
    }
  })

  it('fits a matrix of rank 2 with empty rows from clusters', async () => {
    const X = matrixOf(4, 3, (i, j) => [0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 1][i * 3 + j]!)
    const options = { rank: 2, solver: 'mu', init: 'kmeans', iterations: 2000 } as const
    const { relativeError, warnings } = await nmf(X, { ...options, tolerance: 0 })
    expect(relativeError).toBeLessThan(1e-3)
    expect(warnings).toEqual([])
  })

  it('ends as low from clusters as from other starts', async () => {
    for (const empty of [true, false]) {
      const options = { rank: 6, solver: 'mu', iterations: 500, tolerance: 0 } as const
      const X = documents(empty)
      const best = await nmf(X, { ...options, init: 'nndsvda' })
      const own = await nmf(X, { ...options, init: 'kmeans' })
      expect(own.relativeError).toBeLessThan(1.02 * best.relativeError)
    }
  })
})
