// How many components a matrix has: a survey of ranks, and the model of the rank that is chosen.
import { checkCheckpointOptions } from '../data/checkpoint-file'
import type { Matrix } from '../data/matrix'
import { extentOf, type SourceInput } from '../data/source'
import { invalid, invalidText } from '../errors'
import {
  checkInteger,
  checkNumber,
  checkOneOf,
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
import { checkpointDefaults } from './checkpoint'
import { entryDefaults } from './entry-options'
import type { Factorization } from './fit'
import {
  checkFitOptions,
  checkOwnTerms,
  defaultSolver,
  fitDefaults,
  withSteps,
  type Extent,
} from './fit-options'
import { losses } from './losses'
import { models } from './models'
import {
  chooseRank,
  criteria,
  criteriaOf,
  fittedOf,
  meanOf,
  measuredErrors,
  type Criterion,
  type Rule,
  type SurveyedRank,
} from './rank-criteria'
import { identityOf, jobsOf, planSurvey, surveyRanks } from './rank-survey'
import { FinishedRanks, surveyCheckpointDefaults, type RestartsOfRank } from './survey-checkpoint'
import {
  checkHoldOut,
  checkOffered,
  fitFrom,
  heldOutSteps,
  modelDefaults,
  surveyedInits,
  surveyedModels,
  volumeDefaults,
  volumeOf,
  type SurveyedModel,
} from './surveyed-models'

export type { Criterion, SurveyedRank }

/** The share of the entries that are held out if their errors decide. */
const usualShare = 0.1

const { checkpoint, checkpointSeconds, resume, ...withoutCheckpoints } = fitDefaults
/** The options of a factorization that a survey takes too. */
const stepDefaults: Omit<typeof fitDefaults, keyof typeof checkpointDefaults> = withoutCheckpoints

const ownDefaults = frozen({
  /**
   * The model of the factorizations; `semi-nmf` unless given. Its H is determined only by penalties on both
   * factors, such as small weights `l1W` and `l2H`; without them the rank is that of the lowest BIC.
   * `min-volume-nmf` is for mixtures whose shares sum to 1, as those of materials in a spectrum, of which an `nmf`
   * does not determine the components. Its start, iterations, tolerance and sweeps are those of `minVolumeNmf`
   * unless given; it sees all entries, and has no penalties, bounds, solvers and losses.
   */
  model: 'semi-nmf' as SurveyedModel,
  /** Factorizations of each rank, at least 2, each with its own noise and start; 10 unless given. */
  restarts: 10,
  /** Noise of each restart: an entry x becomes uniform in x·(1 ± perturbation); 0.03 unless given, at most 1. */
  perturbation: 0.03,
  /**
   * What decides. `stability`: the largest rank that pays, by its AIC, and whose components are alike in all
   * restarts; `hold-out`: the smallest rank whose error on entries that were held out is within one standard
   * error of the lowest; `aic` or `bic`: the lowest one. `stability` unless given, but `bic` for a
   * semi-NMF without weights on both factors.
   */
  criterion: undefined as Criterion | undefined,
  /**
   * Share of the entries that as many further factorizations do not see, each others, for the errors on them; at
   * most 0.9. None unless given, but 0.1 for the criterion `hold-out`, for which at least 2 restarts must hold out
   * an entry that is not missing. Their steps are those for missing entries, of `mu` for `nmf` and of
   * `anls-bpp` (for losses for outliers `hals`) for `semi-nmf`, and they start at random.
   */
  holdOut: undefined as number | undefined,
  /** Smallest silhouette of a stable component; 0.6 unless given. */
  threshold: 0.6,
  /**
   * The start of each restart, by its own seed; `random` unless given, but `spa` for `min-volume-nmf`, whose
   * restarts then differ by their noise.
   */
  init: 'random' as (typeof surveyedInits)[number],
})

/** The only place where the defaults of {@link selectRank} are written. */
export const selectRankDefaults: typeof stepDefaults &
  typeof entryDefaults &
  typeof upperHDefaults &
  typeof ownDefaults &
  typeof volumeDefaults &
  typeof surveyCheckpointDefaults = frozen({
  ...stepDefaults,
  ...entryDefaults,
  ...upperHDefaults,
  ...ownDefaults,
  ...volumeDefaults,
  ...surveyCheckpointDefaults,
})

/** All ranks from one to another, both included. */
export interface RankRange {
  readonly from: number
  readonly to: number
}

export type SelectRankOptions = {
  /** The ranks to survey, to be given: a list in any order, or a range; each in 1..min(n, d). */
  ranks: readonly number[] | RankRange
} & Overrides<typeof selectRankDefaults> &
  JobOptions &
  MemoryOptions

export interface RankSelection {
  /** The chosen rank. */
  readonly chosen: number
  /** What decided. */
  readonly criterion: Criterion
  /** Whether all components of the chosen rank reach the `threshold`. */
  readonly isStable: boolean
  /** What the survey says of each rank, in ascending order. */
  readonly ranks: readonly SurveyedRank[]
  /** The factorization of X, without noise, of the chosen rank. */
  readonly model: Factorization
  /** Complete sentences about the choice and about the model. */
  readonly warnings: readonly string[]
  /** Time inside the solver, in seconds. */
  readonly seconds: number
}

/** The most ranks of one survey. */
const mostRanks = 10_000

/** The ranks in ascending order. */
export function checkRanks(given: readonly number[] | RankRange, limit: number): number[] {
  if (!Array.isArray(given) && typeof given === 'object' && given !== null) {
    const { from, to } = withDefaults(
      { from: required, to: required } as RankRange,
      given as RankRange,
      'ranks',
    )
    checkInteger('ranks.from', from, 1, limit)
    checkInteger('ranks.to', to, from, limit)
    if (to - from >= mostRanks) throw invalid('ranks', `at most ${mostRanks} ranks`, to - from + 1)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  }
  if (!Array.isArray(given) || given.length === 0 || given.length > mostRanks)
    throw invalid('ranks', `a list of 1 to ${mostRanks} ranks, or a range { from, to }`, given)
  const ranks = given as readonly number[]
  for (const [i, rank] of ranks.entries()) checkInteger(`ranks[${i}]`, rank, 1, limit)
  return [...new Set(ranks)].sort((a, b) => a - b)
}

export type Settled = ReturnType<typeof checkSelectRank>

const withModelDefaults = (options: SelectRankOptions) =>
  withDefaults(
    {
      ranks: required,
      ...{ ...selectRankDefaults, ...modelDefaults(options?.model) },
      ...{ ...jobDefaults, ...memoryDefaults },
    },
    options,
  )

/** All options, checked against the shape of X, before X itself is read. */
export function checkSelectRank(X: Extent, options: SelectRankOptions) {
  const { rows, cols } = X
  const given = withModelDefaults(options)
  const { threads, device, priority, signal, onProgress, memoryBudget, ...own } = given
  const { ranks: wanted, ...rest } = own
  const job = { threads, device, priority, signal, onProgress, memoryBudget }
  const ranks = checkRanks(wanted as SelectRankOptions['ranks'], Math.min(rows, cols))
  const { checkpoint, resume, ...choices } = rest
  const { model, restarts, perturbation, threshold, criterion, holdOut, ...all } = choices
  checkOneOf('model', model, surveyedModels)
  checkOffered(model, options)
  const { volume, volumeOffset, rowSums, ...shared } = all
  const fitting = { ...shared, ...volumeOf(model, { volume, volumeOffset, rowSums }) }
  checkOneOf('init', fitting.init, models[model].inits)
  checkInteger('restarts', restarts, 2)
  checkNumber('perturbation', perturbation, 0, 1)
  checkNumber('threshold', threshold, -1, 1)
  if (criterion !== undefined) checkOneOf('criterion', criterion, criteria)
  const heldOut = holdOut ?? (criterion === 'hold-out' ? usualShare : undefined)
  if (heldOut !== undefined) checkHoldOut(heldOut, model, fitting)
  checkOneOf('loss', fitting.loss, losses)
  if (model !== 'nmf' && fitting.upperH !== undefined)
    throw invalidText('model', 'nmf beside upperH', `'${model}'`)
  const solverFor = (rank: number) => options.solver ?? defaultSolver(model, { ...fitting, rank })
  const stepsFor = (rank: number) =>
    withSteps({ ...fitting, ...checkpointDefaults, solver: solverFor(rank), rank }, X)
  for (const rank of [ranks[0]!, ranks.at(-1)!]) {
    checkFitOptions(stepsFor(rank), models[model].inits, rows, cols)
    checkOwnTerms(model, stepsFor(rank))
  }
  const [least, most] = [solverFor(1), solverFor(Infinity)]
  checkCheckpointOptions({ ...checkpointDefaults, checkpoint, resume })
  return {
    ranks,
    model,
    restarts,
    perturbation,
    threshold,
    criterion,
    heldOut,
    /** The solver of every rank, whatever ranks are surveyed. */
    solver: least === most ? least : 'by rank',
    fitting,
    stepsFor,
    heldOutStepsFor: (rank: number) => ({
      ...stepsFor(rank),
      ...heldOutSteps(model, fitting.loss),
      init: 'random' as const,
    }),
    files: { checkpoint, resume },
    job,
    rows,
    cols,
  }
}

async function recordOf(
  found: RestartsOfRank,
  fit: Factorization,
  { rows, cols }: Settled,
): Promise<SurveyedRank> {
  const { silhouettes, relativeErrors: restartErrors, heldOutErrors, entries } = found
  const { rank, relativeError } = fit
  const sizes = { rows, cols, entries, logMeanSquare: found.logMeanSquare }
  return {
    rank,
    minSilhouette: silhouettes.reduce((least, each) => Math.min(least, each)),
    meanSilhouette: silhouettes.reduce((sum, each) => sum + each) / rank,
    silhouettes,
    relativeError,
    restartErrors,
    heldOutErrors,
    ...meanOf(heldOutErrors),
    iterations: found.iterations + fit.iterations,
    ...criteriaOf(await fittedOf(fit), rank, sizes),
  }
}

/** A standard error needs two restarts that held out entries. */
function checkMeasured({ heldOutErrors }: RestartsOfRank, { criterion, heldOut }: Settled) {
  const measured = measuredErrors(heldOutErrors).length
  if (criterion !== 'hold-out' || measured >= 2) return
  const counted = `${measured} of ${heldOutErrors.length} restarts held out an entry that counts`
  throw invalid('holdOut', `a larger share (${counted}, 2 are needed)`, heldOut)
}

/** Penalties on both factors determine the H of a semi-NMF, which has any sign. */
function ruleOf({ model, threshold, criterion, fitting }: Settled): Rule {
  const { l1W, l2W, l1H, l2H } = fitting
  const isDetermined = model !== 'semi-nmf' || (l1W + l2W > 0 && l1H + l2H > 0)
  return { threshold, criterion: criterion ?? (isDetermined ? 'stability' : 'bic') }
}

function warningsOf(chosen: SurveyedRank, isStable: boolean, rule: Rule, asked?: Criterion) {
  const { rank, minSilhouette } = chosen
  const { criterion, threshold } = rule
  if (criterion === 'bic' && asked === undefined)
    return [
      `A semi-NMF without penalties does not determine H, so rank ${rank} was chosen by its BIC; ` +
        'small weights l1W and l2H would let the silhouettes decide.',
    ]
  if (isStable || criterion !== 'stability') return []
  return [
    `No rank has components that are alike in all restarts (silhouettes of at least ${threshold}): ` +
      `rank ${rank} comes nearest, with ${minSilhouette.toFixed(2)}; other seeds may give other components.`,
  ]
}

/**
 * Surveys the number of components of X: for each rank, factorizations of X with random noise show which
 * components come back, and a fit without noise how small the error is.
 *
 * @param X [n × d], one sample per row: dense, a file, or sparse, at least 0 for `nmf`. Lent, not copied, and
 *   not transferable afterwards: see {@link DenseMatrix}. Do not write to it before the promise settles.
 * @returns The largest rank whose components are all stable and whose error pays, or the one that comes nearest,
 *   with a warning; the figures of all ranks; and the factorization of X of the chosen rank.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, or has an entry below 0 for `nmf`, a
 *   rank is not in 1..min(n, d), or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Alexandrov, Nik-Zainal, Wedge, Campbell & Stratton (2013), "Deciphering signatures of mutational
 *   processes operative in human cancer", Cell Reports 3(1); Rousseeuw (1987), "Silhouettes"
 *
 * @example
 * const { chosen, ranks, model } = await selectRank(X, { ranks: { from: 2, to: 10 }, model: 'nmf' })
 */
export async function selectRank(
  X: SourceInput,
  options: SelectRankOptions,
): Promise<RankSelection> {
  const settled = checkSelectRank(extentOf('X', X), options)
  const rule = ruleOf(settled)
  const plan = await planSurvey(X, settled)
  const finished = await FinishedRanks.open(settled.files, () => identityOf(X, settled))
  const ranks: SurveyedRank[] = []
  const means = new Map<number, Matrix>()
  let [kept, seconds] = [undefined as Factorization | undefined, 0]
  const conclude = async (rank: number, found: RestartsOfRank) => {
    checkMeasured(found, settled)
    const fit = await fitFrom(X, found.H, settled)
    means.set(rank, found.H)
    seconds += found.seconds + fit.seconds
    ranks.push(await recordOf(found, fit, settled))
    if (chooseRank(ranks, rule).rank === rank) kept = fit
  }
  for (const job of jobsOf(settled.ranks, settled, plan)) {
    const missing = job.filter((rank) => !finished.get(rank))
    const surveyed = missing.length === 0 ? [] : await surveyRanks(X, settled, missing, plan)
    for (const [i, rank] of missing.entries()) await finished.add(rank, surveyed[i]!)
    for (const rank of job)
      await conclude(rank, finished.get(rank) ?? surveyed[missing.indexOf(rank)]!)
  }
  const { rank, isStable } = chooseRank(ranks, rule)
  const model = kept?.rank === rank ? kept : await fitFrom(X, means.get(rank)!, settled)
  const chosen = ranks.find((each) => each.rank === rank)!
  const ofChoice = warningsOf(chosen, isStable, rule, settled.criterion)
  return {
    chosen: rank,
    criterion: rule.criterion,
    isStable,
    ranks,
    model,
    warnings: [...ofChoice, ...model.warnings],
    seconds,
  }
}
