import type { SourceInput } from '../data/source'
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
import { models } from './models'

/** A start of dictionary learning. */
export type DictionaryLearningInit = (typeof models)['dictionary-learning']['inits'][number]

const ownDefaults = frozen({
  /**
   * Weight of Σ|W|, in squared units of X; 2 unless given, which is α = 1 where the error has a factor ½, as in
   * scikit-learn. From 2·max(X Hᵀ) on, all codes are 0.
   */
  l1W: 2,
  /** Weight of ΣW²; 0 unless given. */
  l2W: fitDefaults.l2W,
  /**
   * The start, `kmeans` unless given; `svd`, `random`: as for semi-NMF. Rows of H are then scaled to length 1.
   */
  init: 'kmeans' as DictionaryLearningInit,
  /** Iterations at most; one iteration reads X once and updates W, then H; 200 unless given. */
  iterations: fitDefaults.iterations,
  /** Stop when an iteration lowers the objective by a smaller fraction, 1e-4 unless given; 0 runs them all. */
  tolerance: fitDefaults.tolerance,
  /** Sweeps over the components per read of X, which they do not read; 4 unless given. */
  innerSweeps: 4,
  /**
   * Seed of all random numbers; 0 unless given. Equal seeds give equal bits on one device, for any number of
   * threads.
   */
  seed: fitDefaults.seed,
})

/** The defaults of {@link dictionaryLearning}: its own, and those of checkpoints. */
export const dictionaryLearningDefaults: typeof ownDefaults & typeof checkpointDefaults = frozen({
  ...ownDefaults,
  ...checkpointDefaults,
})

export type DictionaryLearningOptions = {
  /** Number of components, to be given; at most min(n, d) with `init: 'svd'`. */
  rank: number
  /** The caller's arrays for the factors; new ones unless given. */
  out?: FactorOutputs | undefined
} & Overrides<typeof ownDefaults & typeof checkpointDefaults> &
  JobOptions &
  MemoryOptions

/**
 * Learns a dictionary for sparse codes: X ≈ W H with few entries in W ≥ 0 and rows of H of length 1 at most,
 * which minimise ‖X − W H‖² + l1W·Σ|W| + l2W·ΣW². As the length of a component is bounded, the penalty cannot
 * be evaded by its scale.
 *
 * `transform` gives the exact codes of any rows; those of the last iteration, in `W`, are near them.
 *
 * @param X [n × d], one sample per row: dense, a file, or sparse. Borrowed, not copied (unless its
 *   buffer is resizable): do not write to it or transfer it before the promise settles.
 * @returns The factors, the objective before the first and after each iteration, which does not increase, and
 *   `transform`, `inverseTransform` and `save`. Lengths of rows of H exceed 1 by rounding at most.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, the length of a row of X exceeds
 *   float32, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Mairal, Bach, Ponce & Sapiro (2010), "Online learning for matrix factorization and sparse coding", JMLR
 *   11; Parekh, Khayatan, Shukor, Newson & Cord (2024), "A Concept-Based Explainability Framework for Large
 *   Multimodal Models", NeurIPS, which learns concepts so
 *
 * @example
 * const { W, H } = await dictionaryLearning(activations, { rank: 20, l1W: 2 })
 */
export async function dictionaryLearning(
  X: SourceInput,
  options: DictionaryLearningOptions,
): Promise<Factorization> {
  const given = withDefaults(
    { ...fitArguments, ...dictionaryLearningDefaults, ...jobDefaults, ...memoryDefaults },
    options,
  )
  checkOneOf('init', given.init, models['dictionary-learning'].inits)
  checkInteger('rank', given.rank, 1)
  return await fit('dictionary-learning', X, { ...notOffered, ...given, solver: 'hals' })
}
