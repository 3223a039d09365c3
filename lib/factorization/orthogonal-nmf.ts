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
import { models } from './models'

/** A start of orthogonal NMF. */
export type OrthogonalNmfInit = (typeof models)['orthogonal-nmf']['inits'][number]

const ownDefaults = frozen({
  /**
   * The start of H, `kmeans` unless given: fitted to clusters of the rows. `nndsvd`: non-negative parts of
   * singular vectors, for rank ≤ min(n, d). `random`.
   */
  init: 'kmeans' as OrthogonalNmfInit,
  /** Iterations at most; one iteration reads X once and updates W, then H; 200 unless given. */
  iterations: fitDefaults.iterations,
  /** Stop when an iteration lowers the objective by a smaller fraction, 1e-4 unless given; 0 runs them all. */
  tolerance: fitDefaults.tolerance,
  /**
   * Seed of all random numbers; 0 unless given. Equal seeds give equal bits on one device, for any number of
   * threads.
   */
  seed: fitDefaults.seed,
})

/** The defaults of {@link orthogonalNmf}: its own, and those of checkpoints. */
export const orthogonalNmfDefaults: typeof ownDefaults & typeof checkpointDefaults = frozen({
  ...ownDefaults,
  ...checkpointDefaults,
})

export type OrthogonalNmfOptions = {
  /** Number of components, to be given; at most min(n, d) with `init: 'nndsvd'`. */
  rank: number
  /** The caller's arrays for the factors; new ones unless given. */
  out?: FactorOutputs | undefined
} & Overrides<typeof ownDefaults & typeof checkpointDefaults> &
  JobOptions &
  MemoryOptions

/**
 * Factorizes a non-negative matrix as X ≈ W H with W, H ≥ 0 and WᵀW = I. Non-negative columns are orthogonal only
 * if no two of them share a row, so each row of X has one component: a clustering by direction, with a weight for
 * each row.
 *
 * Where X lies far from 0 (column means of 100 times the spread or more), products of float32 hardly tell rows
 * apart and the fit ends far above its minimum; a warning tells of that. Subtract the least of each
 * column from X then, which is the model of other data: directions are seen from 0.
 *
 * A row of zeros has no component. A component that no row takes has a column of zeros in W, and a warning tells
 * of it.
 *
 * @param X [n × d], one sample per row, no entry below zero: dense, a file, or sparse. Borrowed, not copied
 *   (unless its buffer is resizable): do not write to it or transfer it before the promise settles.
 * @returns The factors, W with at most one entry above 0 in each row and columns of length 1, the objective
 *   ‖X − W H‖² before the first and after each iteration, which does not increase, and `transform` (one
 *   component for each new row), `inverseTransform` and `save`.
 * @throws {TypeError | RangeError} if X is no matrix of finite, non-negative numbers, or an option is wrong or
 *   unknown; naming X, if a column of X is so long that components exceed float32.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Pompili, Gillis, Absil & Glineur (2014), "Two algorithms for orthogonal nonnegative matrix factorization
 *   with application to clustering", Neurocomputing 141
 *
 * @example
 * const { W, H } = await orthogonalNmf(counts, { rank: 20 })
 */
export async function orthogonalNmf(
  X: SourceInput,
  options: OrthogonalNmfOptions,
): Promise<Factorization> {
  const given = withDefaults(
    { ...fitArguments, ...orthogonalNmfDefaults, ...jobDefaults, ...memoryDefaults },
    options,
  )
  sidesOf('X', X)
  checkOneOf('init', given.init, models['orthogonal-nmf'].inits)
  checkInteger('rank', given.rank, 1)
  return await fit('orthogonal-nmf', X, { ...notOffered, ...given, solver: 'alt-onmf' })
}
