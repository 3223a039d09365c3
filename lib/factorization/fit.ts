// What semiNmf and nmf share: one job of the addon between checked options and a result.
import { outputMatrix, toDenseView, type Matrix } from '../data/matrix'
import type { SourceInput } from '../data/source'
import { loanOf } from '../data/loan'
import { arraysOf, toSource } from '../data/source'
import { checkApart } from '../data/typed-array'
import { invalid } from '../errors'
import { planMemory } from '../memory'
import {
  runJob,
  type Addon,
  type JobControl,
  type NativeFitOptions,
  type NativeSource,
} from '../native'
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
import {
  checkCheckpointOptions,
  checkPlace,
  checkpointDefaults,
  checkResume,
  identityText,
  type CheckpointOptions,
  type Identity,
} from './checkpoint'
import {
  checkEntryOptions,
  checkKinds,
  entryDefaults,
  isMasked,
  needsRatios,
  weightDefaults,
  type EntryOptions,
} from './entry-options'
import { FactorizationModel, type ModelName } from './factorization-model'
import { fitBytes } from './memory'
import { checkPenalties, noPenalties, type Penalties } from './penalties'

/** How the factors are improved, for a fixed other side. */
export type Solver = 'hals' | 'mu'

export const solvers = ['hals', 'mu'] as const

/** How iterations build on each other. */
export type Acceleration = 'none' | 'extrapolated'

export const accelerations = ['none', 'extrapolated'] as const

/** The steps of hals where nothing is said, and those of other solvers: decision 0017 has the measurements. */
const halsSteps = frozen({ innerSweeps: 2, acceleration: 'extrapolated' } as const)
const plainSteps = frozen({ innerSweeps: 1, acceleration: 'none' } as const)

/** What a solver takes where nothing is said. */
export const stepsOf = (solver: NativeFitOptions['solver']) =>
  solver === 'hals' ? halsSteps : plainSteps

