import { loanOf } from '../data/loan'
import { resultMatrix, type Matrix } from '../data/matrix'
import { toSource, type SourceInput } from '../data/source'
import { resultArray } from '../data/typed-array'
import { planMemory } from '../memory'
import { runJob } from '../native'
import {
  checkInteger,
  checkJob,
  frozen,
  jobDefaults,
  memoryDefaults,
  required,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import { svdBytes } from './memory'

/** The only place where the defaults of {@link truncatedSvd} are written. */
export const truncatedSvdDefaults = frozen({
  /** Directions sampled beyond `rank` in each block; more make the last components more accurate; 10 unless given. */
  oversamples: 10,
  /**
   * Steps that sharpen the sampled subspace; each reads X once, or twice where X has fewer rows than
   * columns; 4 unless given. The last three subspaces are all searched.
   */
  powerIterations: 4,
  /** Seed of the random start; 0 unless given. */
  seed: 0,
})

export type TruncatedSvdOptions = {
  /** Singular values wanted, to be given; in 1..min(n, d). */
  rank: number
} & Overrides<typeof truncatedSvdDefaults> &
  JobOptions &
  MemoryOptions

export interface TruncatedSvd {
  /**
   * Left singular vectors, [n × rank], orthonormal columns. Those of singular values below 1e-7 of the
   * first, which is the noise of float32 entries, are any completion; `warnings` then says which.
   */
  readonly U: Matrix
  /** Singular values, descending, [rank]. */
  readonly s: Float64Array
  /** Right singular vectors as rows, [rank × d]; the entry of largest magnitude in each is positive. */
  readonly V: Matrix
  /** ‖X − U diag(s) V‖ / ‖X‖; 0 for an X of zeros. */
  readonly relativeError: number
  /** Sentences on what may surprise: the columns of U that are no singular vectors. */
  readonly warnings: readonly string[]
  /** Time inside the solver, in seconds. */
  readonly seconds: number
}

/**
 * The `rank` largest singular values of a matrix with their vectors: X ≈ U diag(s) V.
 *
 * @param X [n × d], dense, a file, or sparse. Lent, not copied, and not transferable afterwards:
 *   see {@link DenseMatrix}. Do not write to it before the promise settles.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, or `rank` is not in 1..min(n, d).
 * @see Halko, Martinsson & Tropp (2011), "Finding structure with randomness", SIAM Review 53(2);
 *   Musco & Musco (2015), "Randomized block Krylov methods for stronger and faster approximate singular value
 *   decomposition", NeurIPS
 *
 * @example
 * const { U, s, V } = await truncatedSvd(tfidf, { rank: 128 })
 */
export async function truncatedSvd(
  X: SourceInput,
  given: TruncatedSvdOptions,
): Promise<TruncatedSvd> {
  const { rank, oversamples, powerIterations, seed, ...rest } = withDefaults(
    { rank: required, ...truncatedSvdDefaults, ...jobDefaults, ...memoryDefaults },
    given,
  )
  const { device, ...job } = checkJob(rest)
  const { memoryBudget } = job
  const source = await toSource('X', X)
  checkInteger('rank', rank, 1, Math.min(source.rows, source.cols))
  checkInteger('oversamples', oversamples, 0)
  checkInteger('powerIterations', powerIterations, 0)
  checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER)
  const width = Math.min(rank + oversamples, source.rows, source.cols)
  planMemory(`A truncated SVD of rank ${rank}`, svdBytes(source, width), memoryBudget)
  const U = resultMatrix(source.rows, rank)
  const V = resultMatrix(rank, source.cols)
  const s = resultArray(Float64Array, rank)
  const { inputs, arrays } = await loanOf({ X: source })
  const run = await runJob(job, arrays, (addon, control) =>
    addon.truncatedSvd(
      inputs.X,
      { device, rank, oversamples, powerIterations, seed },
      U,
      s,
      V,
      control,
    ),
  )
  return { U, s, V, ...run }
}
