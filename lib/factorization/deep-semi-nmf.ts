import { resultMatrix, type Matrix } from '../data/matrix'
import { inSlices } from '../data/slices'
import { extentOf, sidesOf, type SourceInput } from '../data/source'
import { invalid, invalidText } from '../errors'
import { planMemory } from '../memory'
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
import { upperHDefaults } from './bounds'
import { entryDefaults } from './entry-options'
import { FactorizationModel, type ModelOptions } from './factorization-model'
import { fit, type Factorization } from './fit'
import { fitArguments, withSteps } from './fit-options'
import { checkGraph, graphTerm, type Graph } from './graph'
import { errorOf, type LayeredFit } from './hierarchical-semi-nmf'
import { graphOfLabels } from './label-graph'
import { checkFit, checkRanks, LayeredModel, namedByLayer, stageOf } from './layered-model'
import { lossOptionsOf } from './losses'
import { productOf } from './product'
import { checkComponents, inRange, rightInverse } from './right-inverse'
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
export const deepSemiNmfDefaults: typeof ownDefaults = ownDefaults

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
      'greedyError' | 'objective' | 'iterations' | 'converged' | 'warnings'
    > & {
      readonly seconds: number
    },
    options: Readonly<Record<string, string | number>>,
  ) {
    super('deep-semi-nmf', layers.components, layers.links, options)
    this.codes = layers.codes
    this.relativeErrors = layers.errors
    this.greedyError = run.greedyError
    this.objective = run.objective
    this.iterations = run.iterations
    this.converged = run.converged
    this.warnings = run.warnings
    this.seconds = run.seconds
  }
}

interface Layers {
  readonly components: readonly Matrix[]
  readonly links: readonly Matrix[]
  readonly codes: readonly Matrix[]
  readonly errors: readonly number[]
}

type Job = JobOptions & MemoryOptions
type FitOptions = NonNullable<DeepSemiNmfOptions['fit']>

/** The graph of each layer, of those that have an effect. */
async function graphsOf(
  n: number,
  layers: number,
  {
    labels = [],
    graphs = [],
    labelWeight,
  }: Pick<DeepSemiNmfOptions, 'labels' | 'graphs'> & {
    labelWeight: number
  },
): Promise<readonly (Graph | undefined)[]> {
  checkNumber('labelWeight', labelWeight, 0)
  for (const [name, list] of Object.entries({ labels, graphs })) {
    if (!Array.isArray(list)) throw invalid(name, 'an array with an entry for each layer', list)
    if (list.length > layers)
      throw invalidText(name, `at most ${layers} entries, one for each layer`, String(list.length))
  }
  const found: (Graph | undefined)[] = []
  for (let l = 0; l < layers; l++) {
    const [known, given] = [labels[l], graphs[l]]
    if (known !== undefined && given !== undefined)
      throw invalidText(`graphs[${l}]`, 'none beside labels of the layer', 'a graph')
    const graph = given === undefined ? undefined : checkGraph(`graphs[${l}]`, given, n)
    const name = `labels[${l}]`
    if (known instanceof Int32Array && known.length !== n)
      throw invalidText(name, `${n} labels, one for each row of X`, `${known.length}`)
    const own =
      known === undefined
        ? undefined
        : { adjacency: await graphOfLabels(name, known), weight: labelWeight }
    const either = own ?? graph
    found.push(either?.weight === 0 ? undefined : either)
  }
  return found
}

/** The options of a layer: only multiplicative steps take a graph. */
const optionsOf = (own: FitOptions, graph: Graph | undefined) =>
  graph ? { l2H: 1, solver: 'mu' as const, ...own, graph } : own

const multiplied = (A: Matrix, B: Matrix, job: Job) =>
  productOf({ name: 'Z', matrix: A }, { name: 'H', matrix: B }, { ...job, wanted: `${B.rows}` })

/** Layer by layer: a semi-NMF of X, then of the codes of each layer. */
async function greedy(
  X: SourceInput,
  ranks: readonly number[],
  { own, graphs, job }: { own: FitOptions; graphs: readonly (Graph | undefined)[]; job: Job },
): Promise<readonly Factorization[]> {
  const fits: Factorization[] = []
  for (const [l, rank] of ranks.entries()) {
    const asked = { ...optionsOf(own, graphs[l]), ...stageOf(job, `layer ${l}`), rank }
    fits.push(await namedByLayer(l, own, semiNmf(fits.at(-1)?.W ?? X, asked)))
  }
  return fits
}

/**
 * Links and components whose product is H: Z_L by least squares for the components of the layer below, then Z_1
 * with the least change that takes the rest.
 */
