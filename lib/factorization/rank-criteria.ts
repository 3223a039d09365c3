// Which of several surveyed ranks to choose. docs/math/select-rank.md.

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
  /** Iterations of all restarts and of the fit. */
  readonly iterations: number
  /** Akaike's criterion for Gaussian errors: N ln(SSE / N) + 2 p with p = (n + d) · rank; lower is better. */
  readonly aic: number
  /** The Bayesian criterion for Gaussian errors: N ln(SSE / N) + p ln N; lower is better. */
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

/** Akaike (1974) and Schwarz (1978) for normal errors of unknown variance, without constant terms. */
export function criteriaOf(relativeError: number, rank: number, X: Sizes) {
  const logVariance = 2 * Math.log(Math.max(relativeError, smallestError)) + X.logMeanSquare
  const parameters = (X.rows + X.cols) * rank
  const fit = X.entries === 0 ? 0 : X.entries * logVariance
  return { aic: fit + 2 * parameters, bic: fit + parameters * Math.log(Math.max(1, X.entries)) }
}

/** A rule of the choice. */
export interface Rule {
  readonly threshold: number
  /** Whether the model determines H, so that components can be expected to come back. */
  readonly isDetermined: boolean
}

/** The first of the items with the largest value. */
const largest = <Item>(items: readonly Item[], value: (item: Item) => number) =>
  items.reduce((best, each) => (value(each) > value(best) ? each : best))

type Judged = Pick<SurveyedRank, 'rank' | 'minSilhouette' | 'aic' | 'bic'>

/**
 * Chooses among the ranks above 1 whose error pays, because their AIC is below that of the surveyed rank before
 * them: the largest one whose smallest silhouette reaches the threshold, or else the one with the largest
 * smallest silhouette. Where the model does not determine H, the rank of the lowest BIC. A single component is
 * always alike, so rank 1 is chosen only if no other pays.
 *
 * @param ranks Ascending. A rank that is not chosen among the first ones is not chosen among more.
 */
export function chooseRank(
  ranks: readonly Judged[],
  { threshold, isDetermined }: Rule,
): { readonly rank: number; readonly isStable: boolean } {
  const paying = ranks.filter(
    ({ rank, aic }, i) => rank > 1 && (i === 0 || aic < ranks[i - 1]!.aic),
  )
  const isStable = ({ minSilhouette }: Judged) => minSilhouette >= threshold
  const ofSilhouettes = () =>
    paying.length === 0
      ? ranks[0]!
      : (paying.filter(isStable).at(-1) ?? largest(paying, ({ minSilhouette }) => minSilhouette))
  const chosen = isDetermined ? ofSilhouettes() : largest(ranks, ({ bic }) => -bic)
  return { rank: chosen.rank, isStable: isStable(chosen) }
}
