// Common part of all factorizations: one job of the addon between checked options and a result.
import { checkPlace, type Identity } from '../data/checkpoint-file'
import { outputMatrix, type Matrix } from '../data/matrix'
import type { SourceInput } from '../data/source'
import { loanOf } from '../data/loan'
import { arraysOf, toSource } from '../data/source'
import { checkApart } from '../data/typed-array'
import { planMemory } from '../memory'
import {
  runJob,
  type Addon,
  type JobControl,
  type NativeFitOptions,
  type NativeSource,
} from '../native'
import { checkJob, withDefaults, type JobOptions, type MemoryOptions } from '../options'
import { checkResume, identityText, textsOf } from './checkpoint'
import { checkEntryOptions } from './entry-options'
import { FactorizationModel } from './factorization-model'
import {
  checkFitOptions,
  checkOwnTerms,
  hasOwnNormals,
  outputDefaults,
  type FactorOutputs,
  type FitOptions,
} from './fit-options'
import { farFromZero } from './far-from-zero'
import { fitBytes, ownBytes } from './memory'
import { models, type ModelName, type StartName } from './models'

export interface Convergence {
  /**
   * The objective before the first and after each iteration. It does not increase, up to the rounding of
   * float32, about 1e-7 of ‖X‖². That of `snmf` and that of batches may increase: their factors are those of the
   * lowest objective.
   */
  readonly objective: Float64Array
  /** ‖X − W H‖ / ‖X‖ of the factors returned, measured directly; 0 if X is zero. */
  readonly relativeError: number
  /** Number of iterations; each reads X once. */
  readonly iterations: number
  /**
   * Whether an iteration lowered the objective by a smaller fraction than the tolerance (`snmf` and batches: as many
   * as `patience`, or a fixed number, without a lower one). No distance to the minimum: decision 0032 has what the
   * default tolerance leaves.
   */
  readonly converged: boolean
  /** Complete sentences about options that may not have the intended effect. */
  readonly warnings: readonly string[]
  /** Time inside the solver, in seconds. */
  readonly seconds: number
}

/** A fitted model with the codes of its training rows. */
export class Factorization extends FactorizationModel implements Convergence {
  readonly objective: Float64Array
  readonly relativeError: number
  readonly iterations: number
  readonly converged: boolean
  readonly warnings: readonly string[]
  readonly seconds: number
  /** The rows of X that are the rows of H, for `separableNmf` only. */
  readonly anchors: Int32Array | undefined
  /** Weights of the rows of X in the rows of H = A X, [rank × n], for `convexNmf` and `archetypalAnalysis` only. */
  readonly A: Matrix | undefined

  constructor(
    model: ModelName,
    /** Codes, [n × rank], non-negative. */
    readonly W: Matrix,
    H: Matrix,
    options: FitOptions,
    run: Convergence,
    { anchors, A }: { readonly anchors?: Int32Array; readonly A?: Matrix | undefined } = {},
  ) {
    super(model, H, keptOptions(options))
    this.objective = run.objective
    this.relativeError = run.relativeError
    this.iterations = run.iterations
    this.converged = run.converged
    this.warnings = run.warnings
    this.seconds = run.seconds
    this.anchors = anchors
    this.A = A
  }
}

/** The name of a start; `custom` for given factors. */
const startOf = (init: FitOptions['init']) => (typeof init === 'string' ? init : 'custom')

/** The options that are stored in the file of a model. */
function keptOptions(options: FitOptions): Readonly<Record<string, string | number>> {
  const { mask, sampleWeight, checkpoint, checkpointSeconds, resume, init, ...rest } = options
  const { batchSize, forgetFactor, ...others } = rest
  const kept = batchSize === undefined ? others : rest
  return Object.fromEntries(
    Object.entries({ ...kept, init: startOf(init) })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === 'boolean' ? String(value) : value]),
  ) as Record<string, string | number>
}

/** Options of the addon for one model only. */
export interface OwnOptions extends Pick<
  NativeFitOptions,
  | 'adjacency'
  | 'graphWeight'
  | 'sparsity'
  | 'patience'
  | 'normalize'
  | 'rowSums'
  | 'relaxation'
  | 'volume'
  | 'volumeOffset'
  | 'refit'
  | 'keepsH'
> {
  /** Additional memory of a graph. */
  readonly graphBytes?: number
  /** Whether the components are combinations of rows, whose weights are wanted. */
  readonly combines?: boolean
  /** Whether native code may try another start in addition to the given one. */
  readonly triesSvd?: boolean
}

/** Runs a job over the memory of X. */
type Run = (start: (addon: Addon, control: JobControl) => Promise<string>) => Promise<string>

/** The identity of a run, which must equal that of a resumed run. A refit only follows the run. */
async function identityOf(
  model: string,
  options: FitOptions,
  run: Run,
  { adjacency, refit, ...own }: Omit<OwnOptions, 'graphBytes' | 'triesSvd' | 'combines'>,
  source: NativeSource,
): Promise<Identity> {
  const { iterations, checkpoint, checkpointSeconds, resume, init, ...rest } = options
  const fingerprint = (of: NativeSource) => run((addon, control) => addon.fingerprint(of, control))
  const X = await fingerprint(source)
  const graph = adjacency ? await fingerprint(adjacency) : 'none'
  const start = typeof init === 'string' ? init : 'custom'
  const texts = await textsOf({ ...rest, ...own, init: start }, fingerprint)
  return { X, graph, model, ...texts }
}