async function spread(
  H: Matrix,
  { components, links }: Pick<Layers, 'components' | 'links'>,
  job: Job,
): Promise<Pick<Layers, 'components' | 'links'>> {
  const below = components.at(-2)!
  const [belowInRange, HInRange] = await inRange(below, H)
  const top = await multiplied(HInRange, await rightInverse(belowInRange), job)
  const within = await multiplied(top, below, job)
  const rest = resultMatrix(H.rows, H.cols)
  await inSlices(H.data.length, (begin, end) => {
    for (let at = begin; at < end; at++) rest.data[at] = H.data[at]! - within.data[at]!
  })
  const next = [...links.slice(0, -1), top]
  let A = top
  for (const Z of links.slice(0, -1).reverse()) A = await multiplied(A, Z, job)
  const first = await multiplied(await rightInverse(A), rest, job)
  const before = components[0]!
  await inSlices(first.data.length, (begin, end) => {
    for (let at = begin; at < end; at++) first.data[at]! += before.data[at]!
  })
  return { components: await componentsOf(first, next, job), links: next }
}

/** Z_1, Z_2 Z_1, …: the components of each layer in the columns of X. */
async function componentsOf(first: Matrix, links: readonly Matrix[], job: Job): Promise<Matrix[]> {
  const components = [first]
  for (const Z of links) {
    components.push(await multiplied(Z, components.at(-1)!, job))
    await checkComponents(components.at(-1)!, components.length - 1)
  }
  return components
}

/** The options of a fit that codes of fixed components obey. */
function codingOf(own: FitOptions): ModelOptions {
  const { loss, ...numbers } = lossOptionsOf(own, semiNmfDefaults.loss)
  const { l1W = 0, l2W = 0, upperW } = own
  const given = Object.entries({ ...numbers, upperW }).filter(([, value]) => value !== undefined)
  return { loss, l1W, l2W, ...(Object.fromEntries(given) as Record<string, number>) }
}

/** The codes of X in a layer with fixed components: exact, or multiplicative steps where there is a graph. */
async function coded(
  X: SourceInput,
  { W, H, own, graph }: { W: Matrix; H: Matrix; own: FitOptions; graph: Graph | undefined },
  job: Job,
): Promise<Pick<Factorization, 'W' | 'relativeError' | 'seconds'>> {
  const rank = H.rows
  if (!graph) return await new FactorizationModel('semi-nmf', H, codingOf(own)).transform(X, job)
  const extent = extentOf('X', X)
  const { graph: _, ...asked } = optionsOf(own, graph) as FitOptions & { graph: Graph }
  const all = withDefaults(
    { ...fitArguments, ...semiNmfDefaults, ...jobDefaults, ...memoryDefaults },
    { ...asked, ...job, rank },
  )
  const settled = {
    ...withSteps({ ...all, init: { W, H } }, extent, true),
    ...upperHDefaults,
    ...entryDefaults,
    init: { W, H },
  }
  const term = await graphTerm(graph, settled, extent.rows)
  return await fit('semi-nmf', X, settled, { ...term, keepsH: true })
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
  const {
    ranks,
    fit: own,
    labels,
    graphs: given,
    labelWeight,
    fineTuneIterations,
    ...job
  } = withDefaults(
    {
      ranks: required,
      fit: {} as FitOptions,
      labels: undefined as DeepSemiNmfOptions['labels'],
      graphs: undefined as DeepSemiNmfOptions['graphs'],
      ...{ ...ownDefaults, ...jobDefaults, ...memoryDefaults },
    },
    options,
  )
  checkRanks(ranks)
  checkInteger('fineTuneIterations', fineTuneIterations, 0)
  checkFit(own, semiNmfDefaults)
  checkJob(job)
  const { rows } = sidesOf('X', X)
  const graphs = await graphsOf(rows, ranks.length, { labels, graphs: given, labelWeight })
  const all = ranks.reduce((sum, rank) => sum + rank, 0)
  planMemory(`Codes of ${rows} rows in ${ranks.length} layers`, 8 * rows * all, job.memoryBudget)
  const fits = await greedy(X, ranks, { own, graphs, job })
  const layers = await layersOf(X, fits, job)
  const tuned =
    ranks.length > 1 && fineTuneIterations > 0
      ? await fineTuned(X, layers, { own, graphs, job, iterations: fineTuneIterations })
      : undefined
  return resultOf(fits, layers, tuned)
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
  {
    own,
    graphs,
    job,
    iterations,
  }: { own: FitOptions; graphs: readonly (Graph | undefined)[]; job: Job; iterations: number },
): Promise<Tuned> {
  const last = from.codes.length - 1
  const asked = {
    ...optionsOf(own, graphs[last]),
    ...stageOf(job, 'fine-tune'),
    rank: from.components[last]!.rows,
    init: { W: from.codes[last]!, H: from.components[last]! },
    iterations,
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
  greedyLayers: Layers,
  tuned: Tuned | undefined,
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
    tuned?.layers ?? greedyLayers,
    {
      greedyError: greedyLayers.errors.at(-1)!,
      objective: run.objective,
      iterations: run.iterations,
      converged: run.converged,
      warnings,
      seconds,
    },
    options,
  )
}
