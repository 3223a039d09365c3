import { extentOf, type SourceInput } from '../data/source'
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
import { batchDefaults } from './batches'
import { upperHDefaults } from './bounds'
import { entryDefaults, isMasked } from './entry-options'
import { fit, type Factorization } from './fit'
import { graphTerm, type Graph } from './graph'
import { squaresLosses } from './losses'
import { models, semiNmfDefaultInit } from './models'
import {
  defaultSolver,
  fitArguments,
  fitDefaults,
  withSteps,
  type FactorOutputs,
  type Init,
} from './fit-options'

/** A start of semi-NMF. */
export type SemiNmfInit = (typeof semiNmfInits)[number]

export const semiNmfInits = models['semi-nmf'].inits

const ownDefaults = frozen({
  /**
   * The start of W and H. `kmeans`: cluster indicators + 0.2, with `hals` and many rows after some iterations
   * on a sample of them. `svd`: a best approximation rewritten with W ≥ 0 (Gillis & Kumar, 2015), of this
   * rank if the left singular vectors span a positive vector, as for X ≥ 0, otherwise of rank − 1; for rank ≤
   * min(n, d). `random`. `random` unless given where entries are missing and under a loss for outliers, else
   * `kmeans`, and in addition `svd` if a sample of rows shows that its error may be lower: the better pair is
   * returned, `options.init` of the result names its start, and `seconds` includes both runs. Without `svd` beside
   * `batchSize`, and where fewer than 10 iterations are asked for and do not converge. Or factors `{ W, H }` to start from, either or both.
   */
  init: undefined as Init<SemiNmfInit> | undefined,
})

/** The defaults of {@link semiNmf}: those of all factorizations, and its own. */
export const semiNmfDefaults: typeof fitDefaults &
  typeof ownDefaults &
  typeof entryDefaults &
  typeof batchDefaults = frozen({
  ...fitDefaults,
  ...ownDefaults,
  ...entryDefaults,
  ...batchDefaults,
})

export type SemiNmfOptions = {
  /** Number of components, to be given; at most min(n, d) with `init: 'svd'`. */
  rank: number
  /** The caller's arrays for the factors; new ones unless given. */
  out?: FactorOutputs | undefined
  /**
   * A graph of the rows, whose term in the objective makes the codes of neighbours similar; none unless
   * given. For the solver `mu` with one inner sweep, without `sampleWeight`, `mask` and
   * `missing`. A weight `l2H` keeps the scale of the
   * factors from evading it.
   */
  graph?: Graph | undefined
} & Overrides<
  typeof fitDefaults & typeof ownDefaults & typeof entryDefaults & typeof batchDefaults
> &
  JobOptions &
  MemoryOptions

/**
 * Factorizes a matrix of any sign as X ≈ W H with W ≥ 0 and H of any sign.
 *
 * @param X [n × d], one sample per row: dense, a file, or sparse. Lent, not copied, and not transferable
 *   afterwards: see {@link DenseMatrix}. Do not write to it before the promise settles.
 * @returns The factors, the objective ‖X − W H‖² plus penalties before the first and after each iteration,
 *   and `transform`, `inverseTransform` and `save`. The factors are not unique: another seed may give another
 *   pair.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Ding, Li & Jordan (2010), "Convex and Semi-Nonnegative Matrix Factorizations", TPAMI 32(1); Cai, He, Han &
 *   Huang (2011), "Graph regularized nonnegative matrix factorization for data representation" (graph)
 *
 * @example
 * const { W, H } = await semiNmf({ data, rows: 1000, cols: 768 }, { rank: 32 })
 */
export async function semiNmf(X: SourceInput, options: SemiNmfOptions): Promise<Factorization> {
  const { graph, ...given } = withDefaults(
    {
      ...fitArguments,
      ...semiNmfDefaults,
      ...jobDefaults,
      ...memoryDefaults,
      graph: undefined as Graph | undefined,
    },
    options,
  )
  const extent = extentOf('X', X)
  const { rows, cols } = extent
  checkInteger('rank', given.rank, 1)
  checkInteger('iterations', given.iterations, 0)
  checkOneOf('loss', given.loss, squaresLosses)
  const solver = options.solver ?? defaultSolver('semi-nmf', { ...given, ...upperHDefaults })
  const isPlain = given.loss === 'frobenius' && !isMasked(given)
  const triesSvd =
    given.init === undefined &&
    isPlain &&
    given.batchSize === undefined &&
    given.sampleWeight === undefined &&
    graph === undefined &&
    given.iterations > 0 &&
    given.rank <= Math.min(rows, cols)
  const settled = {
    ...withSteps({ ...given, solver }, extent, graph !== undefined),
    ...upperHDefaults,
    init: given.init ?? (isPlain ? semiNmfDefaultInit : 'random'),
  }
  if (graph && given.sampleWeight)
    throw invalid('sampleWeight', 'none beside a graph for the model semi-nmf', given.sampleWeight)
  for (const name of ['mask', 'missing'] as const)
    if (graph && given[name] !== undefined)
      throw invalid(name, 'none beside a graph for the model semi-nmf', given[name])
  const own = graph ? await graphTerm(graph, settled, rows) : {}
  return await fit('semi-nmf', X, settled, { triesSvd, ...own })
}
