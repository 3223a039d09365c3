// The options of all factorizations: names, defaults, and checks that need only the shape of X.
import { checkCheckpointOptions, type CheckpointOptions } from '../data/checkpoint-file'
import { toDenseView, type Matrix } from '../data/matrix'
import { invalid } from '../errors'
import { checkInteger, checkNumber, checkOneOf, frozen, required, withDefaults } from '../options'
import { checkBatches, defaultForgetFactor, type BatchOptions } from './batches'
import { checkBounds, noBounds, upperWDefaults, type Bounds } from './bounds'
import { checkpointDefaults } from './checkpoint'
import { hasSquares, lossesOf, type AnyLoss } from './losses'
import {
  checkKinds,
  entryDefaults,
  isMasked,
  weightDefaults,
  type EntryOptions,
} from './entry-options'
import {
  rowOf,
  solvers,
  type ModelName,
  type Solver,
  type SolverName,
  type StartName,
} from './models'
import { checkPenalties, noPenalties, type Penalties } from './penalties'

export { solvers, type Solver }

/** How an iteration of a factorization uses earlier ones. */
export const accelerations = ['none', 'extrapolated'] as const
export type Acceleration = (typeof accelerations)[number]

/** Default steps of each solver, and others of mu; decisions 0017, 0019 and 0023 have the measurements. */
export const defaultSteps = frozen({
  hals: { innerSweeps: 2, acceleration: 'extrapolated' },
  /** As many sweeps as have twice the arithmetic of the products with X, within these limits. */
  mu: { fewestSweeps: 4, mostSweeps: 32, acceleration: 'extrapolated' },
  /** Multiplicative steps with a term for each entry or row. */
  ratio: { innerSweeps: 1, acceleration: 'extrapolated' },
  /** Sweeps where entries are missing: each is cheap beside the normal matrix of its own that a row has. */
  'hals with missing entries': { innerSweeps: 8, acceleration: 'extrapolated' },
  /** Under a robust loss, whose weights change with each step, extrapolated factors end in worse minima. */
  'hals under a robust loss': { innerSweeps: 8, acceleration: 'none' },
  /** Its steps are exact: a second one would change nothing. */
  'anls-bpp': { innerSweeps: 1, acceleration: 'extrapolated' },
  'projected-gradient': { innerSweeps: 16, acceleration: 'extrapolated' },
  plain: { innerSweeps: 1, acceleration: 'none' },
} as const)

/** Sweeps per iteration at most: a job sees an abort between its passes, not within the sweeps of a row. */
const mostInnerSweeps = 10_000

/** The size of X. */
export interface Extent {
  readonly rows: number
  readonly cols: number
  /** Number of entries that are read: those stored if X is sparse. */
  readonly entries: number
}

/**
 * The products with X have 4·entries·rank operations, a sweep over both factors 2·(rows + cols)·rank². Gillis &
 * Glineur (2012), "Accelerated multiplicative updates and hierarchical ALS algorithms for nonnegative matrix
 * factorization", Neural Computation 24(4).
 */
function muSweeps({ rows, cols, entries }: Extent, rank: number): number {
  const { fewestSweeps, mostSweeps } = defaultSteps.mu
  const affordable = Math.round((4 * entries) / ((rows + cols) * rank))
  return Math.min(Math.max(affordable, fewestSweeps), mostSweeps)
}

/** What the steps of a factorization depend on. */
interface Stepping extends Partial<Pick<EntryOptions, 'loss' | 'mask' | 'missing'>> {
  readonly solver: SolverName
  readonly init?: Init<StartName> | undefined
  readonly sampleWeight?: Float32Array | undefined
  readonly batchSize?: number | undefined
  readonly forgetFactor?: number | undefined
  readonly l1W?: number
  readonly l2W?: number
}

/** Why each entry or row has a term of its own; else undefined. */
function ownTerms({ loss = 'frobenius', mask, missing, sampleWeight, ...given }: Stepping) {
  const { l1W = 0, l2W = 0 } = given
  if (isMasked({ mask, missing })) return 'where entries are missing'
  if (loss !== 'frobenius' && loss !== 'logistic') return `for the loss ${loss}`
  if (sampleWeight && (l1W > 0 || l2W > 0)) return 'for sampleWeight beside a penalty on W'
  return undefined
}

/** Which steps are the default. From given factors mu takes its published steps, as other programs do. */
export function stepsOf(options: Stepping, hasGraph = false): keyof typeof defaultSteps {
  const { solver, loss = 'frobenius' } = options
  if (solver !== 'mu') {
    if (loss !== 'frobenius') return solver === 'hals' ? 'hals under a robust loss' : 'plain'
    if (solver === 'hals' && ownTerms(options) !== undefined) return 'hals with missing entries'
    return solver in defaultSteps ? (solver as Solver) : 'plain'
  }
  const isGiven = typeof options.init === 'object' && options.init !== null
  if (isGiven || hasGraph) return 'plain'
  return ownTerms(options) === undefined ? 'mu' : 'ratio'
}

