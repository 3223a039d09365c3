// Multiplicative steps cannot leave a zero, so that only given factors may start with one.
import { describe, expect, it } from 'vitest'
import {
  nmf,
  semiNmf,
  snmf,
  type Factorization,
  type Matrix,
  type SparseMatrix,
} from '../../lib/index'
import { nmfInits, type NmfOptions } from '../../lib/factorization/nmf'
import { semiNmfInits } from '../../lib/factorization/semi-nmf'
import { matrixOf, planted, uniform } from '../matrices'
import { ringGraph } from '../reference/graphs'

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

/** The same matrix as CSR. */
function sparse({ data, rows, cols }: Matrix): SparseMatrix {
  const entries = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: cols }, (__, t) => t).filter((t) => data[i * cols + t] !== 0),
  )
  const indptr = [0]
  for (const row of entries) indptr.push(indptr.at(-1)! + row.length)
  return {
    rows,
    cols,
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(entries.flat()),
    values: Float32Array.from(entries.flatMap((row, i) => row.map((t) => data[i * cols + t]!))),
  }
}

// Of the singular vectors, mu takes the starts that fill zeros.
const inits = nmfInits.filter((init) => init !== 'nndsvd' && init !== 'low-rank')

const zerosOf = ({ data }: Matrix) => data.filter((value) => value === 0).length

type Variant = Omit<NmfOptions, 'rank'>

/** Empty rows, rows and columns with few entries, one component to spare. */
const counts = documents(true)
const { rows: n, cols: d } = counts
const positive = { ...counts, data: counts.data.map((x) => x + 0.01) }
const sampleWeight = Float32Array.from({ length: n }, (_, i) => i % 3)
const penalties = { l1W: 0.1, l2W: 1, l1H: 0.1, l2H: 1e6 }
const mask = Uint8Array.from({ length: n * d }, (_, at) => (at % 7 === 0 ? 0 : 1))
const holes = { ...counts, data: counts.data.map((x, at) => (mask[at] ? x : NaN)) }

const variants: Record<string, Variant> = {
  frobenius: {},
  'with weights': { sampleWeight },
  'with penalties': penalties,
  'with a graph': { graph: { adjacency: ringGraph(n), weight: 2 } },
  'kullback-leibler': { loss: 'kullback-leibler' },
  'kullback-leibler with penalties': { loss: 'kullback-leibler', ...penalties },
  'itakura-saito': { loss: 'itakura-saito' },
  'beta 0.5': { loss: 'beta', beta: 0.5 },
  'beta 1.5': { loss: 'beta', beta: 1.5 },
  'beta 3': { loss: 'beta', beta: 3 },
}

describe('a start for multiplicative steps holds no zero, for every matrix with empty rows', () => {
  const start = { rank: 7, solver: 'mu', iterations: 0 } as const
  const everyForm = (X: Matrix): (Matrix | SparseMatrix)[] => [X, sparse(X)]

  it.each(Object.entries(variants))('nmf, %s', async (_, variant) => {
    for (const X of everyForm(variant.loss === 'itakura-saito' ? positive : counts))
      for (const init of [undefined, ...inits]) {
        const { W, H } = await nmf(X, { ...start, ...variant, init })
        expect([zerosOf(W), zerosOf(H)], init).toEqual([0, 0])
      }
  })

  it.each(['frobenius', 'kullback-leibler', 'beta'] as const)(
    'nmf with missing entries, %s',
    async (loss) => {
      const options = { ...start, loss, beta: loss === 'beta' ? 1.5 : undefined }
      const found = [
        await nmf(counts, { ...options, mask }),
        await nmf(holes, { ...options, missing: 'nan' }),
        await nmf(sparse(counts), { ...options, missing: 'implicit' }),
      ]
      for (const { W, H } of found) expect([zerosOf(W), zerosOf(H)]).toEqual([0, 0])
    },
  )

  const mixed = matrixOf(n, d, (i, j) => (i % 3 === 0 ? 0 : (i + j) % 2 ? Math.sin(i + j * j) : 0))
  // Their H is solved, which leaves zeros.
  const ofAnySign: Record<
    string,
    (X: Matrix | SparseMatrix, init: 'random' | 'kmeans' | 'svd') => Promise<Factorization>
  > = {
    'semi-nmf': (X, init) => semiNmf(X, { ...start, init }),
    'semi-nmf with weights': (X, init) => semiNmf(X, { ...start, init, sampleWeight }),
    'semi-nmf with penalties': (X, init) => semiNmf(X, { ...start, init, ...penalties }),
    'semi-nmf of one component': (X, init) => semiNmf(X, { ...start, rank: 1, init }),
    snmf: (X, init) => snmf(X, { rank: 7, iterations: 0, init }),
  }
  it.each(Object.entries(ofAnySign))('%s', async (_, fitted) => {
    for (const matrix of [mixed, counts])
      for (const X of everyForm(matrix))
        for (const init of semiNmfInits) expect(zerosOf((await fitted(X, init)).W), init).toBe(0)
  })
})

