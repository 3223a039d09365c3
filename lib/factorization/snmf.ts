import type { SourceInput } from '../data/source'
import { invalid } from '../errors'
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

/** A start of SNMF. */
export type SnmfInit = (typeof models)['snmf']['inits'][number]

const ownDefaults = frozen({
  /**
   * The share of the d entries that each row of H keeps, in (0, 1]; 0.01 unless given: the ⌈sparsity·d⌉ of
   * largest magnitude, and those tied with the last of them.
   */
  sparsity: 0.01,
  /** The start of W, from which H is computed; `random` unless given; `kmeans`, `svd`: as for semi-NMF. */
  init: 'random' as SnmfInit,
  /**
   * Iterations at most; one iteration reads X once and updates H, then W; 500 unless given. The refit is one more.
   */
  iterations: 500,
  /**
   * The fraction by which an objective must be lower to count as better, 1e-4 unless given; 0 runs all
   * iterations.
   */
  tolerance: 1e-4,
  /** Stop after this many iterations without a better pair; 100 unless given. */
  patience: 100,
  /**
   * Whether the best pair is refitted at the end, without new entries in H: each column of H by least squares
   * over the components that keep it, then W; `false` unless given. The pair with the lower error is returned.
   * The refit has one more `objective`, and counts as one more of `iterations`, beyond those asked for.
   */
  refit: false,
  /**
   * Seed of all random numbers; 0 unless given. Equal seeds give equal bits on one device, for any number of
   * threads.
   */
  seed: fitDefaults.seed,
})

/** The defaults of {@link snmf}: its own, and those of checkpoints. */
export const snmfDefaults: typeof ownDefaults & typeof checkpointDefaults = frozen({
  ...ownDefaults,
  ...checkpointDefaults,
})

export type SnmfOptions = {
  /** Number of components, to be given; at most min(n, d) with `init: 'svd'`. */
  rank: number
  /** The caller's arrays for the factors; new ones unless given. */
  out?: FactorOutputs | undefined
} & Overrides<typeof ownDefaults & typeof checkpointDefaults> &
  JobOptions &
  MemoryOptions

/**
 * Decomposes activations X [tokens × neurons] into sparse features: X ≈ W H with W ≥ 0 and few neurons in
 * each row of H. The steps of "Decomposing MLP Activations into Interpretable Features via Semi-Nonnegative
 * Matrix Factorization".
 *
 * The objective may rise from one iteration to the next, because H is reduced to its largest entries after it
 * was fitted. Hence the factors and `relativeError` are those of the iteration with the lowest objective;
 * `objective[t]` is that of the pair after t iterations.
 *
 * @param X [n × d], one sample per row: dense, a file, or sparse. Borrowed, not copied (unless its
 *   buffer is resizable): do not write to it or transfer it before the promise settles.
 * @returns The best factors, the objective ‖X − W H‖² before the first and after each iteration, and
 *   `transform`, `inverseTransform` and `save`. `converged` means that the run ended by `patience`.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Shafran, Geiger & Geva (2025), arXiv 2506.10920
 *
 * @example
 * const { W, H } = await snmf(activations, { rank: 100, sparsity: 0.01 })
 */
export async function snmf(X: SourceInput, options: SnmfOptions): Promise<Factorization> {
  const { sparsity, patience, refit, ...given } = withDefaults(
    { ...fitArguments, ...snmfDefaults, ...jobDefaults, ...memoryDefaults },
    options,
  )
  checkOneOf('init', given.init, models.snmf.inits)
  checkInteger('rank', given.rank, 1)
  checkSnmfOptions({ sparsity, patience, refit })
  return await fit(
    'snmf',
    X,
    { ...notOffered, ...given, solver: 'mu' },
    { sparsity, patience, refit },
  )
}

export function checkSnmfOptions({
  sparsity,
  patience,
  refit,
}: Required<Pick<SnmfOptions, 'sparsity' | 'patience' | 'refit'>>) {
  if (!(typeof sparsity === 'number' && sparsity > 0 && sparsity <= 1))
    throw invalid('sparsity', 'a number above 0, at most 1', sparsity)
  checkInteger('patience', patience, 1)
  if (typeof refit !== 'boolean') throw invalid('refit', 'true or false', refit)
}
