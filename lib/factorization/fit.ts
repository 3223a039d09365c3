// What semiNmf and nmf share: one job of the addon between checked options and a result.
import { outputMatrix, type Matrix } from '../data/matrix'
import type { SourceInput } from '../data/source'
import { arraysOf, toSource } from '../data/source'
import { checkApart } from '../data/typed-array'
import { invalid } from '../errors'
import { planMemory } from '../memory'
import { runJob, type NativeFitOptions } from '../native'
import {
  checkInteger,
  checkJob,
  checkNumber,
  checkOneOf,
  frozen,
  required,
  withDefaults,
  type JobOptions,
} from '../options'
import { FactorizationModel, type ModelName } from './factorization-model'
import { fitBytes } from './memory'
import { checkPenalties, type Penalties } from './penalties'

/** How the factors are improved, for a fixed other side. */
export type Solver = 'hals' | 'mu'

export const solvers = ['hals', 'mu'] as const

/** The only place where the defaults that all factorizations share are written. */
export const fitDefaults = frozen({
  /** How a factor is improved; `hals` unless given: component by component. `mu`: by multiplicative steps. */
  solver: 'hals' as Solver,
  /** Iterations at most; one iteration reads X once and updates W, then H; 200 unless given. */
  iterations: 200,
  /** Stop when an iteration lowers the objective by a smaller fraction, 1e-4 unless given; 0 runs them all. */
  tolerance: 1e-4,
  /** Sweeps over the components for each read of X; they do not touch X; 1 unless given. */
  innerSweeps: 1,
  /** Weight of Σ|W|; 0 unless given. */
  l1W: 0,
  /** Weight of ΣW²; 0 unless given. */
  l2W: 0,
  /** Weight of Σ|H|; 0 unless given. */
  l1H: 0,
  /** Weight of ΣH²; 0 unless given. */
  l2H: 0,
  /**
   * Seed of everything random; 0 unless given. Equal seeds give equal bits on one device, for any number
   * of threads.
   */
  seed: 0,
})

export interface FitOptions extends Penalties {
  readonly rank: number
  readonly solver: Solver
  readonly init: NativeFitOptions['init']
  readonly iterations: number
  readonly tolerance: number
  readonly innerSweeps: number
  readonly seed: number
}

/** The options of all factorizations that have no default. */
export const fitArguments = { rank: required, out: undefined as FactorOutputs | undefined }

/**
 * Where the factors go, over buffers of fixed size, apart from each other and from X; new arrays when left
 * out.
 */
export interface FactorOutputs {
  /** [n · rank] */
  readonly W?: Float32Array | undefined
  /** [rank · d] */
  readonly H?: Float32Array | undefined
}

const outputDefaults: FactorOutputs = { W: undefined, H: undefined }

export interface Convergence {
  /**
   * The objective before the first and after each iteration. It does not increase, up to the rounding of
   * float32: some 1e-7 of ‖X‖².
   */
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

function checkRank(rank: number, init: string, inits: readonly string[], highest: number) {
  checkInteger('rank', rank, 1)
  if (!bounded(init) || rank <= highest) return
  const others = inits.filter((each) => !bounded(each)).join(' and ')
  const reason = `${init} needs that many rows and columns; ${others} do not`
  throw invalid('rank', `an integer in 1..${highest} (${reason})`, rank)
}

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
  checkRank(rank, init, inits, Math.min(rows, cols))
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

/** What tells one member of the family from another, on this side of the border. */
export interface Family {
  readonly model: ModelName
  readonly inits: readonly NativeFitOptions['init'][]
  /** Whether the native side may try another start beside the one named. */
  readonly triesSvd: boolean
}

export async function fit(
  { model, inits, triesSvd }: Family,
  X: SourceInput,
  given: FitOptions & JobOptions & { readonly out?: FactorOutputs | undefined },
): Promise<Factorization> {
  const { threads, device: wanted, signal, onProgress, out, ...options } = given
  const { device, ...job } = checkJob({ threads, device: wanted, signal, onProgress })
  const outputs = withDefaults(outputDefaults, out, 'out')
  const source = await toSource('X', X)
  checkFitOptions(options, inits, source.rows, source.cols)
  const { rank, iterations: maxIterations, ...rest } = options
  planMemory(
    `A factorization of ${source.rows} × ${source.cols} with rank ${rank}`,
    fitBytes(source, options, triesSvd),
  )
  const W = outputMatrix('out.W', outputs.W, source.rows, rank)
  const H = outputMatrix('out.H', outputs.H, rank, source.cols)
  checkApart({ 'out.W': W.data, 'out.H': H.data }, arraysOf(source))
  const run = await runJob(job, (addon, control) =>
    addon.fit(source, { device, model, triesSvd, maxIterations, ...rest }, W, H, control),
  )
  return new Factorization(model, W, H, { ...options, init: run.init }, run)
}
