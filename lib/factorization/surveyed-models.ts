// The models whose rank can be selected: what a survey of each takes, and how X itself is fitted.
import type { Matrix } from '../data/matrix'
import type { SourceInput } from '../data/source'
import { invalid, isMistake } from '../errors'
import { checkNumber, frozen, type Overrides } from '../options'
import { checkBounds, upperHDefaults, type Bounds } from './bounds'
import { entryDefaults } from './entry-options'
import type { Factorization } from './fit'
import { defaultSolver, defaultSteps, notOffered, stepsOf } from './fit-options'
import type { AnyLoss } from './losses'
import {
  checkVolume,
  minVolumeNmf,
  minVolumeNmfDefaults,
  type MinVolumeNmfInit,
  type MinVolumeNmfOptions,
  type VolumeOptions,
} from './min-volume-nmf'
import { models, type RowSums } from './models'
import { nmf } from './nmf'
import { listenerOf } from './rank-survey'
import type { SelectRankOptions, Settled } from './select-rank'
import { semiNmf } from './semi-nmf'

/** Models whose rank can be selected. */
export const surveyedModels = ['semi-nmf', 'nmf', 'min-volume-nmf'] as const
export type SurveyedModel = (typeof surveyedModels)[number]

/** The starts that some of these models have. */
export const surveyedInits = [
  ...new Set(surveyedModels.flatMap((model) => [...models[model].inits])),
]

/** The starts of restarts where all are an NMF. */
export const nmfInits = models.nmf.inits

/** The options of `min-volume-nmf` alone. */
export const volumeDefaults = frozen({
  /** As for `minVolumeNmf`, for the model `min-volume-nmf` alone; its default unless given. */
  volume: undefined as number | undefined,
  /** As for `minVolumeNmf`, for the model `min-volume-nmf` alone; its default unless given. */
  volumeOffset: undefined as number | undefined,
  /** As for `minVolumeNmf`, for the model `min-volume-nmf` alone; its default unless given. */
  rowSums: undefined as RowSums | undefined,
})

/** What `min-volume-nmf` has not, but other models have. */
const { innerSweeps: _, ...ofOthers } = { ...notOffered, solver: undefined, holdOut: undefined }

const hasVolume = (model: SurveyedModel | undefined) => model === 'min-volume-nmf'

const { checkpoint, checkpointSeconds, resume, ...ofMinVolume } = minVolumeNmfDefaults

/** What a model has in the place of the defaults of all. */
export const modelDefaults = (model: SurveyedModel | undefined) =>
  hasVolume(model) ? { ...ofMinVolume, acceleration: notOffered.acceleration } : {}

/** Refuses options that only other models have. */
export function checkOffered(model: SurveyedModel, options: SelectRankOptions) {
  const refused = hasVolume(model) ? ofOthers : volumeDefaults
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && Object.hasOwn(refused, name))
      throw invalid(name, `nothing (the model ${model} has no such option)`, value)
  if (hasVolume(model) && options.criterion === 'hold-out')
    throw invalid('criterion', `stability, aic or bic for the model ${model}`, options.criterion)
}

/** The options of the volume, checked, for the model that has one. */
export function volumeOf(
  model: SurveyedModel,
  given: Overrides<typeof volumeDefaults>,
): VolumeOptions | undefined {
  if (!hasVolume(model)) return undefined
  checkVolume(given as VolumeOptions)
  return given as VolumeOptions
}

/** The steps of factorizations that do not see all entries. */
export const heldOutSteps = (model: SurveyedModel, loss: AnyLoss) => {
  if (model === 'nmf') return { ...defaultSteps.ratio, solver: 'mu' as const }
  const all = { ...entryDefaults, upperW: undefined, ...upperHDefaults, loss }
  const solver = defaultSolver(model, { ...all, missing: 'nan', rank: 1 })
  return { ...defaultSteps[stepsOf({ solver, loss, missing: 'nan' })], solver }
}

export function checkHoldOut(
  share: number,
  model: SurveyedModel,
  fitting: Bounds & { readonly loss: AnyLoss },
) {
  checkNumber('holdOut', share, 0, 0.9)
  if (share === 0) throw invalid('holdOut', 'a number above 0', share)
  const { loss } = fitting
  checkBounds(fitting, heldOutSteps(model, loss).solver, 'where entries are held out')
}

/** The same components, shrunk where an entry exceeds the bound. */
function keptBelow({ data, rows, cols }: Matrix, upper: number): Matrix {
  const kept = Float32Array.from(data)
  for (let j = 0; j < rows; j++) {
    const row = kept.subarray(j * cols, (j + 1) * cols)
    const most = row.reduce((largest, value) => Math.max(largest, value), 0)
    if (most > upper) row.forEach((value, t) => (row[t] = Math.min(value * (upper / most), upper)))
  }
  return { data: kept, rows, cols }
}

/**
 * A minimum-volume NMF from its own start, which decides the weight of the volume. X without noise may have fewer
 * independent rows than with it, and then no `spa` of that rank.
 */
async function fitVolume(X: SourceInput, options: MinVolumeNmfOptions): Promise<Factorization> {
  try {
    return await minVolumeNmf(X, options)
  } catch (error) {
    if (!isMistake(error) || error.argument !== 'rank' || options.init !== 'spa') throw error
    return await minVolumeNmf(X, { ...options, init: 'furthest-sum' })
  }
}

/** A fit of X without noise: from these components, but for `min-volume-nmf`. */
export async function fitFrom(
  X: SourceInput,
  H: Matrix,
  settled: Settled,
  iterations = settled.fitting.iterations,
): Promise<Factorization> {
  const { model, fitting, job } = settled
  const rank = H.rows
  const ofJob = { ...job, onProgress: listenerOf(job, [rank]) }
  if (model === 'min-volume-nmf') {
    const { init, seed, tolerance, innerSweeps, volume, volumeOffset, rowSums } = fitting
    const own = { init: init as MinVolumeNmfInit, seed, tolerance, innerSweeps, iterations }
    return await fitVolume(X, { ...own, volume, volumeOffset, rowSums, rank, ...ofJob })
  }
  const { upperH, volume: _, volumeOffset: __, rowSums: ___, ...shared } = fitting
  const { solver, innerSweeps, acceleration } = settled.stepsFor(rank)
  const start = { H: upperH === undefined ? H : keptBelow(H, upperH) }
  const steps = { solver, innerSweeps, acceleration, rank, iterations, init: start }
  const own = { ...shared, ...steps, ...ofJob }
  const fit = await (model === 'nmf' ? nmf(X, { ...own, upperH }) : semiNmf(X, own))
  // The caller has given no start, so its zeros are none of the caller's.
  return Object.assign(fit, { warnings: fit.warnings.filter((each) => !each.startsWith('init.')) })
}
