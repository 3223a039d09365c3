import { type Matrix } from '../data/matrix'
import { sidesOf, type SourceInput } from '../data/source'
import { planMemory } from '../memory'
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
import {
  coded,
  componentsOf,
  graphsOf,
  optionsOf,
  spread,
  type FitOptions,
  type Job,
  type Layers,
} from './deep-layers'
import type { Factorization } from './fit'
import type { Graph } from './graph'
import { errorOf, type LayeredFit } from './hierarchical-semi-nmf'
import { LayerFiles } from './layer-files'
import {
  checkByLayer,
  checkFit,
  checkRanks,
  layeredDefaults,
  layerOutputs,
  named,
  namedByLayer,
  stageOf,
  startOf,
  type LayeredOptions,
} from './layer-options'
import { LayeredModel } from './layered-model'
import { semiNmf, semiNmfDefaults, type SemiNmfInit, type SemiNmfOptions } from './semi-nmf'

const ownDefaults = frozen({
  /** Iterations of the fine-tuning at most; each reads X once; 200 unless given. 0 leaves the greedy layers. */
  fineTuneIterations: 200,
  /**
   * Weight λ of the graphs of `labels`, in squared units of X; 10 unless given. 0 ignores them.
   */
  labelWeight: 10,
})

/** The defaults of {@link deepSemiNmf}. */
export const deepSemiNmfDefaults: typeof ownDefaults & typeof layeredDefaults = frozen({
  ...ownDefaults,
  ...layeredDefaults,
})

export type DeepSemiNmfOptions = {
  /** Numbers of components of the layers, each smaller than the one before, such as [100, 40, 10]; to be given. */
  ranks: readonly number[]
  /**
   * Options of `semiNmf` for every layer, but none for single entries or rows of X (`mask`, `missing`,
   * `sampleWeight`) and no checkpoints; its defaults unless given. A layer with a graph has the solver `mu`, and
   * `l2H` 1 unless given here, which keeps the scale of factors from evading the graph.
   */
  fit?: (LayeredFit<SemiNmfOptions> & { init?: SemiNmfInit | undefined }) | undefined
  /**
   * What is known of an attribute of the rows, for each layer: [n], a class of at least 0, or −1 for a row of which
   * nothing is known; `undefined` for a layer without. Rows of one class get similar codes (`labelGraph`).
   * None unless given.
   */
  labels?: readonly (Int32Array | undefined)[] | undefined
  /** A graph of the rows for each layer, such as one of `knnGraph`, in place of labels; none unless given. */
  graphs?: readonly (Graph | undefined)[] | undefined
} & Overrides<typeof ownDefaults> &
  LayeredOptions &
  JobOptions &
  MemoryOptions

/** A deep semi-NMF with the codes of its training rows. */
export class DeepSemiNmf extends LayeredModel {
  /** Codes of the rows of X in each layer, [n × rank], at least 0. */
  readonly codes: readonly Matrix[]
  /** ‖X − codes H‖ / ‖X‖ of each layer. */
  readonly relativeErrors: readonly number[]
  /** ‖X − codes H‖ / ‖X‖ of the last layer before the fine-tuning. */
  readonly greedyError: number
  /** The objective of the last layer before the first and after each iteration of the fine-tuning. */
  readonly objective: Float64Array
  /** Iterations of the fit of each layer, before the fine-tuning. */
  readonly layerIterations: readonly number[]
  /** Iterations of the fine-tuning; for one layer, of its fit. */
  readonly iterations: number
  /** Whether they reached the tolerance. */
  readonly converged: boolean
  /** Complete sentences about what may surprise. */
  readonly warnings: readonly string[]
  /** Time inside the solvers, in seconds. */
  readonly seconds: number

  constructor(
    layers: Layers,
    run: Pick<
      DeepSemiNmf,
      'greedyError' | 'layerIterations' | 'objective' | 'iterations' | 'converged' | 'warnings'
    > & {
      readonly seconds: number
    },
    options: Readonly<Record<string, string | number>>,
  ) {
    super('deep-semi-nmf', layers.components, layers.links, options)
    this.codes = layers.codes
    this.relativeErrors = layers.errors
    this.greedyError = run.greedyError
    this.layerIterations = run.layerIterations
    this.objective = run.objective
    this.iterations = run.iterations
    this.converged = run.converged
    this.warnings = run.warnings
    this.seconds = run.seconds
  }

  /** Codes of the rows of X in the last layer, [n × rank], at least 0. */
  get W(): Matrix {
    return this.codes.at(-1)!
  }

