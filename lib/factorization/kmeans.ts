import { loanOf } from '../data/loan'
import { resultMatrix, type Matrix } from '../data/matrix'
import { toSource, type SourceInput } from '../data/source'
import { resultArray } from '../data/typed-array'
import { planMemory } from '../memory'
import { runJob } from '../native'
import {
  checkInteger,
  checkJob,
  checkNumber,
  frozen,
  jobDefaults,
  memoryDefaults,
  required,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import { kmeansBytes } from './memory'

/** The only place where the defaults of {@link kmeans} are written. */
export const kmeansDefaults = frozen({
  /** Largest number of iterations; each reads X once; 100 unless given. */
  iterations: 100,
  /**
   * Stop when an iteration lowers the inertia by a smaller fraction, 1e-4 unless given; 0 runs until the
   * centres stop moving.
   */
  tolerance: 1e-4,
  /** Number of runs with different first centres; the run with the lowest inertia is kept; 1 unless given. */
  restarts: 1,
  /** Seed of the first centres, 0 unless given; restart r has the seed `seed` + r. */
  seed: 0,
})

export type KmeansOptions = {
  /** Clusters, to be given; in 1..n. */
  clusters: number
} & Overrides<typeof kmeansDefaults> &
  JobOptions &
  MemoryOptions

export interface Clustering {
  /**
   * The cluster of each row, [n]: the nearest of the returned `centers`, by distances in float64; the lowest
   * one of equally near centres.
   */
  readonly labels: Int32Array
  /** The centres of the last assignment of rows, [clusters × d]; they are not updated after it. */
  readonly centers: Matrix
  /** Sum of the squared distances of all rows to their centres, in float64, from differences. */
  readonly inertia: number
  /** Number of iterations; each reads X once. */
  readonly iterations: number
  /** Sum of the iterations of all restarts. */
  readonly totalIterations: number
  /** Whether the tolerance was met before the iterations ran out. */
  readonly converged: boolean
  /** Warnings of clusters without rows, for example if X has fewer distinct rows than clusters. */
  readonly warnings: readonly string[]
  /** Time inside the solver for all restarts, in seconds. */
  readonly seconds: number
}

/**
 * Clusters rows around means. The first centres are drawn from all rows if X is small, else from a weighted
 * sample; rows far from the others are in the sample with a higher probability. A cluster that loses its rows
 * gets the row that is farthest from its centre. Results are as accurate for data far from the origin.
 *
 * @param X [n × d], dense, a file, or sparse. Lent, not copied, and not transferable afterwards:
 *   see {@link DenseMatrix}. Do not write to it before the promise settles.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, or `clusters` is not in 1..n.
 * @see Lloyd (1982), "Least squares quantization in PCM"; Arthur & Vassilvitskii (2007), "k-means++";
 *   Bachem, Lucic & Krause (2018), "Scalable k-means clustering via lightweight coresets"
 *
 * @example
 * const { labels, centers } = await kmeans(embeddings, { clusters: 100 })
 */
export async function kmeans(X: SourceInput, given: KmeansOptions): Promise<Clustering> {
  const { clusters, iterations, tolerance, restarts, seed, ...rest } = withDefaults(
    { clusters: required, ...kmeansDefaults, ...jobDefaults, ...memoryDefaults },
    given,
  )
  const { device, ...job } = checkJob(rest)
  const { memoryBudget } = job
  const source = await toSource('X', X)
  checkInteger('clusters', clusters, 1, source.rows)
  checkInteger('iterations', iterations, 1)
  checkNumber('tolerance', tolerance, 0)
  checkInteger('restarts', restarts, 1)
  checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER - (restarts - 1))
  planMemory(`k-means with ${clusters} clusters`, kmeansBytes(source, clusters), memoryBudget)
  const { inputs, arrays } = await loanOf({ X: source })
  const runOf = async (restart: number) => {
    const labels = resultArray(Int32Array, source.rows)
    const centers = resultMatrix(clusters, source.cols)
    const options = { device, clusters, maxIterations: iterations, tolerance, seed: seed + restart }
    const run = await runJob(job, arrays, (addon, control) =>
      addon.kmeans(inputs.X, options, labels, centers, control),
    )
    return { labels, centers, ...run }
  }
  let best = await runOf(0)
  let { seconds, iterations: totalIterations } = best
  for (let restart = 1; restart < restarts; restart++) {
    const next = await runOf(restart)
    seconds += next.seconds
    totalIterations += next.iterations
    if (next.inertia < best.inertia) best = next
  }
  const { emptyClusters, ...kept } = best
  return { ...kept, totalIterations, warnings: warningsOf(emptyClusters, clusters), seconds }
}

const warningsOf = (empty: number, clusters: number) =>
  empty === 0
    ? []
    : [
        `${empty} of ${clusters} clusters have no rows: X has fewer distinct ones, or iterations ran out.`,
      ]