const stepDefaults = frozen({
  /**
   * How a factor is improved. `hals`: component by component; `mu`: by multiplicative steps; `anls-bpp`: to the
   * exact non-negative least squares, by block principal pivoting; `projected-gradient`: by accelerated gradient
   * steps of all components at once. The H of a semi-NMF is its least squares for all. `hals` unless given, but
   * `anls-bpp` where entries are missing and nothing is bounded, and `mu` for another `loss` of `nmf`, and where
   * entries are missing for its rank above 64.
   */
  solver: 'hals' as Solver,
  /** Iterations at most; one iteration reads X once and updates W, then H; 200 unless given. */
  iterations: 200,
  /** Stop when an iteration lowers the objective by a smaller fraction, 1e-4 unless given; 0 runs them all. */
  tolerance: 1e-4,
  /**
   * Sweeps over the components per read of X, which they do not read; 2 for `hals` unless given, but 8 where
   * entries are missing, for the losses for outliers, and for `sampleWeight` beside a penalty on W. For `mu` as
   * many as have twice the arithmetic of the products with X, 4 to 32; but 1 from given factors, with a graph,
   * and for its steps by entries: for another `loss`, where entries are missing, and for `sampleWeight` beside a
   * penalty on W. For `projected-gradient`, gradient steps; 16 unless given. 1 for `anls-bpp`. 10 000 at
   * most, because an abort waits for the sweeps of a row.
   */
  innerSweeps: undefined as number | undefined,
  /**
   * `extrapolated` unless given, but `none` for `mu` from given factors and with a graph, and for `hals` and
   * `anls-bpp` under a loss for outliers. `extrapolated`: each
   * factor is moved past its new value by a share of its last change, and an iteration that raises the
   * objective is undone (Ang & Gillis, 2019); for `mu` only entries that grow are moved (Hien, Leplat & Gillis,
   * 2024), and its steps by entries (see `innerSweeps`) go further than the published ones (Salakhutdinov &
   * Roweis, 2003).
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
   * Seed of all random numbers; 0 unless given. Equal seeds give equal bits on one device, for any number of
   * threads.
   */
  seed: 0,
})

/** The defaults shared by all factorizations. */
export const fitDefaults: typeof stepDefaults &
  typeof upperWDefaults &
  typeof weightDefaults &
  typeof checkpointDefaults = frozen({
  ...stepDefaults,
  ...upperWDefaults,
  ...weightDefaults,
  ...checkpointDefaults,
})

/** Factors to start from; a missing factor is computed from the other by the model's step. */
export interface GivenFactors {
  /** [n × rank], at least 0 */
  readonly W?: Matrix | undefined
  /** [rank × d], with the signs of the model */
  readonly H?: Matrix | undefined
}

/** A start by name, or the factors themselves. */
export type Init<Name extends string> = Name | GivenFactors

export interface FitOptions
  extends Penalties, Bounds, EntryOptions, CheckpointOptions, Partial<BatchOptions> {
  readonly rank: number
  readonly solver: SolverName
  readonly acceleration: Acceleration
  readonly init: Init<StartName>
  readonly iterations: number
  readonly tolerance: number
  readonly innerSweeps: number
  readonly seed: number
}

/** With more components their normal matrices cost more than they gain by default. */
const mostOwnComponents = 64

/** The solver of a model unless given; decision 0028 has the measurements. */
export function defaultSolver(
  model: ModelName,
  options: Pick<EntryOptions, 'loss' | 'mask' | 'missing'> & Bounds & { readonly rank: number },
  hasGraph = false,
): Solver {
  const { loss, rank, upperW, upperH } = options
  const { isNonnegative } = rowOf(model)
  if (hasGraph) return isMasked(options) || loss !== 'frobenius' ? 'mu' : fitDefaults.solver
  if (loss !== 'frobenius') return isNonnegative ? 'mu' : fitDefaults.solver
  if (!isMasked(options) || upperW !== undefined || upperH !== undefined) return fitDefaults.solver
  return isNonnegative && rank > mostOwnComponents ? 'mu' : 'anls-bpp'
}

/** The same options, with the default steps of their solver where none were given. */
export function withSteps<
  Options extends {
    readonly solver: SolverName
    readonly innerSweeps: number | undefined
    readonly acceleration: Acceleration | undefined
    readonly rank: number
  } & Stepping,
