// The options that models of several layers share, their checks, and how mistakes in a layer are named.
import { outputMatrix, type Matrix } from '../data/matrix'
import { arraysOf, toSource, type SourceInput } from '../data/source'
import { inSlices } from '../data/slices'
import { checkApart } from '../data/typed-array'
import { invalid, invalidText, isMistake } from '../errors'
import { detached } from '../lending'
import {
  checkInteger,
  frozen,
  withDefaults,
  type JobOptions,
  type Overrides,
  type Progress,
} from '../options'
import { checkpointDefaults } from './checkpoint'
import { outputDefaults, type FactorOutputs, type Init } from './fit-options'
import type { SemiNmfInit } from './semi-nmf'

/** The only place where the defaults of all models of layers are written. */
export const layeredDefaults = frozen({
  /**
   * Where the fit of each layer starts, in the place of `fit.init`: a name, factors `{ W, H }` of the layer, or
   * `undefined`. H of a layer above the first has a column for each component (of a hierarchy: each feature) of the
   * matrix that the layer is fitted to. None unless given.
   */
  inits: undefined as readonly (Init<SemiNmfInit> | undefined)[] | undefined,
  /**
   * The caller's arrays for each layer: its codes [n · rank] and its components [rank · d]. They are written at the
   * end. New ones unless given.
   */
  out: undefined as readonly (FactorOutputs | undefined)[] | undefined,
  /**
   * A file for the finished layers; none unless given. It is written completely and renamed, at the start and after
   * each layer. Beside it, the fit that runs keeps its state in a file with its stage behind the name, such as
   * `run.safetensors.layer-1`: after its start, at the end of the first iteration after every `checkpointSeconds`,
   * and when `signal` aborts, after the current iteration.
   */
  checkpoint: undefined as string | undefined,
  /** Seconds between two checkpoints of the fit that runs, 60 unless given. */
  checkpointSeconds: checkpointDefaults.checkpointSeconds,
  /**
   * A checkpoint from which to resume, with the file of the running fit beside it, to the same bits as a run without
   * interruption; none unless given. X and all options except `fineTuneIterations`, `threads`, `out` and
   * checkpoints must equal those of the run that wrote it.
   */
  resume: undefined as string | undefined,
})

export type LayeredOptions = Overrides<typeof layeredDefaults>

/** The ranks of layers, of which each is smaller than the one before. */
export function checkRanks(ranks: unknown): asserts ranks is readonly number[] {
  const expected = 'an array of integers of at least 1, each smaller than the one before'
  if (!Array.isArray(ranks) || ranks.length === 0) throw invalid('ranks', expected, ranks)
  ranks.forEach((rank: unknown, layer) => {
    checkInteger(`ranks[${layer}]`, rank, 1)
    const before = ranks[layer - 1] as number
    if (layer > 0 && rank >= before)
      throw invalid(
        `ranks[${layer}]`,
        `an integer in 1..${before - 1}, below ranks[${layer - 1}]`,
        rank,
      )
  })
}

/** The options of single fits that a model of layers has itself, or cannot share among its layers. */
const ofSingleFits = [
  ...['mask', 'missing', 'sampleWeight'],
  ...['checkpoint', 'checkpointSeconds', 'resume'],
]

/**
 * Checks the names of options for the fit of every layer, and that they start by name.
 *
 * @returns The options with their defaults.
 */
export function checkFit(fit: object, defaults: object): Readonly<Record<string, unknown>> {
  const offered = Object.entries(defaults).filter(([name]) => !ofSingleFits.includes(name))
  const all = withDefaults(Object.fromEntries(offered), fit, 'fit') as { init?: unknown }
  if (all.init !== undefined && typeof all.init !== 'string')
    throw invalid('fit.init', 'the name of a start, or inits for the factors of layers', all.init)
  return all
}

/** The options of an object, with its name before theirs. */
export const named = (name: string, options: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(options).map(([own, value]) => [`${name}.${own}`, value]))

