// The losses of an entry of X, each declared once: the checks, the addon's form and the command line are derived
// from these rows.
import { invalid, invalidText } from '../errors'
import type { NativeLoss } from '../native'
import { checkNumber, checkOneOf, frozen } from '../options'
import type { ModelName } from './models'

/** The kinds of the addon. */
export const lossKinds = [
  'frobenius',
  'divergence',
  'negative-binomial',
  'huber',
  'row-length',
  'correntropy',
  'row-correntropy',
  'logistic',
] as const satisfies readonly NativeLoss['kind'][]

/** The number that some losses take. */
export const lossParameterDefaults = frozen({
  /**
   * β of the loss `beta`, to be given with it: 2 is ½(x − v)², 1 Kullback–Leibler, 0 Itakura–Saito; β ≤ 0
   * requires X > 0.
   */
  beta: undefined as number | undefined,
  /**
   * Power p of the variance v^p of the loss `tweedie`, to be given with it, not between 0 and 1: 1 is `poisson`,
   * 1 to 2 amounts with exact zeros, 2 `gamma`, 3 inverse Gaussian; p ≥ 2 requires X > 0.
   */
  power: undefined as number | undefined,
  /**
   * Dispersion φ > 0 of the loss `negative-binomial`, to be given with it: the variance of x is v + φ·v². Near 0
   * it is `poisson`.
   */
  dispersion: undefined as number | undefined,
  /**
   * The residual δ > 0, in units of X, from which the loss `huber` grows linearly; to be given with it.
   */
  delta: undefined as number | undefined,
  /**
   * The width σ > 0 of the kernel, in units of X, of the losses `correntropy` and `row-correntropy`; to be given
   * with them: residuals far above it count almost nothing.
   */
  bandwidth: undefined as number | undefined,
})

export type LossParameter = keyof typeof lossParameterDefaults

const parameters = Object.keys(lossParameterDefaults) as readonly LossParameter[]

interface Row {
  /** The number that must be given with it, its check, and what it is called in messages. */
  readonly parameter?: LossParameter
  /** Whether weighted squares bound it from above, so that steps for squares and an H of any sign serve. */
  readonly hasSquares?: boolean
  /** Whether X must consist of 0 and 1. */
  readonly isBinary?: boolean
  /** The form for the addon. */
  readonly native: (parameter: number) => NativeLoss
}

const divergence = (beta: number, multiple: number): NativeLoss => ({
  kind: 'divergence',
  beta,
  multiple,
  parameter: 0,
})

const bySquares = (kind: NativeLoss['kind']) => (parameter: number) =>
  ({ kind, beta: 2, multiple: 1, parameter }) as const

// The deviances of generalised linear models are twice a divergence.
const rows = {
  frobenius: {
    hasSquares: true,
    native: () => ({ kind: 'frobenius', beta: 2, multiple: 2, parameter: 0 }),
  },
  'kullback-leibler': { native: () => divergence(1, 1) },
  'itakura-saito': { native: () => divergence(0, 1) },
  beta: { parameter: 'beta', native: (beta) => divergence(beta, 1) },
  poisson: { native: () => divergence(1, 2) },
  gamma: { native: () => divergence(0, 2) },
  tweedie: { parameter: 'power', native: (power) => divergence(2 - power, 2) },
  'negative-binomial': {
    parameter: 'dispersion',
    native: (dispersion) => ({
      kind: 'negative-binomial',
      beta: 1,
      multiple: 2,
      parameter: 1 / dispersion,
    }),
  },
  huber: { parameter: 'delta', hasSquares: true, native: bySquares('huber') },
  l21: { hasSquares: true, native: bySquares('row-length') },
  correntropy: { parameter: 'bandwidth', hasSquares: true, native: bySquares('correntropy') },
  'row-correntropy': {
    parameter: 'bandwidth',
    hasSquares: true,
    native: bySquares('row-correntropy'),
  },
  logistic: {
    isBinary: true,
    native: () => ({ kind: 'logistic', beta: 2, multiple: 1, parameter: 0 }),
  },
} as const satisfies Readonly<Record<string, Row>>

/** Every loss of some factorization. */
export type AnyLoss = keyof typeof rows

export const anyLosses = Object.keys(rows) as readonly AnyLoss[]

/** A loss of `nmf`, that is minimised in addition to the penalties. */
export type Loss = Exclude<AnyLoss, 'logistic'>

export const losses = anyLosses.filter((loss): loss is Loss => loss !== 'logistic')

type Numbers = { readonly [K in LossParameter]?: number | undefined }

/** The loss of an `nmf`, and its number. */
export type LossOptions = { readonly loss: Loss } & Numbers

/** The same for any factorization. */
export type AnyLossOptions = { readonly loss: AnyLoss } & Numbers

/** Losses that weighted squares bound from above: {@link hasSquares}. */
export const squaresLosses = losses.filter(hasSquares)

/** The losses of semi-orthogonal NMF. */
export const semiOrthogonalNmfLosses = ['frobenius', 'logistic'] as const

/** The losses of a model; one without an option for it has those of its kind for H. */
export function lossesOf(model: ModelName): readonly AnyLoss[] {
  if (model === 'semi-orthogonal-nmf') return semiOrthogonalNmfLosses
  if (model === 'nmf') return losses
  return model === 'semi-nmf' ? squaresLosses : ['frobenius']
}

/** Whether steps for weighted squares lower the loss. */
export function hasSquares(loss: AnyLoss): boolean {
  const row: Row = rows[loss]
  return row.hasSquares ?? false
}

/** Whether a loss is for an X of 0 and 1; an unknown one is not. */
export const isBinary = (loss: unknown): boolean =>
  anyLosses.some((name) => name === loss && ((rows[name] as Row).isBinary ?? false))

/** These options without others. */
export function lossOptionsOf(given: object, standard: AnyLoss): AnyLossOptions {
  const named = given as Partial<AnyLossOptions>
  const numbers = parameters.map((name) => [name, named[name]] as const)
  return { loss: named.loss ?? standard, ...Object.fromEntries(numbers) }
}

/**
 * In units of X, whose entries are float32: products of a number beyond these limits and entries of the losses
 * would leave the range of float64.
 */
const [least, most] = [1e-100, 1e100]

/** What a number must be in addition to finite: within these limits, or a power. */
function checkParameter(name: LossParameter, value: number) {
  checkNumber(name, value)
  if (name !== 'beta' && name !== 'power') {
    if (!(value > 0)) throw invalid(name, 'a number above 0', value)
    if (value < least || value > most) throw invalid(name, `a number of ${least} to ${most}`, value)
  }
  if (name === 'power' && value > 0 && value < 1)
    throw invalid(
      name,
      'a number of at least 1 or at most 0, as Tweedie distributions have,',
      value,
    )
}

/** @throws {TypeError | RangeError} naming the option. */
export function checkLoss(given: AnyLossOptions) {
  const { loss } = given
  checkOneOf('loss', loss, anyLosses)
  const { parameter }: Row = rows[loss]
  for (const name of parameters)
    if (name !== parameter && given[name] !== undefined)
      throw invalid(name, `no number beside the loss ${loss}`, given[name])
  if (parameter === undefined) return
  const value = given[parameter]
  if (value === undefined) throw invalidText(parameter, `a number beside the loss ${loss}`, 'none')
  checkParameter(parameter, value)
}

/** A checked loss in the form for the addon. */
export function nativeLoss(given: AnyLossOptions): NativeLoss {
  const { parameter, native }: Row = rows[given.loss]
  return native(parameter === undefined ? 0 : given[parameter]!)
}
