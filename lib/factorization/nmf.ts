import { extentOf, type SourceInput } from '../data/source'
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
import { batchDefaults } from './batches'
import { upperHDefaults } from './bounds'
import { entryDefaults, isMasked } from './entry-options'
import { fit, type Factorization } from './fit'
import {
  defaultSolver,
  fitArguments,
  fitDefaults,
  stepsOf,
  withSteps,
  type FactorOutputs,
  type Init,
} from './fit-options'
import { graphTerm, type Graph } from './graph'
import { losses } from './losses'
import { models, nmfDefaultInits } from './models'

/** A start of NMF. */
export type NmfInit = (typeof nmfInits)[number]

export const nmfInits = models.nmf.inits

const ownDefaults = frozen({
  /**
   * The start of W and H. `nndsvd`: non-negative parts of singular vectors; `nndsvda` fills their zeros with
   * the mean of X, for `mu` with √(mean / rank); `nndsvdar` with random numbers of about a hundredth of it;
   * `kmeans`: as for semi-NMF; `random`. `nndsvdar` unless given, but `random` for `mu`, also if
   * rank > min(n, d) or entries are missing; `nndsvda` for another `loss` and with a graph. For `mu`, which cannot
   * leave a zero, zeros are replaced by random numbers up to the mean. Or factors `{ W, H }` to start from, either
   * or both.
   */
  init: undefined as Init<NmfInit> | undefined,
})

/** The defaults of {@link nmf}: those of all factorizations, and its own. */
export const nmfDefaults: typeof fitDefaults &
  typeof ownDefaults &
  typeof upperHDefaults &
  typeof entryDefaults &
  typeof batchDefaults = frozen({
  ...fitDefaults,
  ...ownDefaults,
  ...upperHDefaults,
  ...entryDefaults,
  ...batchDefaults,
})

export type NmfOptions = {
  /** Number of components, to be given; above min(n, d) only with `init` random or kmeans. */
  rank: number
  /** The caller's arrays for the factors; new ones unless given. */
  out?: FactorOutputs | undefined
  /**
   * A graph of the rows, whose term in the objective makes the codes of neighbours similar; none unless
   * given. For the loss `frobenius` and the solver `mu` with one inner sweep.
   */
  graph?: Graph | undefined
} & Overrides<
  typeof fitDefaults &
    typeof ownDefaults &
    typeof upperHDefaults &
    typeof entryDefaults &
    typeof batchDefaults
> &
  JobOptions &
  MemoryOptions

/**
 * Factorizes a non-negative matrix as X ≈ W H with W ≥ 0 and H ≥ 0.
 *
 * @param X [n × d], one sample per row, no entry below zero: dense, a file, or sparse. Lent, not
 *   copied, and not transferable afterwards: see {@link DenseMatrix}. Do not write to it before the promise
 *   settles.
 * @returns The factors, the objective ‖X − W H‖² plus penalties before the first and after each
 *   iteration, and `transform`, `inverseTransform` and `save`.
 * @throws {TypeError | RangeError} if X is no matrix of finite, non-negative numbers, or an option is
 *   wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Cichocki & Phan (2009), "Fast local algorithms for large scale nonnegative matrix and tensor
 *   factorizations" (hals); Lee & Seung (2001), "Algorithms for non-negative matrix factorization" (mu);
 *   Kim & Park (2011), "Fast nonnegative matrix factorization" (anls-bpp); Guan, Tao, Luo & Yuan (2012), "NeNMF"
 *   (projected-gradient); Boutsidis & Gallopoulos (2008), "SVD based initialization" (nndsvd); Cai, He, Han & Huang (2011),
 *   "Graph regularized nonnegative matrix factorization for data representation" (graph)
 *
 * @example
 * const { W, H, relativeError } = await nmf({ data, rows: 2429, cols: 361 }, { rank: 49 })
 */
export async function nmf(X: SourceInput, options: NmfOptions): Promise<Factorization> {
  const { graph, ...given } = withDefaults(
    {
      ...fitArguments,
      ...nmfDefaults,
      ...jobDefaults,
      ...memoryDefaults,
      graph: undefined as Graph | undefined,
    },
    options,
  )
  const extent = extentOf('X', X)
  const { rows, cols } = extent
  checkInteger('rank', given.rank, 1)
  checkOneOf('loss', given.loss, losses)
  const wide = given.rank > Math.min(rows, cols) || isMasked(given)
  const hasGraph = graph !== undefined
  const solver = options.solver ?? defaultSolver('nmf', given, hasGraph)
  const settled = withSteps({ ...given, solver }, extent, hasGraph)
  const init = given.init ?? nmfDefaultInits[wide ? 'wide' : stepsOf(settled, hasGraph)]
  const own = graph && (await graphTerm(graph, settled, rows))
  return await fit('nmf', X, { ...settled, init }, own)
}