/** The start of a layer, if it has its own. */
export const startOf = (inits: LayeredOptions['inits'], layer: number) => {
  const init = inits?.[layer]
  return init === undefined ? {} : { init }
}

/** Checks a list with an entry for each layer; it may be shorter. */
export function checkByLayer(name: string, list: unknown, layers: number) {
  if (list === undefined) return
  if (!Array.isArray(list)) throw invalid(name, 'an array with an entry for each layer', list)
  if (list.length > layers)
    throw invalidText(name, `at most ${layers} entries, one for each layer`, String(list.length))
}

/** Job options whose progress tells the stage, such as `layer 2 of 3, iterate`. */
export function stageOf<Job extends JobOptions>({ onProgress, ...job }: Job, stage: string) {
  const tell = (progress: Progress) =>
    onProgress?.({ ...progress, phase: `${stage}, ${progress.phase}` })
  return { ...job, onProgress: onProgress && tell }
}

/**
 * Names mistakes in the fit of a layer as the caller wrote them: `ranks[l]`, `graphs[l]`, `inits[l]`, `fit.solver`.
 *
 * @param own The options of `fit`.
 * @param init The start of this layer, of `inits`.
 */
export async function namedByLayer<T>(
  l: number,
  own: object,
  run: Promise<T>,
  init?: unknown,
): Promise<T> {
  try {
    return await run
  } catch (error) {
    if (!isMistake(error)) throw error
    const { argument, expected, received, row, column } = error
    const [first = ''] = argument.split('.')
    const ofLayer = ['rank', 'graph', ...(init === undefined ? [] : ['init'])]
    const name = ofLayer.includes(first)
      ? `${first}s[${l}]${argument.slice(first.length)}`
      : Object.hasOwn(own, first)
        ? `fit.${argument}`
        : argument
    if (name === argument) throw error
    const message = error.message.replace(`${argument}, received`, `${name}, received`)
    const Kind = error instanceof RangeError ? RangeError : TypeError
    const place = row === undefined ? {} : { row, column }
    throw Object.assign(new Kind(message), { argument: name, expected, received, ...place })
  }
}

type Outputs = LayeredOptions['out']

/** The factors of all layers. */
export interface LayerFactors {
  readonly codes: readonly Matrix[]
  readonly components: readonly Matrix[]
}

/**
 * Checks the caller's arrays for the results of layers.
 *
 * @returns A function that copies the results to them.
 */
export async function layerOutputs(
  X: SourceInput,
  ranks: readonly number[],
  out: Outputs,
): Promise<(results: LayerFactors) => Promise<LayerFactors>> {
  checkByLayer('out', out, ranks.length)
  if (out === undefined) return async (results) => results
  const source = await toSource('X', X)
  const own: Record<string, Float32Array> = {}
  for (const [l, rank] of ranks.entries()) {
    const { W, H } = withDefaults(outputDefaults, out[l], `out[${l}]`)
    if (W) own[`out[${l}].W`] = outputMatrix(`out[${l}].W`, W, source.rows, rank).own
    if (H) own[`out[${l}].H`] = outputMatrix(`out[${l}].H`, H, rank, source.cols).own
  }
  checkApart(own, arraysOf(source))
  const copied = async (name: string, from: Matrix): Promise<Matrix> => {
    const data = own[name]
    if (!data) return from
    await inSlices(from.data.length, (begin, end) => {
      if (data.length === 0) throw detached(name)
      data.set(from.data.subarray(begin, end), begin)
    })
    return { data, rows: from.rows, cols: from.cols }
  }
  return async (results) => {
    const codes: Matrix[] = []
    const components: Matrix[] = []
    for (const [l, W] of results.codes.entries()) codes.push(await copied(`out[${l}].W`, W))
    for (const [l, H] of results.components.entries())
      components.push(await copied(`out[${l}].H`, H))
    return { codes, components }
  }
}
