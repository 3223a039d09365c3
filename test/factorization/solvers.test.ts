// The solvers that end at, or step towards, the non-negative least squares of a factor.
import { describe, expect, it } from 'vitest'
import { nmf, semiNmf, type Factorization, type Matrix } from '../../lib/index'
import { gaussian, matrixOf, planted } from '../matrices'
import { codeObjective, codesOf } from '../reference/codes'

const rowsOf = ({ data, rows, cols }: Matrix) =>
  Array.from({ length: rows }, (_, i) => data.subarray(i * cols, (i + 1) * cols))

const transposed = ({ data, rows, cols }: Matrix) =>
  matrixOf(cols, rows, (i, j) => data[j * cols + i]!)

const positive = (rows: number, cols: number, seed: number): Matrix => {
  const { data, ...shape } = planted(rows, cols, 6, seed)
  return { data: data.map(Math.abs), ...shape }
}

/** Σ over rows of f N f − 2 c·f is this much above its least, as a share of ‖X‖². */
function excess(X: Matrix, H: Matrix, W: Matrix, penalties: { l1W?: number; l2W?: number }) {
  const norm = X.data.reduce((sum, x) => sum + x * x, 0)
  const least = codeObjective(X, H, codesOf(X, H, penalties), penalties)
  return (codeObjective(X, H, rowsOf(W), penalties) - least) / norm
}

describe('anls-bpp', () => {
  const cases = [
    ['nmf', {}],
    ['nmf', { l1W: 2, l2W: 0.5 }],
    ['semi-nmf', {}],
    ['semi-nmf', { l1W: 2, l2W: 0.5 }],
  ] as const
  it.each(cases)(
    'computes the least squares of W for a given H: %s, %o',
    async (model, penalties) => {
      const X = model === 'nmf' ? positive(90, 30, 1) : gaussian(90, 30, 1)
      const H = model === 'nmf' ? positive(7, 30, 2) : gaussian(7, 30, 2)
      const fit = model === 'nmf' ? nmf : semiNmf
      const options = { rank: 7, solver: 'anls-bpp', init: { H }, iterations: 0 } as const
      const { W } = await fit(X, { ...options, ...penalties })
      expect(excess(X, H, W, penalties)).toBeLessThan(1e-6)
    },
  )

  it('ends at least squares of both factors, each for the other', async () => {
    const X = positive(80, 40, 3)
    const found = await nmf(X, { rank: 5, solver: 'anls-bpp', iterations: 2000, tolerance: 1e-9 })
    expect(excess(X, found.H, found.W, {})).toBeLessThan(1e-5)
    expect(excess(transposed(X), transposed(found.W), transposed(found.H), {})).toBeLessThan(1e-5)
  })

  it('codes more components than columns, and components that repeat', async () => {
    const few = positive(40, 6, 4)
    const H = matrixOf(9, 6, (j, t) => (j < 8 ? few.data[(j % 4) * 6 + t]! : 0))
    const { W } = await nmf(few, { rank: 9, solver: 'anls-bpp', init: { H }, iterations: 0 })
    const alone = matrixOf(4, 6, (j, t) => H.data[j * 6 + t]!)
    const least = codeObjective(few, alone, codesOf(few, alone))
    expect(codeObjective(few, H, rowsOf(W)) / least).toBeLessThan(1 + 1e-5)
  })

  it('has exact steps, of which a second changes nothing', async () => {
    const wrong = nmf(positive(9, 8, 5), { rank: 2, solver: 'anls-bpp', innerSweeps: 2 })
    await expect(wrong).rejects.toThrow(
      'Expected 1 for the solver anls-bpp, whose steps are exact for innerSweeps, received 2',
    )
  })
})

describe('projected-gradient', () => {
  it('approaches the least squares of W for a given H with its steps', async () => {
    const X = positive(60, 30, 6)
    const H = positive(7, 30, 7)
    // An iteration changes H after W, so W belongs to the given H.
    const options = { rank: 7, init: { W: matrixOf(60, 7, () => 1), H }, iterations: 1 } as const
    const excessAfter = async (innerSweeps: number) => {
      const steps = { solver: 'projected-gradient', acceleration: 'none', innerSweeps } as const
      // A penalty fixes the scale of the factors.
      const { W } = await nmf(X, { ...options, ...steps, l2W: 1e-9 })
      return excess(X, H, W, {})
    }
    expect(await excessAfter(400)).toBeLessThan(1e-6)
    expect(await excessAfter(4)).toBeGreaterThan(await excessAfter(16))
  })
})

const X = positive(120, 30, 8)
const largest = ({ data }: Matrix) => data.reduce((most, value) => Math.max(most, value), 0)

