// gemmine factorize for models of several layers: from a file to the factors of all layers.
import { checkPlace } from '../data/checkpoint-file'
import { loadMatrix } from '../data/matrix-files'
import { readInt32Npy, writeNpy } from '../data/npy'
import { writeSafetensors, type Tensor } from '../data/safetensors'
import { entriesOf, sidesOf, type SourceInput } from '../data/source'
import { GemmineError, invalid, invalidText, isMistake } from '../errors'
import { checkpointDefaults } from '../factorization/checkpoint'
import { DeepSemiNmf, deepSemiNmf } from '../factorization/deep-semi-nmf'
import type { Graph } from '../factorization/graph'
import {
  hierarchicalSemiNmf,
  hierarchicalSemiNmfDefaults,
  type HierarchicalSemiNmf,
} from '../factorization/hierarchical-semi-nmf'
import { checkRanks } from '../factorization/layer-options'
import type { LayeredName } from '../factorization/layered-model'
import { semiNmfDefaults } from '../factorization/semi-nmf'
import { snmfDefaults } from '../factorization/snmf'
import { required, type CommonOptions } from './common-options'
import type { FactorizeOptions } from './factorize-options'
import { optionOf } from './failure'
import { tellOfCheckpoint } from './interruption'
import { heading, rateOf, runCommand, type Job } from './job'
import { namesOfLayers, type LayeredOptions, type LayerFile } from './layered-options'
import { sparseOf, withSource } from './load'
import { checkOutside } from './outputs'

export type LayeredGiven = Omit<FactorizeOptions, 'model'> &
  LayeredOptions & { readonly model: LayeredName }

type Fitted = DeepSemiNmf | HierarchicalSemiNmf

/** Options of every command, and of models of one layer and of several alike. */
const shared = {
  ...{ out: '', force: '', json: '', threads: '', seed: '', device: '', progress: '' },
  ...{ quiet: '', memoryBudget: '', model: '', ...checkpointDefaults },
} satisfies Partial<Record<keyof CommonOptions | keyof FactorizeOptions, unknown>>

/** The options of the fit of each layer. */
function fitOf(given: LayeredGiven): Readonly<Record<string, unknown>> {
  const { model, levelModel = hierarchicalSemiNmfDefaults.model } = given
  const isSparse = model === 'hierarchical-semi-nmf' && levelModel === 'snmf'
  const { mask, missing, sampleWeight, ...offered } = semiNmfDefaults
  const known: object = isSparse ? snmfDefaults : offered
  const own: readonly string[] = namesOfLayers[model]
  const fit: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || own.includes(name)) continue
    if (Object.hasOwn(known, name) && !Object.hasOwn(checkpointDefaults, name)) fit[name] = value
    else if (name === 'rank')
      throw invalid('--rank', `--layers in its place for the model ${model}`, value)
    else if (!Object.hasOwn(shared, name) && value !== 'frobenius')
      throw invalid(optionOf(name), `nothing (the model ${model} has no such option)`, value)
  }
  return fit
}

/** What the files of layers have, for each layer. */
async function readByLayer<T>(
  option: string,
  layers: number,
  files: readonly LayerFile[] = [],
  read: (path: string) => Promise<T>,
): Promise<(T | undefined)[]> {
  const found: (T | undefined)[] = []
  for (const { layer, path } of files) {
    if (layer >= layers || found[layer] !== undefined)
      throw invalidText(
        option,
        `one file for each of the layers 0 to ${layers - 1} at most`,
        `${layer}=${path}`,
      )
    found[layer] = await read(path)
  }
  return Array.from(found)
}

async function readGraph(path: string, weight: number): Promise<Graph> {
  return { adjacency: sparseOf(path, await loadMatrix(path)), weight }
}

async function readKnown({ layers = [], labels, graph, graphWeight }: LayeredGiven) {
  if (graph === undefined && graphWeight !== undefined)
    throw invalid('--graph-weight', '--graph beside it', graphWeight)
  const weight = graph && required(graphWeight, '--graph-weight', 'the weight of the graphs')
  return {
    labels: await readByLayer('--labels', layers.length, labels, readInt32Npy),
    graphs: await readByLayer('--graph', layers.length, graph, (path) => readGraph(path, weight!)),
  }
}

async function fitTo(X: SourceInput, given: LayeredGiven, job: Job): Promise<Fitted> {
  const { model, layers: ranks, checkpoint, checkpointSeconds, resume, levelModel } = given
  const { fineTuneIterations, labelWeight } = given
  const files = { checkpoint, checkpointSeconds, resume }
  const fit = fitOf(given)
  const known = await readKnown(given)
  return job.progress.during<Fitted>('factorize', (onProgress) => {
    const common = { ranks: ranks!, fit, ...files, ...job.options, onProgress }
    if (model === 'deep-semi-nmf')
      return deepSemiNmf(X, { ...common, fineTuneIterations, labelWeight, ...known })
    return hierarchicalSemiNmf(X, { ...common, model: levelModel })
  })
}

