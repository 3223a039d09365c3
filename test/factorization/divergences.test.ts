import { describe, expect, it } from 'vitest'
import { nmf, semiNmf, type Matrix } from '../../lib/index'
import { sparseOf as sparse } from '../matrices'
import { productOf, squares } from '../reference/factors'
import { totalLoss } from '../reference/losses'

/** A linear congruential generator in 32 bits; other languages can reproduce its bits. */
function numbers(count: number, seed: number): number[] {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 24
  })
}

const [n, d, k] = [30, 20, 4]
const matrix = (rows: number, cols: number, values: number[]): Matrix => ({
  data: Float32Array.from(values),
  rows,
  cols,
})
const X = matrix(
  n,
  d,
  numbers(n * d, 1).map((x) => x * x * 3 + 0.05),
)
const W = matrix(
  n,
  k,
  numbers(n * k, 2).map((x) => x + 0.1),
)
const H = matrix(
  k,
  d,
  numbers(k * d, 3).map((x) => x + 0.1),
)
const holes = { ...X, data: X.data.map((x) => (x < 0.6 ? 0 : x)) }

const twenty = { rank: k, init: { W, H }, iterations: 20, tolerance: 0 }

describe('nmf under a divergence', () => {
  // scikit-learn 1.9.1, NMF(solver='mu', beta_loss, max_iter=20, tol=0, init='custom').
  it.each([
    ['kullback-leibler', undefined, X, 157.3082753302646],
    ['itakura-saito', undefined, X, 251.99426248131087],
    ['beta', 0.5, X, 188.6130199227457],
    ['beta', 1.5, X, 155.9263565652756],
    ['beta', 3, X, 234.48173485296152],
    ['kullback-leibler', undefined, holes, 254.90865497410707],
    ['beta', 1.5, holes, 210.66988366787095],
  ] as const)('%s %s ends where scikit-learn does', async (loss, beta, data, expected) => {
    const forms = data === holes ? [data, sparse(data)] : [data]
    for (const form of forms) {
      const found = await nmf(form, { ...twenty, loss, beta })
      expect(found.objective.at(-1)! / expected).toBeCloseTo(1, 4)
      for (let t = 1; t < found.objective.length; t++)
        expect(found.objective[t]!).toBeLessThanOrEqual(found.objective[t - 1]! * (1 + 1e-6))
    }
  })

  it('that every component has a part in warns of none that has not', async () => {
    const mask = new Uint8Array(n * d).fill(1)
    mask[3] = 0
    for (const more of [{ loss: 'kullback-leibler' }, { mask }] as const)
      expect((await nmf(X, { rank: k, iterations: 9, ...more })).warnings).toEqual([])
    const lost = { W: { ...W, data: W.data.map((w, at) => (at % k === 1 ? 0 : w)) }, H }
    const { warnings } = await nmf(X, { ...twenty, init: lost, loss: 'kullback-leibler' })
    expect(warnings).toEqual([
      expect.stringContaining('init.W has 30 zeros'),
      expect.stringMatching(/^1 of 4 components have no part.*another init or seed\.$/),
    ])
  })

  it('beta 2 halves the squared error and its steps are those of frobenius', async () => {
    const half = await nmf(X, { ...twenty, loss: 'beta', beta: 2 })
    const whole = await nmf(X, { ...twenty, solver: 'mu' })
    expect(half.objective.at(-1)! * 2).toBeCloseTo(whole.objective.at(-1)!, 3)
  })

  it('refuses a zero where it has no divergence, and hals', async () => {
    const itakura = { rank: k, loss: 'itakura-saito' } as const
    await expect(nmf(holes, itakura)).rejects.toThrow(
      /a positive number at row \d+, column \d+ of X/,
    )
    await expect(nmf(sparse(holes), itakura)).rejects.toThrow('a positive number')
    await expect(nmf(X, { ...itakura, solver: 'hals' })).rejects.toThrow(
      'mu for the loss itakura-saito for solver, received',
    )
    await expect(nmf(X, { rank: k, loss: 'beta' })).rejects.toThrow(
      'a number beside the loss beta for beta, received none',
    )
    await expect(nmf(X, { rank: k, beta: 1 })).rejects.toThrow('beta')
  })
})