  /** ‖X − W H‖ / ‖X‖ of the last layer. */
  get relativeError(): number {
    return this.relativeErrors.at(-1)!
  }
}

/** What all fits of a run have in common. */
interface Setting {
  readonly own: FitOptions
  readonly inits: LayeredOptions['inits']
  readonly graphs: readonly (Graph | undefined)[]
  readonly files: LayerFiles
  readonly job: Job
}

/** Layer by layer: a semi-NMF of X, then of the codes of each layer. */
async function greedy(
  X: SourceInput,
  ranks: readonly number[],
  { own, inits, graphs, files, job }: Setting,
): Promise<readonly Factorization[]> {
  const fits: Factorization[] = []
  for (const [l, rank] of ranks.entries()) {
    const steps = { ...optionsOf(own, graphs[l]), ...startOf(inits, l) }
    const asked = { ...steps, ...stageOf(job, `layer ${l}`), rank }
    const run = files.layer(l, (ofLayer) => semiNmf(fits.at(-1)?.W ?? X, { ...asked, ...ofLayer }))
    fits.push(await namedByLayer(l, own, run, inits?.[l]))
  }
  return fits
}

/**
 * Factorizes X in several layers, X ≈ W_L Z_L ⋯ Z_2 Z_1, where the codes W_l ≥ 0 of every layer are a clustering
 * of the rows by another attribute: many fine groups in the first layer, few in the last. Components Z_l have any
 * sign, and those of layer l in the columns of X are H_l = Z_l ⋯ Z_1.
 *
 * First each layer is a semi-NMF of the codes of the layer before. Then the last layer is fitted to X itself, from
 * where it stands: an iteration reads X once and improves W_L and the product of all Z. Z_L takes what the
 * components of the layer below can express of the change, and Z_1 the rest. The codes of the other layers are then computed anew, by two reads of X each. The error of the last layer is never
 * above that of the greedy layers.
 *
 * Labels of some rows for some layers (or a graph of the rows) add λ·tr(Wᵀ(D − A)W) to the objective of their layer.
 *
 * @param X [n × d], one sample per row: dense, a file, or sparse. Borrowed, not copied (unless its
 *   buffer is resizable): do not write to it or transfer it before the promise settles.
 * @returns The components, links and codes of all layers with their errors, `children`, `transform` and
 *   `inverseTransform` for every layer, and `save`. With one layer, W and H are those of {@link semiNmf}.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, `ranks` do not decrease, labels or graphs do
 *   not fit X, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Trigeorgis, Bousmalis, Zafeiriou & Schuller (2017), "A deep matrix factorization method for learning
 *   attribute representations", TPAMI 39(3)
 *
 * @example
 * const deep = await deepSemiNmf(faces, { ranks: [40, 10], labels: [undefined, poses] })
 * deep.codes[1] // [n × 10]
 */
export async function deepSemiNmf(
  X: SourceInput,
  options: DeepSemiNmfOptions,
): Promise<DeepSemiNmf> {
  const given = withDefaults(
    {
      ranks: required,
      fit: {} as FitOptions,
      labels: undefined as DeepSemiNmfOptions['labels'],
      graphs: undefined as DeepSemiNmfOptions['graphs'],
      ...{ ...deepSemiNmfDefaults, ...jobDefaults, ...memoryDefaults },
    },
    options,
  )
  const { ranks, fit: own, inits, fineTuneIterations: iterations, out } = given
  checkRanks(ranks)
  checkInteger('fineTuneIterations', iterations, 0)
  checkFit(own, semiNmfDefaults)
  checkByLayer('inits', inits, ranks.length)
  const { threads, device, priority, signal, onProgress, memoryBudget } = given
  const job = { threads, device, priority, signal, onProgress, memoryBudget }
  checkJob(job)
  const { rows } = sidesOf('X', X)
  const graphs = await graphsOf(rows, ranks.length, given)
  const all = ranks.reduce((sum, rank) => sum + rank, 0)
  planMemory(`Codes of ${rows} rows in ${ranks.length} layers`, 8 * rows * all, memoryBudget)
  const toCaller = await layerOutputs(X, ranks, out)
  const files = await filesOf(X, given, graphs, job)
  const setting = { own, inits, graphs, files, job }
  const fits = await greedy(X, ranks, setting)
  const layers = await layersOf(X, fits, job)
  const isTuned = ranks.length > 1 && iterations > 0
  const tuned = isTuned ? await fineTuned(X, layers, setting, iterations) : undefined
  const found = tuned?.layers ?? layers
  return resultOf(fits, { ...found, ...(await toCaller(found)) }, tuned, layers.errors.at(-1)!)
}

