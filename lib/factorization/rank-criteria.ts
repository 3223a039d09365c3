// Which of several surveyed ranks to choose. docs/math/select-rank.md.
import { inSlices } from '../data/slices'
import type { Factorization } from './fit'
import { lossOptionsOf, type AnyLoss, type AnyLossOptions } from './losses'

/** What a survey says of one rank. */
export interface SurveyedRank {
  /** The number of components. */
  readonly rank: number
  /** The smallest of {@link silhouettes}. */
  readonly minSilhouette: number
  /** The mean of {@link silhouettes}. */
  readonly meanSilhouette: number
  /**
   * [rank] How alike each component is in all restarts, −1 to 1: by the cosine distance to the components of
   * its own cluster and of the nearest other one.
   */
  readonly silhouettes: Float64Array
  /** ‖X − W H‖ / ‖X‖ of a fit of X without noise, from the mean components of the restarts. */
  readonly relativeError: number
  /** [restarts] The same of each restart, against X with its noise. */
  readonly restartErrors: Float64Array
  /**
   * [restarts] Mean loss of an entry that was held out, of factorizations that did not see it: (x − v)² for the
   * loss `frobenius`, by `sampleWeight`; NaN for a restart that held out no entry that counts; empty unless
   * entries are held out.
   */
  readonly heldOutErrors: Float64Array
  /** The mean of those {@link heldOutErrors} that are numbers; NaN without any, undefined unless entries are held out. */
  readonly heldOutError: number | undefined
  /** Iterations of all restarts and of the fit. */
  readonly iterations: number
  /**
   * Akaike's criterion with p = (n + d) · rank parameters; lower is better. For `frobenius` N ln(SSE / N) + 2 p,
   * that of Gaussian errors; for `poisson`, `kullback-leibler` and `negative-binomial` the deviance + 2 p; for the
   * other losses with the loss D of the fit N ln(D / N) + 2 p, whose scale is estimated too (`l21`: 2 N ln(D / N)).
   */
  readonly aic: number
  /** The Bayesian criterion: the same with p ln N in place of 2 p; lower is better. */
  readonly bic: number
}

/** An error below this share of ‖X‖ is the rounding of float32. */
const smallestError = 1e-6

/** The sizes that the information criteria need. */
export interface Sizes {
  readonly rows: number
  readonly cols: number
  /** Number of entries of X that count. */
  readonly entries: number
  /** ln(‖X‖² / entries). */
  readonly logMeanSquare: number
}

/** Twice the negative log-likelihood for each unit of a loss whose distribution has no scale. */
const unitDeviances: Partial<Record<AnyLoss, number>> = {
  'kullback-leibler': 2,
  poisson: 1,
  'negative-binomial': 1,
}

/** The power of X to which a loss is proportional. */
function degreeOf({ loss, beta = 2, power = 0 }: AnyLossOptions): number {
  if (loss === 'beta') return beta
  if (loss === 'tweedie') return 2 - power
  if (loss === 'l21') return 1
  return loss === 'gamma' || loss === 'itakura-saito' ? 0 : 2
}

/** What a fit says for the criteria: its loss without penalties, and ‖X − W H‖ / ‖X‖. */
export interface Fitted {
  readonly of: AnyLossOptions
  readonly loss: number
  readonly relativeError: number
}

/** Twice the negative log-likelihood without constant terms, with the scale that maximises it. */
function misfit({ of, loss, relativeError }: Fitted, { entries, logMeanSquare }: Sizes): number {
  if (entries === 0) return 0
  const unit = unitDeviances[of.loss]
  if (unit !== undefined) return unit * loss
  const rounding = 2 * Math.log(smallestError)
  if (of.loss === 'frobenius')
    return entries * (Math.max(2 * Math.log(relativeError), rounding) + logMeanSquare)
  const least = rounding + (degreeOf(of) / 2) * logMeanSquare
  const logMean = Math.max(Math.log(loss / entries), least)
  return (of.loss === 'l21' ? 2 : 1) * entries * logMean
}

/**
 * Akaike (1974) and Schwarz (1978); for losses whose distribution has an unknown scale, and for those that are no
 * likelihood, by the extended quasi-likelihood of Nelder & Pregibon (1987), Biometrika 74(2).
 */
export function criteriaOf(fitted: Fitted, rank: number, X: Sizes) {
  const parameters = (X.rows + X.cols) * rank
  const fit = misfit(fitted, X)
  return { aic: fit + 2 * parameters, bic: fit + parameters * Math.log(Math.max(1, X.entries)) }
}