describe('given factors with zeros, which mu cannot leave', () => {
  const [rows, cols, rank] = [30, 20, 4]
  const draw = uniform(3)
  const X = matrixOf(rows, cols, () => draw() + 0.1)
  const filled = { W: matrixOf(rows, rank, draw), H: matrixOf(rank, cols, draw) }
  const W = matrixOf(rows, rank, (i, j) => ((i === 3 && j > 1) || i === 9 ? 0 : draw()))
  const H = matrixOf(rank, cols, (i, j) => (i === 2 && j === 5 ? 0 : draw()))
  const options = { rank, solver: 'mu', iterations: 3 } as const

  it('are told of in a warning that names the first one', async () => {
    const { warnings } = await nmf(X, { ...options, init: { W, H } })
    expect(warnings).toEqual([
      'init.W has 6 zeros, the first at row 3, column 2: mu leaves them at zero; give small positive numbers, or use hals.',
      'init.H has 1 zero, at row 2, column 5: mu leaves it at zero; give small positive numbers, or use hals.',
    ])
    const alone = await nmf(X, { ...options, init: { H }, loss: 'kullback-leibler' })
    expect(alone.warnings).toEqual([
      expect.stringMatching(/init\.H .* give small positive numbers\.$/),
    ])
    const semi = await semiNmf(X, { ...options, init: { W, H } })
    expect(semi.warnings).toEqual([expect.stringContaining('init.W has 6 zeros')])
  })

  it('are no matter without zeros, or for hals', async () => {
    expect((await nmf(X, { ...options, init: filled })).warnings).toEqual([])
    expect((await nmf(X, { ...options, solver: 'hals', init: { W, H } })).warnings).toEqual([])
  })
})

describe('mu without a start of the caller', () => {
  it('fits a matrix of rank 2 with empty rows from clusters', async () => {
    const X = matrixOf(4, 3, (i, j) => [0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 1][i * 3 + j]!)
    const options = { rank: 2, solver: 'mu', init: 'kmeans', iterations: 2000 } as const
    const { relativeError, warnings } = await nmf(X, { ...options, tolerance: 0 })
    expect(relativeError).toBeLessThan(1e-3)
    expect(warnings.join()).not.toContain('no part in the fit')
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

  it('ends within 3 % of the best start', async () => {
    const noise = uniform(8)
    const low = planted(300, 40, 5, 7, true)
    const sets = [
      matrixOf(300, 40, (i, j) => low.data[i * 40 + j]! + 0.5 * noise()),
      matrixOf(300, 40, (i, j) => 20 + low.data[i * 40 + j]! + 0.5 * noise()),
      documents(false),
    ]
    for (const X of sets) {
      const options = { rank: 5, solver: 'mu' } as const
      const own = (await nmf(X, options)).objective.at(-1)!
      for (const init of inits)
        expect(own, init).toBeLessThan(
          1.03 * (await nmf(X, { ...options, init })).objective.at(-1)!,
        )
    }
  })
})

describe('the steps of mu', () => {
  const X = planted(120, 40, 4, 3, true)
  const chosen = async (options: Variant & { rank?: number }, of: Matrix | SparseMatrix = X) => {
    const { options: taken } = await nmf(of, { rank: 4, solver: 'mu', iterations: 2, ...options })
    return [taken['init'], taken['innerSweeps'], taken['acceleration']]
  }

  it('take as many inner sweeps as cost about what the products with X cost', async () => {
    expect(await chosen({})).toEqual(['random', 30, 'extrapolated'])
    expect(await chosen({ rank: 20 })).toEqual(['random', 6, 'extrapolated'])
    expect(await chosen({ rank: 40 })).toEqual(['random', 4, 'extrapolated'])
    expect(await chosen({ rank: 1 })).toEqual(['random', 32, 'extrapolated'])
    expect(await chosen({}, sparse(documents(true)))).toEqual(['random', 4, 'extrapolated'])
  })

  it('are those by entries under another loss and a mask, plain with a graph and from given factors', async () => {
    const draw = uniform(4)
    const init = { W: matrixOf(120, 4, draw), H: matrixOf(4, 40, draw) }
    const plain = [1, 'none']
    expect(await chosen({ init })).toEqual(['custom', ...plain])
    const byEntries = [1, 'extrapolated']
    expect(await chosen({ loss: 'kullback-leibler' })).toEqual(['nndsvda', ...byEntries])
    expect(await chosen({ mask: new Uint8Array(X.data.length).fill(1) })).toEqual([
      'random',
      ...byEntries,
    ])
    const graph = { adjacency: ringGraph(120), weight: 1 }
    expect(await chosen({ graph })).toEqual(['nndsvda', ...plain])
    await expect(chosen({ graph, acceleration: 'extrapolated' })).rejects.toThrow(
      'none for a factorization with a graph for acceleration',
    )
  })

  it('make no zero where they are extrapolated', async () => {
    const start = matrixOf(60, 8, (i, j) => 0.1 + Math.abs(Math.sin(i * 8 + j * j)))
    const options = { rank: 5, solver: 'mu', tolerance: 0, iterations: 60 } as const
    const { W, H, objective } = await nmf(start, options)
    expect([zerosOf(W), zerosOf(H)]).toEqual([0, 0])
    for (let t = 1; t < objective.length; t++)
      expect(objective[t]!).toBeLessThanOrEqual(objective[t - 1]! * (1 + 1e-6))
  })
})
