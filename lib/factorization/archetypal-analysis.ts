import type { SourceInput } from '../data/source'
import { invalid } from '../errors'
import {
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
import { fitCombinations, type CombinedFactorization } from './convex-nmf'
import { fitArguments, fitDefaults, type FactorOutputs } from './fit-options'
import { models } from './models'

/** A start of archetypal analysis. */
export type ArchetypalAnalysisInit = (typeof models)['archetypal-analysis']['inits'][number]

const ownDefaults = frozen({
  /**
   * The δ of Mørup & Hansen, at least 0, below 1; 0 unless given. The weights of an archetype sum to a number in
   * [1 − δ, 1 + δ], so that archetypes may lie outside the hull of the data, which holds few of its corners.
   */
  relaxation: 0,
  /**
   * The start of the archetypes; `furthest-sum` unless given: rows far from each other. `spa`: the rows of
   * {@link separableNmf}, for a rank of at most d; `random`: rows that are drawn.
   */
  init: 'furthest-sum' as ArchetypalAnalysisInit,
  /** Iterations at most; one iteration reads X twice, to update W and A; 200 unless given. */
  iterations: fitDefaults.iterations,
  /** Stop when an iteration lowers the objective by a smaller fraction, 1e-4 unless given; 0 runs them all. */
  tolerance: fitDefaults.tolerance,
  /** Rounds of exchanges between the weights of each row of W per iteration; they do not read X; 2 unless given. */
  innerSweeps: 2,
  /**
   * Seed of all random numbers; 0 unless given. Equal seeds give equal bits on one device, for any number of
   * threads.
   */
  seed: fitDefaults.seed,
})

/** The defaults of {@link archetypalAnalysis}: its own, and those of checkpoints. */
export const archetypalAnalysisDefaults: typeof ownDefaults & typeof checkpointDefaults = frozen({
  ...ownDefaults,
  ...checkpointDefaults,
})

export type ArchetypalAnalysisOptions = {
  /** Number of archetypes, to be given; in 1..n. It may exceed d. */
  rank: number
  /** The caller's arrays for the factors; new ones unless given. */
  out?: FactorOutputs | undefined
} & Overrides<typeof ownDefaults & typeof checkpointDefaults> &
  JobOptions &
  MemoryOptions

/**
 * Finds archetypes: X ≈ W H, where each row of W ≥ 0 sums to 1, and each row of H = A X is a weighted mean of rows
 * of X. Every sample is a mixture of extreme ones.
 *
 * Where X lies far from 0 (column means of 100 times the spread or more), products of float32 hardly tell rows
 * apart and the fit ends far above its minimum; a warning tells of that. Subtract a common row, such as
 * the mean, from X then: rows of W and A sum to 1, so the archetypes move along and the weights stay.
 *
 * @param X [n × d], one sample per row: dense, a file, or sparse. Borrowed, not copied (unless its
 *   buffer is resizable): do not write to it or transfer it before the promise settles.
 * @returns The weights W, the archetypes H, their weights `A`, the objective ‖X − W H‖² before the first and after
 *   each iteration, and `transform`, whose codes sum to 1 too, `inverseTransform` and `save`.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, fewer than `rank` of its rows are linearly
 *   independent with `init: 'spa'`, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Cutler & Breiman (1994), "Archetypal analysis", Technometrics 36(4); Mørup & Hansen (2012), "Archetypal
 *   analysis for machine learning and data mining", Neurocomputing 80
 *
 * @example
 * const { W, H, A } = await archetypalAnalysis({ data, rows: 1000, cols: 768 }, { rank: 8 })
 */
export async function archetypalAnalysis(
  X: SourceInput,
  options: ArchetypalAnalysisOptions,
): Promise<CombinedFactorization> {
  const { relaxation, ...given } = withDefaults(
    { ...fitArguments, ...archetypalAnalysisDefaults, ...jobDefaults, ...memoryDefaults },
    options,
  )
  checkOneOf('init', given.init, models['archetypal-analysis'].inits)
  if (!(typeof relaxation === 'number' && relaxation >= 0 && relaxation < 1))
    throw invalid('relaxation', 'a number of at least 0, below 1', relaxation)
  return await fitCombinations('archetypal-analysis', X, given, { relaxation })
}
