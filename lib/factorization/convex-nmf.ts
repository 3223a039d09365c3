import type { Matrix } from '../data/matrix'
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

/** A start of convex-NMF. */
export type ConvexNmfInit = (typeof models)['convex-nmf']['inits'][number]

const ownDefaults = frozen({
  /**
   * The start of H; `kmeans` unless given: means of clusters. `furthest-sum`: rows far from each other; `spa`: the
   * rows of {@link separableNmf}; `random`: rows that are drawn.
   */
  init: 'kmeans' as ConvexNmfInit,
  /** Iterations at most; one iteration reads X twice, to update W and A; 200 unless given. */
  iterations: fitDefaults.iterations,
  /** Stop when an iteration lowers the objective by a smaller fraction, 1e-4 unless given; 0 runs them all. */
  tolerance: fitDefaults.tolerance,
  /** Sweeps over W per iteration; they do not read X; 2 unless given. */
  innerSweeps: 2,
  /**
   * Seed of all random numbers; 0 unless given. Equal seeds give equal bits on one device, for any number of
   * threads.
   */
  seed: fitDefaults.seed,
})

/** The defaults of {@link convexNmf}: its own, and those of checkpoints. */
export const convexNmfDefaults: typeof ownDefaults & typeof checkpointDefaults = frozen({
  ...ownDefaults,
  ...checkpointDefaults,
})

export type ConvexNmfOptions = {
  /** Number of components, to be given; in 1..n. */
  rank: number
  /** The caller's arrays for the factors; new ones unless given. */
  out?: FactorOutputs | undefined
} & Overrides<typeof ownDefaults & typeof checkpointDefaults> &
  JobOptions &
  MemoryOptions

/** A factorization whose components are combinations of rows of X. */
export type CombinedFactorization = Factorization & {
  /** Weights of the rows of X in the components, H = A X, [rank × n], at least 0. */
  readonly A: Matrix
}

/**
 * Factorizes a matrix of any sign as X ≈ W H with W ≥ 0, where each row of H is a weighted mean of rows of X:
 * H = A X with A ≥ 0. Such components lie where data are, so that they can be read as typical samples.
 *
 * Where X lies far from 0 (column means of 100 times the spread or more), products of float32 hardly tell rows
 * apart and the fit ends far above its minimum; a warning tells of that. Subtract a common row from
 * X then; codes do not sum to 1 here, so this is the model of other data.
 *
 * The matrix X Xᵀ of all pairs of rows is never formed: each iteration reads X twice.
 *
 * @param X [n × d], one sample per row: dense, a file, or sparse. Borrowed, not copied (unless its
 *   buffer is resizable): do not write to it or transfer it before the promise settles.
 * @returns The factors, `A` with rows that sum to 1, the objective ‖X − W H‖² before the first and after each
 *   iteration, and `transform`, `inverseTransform` and `save`.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, fewer than `rank` of its rows are linearly
 *   independent with `init: 'spa'`, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Ding, Li & Jordan (2010), "Convex and Semi-Nonnegative Matrix Factorizations", TPAMI 32(1), section 3
 *
 * @example
 * const { W, H, A } = await convexNmf({ data, rows: 1000, cols: 768 }, { rank: 32 })
 */
export async function convexNmf(
  X: SourceInput,
  options: ConvexNmfOptions,
): Promise<CombinedFactorization> {
  const given = withDefaults(
    { ...fitArguments, ...convexNmfDefaults, ...jobDefaults, ...memoryDefaults },
    options,
  )
  checkOneOf('init', given.init, models['convex-nmf'].inits)
  return await fitCombinations('convex-nmf', X, given)
}

/** Fits a model whose components are combinations of rows, from checked starts. */
export async function fitCombinations(
  model: 'convex-nmf' | 'archetypal-analysis',
  X: SourceInput,
  given: Omit<Parameters<typeof fit>[2], keyof typeof notOffered | 'solver'> & {
    readonly innerSweeps: number
  },
  own: { readonly relaxation?: number } = {},
): Promise<CombinedFactorization> {
  checkInteger('rank', given.rank, 1, sidesOf('X', X).rows)
  const found = await fit(
    model,
    X,
    { ...notOffered, ...given, solver: 'projected-gradient' },
    { ...own, combines: true },
  )
  return found as CombinedFactorization
}