describe('entries that were not seen', () => {
  const seen = Uint8Array.from(numbers(n * d, 9), (x) => (x < 0.3 ? 0 : 1))
  const missing = { ...X, data: X.data.map((x, at) => (seen[at] ? x : NaN)) }

  it.each([
    ['frobenius', 'mu'],
    ['kullback-leibler', 'mu'],
    ['frobenius', 'hals'],
    ['frobenius', 'anls-bpp'],
    ['huber', 'hals'],
  ] as const)(
    'are the same as a mask, as NaN and as what is not stored: %s, %s',
    async (name, solver) => {
      const loss = name === 'huber' ? { loss: name, delta: 0.5 } : { loss: name }
      const options = { ...twenty, ...loss, solver } as const
      const masked = await nmf(X, { ...options, mask: seen })
      const nan = await nmf(missing, { ...options, missing: 'nan' })
      const implicit = await nmf(
        sparse(X, (at) => seen[at] === 1),
        { ...options, missing: 'implicit' },
      )
      for (const found of [nan, implicit]) {
        expect(found.objective.at(-1)! / masked.objective.at(-1)!).toBeCloseTo(1, 5)
        expect(found.relativeError).toBeCloseTo(masked.relativeError, 5)
      }
      const { data } = await masked.inverseTransform(masked.W)
      let squares = 0
      let norm = 0
      seen.forEach((each, at) => {
        if (!each) return
        squares += (X.data[at]! - (data as Float32Array)[at]!) ** 2
        norm += X.data[at]! ** 2
      })
      expect(masked.relativeError).toBeCloseTo(Math.sqrt(squares / norm), 4)
      if (name === 'frobenius') expect(masked.objective.at(-1)! / squares).toBeCloseTo(1, 4)
    },
  )

  it.each(['mu', 'hals', 'anls-bpp'] as const)(
    'have no values that are read, whatever stands there: %s',
    async (solver) => {
      const a = await nmf(missing, { ...twenty, solver, mask: seen })
      const b = await nmf(X, { ...twenty, solver, mask: seen })
      expect(a.W.data).toEqual(b.W.data)
    },
  )

  it('are refused where no step is', async () => {
    await expect(nmf(X, { rank: k, mask: seen, solver: 'projected-gradient' })).rejects.toThrow(
      'one of hals, anls-bpp, mu where entries are missing for solver',
    )
    await expect(semiNmf(X, { rank: k, mask: seen, solver: 'mu' })).rejects.toThrow(
      'one of hals, anls-bpp where entries are missing for solver',
    )
    await expect(nmf(X, { rank: k, mask: seen, init: 'nndsvda' })).rejects.toThrow('init')
    await expect(nmf(X, { rank: k, mask: seen.subarray(1) })).rejects.toThrow('mask.length')
    await expect(nmf(X, { rank: k, missing: 'implicit' })).rejects.toThrow('missing')
    await expect(nmf(missing, { rank: k })).rejects.toThrow('a finite number at row')
  })
})

describe('sampleWeight', () => {
  const weights = Float32Array.from({ length: n }, (_, i) => i % 3)

  it('2 counts a row twice, and 0 tells H nothing', async () => {
    const rows = Array.from(weights.keys()).flatMap((i) => Array<number>(weights[i]!).fill(i))
    const pick = ({ data, cols }: Matrix) => ({
      data: Float32Array.from(rows.flatMap((i) => [...data.subarray(i * cols, (i + 1) * cols)])),
      rows: rows.length,
      cols,
    })
    for (const solver of ['hals', 'mu'] as const) {
      const options = { rank: k, iterations: 5, tolerance: 0, solver, innerSweeps: 3 }
      const weighted = await nmf(X, { ...options, init: { W, H }, sampleWeight: weights })
      const repeated = await nmf(pick(X), { ...options, init: { W: pick(W), H } })
      expect(weighted.objective.at(-1)! / repeated.objective.at(-1)!).toBeCloseTo(1, 4)
    }
  })

  it('left noise of 3e-4 in the relative error of an exact fit of sparse rows', async () => {
    const [rows, cols, rank] = [1500, 250, 3]
    const init = {
      W: matrix(
        rows,
        rank,
        Array.from({ length: rows * rank }, (_, at) => (at % 7 < 3 ? 1 + (at % 5) : 0)),
      ),
      H: matrix(
        rank,
        cols,
        Array.from({ length: rank * cols }, (_, at) => (at % 11 < 2 ? 1 + (at % 3) : 0)),
      ),
    }
    const exact = sparse(productOf(init.W, init.H) as Matrix & { data: Float32Array })
    const sampleWeight = Float32Array.from({ length: rows }, (_, i) => 0.3 + (i % 7) / 3)
    const { relativeError } = await nmf(exact, { rank, iterations: 0, init, sampleWeight })
    expect(relativeError).toBeLessThan(1e-7)
  })

  it('names a weight that is none', async () => {
    const wrong = weights.slice()
    wrong[4] = -1
    await expect(nmf(X, { rank: k, sampleWeight: wrong })).rejects.toThrow(
      'at row 4, column 0 of sampleWeight, received -1',
    )
  })

  it('beside a penalty on W is what a row counts for an H of any sign, whose objective became infinite', async () => {
    const options = { rank: k, sampleWeight: weights, l2W: 1, l2H: 1, tolerance: 0 } as const
    for (const solver of ['hals', 'anls-bpp'] as const) {
      const { W, H, objective } = await semiNmf(X, { ...options, solver, iterations: 30 })
      const expected =
        totalLoss(X, W, H, { loss: 'frobenius' }, { sampleWeight: weights }) +
        squares(W.data) +
        squares(H.data)
      expect(objective.at(-1)! / expected).toBeCloseTo(1, 5)
    }
    await expect(semiNmf(X, { ...options, solver: 'mu' })).rejects.toThrow(
      'one of hals, anls-bpp for sampleWeight beside a penalty on W for solver',
    )
  })
})

