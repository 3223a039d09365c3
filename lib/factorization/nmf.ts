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
import { native } from '../native'
import { batchDefaults } from './batches'
import { upperHDefaults, type Bounds } from './bounds'
import { entryDefaults, isMasked } from './entry-options'
import { fit, type Factorization } from './fit'
import {
  defaultSolver,
  fitArguments,
  fitDefaults,
  stepsOf,
  withSteps,
  type Extent,
  type FactorOutputs,
  type Init,
} from './fit-options'
import { graphTerm, type Graph } from './graph'
import { losses } from './losses'
import { models, nmfDefaultInits } from './models'
import type { Penalties } from './penalties'

/** A start of NMF. */
export type NmfInit = (typeof nmfInits)[number]

export const nmfInits = models.nmf.inits

interface PlainOptions extends Penalties, Bounds {
  readonly sampleWeight?: Float32Array | undefined
  readonly batchSize?: number | undefined
}

const ownDefaults = frozen({
  /**
   * The start of W and H. `nndsvd`: non-negative parts of singular vectors; `nndsvda` fills their zeros with
   * the mean of X, for `mu` with √(mean / rank); `nndsvdar` with random numbers of about a hundredth of it;
   * `low-rank`: from there up to 100 iterations of `hals` on the singular vectors instead of X, which they do not
   * read, not for `mu`; `kmeans`: as for semi-NMF; `random`. For `hals` `low-rank` unless given, if its iterations are clearly
   * cheaper than those on X (2 · (n + d) · (rank + 10) is at most the number of entries) and nothing is penalised,
   * bounded, weighted or in batches, else `nndsvdar`; but `random` for `mu`, also if rank > min(n, d) or entries
   * are missing; `nndsvda` for another `loss` and with a graph. For `mu`, which cannot leave a zero, zeros are
   * replaced by random numbers up to the mean. Or factors `{ W, H }` to start from, either or both.
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

/** Whether the objective is ‖X − W H‖² over all W, H ≥ 0, as that of the iterations without X. */
const isPlain = ({ l1W, l2W, l1H, l2H, upperW, upperH, sampleWeight, batchSize }: PlainOptions) =>
  l1W + l2W + l1H + l2H === 0 &&
  [upperW, upperH, sampleWeight, batchSize].every((option) => option === undefined)

/** Whether an iteration on singular vectors, n + d rows, has at most half of the products of one on X. */
function isCheapWithoutX({ rows, cols, entries }: Extent, rank: number): boolean {
  const columns = rank + native().planSizes().startOversamples
  return 2 * (rows + cols) * columns <= entries
}

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
  const steps = wide ? 'wide' : stepsOf(settled, hasGraph)
  const withoutX = steps === 'hals' && isPlain(settled) && isCheapWithoutX(extent, given.rank)
  const init = given.init ?? nmfDefaultInits[withoutX ? 'hals without X' : steps]
  const own = graph && (await graphTerm(graph, settled, rows))
  return await fit('nmf', X, { ...settled, init }, own)
}