/** The options of checkpoints in the form for the addon. */
async function checkpointsOf(
  model: string,
  options: FitOptions,
  run: Run,
  own: Omit<OwnOptions, 'graphBytes' | 'triesSvd' | 'combines'>,
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

/** The arrays of a fit, lent to its job, by the names of the addon. */
async function lentInputs(
  source: NativeSource,
  {
    graph,
    ...entries
  }: Pick<NativeFitOptions, 'mask' | 'sampleWeight'> & {
    readonly graph: NativeFitOptions['adjacency']
  },
  init: FitOptions['init'],
) {
  const { W, H } = typeof init === 'string' ? { W: undefined, H: undefined } : init
  const named = { X: source, ...entries, 'init.W': W, 'init.H': H, graph }
  const { inputs, arrays } = await loanOf(named)
  const { X, graph: lentGraph, 'init.W': givenW, 'init.H': givenH, ...lent } = inputs
  return { X, graph: lentGraph, borrowed: { ...lent, givenW, givenH }, arrays }
}

/** The numbers and names of the steps, in the form for the addon. */
function stepsOf(options: FitOptions) {
  const { solver, tolerance, innerSweeps, acceleration, seed, batchSize, forgetFactor } = options
  const { l1W, l2W, l1H, l2H, upperW, upperH } = options
  const steps = { solver, tolerance, innerSweeps, acceleration, seed, batchSize, forgetFactor }
  return { ...steps, l1W, l2W, l1H, l2H, upperW, upperH }
}

export async function fit(
  model: ModelName,
  X: SourceInput,
  given: FitOptions & JobOptions & MemoryOptions & { readonly out?: FactorOutputs | undefined },
  { graphBytes = 0, triesSvd = false, combines = false, ...own }: OwnOptions = {},
): Promise<Factorization> {
  const { threads, device: wanted, priority, signal, onProgress, memoryBudget, ...rest } = given
  const { out, ...options } = rest
  const wantedJob = { threads, device: wanted, priority, signal, onProgress, memoryBudget }
  const { device, ...job } = checkJob(wantedJob)
  const outputs = withDefaults(outputDefaults, out, 'out')
  const source = await toSource('X', X)
  const { inits, solvers } = models[model]
  checkFitOptions(options, inits, source.rows, source.cols, solvers)
  checkOwnTerms(model, options)
  const entries = checkEntryOptions(X, source.rows, source.cols, options)
  const { rank, iterations: maxIterations, init, solver, acceleration } = options
  const shape = { rank, solver, acceleration, hasOwnNormals: hasOwnNormals(options) }
  planMemory(
    `A factorization of ${source.rows} × ${source.cols} with rank ${rank}`,
    fitBytes(source, { ...shape, init: startOf(init) }, triesSvd) +
      ownBytes(model, source, rank) +
      graphBytes,
    memoryBudget,
  )
  const W = outputMatrix('out.W', outputs.W, source.rows, rank)
  const H = outputMatrix('out.H', outputs.H, rank, source.cols)
  const A = combines ? outputMatrix('A', undefined, rank, source.rows) : undefined
  const memory = { ...arraysOf(source), ...(own.adjacency && arraysOf(own.adjacency)) }
  checkApart({ 'out.W': W.own, 'out.H': H.own }, memory)
  const { mask, sampleWeight, ...others } = entries
  const lists = { mask, sampleWeight, graph: own.adjacency }
  const { X: lentX, borrowed, graph, arrays } = await lentInputs(source, lists, init)
  const lent = { ...arrays, 'out.W': outputs.W, 'out.H': outputs.H }
  const checkpoints = await checkpointsOf(
    model,
    { ...options, mask: borrowed.mask, sampleWeight: borrowed.sampleWeight },
    (start) => runJob(job, arrays, start),
    { ...own, adjacency: graph },
    lentX,
  )
  const all = { device, model, triesSvd, maxIterations, init: startOf(init) } as const
  const inputs = { ...others, ...borrowed, ...own, adjacency: graph }
  const asked = { ...all, ...stepsOf(options), ...inputs, ...checkpoints, combinations: A?.matrix }
  const run = await runJob(job, lent, (addon, control) =>
    addon.fit(lentX, asked, W.matrix, H.matrix, control),
  )
  const factors = [await W.settle(), await H.settle()] as const
  const ofShift = await farFromZero(model, factors[1], run.relativeError)
  const { adjacency: _, ...kept } = own
  return new Factorization(
    model,
    ...factors,
    { ...options, ...kept, init: run.init as StartName },
    { ...run, warnings: [...run.warnings, ...ofShift] },
    { ...(run.anchors.length > 0 && { anchors: run.anchors }), A: await A?.settle() },
  )
}
