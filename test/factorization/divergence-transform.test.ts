import { describe, expect, it } from 'vitest'
import { FactorizationModel, nmf, type Loss, type Matrix } from '../../lib/index'
import { matrixOf, uniform } from '../matrices'
import { divergence } from '../reference/losses'

const [n, d, k] = [12, 25, 4]
const of = (seed: number) => {
  const random = uniform(seed)
  return () => random()
}
const entries = of(1)
const X = matrixOf(n, d, () => entries() ** 2 * 3 + 0.05)
const parts = of(2)
const H = matrixOf(k, d, () => parts() ** 3)

const betas = { 'kullback-leibler': 1, 'itakura-saito': 0 } as const

/** D of one row and its slopes, in float64. */
function slopes(w: ArrayLike<number>, row: number, beta: number, l1W: number) {
  const slope = new Float64Array(k).fill(l1W)
  let objective = 0
  for (let j = 0; j < k; j++) objective += l1W * w[j]!
  for (let t = 0; t < d; t++) {
    let v = 0
    for (let j = 0; j < k; j++) v += w[j]! * H.data[j * d + t]!
    const x = X.data[row * d + t]!
    objective += divergence(x, v, beta)
    for (let j = 0; j < k; j++)
      slope[j]! += H.data[j * d + t]! * (v ** (beta - 1) - x * v ** (beta - 2))
  }
  return { slope, objective }
}

/** The limit of the multiplicative steps, by brute force. */
function best(row: number, beta: number, l1W: number) {
  const w = new Float64Array(k).fill(1)
  const exponent = beta < 1 ? 1 / (2 - beta) : 1
  for (let step = 0; step < 8000; step++) {
    const above = new Float64Array(k)
    const below = new Float64Array(k).fill(l1W)
    for (let t = 0; t < d; t++) {
      let v = 0
      for (let j = 0; j < k; j++) v += w[j]! * H.data[j * d + t]!
      for (let j = 0; j < k; j++) {
        above[j]! += H.data[j * d + t]! * X.data[row * d + t]! * v ** (beta - 2)
        below[j]! += H.data[j * d + t]! * v ** (beta - 1)
      }
    }
    for (let j = 0; j < k; j++) w[j]! *= (above[j]! / below[j]!) ** exponent
  }
  return slopes(w, row, beta, l1W).objective
}

describe('transform under a divergence', () => {
  const cases: [Loss, number | undefined, number][] = [
    ['kullback-leibler', undefined, 0],
    ['kullback-leibler', undefined, 0.4],
    ['itakura-saito', undefined, 0],
    ['beta', 1.5, 0.1],
  ]
  it.each(cases)('%s %s, l1W %s: codes end where steps in float64 do', async (loss, beta, l1W) => {
    const options = { loss, l1W, ...(beta === undefined ? {} : { beta }) }
    const { W } = await new FactorizationModel('nmf', H, options).transform(X)
    const power = beta ?? betas[loss as keyof typeof betas]
    const own = Array.from({ length: n }, (_, i) =>
      slopes(W.data.subarray(i * k, (i + 1) * k), i, power, l1W),
    )
    const total = own.reduce((sum, { objective }) => sum + objective, 0)
    const least = own.reduce((sum, _, i) => sum + best(i, power, l1W), 0)
    // D_0 is not convex, and its steps are slow.
    expect(total / least).toBeLessThan(power === 0 ? 1.003 : 1.0001)
  })

  it('the codes of the training rows leave no more than the fit', async () => {
    const fit = await nmf(X, { rank: k, loss: 'kullback-leibler', iterations: 60 })
    const { W } = await fit.transform(X)
    const after = await nmf(X, {
      rank: k,
      loss: 'kullback-leibler',
      init: { W, H: fit.H },
      iterations: 0,
    })
    expect(after.objective[0]).toBeLessThanOrEqual(fit.objective.at(-1)! * (1 + 1e-5))
  })

  it('has the same bits for any number of threads, and of X times a power of two', async () => {
    const model = new FactorizationModel('nmf', H, { loss: 'kullback-leibler' })
    const one = await model.transform(X, { threads: 1 })
    const large: Matrix = { ...X, data: X.data.map((x) => x * 2 ** 40) }
    const scaled = await model.transform(large, { threads: 2 })
    expect(scaled.W.data.map((w) => w / 2 ** 40)).toEqual(one.W.data)
  })

  it('refuses zeros for Itakura–Saito, and a loss that is none', async () => {
    const zero = { ...X, data: X.data.map((x, i) => (i === 30 ? 0 : x)) }
    await expect(
      new FactorizationModel('nmf', H, { loss: 'itakura-saito' }).transform(zero),
    ).rejects.toMatchObject({ argument: 'X', row: 1, column: 5, received: '0' })
    expect(() => new FactorizationModel('nmf', H, { loss: 'gauss' })).toThrow('loss')
    expect(() => new FactorizationModel('nmf', H, { loss: 'beta' })).toThrow('beta')
  })
})