describe.each(['hals', 'projected-gradient'] as const)('upper bounds of %s', (solver) => {
  const fit = (more: object) => nmf(X, { rank: 5, solver, tolerance: 0, iterations: 60, ...more })

  it.each([
    { upperW: 1 },
    { upperW: 0.1 },
    { upperH: 0.7 },
    { upperW: 1, upperH: 0.5 },
    { upperW: 1e-12, upperH: 1e20 },
    { upperW: 0.3, upperH: 0.3, init: 'random' },
    { upperW: 0.3, init: 'kmeans', l1W: 0.1, l2H: 0.1 },
  ])('hold for every entry: %o', async (given) => {
    const { W, H, objective } = await fit(given)
    expect(largest(W)).toBeLessThanOrEqual(Math.fround(given.upperW ?? Infinity))
    expect(largest(H)).toBeLessThanOrEqual(Math.fround(given.upperH ?? Infinity))
    objective.forEach((value, t) => {
      if (t > 0) expect(value).toBeLessThanOrEqual(objective[t - 1]! * (1 + 1e-6))
    })
  })

  it('that bind leave no direction of descent', async () => {
    const bounds = { upperW: 0.4, upperH: 0.6 }
    const { W, H } = await fit({ ...bounds, iterations: 3000 })
    expect(largest(W)).toBe(Math.fround(0.4))
    expect(steepestWithin(X, W, H, 0.4)).toBeLessThan(2e-3)
    expect(steepestWithin(transposed(X), transposed(H), transposed(W), 0.6)).toBeLessThan(2e-3)
  })

  it('far below 1 cost no precision', async () => {
    const far = await fit({ upperW: 1e-25 })
    expect(far.relativeError).toBeLessThan(1.02 * (await fit({ upperW: 1 })).relativeError)
  })

  it('that would push the other factor out of float32 are named', async () => {
    const large = { ...X, data: X.data.map((value) => value * 1e30) }
    await expect(nmf(large, { rank: 3, solver, upperW: 1e-20 })).rejects.toThrow(
      'Expected a bound so large that the entries of H are float32 numbers for upperW, received 9.99',
    )
    await expect(nmf(large, { rank: 3, solver, upperH: 1e-20 })).rejects.toThrow('for upperH')
  })

  it('bind W of a semi-NMF', async () => {
    const found = await semiNmf(gaussian(90, 20, 9), { rank: 4, solver, upperW: 0.5 })
    expect(largest(found.W)).toBeLessThanOrEqual(0.5)
  })

  it('that no entry reaches change nothing', async () => {
    const options = { l1W: 0.1, l1H: 0.1, iterations: 10 }
    const [free, bounded] = [
      await fit(options),
      await fit({ ...options, upperW: 1e6, upperH: 1e6 }),
    ]
    expect(bounded.W.data).toEqual(free.W.data)
  })

  it('hold for new rows, whose codes are the least squares within them', async () => {
    const model = await fit({ upperW: 0.4, l1W: 0.05 })
    const { W } = await model.transform(X)
    expect(largest(W)).toBeLessThanOrEqual(Math.fround(0.4))
    expect(steepestWithin(X, W, model.H, 0.4, 0.05)).toBeLessThan(1e-5)
  })

  it('are those of given factors too', async () => {
    const W = matrixOf(120, 5, (i, j) => (i === 7 && j === 2 ? 1.5 : 0.5))
    await expect(fit({ init: { W }, upperW: 1 })).rejects.toThrow(
      'Expected a number of at most the upper bound of the factor at row 7, column 2 of init.W, received 1.5',
    )
  })
})

/** The largest entry of the projected gradient ½∇_W, as a share of the largest entry of X Hᵀ. */
function steepestWithin(of: Matrix, W: Matrix, H: Matrix, upper: number, l1W = 0): number {
  let [worst, scale] = [0, 0]
  const rest = Float64Array.from(of.data)
  for (let i = 0; i < of.rows; i++)
    for (let t = 0; t < of.cols; t++)
      for (let j = 0; j < H.rows; j++)
        rest[i * of.cols + t]! -= W.data[i * W.cols + j]! * H.data[j * H.cols + t]!
  for (let i = 0; i < of.rows; i++)
    for (let j = 0; j < H.rows; j++) {
      let [slope, cross] = [-l1W / 2, 0]
      for (let t = 0; t < of.cols; t++) {
        slope += rest[i * of.cols + t]! * H.data[j * H.cols + t]!
        cross += of.data[i * of.cols + t]! * H.data[j * H.cols + t]!
      }
      const w = W.data[i * W.cols + j]!
      if (slope > 0 ? w < Math.fround(upper) : w > 0) worst = Math.max(worst, Math.abs(slope))
      scale = Math.max(scale, cross)
    }
  return worst / scale
}

describe('bounds are refused', () => {
  const fit = (more: object): Promise<Factorization> => nmf(X, { rank: 3, iterations: 1, ...more })
  it.each([
    [{ solver: 'mu', upperW: 1 }, 'hals or projected-gradient beside upperW for solver'],
    [{ solver: 'anls-bpp', upperH: 1 }, 'hals or projected-gradient beside upperH for solver'],
    [{ loss: 'kullback-leibler', upperW: 1 }, 'no bound for the loss kullback-leibler for upperW'],
    [
      { mask: new Uint8Array(3600).fill(1), solver: 'mu', upperH: 2 },
      'no bound where entries are missing for upperH',
    ],
    [{ upperW: 0 }, 'a finite number of at least 1e-30 for upperW'],
    [{ upperH: -1 }, 'a finite number of at least 1e-30 for upperH'],
    [{ upperW: NaN }, 'a finite number of at least 1e-30 for upperW'],
    [{ upperW: '1' }, 'a finite number of at least 1e-30 for upperW'],
  ])('case %#', async (given, message) => {
    await expect(fit(given)).rejects.toThrow(message)
  })

  it('by no solver of missing entries but mu and the exact one: hals, their default then, keeps below them', async () => {
    const mask = Uint8Array.from({ length: 3600 }, (_, at) => (at % 4 === 0 ? 0 : 1))
    const bounds = { upperW: 0.5, upperH: 0.9 }
    const { W, H, options } = await fit({ mask, ...bounds, iterations: 30 })
    expect(options['solver']).toBe('hals')
    expect(W.data.every((w) => w >= 0 && w <= 0.5)).toBe(true)
    expect(H.data.every((h) => h >= 0 && h <= Math.fround(0.9))).toBe(true)
    await expect(fit({ mask, ...bounds, solver: 'anls-bpp' })).rejects.toThrow('upperW')
  })

  it('for an H of any sign', async () => {
    const wrong = semiNmf(X, { rank: 3, ...({ upperH: 1 } as object) })
    await expect(wrong).rejects.toThrow('upperH')
  })
})