>(options: Options, X: Extent, hasGraph = false) {
  const kind = stepsOf(options, hasGraph)
  const sweeps = kind === 'mu' ? muSweeps(X, options.rank) : defaultSteps[kind].innerSweeps
  const inBatches = options.batchSize !== undefined
  const { acceleration } = inBatches ? defaultSteps.plain : defaultSteps[kind]
  return {
    ...options,
    forgetFactor: options.forgetFactor ?? (inBatches ? defaultForgetFactor : undefined),
    innerSweeps: options.innerSweeps ?? sweeps,
    acceleration: options.acceleration ?? acceleration,
  }
}

/** The values for models without these options. */
export const notOffered = {
  ...noPenalties,
  ...noBounds,
  ...entryDefaults,
  ...weightDefaults,
  innerSweeps: 1,
  acceleration: 'none',
} as const

/** The options of all factorizations without a default. */
export const fitArguments = { rank: required, out: undefined as FactorOutputs | undefined }

/**
 * Output arrays of the factors: over buffers of fixed size, not overlapping each other or X, and lent to the
 * job ({@link DenseMatrix}); if omitted, new arrays, which can be transferred.
 */
export interface FactorOutputs {
  /** [n · rank] */
  readonly W?: Float32Array | undefined
  /** [rank · d] */
  readonly H?: Float32Array | undefined
}

export const outputDefaults: FactorOutputs = { W: undefined, H: undefined }

/** Whether a start uses singular vectors or independent rows, of which there are min(n, d). */
const bounded = (init: string) => init !== 'random' && init !== 'kmeans' && init !== 'furthest-sum'

function checkRank(rank: number, init: string, inits: readonly string[], highest: number) {
  checkInteger('rank', rank, 1)
  if (!bounded(init) || rank <= highest) return
  const others = inits.filter((each) => !bounded(each)).join(' and ')
  const needs = `${init} needs that many rows and columns`
  const reason = others === '' ? needs : `${needs}; ${others} do not`
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

/** Checks a factor to start from. `row` and `column` name the meaning of its rows and columns. */
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

/** The solvers whose steps take a term of its own for each entry or row, in the order of messages. */
function solversOfOwnTerms(model: ModelName, loss: AnyLoss): readonly SolverName[] {
  const ofSquares = hasSquares(loss) ? (['hals', 'anls-bpp'] as const) : []
  return rowOf(model).isNonnegative ? [...ofSquares, 'mu'] : ofSquares
}

/** Whether each row of a factor has a normal matrix of its own. */
export const hasOwnNormals = (options: Stepping) =>
  options.solver !== 'mu' && ownTerms(options) !== undefined

/** Refuses what the steps of a model do not have: terms of single entries or rows. */
export function checkOwnTerms(model: ModelName, options: FitOptions) {
  const { solver, loss, sampleWeight, l1W, l2W } = options
  checkOneOf('loss', loss, lossesOf(model))
  // A loss that has multiplicative steps only is the reason, also where entries are missing.
  const why = ownTerms(hasSquares(loss) ? options : { solver, loss })
  if (why === undefined) return
  const known = solversOfOwnTerms(model, loss).filter((name) => rowOf(model).solvers.includes(name))
  if (known.includes(solver)) return
  const expected = known.length > 1 ? `one of ${known.join(', ')}` : known[0]
  if (expected) throw invalid('solver', `${expected} ${why}`, solver)
  for (const [name, weight] of Object.entries({ l1W, l2W }))
    if (sampleWeight && weight > 0)
      throw invalid(name, `0 beside sampleWeight for the model ${model}`, weight)
}

/** Checks every option against the shape of X, before X itself is read. */
export function checkFitOptions(
  options: FitOptions,
  inits: readonly string[],
  rows: number,
  cols: number,
  known: readonly SolverName[] = solvers,
) {
  const { solver, init, acceleration } = options
  checkKinds(options)
  checkOneOf('solver', solver, known)
  checkOneOf('acceleration', acceleration, accelerations)
  checkInit(options, inits, rows, cols)
  checkInteger('iterations', options.iterations, 0)
  checkNumber('tolerance', options.tolerance, 0)
  checkInteger('innerSweeps', options.innerSweeps, 1, mostInnerSweeps)
  checkInteger('seed', options.seed, 0, Number.MAX_SAFE_INTEGER)
  checkPenalties(options)
  checkCheckpointOptions(options)
  checkBatches(options, { acceleration, why: ownTerms(options) })
  checkBounds(options, solver, solver === 'mu' ? ownTerms(options) : undefined)
  if (solver === 'anls-bpp' && options.innerSweeps !== 1)
    throw invalid(
      'innerSweeps',
      '1 for the solver anls-bpp, whose steps are exact',
      options.innerSweeps,
    )
  if ((init === 'nndsvd' || init === 'low-rank') && solver === 'mu')
    throw invalid(
      'init',
      'nndsvda, nndsvdar, kmeans or random for the solver mu, which cannot leave a zero',
      init,
    )
}
