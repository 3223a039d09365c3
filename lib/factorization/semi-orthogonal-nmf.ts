import { sidesOf, type SourceInput } from '../data/source'
import {
  checkInteger,
  checkOneOf,
  frozen,
  jobDefaults,
  memoryDefaults,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import { checkpointDefaults } from './checkpoint'
import { fit, type Factorization } from './fit'
import { fitArguments, fitDefaults, notOffered, type FactorOutputs } from './fit-options'
import { semiOrthogonalNmfLosses } from './losses'
import { models } from './models'

/** A start of semi-orthogonal NMF. */
export type SemiOrthogonalNmfInit = (typeof semiOrthogonalNmfInits)[number]

export const semiOrthogonalNmfInits = models['semi-orthogonal-nmf'].inits

/** A loss of semi-orthogonal NMF. */
export type SemiOrthogonalNmfLoss = (typeof semiOrthogonalNmfLosses)[number]

const ownDefaults = frozen({
  /**
   * The loss to minimise: `frobenius` unless given, ‖X − W H‖². `logistic`, for X of 0 and 1: the negative
   * log-likelihood Σ ln(1 + eᵛ) − x·v of entries that are 1 with probability 1 / (1 + e⁻ᵛ), v = (W H)_ij; an
   * iteration gains less then, so give it more.
   */
  loss: 'frobenius' as SemiOrthogonalNmfLoss,
  /**
   * The start of H; `svd` unless given: the right singular vectors of X, each with the sign that gives the
   * larger codes. `random`: random orthonormal rows.
   */
  init: 'svd' as SemiOrthogonalNmfInit,
  /** Iterations at most; one iteration reads X once and updates W, then H; 200 unless given. */
  iterations: fitDefaults.iterations,
  /** Stop when an iteration lowers the objective by a smaller fraction, 1e-4 unless given; 0 runs them all. */
  tolerance: fitDefaults.tolerance,
  /** Steps of H per read of X; they do not read X; 1 unless given. */
  innerSweeps: 1,
  /**
   * Seed of all random numbers; 0 unless given. Equal seeds give equal bits on one device, for any number of
   * threads.
   */
  seed: fitDefaults.seed,
})

/** The defaults of {@link semiOrthogonalNmf}: its own, and those of checkpoints. */
export const semiOrthogonalNmfDefaults: typeof ownDefaults & typeof checkpointDefaults = frozen({
  ...ownDefaults,
  ...checkpointDefaults,
})

export type SemiOrthogonalNmfOptions = {
  /** Number of components, to be given; in 1..min(n, d). */
  rank: number
  /** The caller's arrays for the factors; new ones unless given. */
  out?: FactorOutputs | undefined
} & Overrides<typeof ownDefaults & typeof checkpointDefaults> &
  JobOptions &
  MemoryOptions

/**
 * Factorizes a matrix of any sign as X ≈ W H with W ≥ 0 and rows of H that are orthonormal: H Hᵀ = I. A code
 * is the non-negative projection of a row of X on a component, max(0, x·h); W has the scale of X.
 *
 * With `loss: 'logistic'` W H are the log-odds of a binary X: `inverseTransform` gives v, of which 1 / (1 + e⁻ᵛ) is
 * the probability of a 1, and `relativeError` is that of the probabilities, ‖X − σ(W H)‖ / ‖X‖.
 *
 * @param X [n × d], one sample per row: dense, a file, or sparse. Borrowed, not copied (unless its
 *   buffer is resizable): do not write to it or transfer it before the promise settles.
 * @returns The factors, with |H Hᵀ − I| < 1e-5 in every entry of the float32 H, the objective (‖X − W H‖², or
 *   the logistic loss) before the first and after each iteration, and `transform`, `inverseTransform` and `save`.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers (for the logistic loss, of 0 and 1), the length of a row of X exceeds
 *   float32, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Li, Zhu, Qu, Ye & Sun, "Semi-orthogonal non-negative matrix factorization"; Wen & Yin (2013), "A
 *   feasible method for optimization with orthogonality constraints"
 *
 * @example
 * const { W, H } = await semiOrthogonalNmf({ data, rows: 1000, cols: 768 }, { rank: 32 })
 */
export async function semiOrthogonalNmf(
  X: SourceInput,
  options: SemiOrthogonalNmfOptions,
): Promise<Factorization> {
  const given = withDefaults(
    { ...fitArguments, ...semiOrthogonalNmfDefaults, ...jobDefaults, ...memoryDefaults },
    options,
  )
  const { rows, cols } = sidesOf('X', X)
  checkOneOf('loss', given.loss, semiOrthogonalNmfLosses)
  checkOneOf('init', given.init, semiOrthogonalNmfInits)
  checkInteger('rank', given.rank, 1, Math.min(rows, cols))
  return await fit('semi-orthogonal-nmf', X, { ...notOffered, ...given, solver: 'cayley' })
}
