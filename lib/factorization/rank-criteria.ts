// Which of several surveyed ranks to choose. docs/math/select-rank.md.

/** What a survey says of one rank. */
export interface SurveyedRank {
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
  const fit = X.entries * logVariance
  return { aic: fit + 2 * parameters, bic: fit + parameters * Math.log(X.entries) }
}

/** The chosen rank, and whether its components are stable. */
export interface Choice {
  readonly rank: number
  readonly isStable: boolean
}

/**
 * The largest rank above 1 whose smallest silhouette reaches the threshold and whose error pays: its AIC is
 * below that of the surveyed rank before it. If there is none, the rank of the lowest BIC. A single component
 * is always alike, so rank 1 is chosen only by its BIC.
 *
 * @param ranks Ascending; more of them never make a rank of the first ones win that did not win before.
 */
export function chooseRank(
  ranks: readonly Omit<SurveyedRank, 'silhouettes' | 'restartErrors'>[],
  threshold: number,
): Choice {
  const stable = ranks.filter(
    ({ rank, minSilhouette, aic }, i) =>
      rank > 1 && minSilhouette >= threshold && (i === 0 || aic < ranks[i - 1]!.aic),
  )
  const last = stable.at(-1)
  if (last) return { rank: last.rank, isStable: true }
  const best = ranks.reduce((least, each) => (each.bic < least.bic ? each : least))
  return { rank: best.rank, isStable: best.rank === 1 && best.minSilhouette >= threshold }
}