describe('factors to start from', () => {
  it('go on where a run of fewer iterations ended', async () => {
    for (const [fit, solver] of [
      [nmf, 'hals'],
      [nmf, 'mu'],
      [semiNmf, 'hals'],
    ] as const) {
      const acceleration = 'none' as const
      const options = { rank: k, tolerance: 0, solver, iterations: 5, acceleration }
      const whole = await fit(X, { ...options, init: { W, H } })
      const part = await fit(X, { ...options, iterations: 2, init: { W, H } })
      const rest = await fit(X, { ...options, iterations: 3, init: { W: part.W, H: part.H } })
      expect(rest.objective.at(-1)! / whole.objective.at(-1)!).toBeCloseTo(1, 5)
    }
  })

  it('one of them is answered by the other', async () => {
    for (const init of [{ W }, { H }]) {
      const found = await nmf(X, { rank: k, iterations: 0, init })
      expect(found.relativeError).toBeLessThan(0.9)
    }
    const { W: codes } = await nmf(X, { rank: k, iterations: 0, init: { W } })
    expect(codes.data.length).toBe(n * k)
  })

  it('have their shapes and signs', async () => {
    const negative = { ...W, data: W.data.map((x) => x - 1) }
    await expect(nmf(X, { rank: k, init: { W: negative } })).rejects.toThrow('of init.W, received')
    await expect(nmf(X, { rank: k, init: { W: H } })).rejects.toThrow('init.W.rows')
    await expect(nmf(X, { rank: k, init: {} })).rejects.toThrow('W, H or both for init')
  })
})

describe('acceleration', () => {
  it('keeps an objective that never rises, and gets further', async () => {
    const options = { rank: k, iterations: 60, tolerance: 0, init: { W, H }, innerSweeps: 2 }
    for (const solver of ['hals', 'mu'] as const) {
      const plain = await nmf(X, { ...options, solver, acceleration: 'none' })
      const faster = await nmf(X, { ...options, solver, acceleration: 'extrapolated' })
      for (let t = 1; t < faster.objective.length; t++)
        expect(faster.objective[t]!).toBeLessThanOrEqual(faster.objective[t - 1]! * (1 + 1e-6))
      expect(faster.objective.at(-1)!).toBeLessThan(plain.objective.at(-1)! * 1.001)
    }
  })

  it.each([
    ['kullback-leibler', { loss: 'kullback-leibler' }],
    ['itakura-saito', { loss: 'itakura-saito' }],
    ['huber', { loss: 'huber', delta: 0.3 }],
    ['negative-binomial', { loss: 'negative-binomial', dispersion: 0.4 }],
    ['missing entries', { mask: Uint8Array.from(numbers(n * d, 9), (x) => (x < 0.3 ? 0 : 1)) }],
    ['penalties beside weights', { sampleWeight: new Float32Array(n).fill(2), l2W: 0.1, l1H: 0.1 }],
  ] as const)('prolongs the steps by entries: %s', async (_, more) => {
    const options = { rank: k, iterations: 60, tolerance: 0, solver: 'mu', ...more } as const
    const plain = await nmf(X, { ...options, init: { W, H } })
    const faster = await nmf(X, { ...options, init: { W, H }, acceleration: 'extrapolated' })
    for (let t = 1; t < faster.objective.length; t++)
      expect(faster.objective[t]!).toBeLessThanOrEqual(faster.objective[t - 1]!)
    expect(faster.objective.at(-1)!).toBeLessThan(plain.objective.at(-1)!)
    const again = await nmf(X, { ...options, iterations: 0, init: { W: faster.W, H: faster.H } })
    expect(again.objective[0]! / faster.objective.at(-1)!).toBeCloseTo(1, 6)
  })
})
