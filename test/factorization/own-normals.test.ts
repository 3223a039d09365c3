// Masks and robust losses by steps of squares: every row of a factor has a normal matrix of its own.
import { describe, expect, it } from 'vitest'
import {
  closeMatrix,
  nmf,
  openNpy,
  semiNmf,
  writeNpy,
  type Factorization,
  type Matrix,
  type NmfOptions,
  type SemiNmfOptions,
} from '../../lib/index'
import { temporaryFolder } from '../data/files'
import { gaussian, matrixOf, normal, planted, sparseOf, uniform } from '../matrices'
import { productOf, squaredError, squares } from '../reference/factors'
import { totalLoss } from '../reference/losses'

const [n, d, k] = [120, 40, 3]
const solvers = ['hals', 'anls-bpp'] as const

function expectMonotone({ objective }: Factorization) {
  for (let t = 1; t < objective.length; t++)
    expect(objective[t]!, `iteration ${t}`).toBeLessThanOrEqual(objective[t - 1]! * (1 + 1e-6))
}

const maskOf = (seed: number, share: number, count = n * d) => {
  const draw = uniform(seed)
  return Uint8Array.from({ length: count }, () => (draw() < share ? 0 : 1))
}

describe.each(solvers)('%s where entries are missing', (solver) => {
  const mask = maskOf(3, 0.4)
  const X = planted(n, d, k, 5)
  const options = { rank: k, solver, mask, tolerance: 0, iterations: 150, seed: 1 }

  it('finds them again, for an H of any sign', async () => {
    const found = await semiNmf(X, options)
    expectMonotone(found)
    const again = productOf(found.W, found.H)
    let [missed, norm] = [0, 0]
    mask.forEach((seen, at) => {
      if (seen) return
      missed += (X.data[at]! - again.data[at]!) ** 2
      norm += X.data[at]! ** 2
    })
    expect(Math.sqrt(missed / norm)).toBeLessThan(0.02)
    expect(found.relativeError).toBeLessThan(0.01)
  })

  it('goes below what mu reaches in twice the iterations', async () => {
    const positive = planted(n, d, k, 6, true)
    const run = (more: Partial<NmfOptions>) =>
      nmf(positive, { rank: k, mask, tolerance: 0, ...more })
    const own = await run({ solver, iterations: 60 })
    const ratios = await run({ solver: 'mu', iterations: 120 })
    expect(own.objective.at(-1)!).toBeLessThan(0.1 * ratios.objective.at(-1)!)
  })

  it('adds penalties and weights of rows, and reports the objective of the factors', async () => {
    const sampleWeight = Float32Array.from({ length: n }, (_, i) => (i % 3) + 0.5)
    const weights = { l1W: 0.3, l2W: 0.1, l1H: 0.2, l2H: 0.05 }
    const noisy = { ...X, data: X.data.map((x, at) => x + ((at % 7) - 3) / 5) }
    const found = await semiNmf(noisy, { ...options, iterations: 30, sampleWeight, ...weights })
    expectMonotone(found)
    const { W, H, objective } = found
    const sum = (factor: Matrix) => factor.data.reduce((all, f) => all + Math.abs(f), 0)
    const expected =
      totalLoss(noisy, W, H, { loss: 'frobenius' }, { mask, sampleWeight }) +
      weights.l1W * sum(W) +
      weights.l2W * squares(W.data) +
      weights.l1H * sum(H) +
      weights.l2H * squares(H.data)
    expect(objective.at(-1)! / expected).toBeCloseTo(1, 5)
  })

  it('has the same bits for any number of threads, and codes whole rows with transform', async () => {
    const few = { ...options, iterations: 12 }
    const runs = await Promise.all([1, 2, 3].map((threads) => semiNmf(X, { ...few, threads })))
    for (const { W, H } of runs) {
      expect(W.data).toEqual(runs[0]!.W.data)
      expect(H.data).toEqual(runs[0]!.H.data)
    }
    const whole = await semiNmf(X, options)
    const { relativeError } = await whole.transform(X)
    expect(relativeError).toBeLessThan(0.02)
  })

  it('leaves the factors of rows and columns without entries as they were', async () => {
    const holes = mask.map((seen, at) => (at % d === 7 || Math.floor(at / d) === 11 ? 0 : seen))
    const init = { W: gaussianCodes(), H: gaussian(k, d, 8) }
    const { W, H } = await semiNmf(X, {
      ...options,
      mask: holes,
      init,
      acceleration: 'none',
      iterations: 5,
    })
    // The factors share the scale by a power of two.
    const scale = W.data[11 * k]! / init.W.data[11 * k]!
    for (let c = 0; c < k; c++) {
      expect(W.data[11 * k + c]! / init.W.data[11 * k + c]!).toBe(scale)
      expect((H.data[c * d + 7]! / init.H.data[c * d + 7]!) * scale).toBeCloseTo(1, 5)
    }
    const nothing = await nmf(planted(n, d, k, 6, true), {
      ...options,
      mask: new Uint8Array(n * d),
      iterations: 3,
    })
    expect(nothing.objective.at(-1)).toBe(0)
  })
})