/** What may decide. */
export const criteria = ['stability', 'hold-out', 'aic', 'bic'] as const
export type Criterion = (typeof criteria)[number]
/** Σ|f| and Σf². */
async function sumsOf(factor: Float32Array) {
  let [absolute, square] = [0, 0]
  await inSlices(factor.length, (begin, end) => {
    for (let i = begin; i < end; i++) {
      absolute += Math.abs(factor[i]!)
      square += factor[i]! ** 2
    }
  })
  return { absolute, square }
}

/** The loss of a fit without its penalties. */
export async function fittedOf({ W, H, objective, options, relativeError }: Factorization) {
  const of = lossOptionsOf(options, 'frobenius')
  let loss = objective.at(-1)!
  const weights = (of: 'W' | 'H') =>
    [Number(options[`l1${of}`]), Number(options[`l2${of}`])] as const
  for (const [factor, [l1, l2]] of [
    [W, weights('W')],
    [H, weights('H')],
  ] as const) {
    if (l1 === 0 && l2 === 0) continue
    const { absolute, square } = await sumsOf(factor.data)
    loss -= l1 * absolute + l2 * square
  }
  return { of, loss: Math.max(0, loss), relativeError }
}

/** A rule of the choice. */
export interface Rule {
  readonly criterion: Criterion
  /** Smallest silhouette of a stable component. */
  readonly threshold: number
}

const mean = (values: Float64Array) => values.reduce((sum, each) => sum + each, 0) / values.length

/** The errors of restarts that held out entries: the same restarts at each rank. */
export const measuredErrors = (heldOutErrors: Float64Array) =>
  heldOutErrors.filter((error) => !Number.isNaN(error))

export const meanOf = (heldOutErrors: Float64Array) => ({
  heldOutError: heldOutErrors.length === 0 ? undefined : mean(measuredErrors(heldOutErrors)),
})

/** The standard error of a mean of values, at least two. */
function standardError(values: Float64Array): number {
  const center = mean(values)
  const squares = values.reduce((sum, each) => sum + (each - center) ** 2, 0)
  return Math.sqrt(squares / (values.length * (values.length - 1)))
}

/** The first of the items with the largest value. */
const largest = <Item>(items: readonly Item[], value: (item: Item) => number) =>
  items.reduce((best, each) => (value(each) > value(best) ? each : best))

type Judged = Pick<SurveyedRank, 'rank' | 'minSilhouette' | 'aic' | 'bic' | 'heldOutErrors'>

/**
 * The ranks above 1 whose error pays, because their AIC is below that of the surveyed rank before them: the
 * largest one whose smallest silhouette reaches the threshold, or else the one with the largest smallest
 * silhouette. A single component is always alike, so rank 1 is chosen only if no other pays.
 */
function mostStable(ranks: readonly Judged[], isStable: (rank: Judged) => boolean): Judged {
  const paying = ranks.filter(
    ({ rank, aic }, i) => rank > 1 && (i === 0 || aic < ranks[i - 1]!.aic),
  )
  if (paying.length === 0) return ranks[0]!
  return paying.filter(isStable).at(-1) ?? largest(paying, ({ minSilhouette }) => minSilhouette)
}

/**
 * The smallest rank whose mean error on held-out entries exceeds the lowest by at most one standard error of
 * their differences, which are paired: restart r holds out the same entries at each rank.
 */
function withinOneError(ranks: readonly Judged[]): Judged {
  const lowest = largest(ranks, ({ heldOutErrors }) => -mean(measuredErrors(heldOutErrors)))
  return ranks.find(({ heldOutErrors }) => {
    const more = measuredErrors(heldOutErrors.map((error, r) => error - lowest.heldOutErrors[r]!))
    return mean(more) <= standardError(more)
  })!
}

/**
 * Chooses among the ranks, by the criterion.
 *
 * @param ranks Ascending.
 */
export function chooseRank(
  ranks: readonly Judged[],
  { threshold, criterion }: Rule,
): { readonly rank: number; readonly isStable: boolean } {
  const isStable = ({ minSilhouette }: Judged) => minSilhouette >= threshold
  const choices: Record<Criterion, () => Judged> = {
    stability: () => mostStable(ranks, isStable),
    'hold-out': () => withinOneError(ranks),
    aic: () => largest(ranks, ({ aic }) => -aic),
    bic: () => largest(ranks, ({ bic }) => -bic),
  }
  const chosen = choices[criterion]()
  return { rank: chosen.rank, isStable: isStable(chosen) }
}
