// The losses of lib/factorization/losses.ts by their formulae, in float64 and without the addon.
import type { Matrix } from '../../lib/data/matrix'
import type { LossOptions } from '../../lib/factorization/losses'
import { productOf } from './factors'

/** d_β(x, v). */
export function divergence(x: number, v: number, beta: number): number {
  if (beta === 2) return (x - v) ** 2 / 2
  if (beta === 1) return (x > 0 ? x * Math.log(x / v) : 0) - x + v
  if (beta === 0) return x / v - Math.log(x / v) - 1
  return (x ** beta + (beta - 1) * v ** beta - beta * x * v ** (beta - 1)) / (beta * (beta - 1))
}

/** −2 (log-likelihood of mean v − that of mean x), for the variance v + φ·v². */
function negativeBinomial(x: number, v: number, dispersion: number) {
  const size = 1 / dispersion
  const own = x > 0 ? x * Math.log(x / v) : 0
  return 2 * (own - (x + size) * Math.log((x + size) / (v + size)))
}

/** The deviance of Tweedie's distributions as generalised linear models define it. */
function tweedie(x: number, v: number, p: number) {
  if (p === 0) return (x - v) ** 2
  if (p === 1) return 2 * ((x > 0 ? x * Math.log(x / v) : 0) - x + v)
  if (p === 2) return 2 * (x / v - Math.log(x / v) - 1)
  return (
    2 * (x ** (2 - p) / ((1 - p) * (2 - p)) - (x * v ** (1 - p)) / (1 - p) + v ** (2 - p) / (2 - p))
  )
}

function huber(x: number, v: number, delta: number) {
  const r = Math.abs(x - v)
  return r <= delta ? r ** 2 / 2 : delta * (r - delta / 2)
}

/** σ²(1 − exp(−r²/2σ²)), from r². */
const correntropy = (square: number, bandwidth: number) =>
  -(bandwidth ** 2) * Math.expm1(-square / (2 * bandwidth ** 2))

/** The loss of a row, from the square of its length. */
const ofRows: Readonly<Record<string, (square: number, of: LossOptions) => number>> = {
  l21: (square) => Math.sqrt(square),
  'row-correntropy': (square, { bandwidth }) => correntropy(square, bandwidth!),
}

/** The loss of an entry x whose value in the model is v; some losses are by rows. */
export function lossOf(x: number, v: number, of: LossOptions): number {
  switch (of.loss) {
    case 'frobenius':
      return (x - v) ** 2
    case 'kullback-leibler':
      return divergence(x, v, 1)
    case 'itakura-saito':
      return divergence(x, v, 0)
    case 'beta':
      return divergence(x, v, of.beta!)
    case 'poisson':
      return tweedie(x, v, 1)
    case 'gamma':
      return tweedie(x, v, 2)
    case 'tweedie':
      return tweedie(x, v, of.power!)
    case 'negative-binomial':
      return negativeBinomial(x, v, of.dispersion!)
    case 'huber':
      return huber(x, v, of.delta!)
    case 'correntropy':
      return correntropy((x - v) ** 2, of.bandwidth!)
    case 'l21':
    case 'row-correntropy':
      throw new Error('by rows')
  }
}

export interface Counted {
  readonly mask?: ArrayLike<number>
  readonly sampleWeight?: ArrayLike<number>
}

/** The loss of X ≈ W H over the entries that count, rows weighted. */
export function totalLoss(X: Matrix, W: Matrix, H: Matrix, of: LossOptions, on: Counted = {}) {
  let total = 0
  const ofRow = ofRows[of.loss]
  for (let i = 0; i < X.rows; i++) {
    let row = 0
    for (let j = 0; j < X.cols; j++) {
      if (on.mask && !on.mask[i * X.cols + j]) continue
      let v = 0
      for (let c = 0; c < H.rows; c++) v += W.data[i * H.rows + c]! * H.data[c * H.cols + j]!
      const x = X.data[i * X.cols + j]!
      row += ofRow ? (x - v) ** 2 : lossOf(x, v, of)
    }
    total += (on.sampleWeight?.[i] ?? 1) * (ofRow ? ofRow(row, of) : row)
  }
  return total
}

/** 1 / (1 + e⁻ᵛ) of the entries v of W H. */
export function probabilities(W: Matrix, H: Matrix): Matrix {
  const odds = productOf(W, H)
  return { ...odds, data: odds.data.map((v) => 1 / (1 + Math.exp(-v))) }
}

/** Σ ln(1 + eᵛ) − x·v over the entries v of W H. */
export function logisticLoss(X: Matrix, W: Matrix, H: Matrix): number {
  const { data } = productOf(W, H)
  let sum = 0
  data.forEach((v, at) => {
    sum += Math.log1p(Math.exp(-Math.abs(v))) + Math.max(v, 0) - X.data[at]! * v
  })
  return sum
}