function gaussianCodes(): Matrix {
  const draw = uniform(4)
  return matrixOf(n, k, () => draw() + 0.1)
}

describe('forms of X', () => {
  const folder = temporaryFolder()
  const draw = uniform(9)
  const X = matrixOf(n, d, () => Math.floor(draw() * 9) - 4)
  const mask = maskOf(2, 0.5)
  const options = { rank: k, tolerance: 0, iterations: 10 } as const

  it('float64, int8, NaN, a file and what is not stored are one matrix', async () => {
    const expected = await semiNmf(X, { ...options, mask })
    const holes = { ...X, data: X.data.map((x, at) => (mask[at] ? x : NaN)) }
    const path = folder.path('holes.npy')
    await writeNpy(path, { data: holes.data, shape: [n, d] })
    const file = await openNpy(path)
    const float64 = { ...X, data: Float64Array.from(X.data) }
    const int8 = { ...X, data: Int8Array.from(X.data) }
    const cases: [Parameters<typeof semiNmf>[0], Partial<SemiNmfOptions>][] = [
      [float64, { mask }],
      [int8, { mask }],
      [holes, { missing: 'nan' }],
      [file, { missing: 'nan' }],
    ]
    for (const [form, missing] of cases)
      expect((await semiNmf(form, { ...options, ...missing })).W.data).toEqual(expected.W.data)
    const sparse = sparseOf(X, (at) => mask[at] === 1)
    const implicit = await semiNmf(sparse, { ...options, missing: 'implicit' })
    expect(implicit.objective.at(-1)! / expected.objective.at(-1)!).toBeCloseTo(1, 5)
    await closeMatrix(file)
  })

  it('that need more memory than there may be are refused before any work', async () => {
    await expect(
      semiNmf(X, { ...options, rank: 600, mask, memoryBudget: 2 ** 26 }),
    ).rejects.toThrow('A factorization of 120 × 40 with rank 600 needs')
  })
})

describe('outliers bend a semi-NMF less under a robust loss', () => {
  const noise = normal(4)
  const clean = planted(n, d, k, 12)
  const entries = matrixOf(
    n,
    d,
    (i, j) =>
      clean.data[i * d + j]! +
      0.02 * noise() +
      ((i * 7 + j * 13) % 23 === 0 ? 12 - (i % 5) * 6 : 0),
  )
  const rows = matrixOf(
    n,
    d,
    (i, j) => clean.data[i * d + j]! + 0.02 * noise() + (i % 10 === 5 ? 6 * noise() : 0),
  )
  /** Of the rows that are not outliers. */
  function errorOf({ W, H }: Factorization) {
    const kept = [...Array(n).keys()].filter((i) => i % 10 !== 5)
    const pick = ({ data, cols }: Matrix) =>
      matrixOf(kept.length, cols, (i, j) => data[kept[i]! * cols + j]!)
    return Math.sqrt(squaredError(pick(clean), pick(W), H) / squares(pick(clean).data))
  }
  it.each([
    ['huber', entries, { loss: 'huber', delta: 0.05 }],
    ['correntropy', entries, { loss: 'correntropy', bandwidth: 0.5 }],
    ['l21', rows, { loss: 'l21' }],
    ['row-correntropy', rows, { loss: 'row-correntropy', bandwidth: 3 }],
  ] as const)('%s', async (_, X, loss) => {
    for (const solver of solvers) {
      const shared = { rank: k, tolerance: 0, iterations: 200, solver } as const
      const robust = await semiNmf(X, { ...shared, ...loss })
      expectMonotone(robust)
      expect(robust.objective.at(-1)! / totalLoss(X, robust.W, robust.H, loss)).toBeCloseTo(1, 5)
      const plain = await semiNmf(X, shared)
      expect(errorOf(robust)).toBeLessThan(0.5 * errorOf(plain))
    }
  })

  it('is refused for losses that no squares bound', async () => {
    await expect(semiNmf(entries, { rank: k, loss: 'poisson' })).rejects.toThrow(
      'one of frobenius, huber, l21, correntropy, row-correntropy for loss',
    )
  })
})