/** The files of the fits, with what decides their results. */
function filesOf(
  X: SourceInput,
  given: DeepSemiNmfOptions & { fit: FitOptions; checkpointSeconds: number },
  graphs: readonly (Graph | undefined)[],
  job: Job,
): Promise<LayerFiles> {
  const { ranks, fit, labels, labelWeight, inits } = given
  const { checkpoint, checkpointSeconds, resume } = given
  const ofFit = named('fit', checkFit(fit, semiNmfDefaults))
  const sources = graphs.map(
    (graph, l) => graph && { option: labels?.[l] ? 'labels' : 'graphs', graph },
  )
  return LayerFiles.open(
    'deep-semi-nmf',
    X,
    {
      files: { checkpoint, checkpointSeconds, resume },
      stages: [...ranks.map((_, l) => `layer-${l}`), 'fine-tune'],
      deciding: { options: { ranks, labelWeight, ...ofFit }, inits, graphs: sources },
    },
    job,
  )
}

/** The greedy layers, measured against X. */
async function layersOf(X: SourceInput, fits: readonly Factorization[], job: Job): Promise<Layers> {
  const links = fits.slice(1).map(({ H }) => H)
  const components = await componentsOf(fits[0]!.H, links, stageOf(job, 'components'))
  const codes = fits.map(({ W }) => W)
  const errors = [fits[0]!.relativeError]
  for (let l = 1; l < fits.length; l++)
    errors.push(await errorOf(X, codes[l]!, components[l]!, stageOf(job, 'errors')))
  return { components, links, codes, errors }
}

interface Tuned {
  readonly layers: Layers
  readonly run: Factorization
  readonly seconds: number
  /** Whether rounding lost what the fine-tuning had gained. */
  readonly isWorse: boolean
}

async function fineTuned(
  X: SourceInput,
  from: Layers,
  { own, graphs, files, job }: Setting,
  iterations: number,
): Promise<Tuned> {
  const last = from.codes.length - 1
  const asked = {
    ...optionsOf(own, graphs[last]),
    ...stageOf(job, 'fine-tune'),
    rank: from.components[last]!.rows,
    init: { W: from.codes[last]!, H: from.components[last]! },
    iterations,
    ...(await files.filesOf(from.codes.length)),
  }
  const run = await namedByLayer(last, own, semiNmf(X, asked))
  const stage = stageOf(job, 'components')
  const { components, links } = await spread(run.H, from, stage)
  const error = await errorOf(X, run.W, components[last]!, stageOf(job, 'errors'))
  const isPenalised = Boolean(own.l1W || own.l2W || own.l1H || own.l2H)
  const isPlain = !graphs[last] && !isPenalised && (own.loss ?? 'frobenius') === 'frobenius'
  const isWorse = !(error <= (isPlain ? from.errors[last]! : run.relativeError * (1 + 1e-3) + 1e-6))
  if (isWorse) return { layers: from, run, seconds: run.seconds, isWorse }
  const [codes, errors] = [[] as Matrix[], [] as number[]]
  let { seconds } = run
  for (let l = 0; l < last; l++) {
    const layer = { W: from.codes[l]!, H: components[l]!, own, graph: graphs[l] }
    const found = await coded(X, layer, stageOf(job, `codes of layer ${l}`))
    codes.push(found.W)
    errors.push(found.relativeError)
    seconds += found.seconds
  }
  codes.push(run.W)
  errors.push(error)
  return { layers: { components, links, codes, errors }, run, seconds, isWorse }
}

function resultOf(
  fits: readonly Factorization[],
  layers: Layers,
  tuned: Tuned | undefined,
  greedyError: number,
): DeepSemiNmf {
  const run = tuned?.run ?? fits.at(-1)!
  const { rank: _, ...options } = fits[0]!.options
  const warnings = fits.flatMap(({ warnings }, l) => warnings.map((text) => `Layer ${l}: ${text}`))
  if (tuned?.isWorse)
    warnings.push(
      'The fine-tuning was undone: components of the layers depend on each other within rounding; smaller ranks would do.',
    )
  const seconds = fits.reduce((sum, each) => sum + each.seconds, tuned?.seconds ?? 0)
  return new DeepSemiNmf(
    layers,
    {
      greedyError,
      layerIterations: fits.map(({ iterations }) => iterations),
      objective: run.objective,
      iterations: run.iterations,
      converged: run.converged,
      warnings,
      seconds,
    },
    options,
  )
}