const stepDefaults = frozen({
  /** How a factor is improved; `hals` unless given: component by component. `mu`: by multiplicative steps. */
  solver: 'hals' as Solver,
  /** Iterations at most; one iteration reads X once and updates W, then H; 200 unless given. */
  iterations: 200,
  /** Stop when an iteration lowers the objective by a smaller fraction, 1e-4 unless given; 0 runs them all. */
  tolerance: 1e-4,
  /** Sweeps over the components for each read of X; they do not touch X; 2 for `hals`, 1 for `mu` unless given. */
  innerSweeps: undefined as number | undefined,
  /**
   * `extrapolated` for `hals`, `none` for `mu` unless given. `extrapolated`: either factor goes past its new
   * value by a share of its last change, and an iteration that raises the objective is taken back (Ang &
   * Gillis, 2019).
   */
  acceleration: undefined as Acceleration | undefined,
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

/** The defaults that all factorizations share. */
export const fitDefaults: typeof stepDefaults & typeof weightDefaults & typeof checkpointDefaults =
  frozen({ ...stepDefaults, ...weightDefaults, ...checkpointDefaults })

/** Factors to start from; a missing one is the answer of the model's step to the other. */
export interface GivenFactors {
  /** [n × rank], at least 0 */
  readonly W?: Matrix | undefined
  /** [rank × d], of the signs of the model */
  readonly H?: Matrix | undefined
}

/** A start by name, or the factors themselves. */
export type Init<Name extends string> = Name | GivenFactors

export interface FitOptions extends Penalties, EntryOptions, CheckpointOptions {
  readonly rank: number
  readonly solver: NativeFitOptions['solver']
  readonly acceleration: Acceleration
  readonly init: Init<NativeFitOptions['init']>
  readonly iterations: number
  readonly tolerance: number
  readonly innerSweeps: number
  readonly seed: number
}

/** The same options, with the steps of their solver where none were given. */
export function withSteps<
  Options extends {
    readonly solver: NativeFitOptions['solver']
    readonly innerSweeps: number | undefined
    readonly acceleration: Acceleration | undefined
  },
>(options: Options) {
  const { innerSweeps, acceleration } = stepsOf(options.solver)
  return {
    ...options,
    innerSweeps: options.innerSweeps ?? innerSweeps,
    acceleration: options.acceleration ?? acceleration,
  }
}

/** What models take that are not offered these. */
export const notOffered = {
  ...noPenalties,
  ...entryDefaults,
  ...weightDefaults,
  innerSweeps: 1,
  acceleration: 'none',
} as const

/** The options of all factorizations that have no default. */
export const fitArguments = { rank: required, out: undefined as FactorOutputs | undefined }

/**
 * Where the factors go, over buffers of fixed size, apart from each other and from X, and lent to the job
 * ({@link DenseMatrix}); new arrays when left out, which can be transferred.
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
   * float32: some 1e-7 of ‖X‖². That of `snmf` may: its factors are those of the lowest objective.
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
    super(model, H, keptOptions(options))
    this.objective = run.objective
    this.relativeError = run.relativeError
    this.iterations = run.iterations
    this.converged = run.converged
    this.warnings = run.warnings
    this.seconds = run.seconds
  }
}

/** What a model's file keeps of the options. */
function keptOptions(options: FitOptions): Readonly<Record<string, string | number>> {
  const { mask, sampleWeight, checkpoint, checkpointSeconds, resume, init, ...kept } = options
  const start = typeof init === 'string' ? init : 'custom'
  return Object.fromEntries(
    Object.entries({ ...kept, init: start }).filter(([, value]) => value !== undefined),
  ) as Record<string, string | number>
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

function checkInit(options: FitOptions, inits: readonly string[], rows: number, cols: number) {
  const { init, rank } = options
  if (typeof init === 'object' && init !== null) {
    checkInteger('rank', rank, 1)
    const { W, H } = withDefaults({ W: undefined, H: undefined }, init, 'init')
    if (W === undefined && H === undefined) throw invalid('init', 'W, H or both', init)
    const components = [rank, 'component'] as const
    if (W !== undefined) checkFactor('init.W', W, [rows, 'row of X'], components)
    if (H !== undefined) checkFactor('init.H', H, components, [cols, 'column of X'])
    return
  }
  checkOneOf('init', init, inits)
  checkRank(rank, init, inits, Math.min(rows, cols))
  if (isMasked(options) && init !== 'random')
    throw invalid('init', 'random or given factors where entries are missing', init)
}

/** Checks a factor to start from. `row` and `column` tell what a row and a column of it are. */
function checkFactor(
  name: string,
  matrix: Matrix,
  [rows, row]: readonly [number, string],
  [cols, column]: readonly [number, string],
) {
  const { data } = toDenseView(name, matrix)
  if (!(data instanceof Float32Array)) throw invalid(`${name}.data`, 'a Float32Array', data)
  if (matrix.rows !== rows)
    throw invalid(`${name}.rows`, `${rows} rows, one for each ${row},`, matrix.rows)
  if (matrix.cols !== cols)
    throw invalid(`${name}.cols`, `${cols} columns, one for each ${column},`, matrix.cols)
}

/** What only multiplicative steps can do. */
function checkRatios(options: FitOptions) {
  if (needsRatios(options) && options.solver !== 'mu')
    throw invalid(
      'solver',
      isMasked(options) ? 'mu where entries are missing' : `mu for the loss ${options.loss}`,
      options.solver,
    )
  if (options.sampleWeight && (options.l1W > 0 || options.l2W > 0) && options.solver !== 'mu')
    throw invalid('solver', 'mu for sampleWeight beside a penalty on W', options.solver)
}

/** Checks every option against the shape of X, before X itself is read. */
export function checkFitOptions(
  options: FitOptions,
  inits: readonly string[],
  rows: number,
  cols: number,
  known: readonly NativeFitOptions['solver'][] = solvers,
) {
  const { solver, init, acceleration } = options
  checkKinds(options)
  checkOneOf('solver', solver, known)
  checkOneOf('acceleration', acceleration, accelerations)
  if (acceleration !== 'none' && solver === 'mu')
    throw invalid('acceleration', 'none for the solver mu', acceleration)
  checkInit(options, inits, rows, cols)
  checkInteger('iterations', options.iterations, 0)
  checkNumber('tolerance', options.tolerance, 0)
  checkInteger('innerSweeps', options.innerSweeps, 1)
  checkInteger('seed', options.seed, 0, Number.MAX_SAFE_INTEGER)
  checkPenalties(options)
  checkCheckpointOptions(options)
  checkRatios(options)
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
  /** `hals` and `mu` unless given. */
  readonly solvers?: readonly NativeFitOptions['solver'][]
}

/** What one member alone asks of the addon, and the memory it takes besides. */
export interface OwnOptions extends Pick<
  NativeFitOptions,
  'adjacency' | 'graphWeight' | 'sparsity' | 'patience'
> {
  readonly bytes: number
}

/** Runs a job over the memory of X. */
type Run = (start: (addon: Addon, control: JobControl) => Promise<string>) => Promise<string>

/** What must agree between a run and one that goes on from its checkpoint. */
async function identityOf(
  model: string,
  options: FitOptions,
  run: Run,
  { adjacency, ...own }: Omit<OwnOptions, 'bytes'>,
  source: NativeSource,
): Promise<Identity> {
  const { iterations, checkpoint, checkpointSeconds, resume, mask, sampleWeight, ...rest } = options
  const fingerprint = (of: NativeSource) => run((addon, control) => addon.fingerprint(of, control))
  const X = await fingerprint(source)
  const graph = adjacency ? await fingerprint(adjacency) : 'none'
  const { init, ...scalars } = rest
  const given = { ...scalars, ...own, init: typeof init === 'string' ? init : 'custom' }
  const texts = Object.entries(given).map(([name, value]) => [name, String(value ?? 'none')])
  const masked = {
    mask: String(mask?.length ?? 'none'),
    sampleWeight: sampleWeight ? 'given' : 'none',
  }
  return { X, graph, model, ...(Object.fromEntries(texts) as Record<string, string>), ...masked }
}

/** The options of checkpoints as the addon takes them. */
async function checkpointsOf(
  model: string,
  options: FitOptions,
  run: Run,
  own: Omit<OwnOptions, 'bytes'>,
  source: NativeSource,
) {
  const { checkpoint, checkpointSeconds, resume } = options
  const files = { checkpoint, checkpointSeconds, resume }
  if (checkpoint === undefined && resume === undefined)
    return { ...files, identity: '{}', resumeObjectives: 0 }
  if (checkpoint !== undefined) await checkPlace(checkpoint)
  const identity = await identityOf(model, options, run, own, source)
  const resumeObjectives = resume === undefined ? 0 : await checkResume(resume, identity)
  return { ...files, identity: identityText(identity), resumeObjectives }
}

export async function fit(
  { model, inits, triesSvd, solvers: known }: Family,
  X: SourceInput,
  given: FitOptions & JobOptions & { readonly out?: FactorOutputs | undefined },
  { bytes, ...own }: OwnOptions = { bytes: 0 },
): Promise<Factorization> {
  const { threads, device: wanted, signal, onProgress, out, ...options } = given
  const { device, ...job } = checkJob({ threads, device: wanted, signal, onProgress })
  const outputs = withDefaults(outputDefaults, out, 'out')
  const source = await toSource('X', X)
  checkFitOptions(options, inits, source.rows, source.cols, known)
  const entries = checkEntryOptions(X, source.rows, source.cols, options)
  const { rank, iterations: maxIterations, init } = options
  const start = typeof init === 'string' ? init : 'custom'
  planMemory(
    `A factorization of ${source.rows} × ${source.cols} with rank ${rank}`,
    fitBytes(source, { rank, solver: options.solver, init: start }, triesSvd) + bytes,
  )
  const W = outputMatrix('out.W', outputs.W, source.rows, rank)
  const H = outputMatrix('out.H', outputs.H, rank, source.cols)
  const memory = { ...arraysOf(source), ...(own.adjacency && arraysOf(own.adjacency)) }
  checkApart({ 'out.W': W.own, 'out.H': H.own }, memory)
  const { mask, sampleWeight, ...others } = entries
  const givenFactors = typeof init === 'string' ? {} : init
  const { inputs, arrays } = await loanOf({
    X: source,
    mask,
    sampleWeight,
    'init.W': givenFactors.W,
    'init.H': givenFactors.H,
    graph: own.adjacency,
  })
  const lent = { ...arrays, 'out.W': outputs.W, 'out.H': outputs.H }
  const checkpoints = await checkpointsOf(
    model,
    options,
    (start) => runJob(job, arrays, start),
    { ...own, adjacency: inputs.graph },
    inputs.X,
  )
  const { solver, tolerance, innerSweeps, acceleration, l1W, l2W, l1H, l2H, seed } = options
  const named = { solver, tolerance, innerSweeps, acceleration, l1W, l2W, l1H, l2H, seed }
  const borrowed = {
    mask: inputs.mask,
    sampleWeight: inputs.sampleWeight,
    givenW: inputs['init.W'],
    givenH: inputs['init.H'],
  }
  const all = { device, model, triesSvd, maxIterations, init: start } as const
  const lentGraph = { adjacency: inputs.graph }
  const asked = { ...all, ...named, ...others, ...borrowed, ...checkpoints, ...own, ...lentGraph }
  const run = await runJob(job, lent, (addon, control) =>
    addon.fit(inputs.X, asked, W.matrix, H.matrix, control),
  )
  const factors = [await W.settle(), await H.settle()] as const
  const { adjacency: _, ...kept } = own
  return new Factorization(model, ...factors, { ...options, ...kept, init: run.init }, run)
}
