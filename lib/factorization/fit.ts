// What semiNmf and nmf share: one job of the addon between checked options and a result.
import { availableParallelism } from 'node:os'
import { outputMatrix, type Matrix } from '../data/matrix'
import type { SourceInput } from '../data/source'
import { toSource } from '../data/source'
import { invalid } from '../errors'
import { planMemory } from '../memory'
import { runJob, type NativeFitOptions, type NativeSource } from '../native'
import { checkInteger, checkJob, checkNumber, checkOneOf, type JobOptions } from '../options'
import { FactorizationModel, type ModelName } from './factorization-model'
import { sampleBytes } from './kmeans'
import { checkPenalties, type Penalties } from './penalties'

/** How the factors are improved, for a fixed other side. */
export type Solver = 'hals' | 'mu'

export const solvers = ['hals', 'mu'] as const

/** The only place where the defaults that all factorizations share are written. */
export const fitDefaults = {
  /** `hals` improves a factor component by component; `mu` takes multiplicative steps. */
  solver: 'hals' as Solver,
  /** Iterations at most; one iteration reads X once and updates W, then H. */
  iterations: 200,
  /** Stop when an iteration lowers the objective by a smaller fraction; 0 runs all iterations. */
  tolerance: 1e-4,
  /** Sweeps over the components for each read of X; they do not touch X. */
  innerSweeps: 1,
  /** Weight of Σ|W|. */
  l1W: 0,
  /** Weight of ΣW². */
  l2W: 0,
  /** Weight of Σ|H|. */
  l1H: 0,
  /** Weight of ΣH². */
  l2H: 0,
  /** Seed of everything random; equal seeds give equal bits on one device, for any number of threads. */
  seed: 0,
} as const

export interface FitOptions extends Penalties {
  readonly rank: number
  readonly solver: Solver
  readonly init: NativeFitOptions['init']
  readonly iterations: number
  readonly tolerance: number
  readonly innerSweeps: number
  readonly seed: number
}

/** Where the factors go; new arrays when left out. */
export interface FactorOutputs {
  /** [n · rank] */
  readonly W?: Float32Array | undefined
  /** [rank · d] */
  readonly H?: Float32Array | undefined
}

export interface Convergence {
  /** The objective before the first and after each iteration; it never increases. */
  readonly objective: Float64Array
  /** ‖X − W H‖ / ‖X‖ of the factors returned, measured directly; 0 for an X of zeros. */
  readonly relativeError: number
  /** Iterations done; each reads X once. */
  readonly iterations: number
  /** Whether the tolerance was met before the iterations ran out. */
  readonly converged: boolean
  /** Complete sentences about options that may not do what was meant. */
  readonly warnings: readonly string[]
  /** Time inside the solver, in seconds. */
  readonly seconds: number
}

/** A fitted model with the codes of the rows it was fitted to. */
export class Factorization extends FactorizationModel implements Convergence {
  readonly objective: Float64Array
  readonly relativeError: number
  readonly iterations: number
  readonly converged: boolean
  readonly warnings: readonly string[]
  readonly seconds: number

  constructor(
    model: ModelName,
    /** Codes, [n × rank], non-negative. */
    readonly W: Matrix,
    H: Matrix,
    options: FitOptions,
    run: Convergence,
  ) {
    super(model, H, { ...options })
    this.objective = run.objective
    this.relativeError = run.relativeError
    this.iterations = run.iterations
    this.converged = run.converged
    this.warnings = run.warnings
    this.seconds = run.seconds
  }
}

/** Starts that singular vectors give: there are no more of them than min(n, d). */
const bounded = (init: string) => init !== 'random' && init !== 'kmeans'

/** Checks every option against the shape of X, before X itself is read. */
export function checkFitOptions(
  options: FitOptions,
  inits: readonly string[],
  rows: number,
  cols: number,
) {
  const { rank, solver, init } = options
  checkOneOf('solver', solver, solvers)
  checkOneOf('init', init, inits)
  checkInteger('rank', rank, 1, bounded(init) ? Math.min(rows, cols) : Infinity)
  checkInteger('iterations', options.iterations, 0)
  checkNumber('tolerance', options.tolerance, 0)
  checkInteger('innerSweeps', options.innerSweeps, 1)
  checkInteger('seed', options.seed, 0, Number.MAX_SAFE_INTEGER)
  checkPenalties(options)
  if (init === 'nndsvd' && solver === 'mu')
    throw invalid(
      'init',
      'nndsvda, nndsvdar, kmeans or random for the solver mu, which cannot leave a zero',
      init,
    )
}

/**
 * Memory for the factors, once as results and once scaled; S and its partial sums; and the small Gram
 * matrices, in bytes. X is the caller's.
 */
function bytesOf(source: NativeSource, rank: number, init: string): number {
  const { rows, cols } = source
  const partialSums = availableParallelism() + 2
  return (
    (init === 'kmeans' ? sampleBytes(source, rank) : 0) +
    8 * (rows + cols) * rank +
    (24 + 4 * partialSums) * cols * rank +
    (48 + 12 * partialSums) * rank * rank
  )
}

/** What tells one member of the family from another, on this side of the border. */
export interface Family {
  readonly model: ModelName
  readonly inits: readonly NativeFitOptions['init'][]
}

export async function fit(
  { model, inits }: Family,
  X: SourceInput,
  given: FitOptions & JobOptions,
  out: FactorOutputs = {},
): Promise<Factorization> {
  const { threads, device: wanted, signal, onProgress, ...options } = given
  const { device, ...job } = checkJob({ threads, device: wanted, signal, onProgress })
  const source = await toSource('X', X)
  checkFitOptions(options, inits, source.rows, source.cols)
  const { rank, iterations: maxIterations, ...rest } = options
  planMemory(
    `A factorization of ${source.rows} × ${source.cols} with rank ${rank}`,
    bytesOf(source, rank, options.init),
  )
  const W = outputMatrix('out.W', out.W, source.rows, rank)
  const H = outputMatrix('out.H', out.H, rank, source.cols)
  const run = await runJob(job, (addon, control) =>
    addon.fit(source, { device, model, maxIterations, ...rest }, W, H, control),
  )
  return new Factorization(model, W, H, options, run)
}