/** Names an option of lib as it is typed. */
const typed = (argument: string) =>
  argument
    .replace(/^fit\./, '')
    .replace(/^ranks\b.*/, 'layers')
    .replace(/^level$/, 'levelModel')
    .replace(/^graphs\[\d+\]\.weight$/, 'graphWeight')
    .replace(/^graphs\[\d+\]$/, 'graph')

/** A failure that names options as they are typed. */
function inLayeredWords(error: unknown): unknown {
  if (isMistake(error)) {
    const { argument, expected, received, row } = error
    const name = typed(argument)
    const isSame = name === argument || row !== undefined
    return isSame
      ? error
      : invalidText(name, expected.replace(/ranks\[\d+\]/, 'the one before'), received)
  }
  if (!(error instanceof GemmineError) || error.code !== 'ERR_GEMMINE_FILE') return error
  const message = error.message
    .replace(/: expected ([\w.[\]]+) (?=.*, as in this call)/, (_, name: string) => {
      return `: expected ${typed(name)} `
    })
    .replace(/(?<=a checkpoint of the same )(?:label|graph)s(?=\[)/, (name) =>
      optionOf(name === 'graphs' ? 'graph' : name),
    )
  return new GemmineError(error.code, message, { cause: error.cause })
}

export async function factorizeLayers(path: string, given: LayeredGiven) {
  const layers = required(given.layers, '--layers', 'the components of each layer, such as 64,16')
  fitOf(given)
  const { checkpoint, resume, labels = [], graph = [] } = given
  if (checkpoint && given.out) checkOutside('--checkpoint', checkpoint, given.out)
  const ofLabels = labels.map(({ layer, path }) => [`labels[${layer}]`, path] as const)
  const ofGraphs = graph.map(({ layer, path }) => [`graphs[${layer}].adjacency`, path] as const)
  const files = { X: path, resume, ...Object.fromEntries([...ofLabels, ...ofGraphs]) }
  await runCommand(given, files, async (job) => {
    try {
      if (checkpoint) {
        await checkPlace(checkpoint)
        tellOfCheckpoint(checkpoint)
      }
      const work = async (X: SourceInput) => {
        const found = await fitTo(X, given, job)
        await writeLayers(found, job)
        return { summary: summaryOf(X, found, job), outcome: outcomeOf(found) }
      }
      return await withSource(path, job.options, () => checkRanks(layers), work)
    } catch (error) {
      throw inLayeredWords(error)
    }
  })
}

/** W and H of the last layer, as other models have them, and the codes of all layers. */
async function writeLayers(found: Fitted, { write }: Job) {
  const { W, H, codes } = found
  await write('W.npy', (to) => writeNpy(to, { data: W.data, shape: [W.rows, W.cols] }))
  await write('H.npy', (to) => writeNpy(to, { data: H.data, shape: [H.rows, H.cols] }))
  await write('model.safetensors', (to) => found.save(to))
  const tensors = codes.map(({ data, rows, cols }, l): [string, Tensor] => [
    `W.${l}`,
    { data, shape: [rows, cols] },
  ])
  await write('codes.safetensors', (to) =>
    writeSafetensors(to, { tensors: Object.fromEntries(tensors), metadata: {} }),
  )
}

const outcomeOf = ({ relativeErrors }: Fitted) =>
  `relative errors ${relativeErrors.map((error) => error.toPrecision(3)).join(', ')}`

/** Products of entries and components in the iterations of all fits. */
function productsOf(X: SourceInput, found: Fitted): number {
  const { rows, cols } = sidesOf('X', X)
  const entries = entriesOf(X, { rows, cols })
  const { ranks } = found
  const isDeep = found instanceof DeepSemiNmf
  const iterations = isDeep ? found.layerIterations : found.levels.map((each) => each.iterations)
  const ofLayers = iterations.reduce((sum, count, l) => {
    const before = l === 0 ? entries : ranks[l - 1]! * (isDeep ? rows : cols)
    return sum + before * ranks[l]! * count
  }, 0)
  const isTuned = isDeep && ranks.length > 1
  return ofLayers + (isTuned ? entries * found.rank * found.iterations : 0)
}

function summaryOf(X: SourceInput, found: Fitted, { threads, device, blas }: Job) {
  const { model, ranks, rank, options, iterations, converged, seconds, warnings } = found
  const shape = sidesOf('X', X)
  const { name, version, core } = blas
  return {
    ...heading('factorize'),
    model,
    ...('level' in options && { levelModel: options['level'] }),
    solver: options['solver'],
    init: options['init'],
    innerSweeps: options['innerSweeps'],
    shape: [shape.rows, shape.cols],
    layers: ranks,
    rank,
    objective: Array.from(found.objective),
    relativeError: found.relativeError,
    relativeErrors: found.relativeErrors,
    ...(found instanceof DeepSemiNmf && { greedyError: found.greedyError }),
    iterations,
    converged,
    seconds,
    gflops: rateOf(4 * productsOf(X, found), seconds),
    threads,
    seed: options['seed'],
    device,
    blas: { name, version, core },
    warnings,
  }
}
