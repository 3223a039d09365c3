// The restarts of surveyed ranks: jobs of one or several ranks, and their memory.
import type { Identity } from '../data/checkpoint-file'
import { outputMatrix } from '../data/matrix'
import { loanOf } from '../data/loan'
import { toSource, type SourceInput } from '../data/source'
import { memoryBeside, planMemory } from '../memory'
import { runJob, type NativeSource } from '../native'
import { checkJob, type JobOptions, type Progress } from '../options'
import { textsOf } from './checkpoint'
import { checkEntryOptions } from './entry-options'
import { hasOwnNormals } from './fit-options'
import { fitBytes, ownBytes, surveyBytes } from './memory'
import type { Settled } from './select-rank'
import { FinishedRanks, type RestartsOfRank } from './survey-checkpoint'

/** The most factorizations that read X together: each has a thread that mostly waits. */
const mostAtOnce = 64

/** How the factorizations of a survey share memory and reads of X. */
export interface SurveyPlan {
  /** Whether the noise of a restart is in a copy of X, so that it is computed once. */
  readonly copies: boolean
  /** Number of factorizations that exist at the same time, and read X together. */
  readonly atOnce: number
}

/** Plans for the rank that needs the most, as solvers differ; throws if there is too little memory for one factorization at a time. */
export async function planSurvey(X: SourceInput, settled: Settled): Promise<SurveyPlan> {
  const { ranks, restarts, heldOut, rows, cols, job } = settled
  const { memoryBudget } = job
  const source = await toSource('X', X)
  const rank = ranks.at(-1)!
  const bytesOf = (steps: ReturnType<Settled['stepsFor']>, init: string) => {
    const { rank, solver, acceleration } = steps
    const shape = { rank, solver, acceleration, hasOwnNormals: hasOwnNormals(steps) }
    return fitBytes(source, { ...shape, init }) + ownBytes(settled.model, source, rank)
  }
  const all = ranks.map((each) => settled.stepsFor(each))
  const most = (bytes: readonly number[]) => bytes.reduce((a, b) => Math.max(a, b))
  const own = Math.max(
    most(all.map((steps) => bytesOf(steps, steps.init))),
    heldOut === undefined
      ? 0
      : bytesOf({ ...settled.heldOutStepsFor(rank), missing: 'nan' }, 'random'),
  )
  const first = Math.max(own, most(all.map((steps) => bytesOf(steps, 'custom'))))
  const bytes = surveyBytes(rows, cols, rank, restarts) + first
  planMemory(`A survey of ${rows} × ${cols} up to rank ${rank}`, bytes, memoryBudget)
  const left = memoryBeside(bytes, memoryBudget)
  const ofCopy = 4 * ('indptr' in source ? source.values.length : rows * cols)
  const copies = ofCopy <= left
  const ofAnother = own + 4 * (rows + cols) * rank
  const fitting = 1 + Math.floor((left - (copies ? ofCopy : 0)) / ofAnother)
  return { copies, atOnce: Math.min(fitting, mostAtOnce) }
}

/** Ranks whose restarts share the reads of X: one at a time where they read copies, or a file keeps each. */
export function jobsOf(ranks: readonly number[], settled: Settled, plan: SurveyPlan): number[][] {
  const { restarts, heldOut, files } = settled
  const ofRank = restarts * (heldOut === undefined ? 1 : 2)
  const together =
    plan.copies || files.checkpoint !== undefined
      ? 1
      : Math.max(1, Math.floor(plan.atOnce / ofRank))
  const jobs: number[][] = []
  for (let i = 0; i < ranks.length; i += together) jobs.push(ranks.slice(i, i + together))
  return jobs
}

/** What a resumed survey must have in common with the one that wrote its checkpoint. */
export async function identityOf(X: SourceInput, settled: Settled): Promise<Identity> {
  const { model, restarts, perturbation, heldOut, solver, fitting } = settled
  const { device: _, onProgress: __, ...job } = checkJob(settled.job)
  const { mask, sampleWeight } = fitting
  const { inputs, arrays } = await loanOf({ X: await toSource('X', X), mask, sampleWeight })
  const { X: source, ...entries } = inputs
  const fingerprint = (of: NativeSource) =>
    runJob({ ...job, onProgress: undefined }, arrays, (addon, control) =>
      addon.fingerprint(of, control),
    )
  const { acceleration = 'by solver', innerSweeps = 'by solver' } = fitting
  const steps = { solver, acceleration, innerSweeps }
  const given = await textsOf(
    {
      ...fitting,
      ...entries,
      restarts,
      perturbation,
      ...steps,
      ...(heldOut !== undefined && { holdOut: heldOut }),
    },
    fingerprint,
  )
  return { X: await fingerprint(source), model: `survey of ${model}`, ...given }
}

/** The same listener, for the jobs of some ranks. */
export const listenerOf = ({ onProgress }: JobOptions, ranks: readonly number[]) =>
  onProgress &&
  ((progress: Progress) => {
    const [from, to] = [ranks[0]!, ranks.at(-1)!]
    const name = from === to ? `rank ${from}` : `ranks ${from} to ${to}`
    onProgress({ ...progress, phase: `${name}: ${progress.phase}` })
  })

/** The restarts of these ranks, in their order. */
export async function surveyRanks(
  X: SourceInput,
  settled: Settled,
  ranks: readonly number[],
  { copies, atOnce }: SurveyPlan,
): Promise<RestartsOfRank[]> {
  const { model, restarts, perturbation, heldOut, cols, rows } = settled
  const onProgress = listenerOf(settled.job, ranks)
  const { device, ...job } = checkJob({ ...settled.job, onProgress })
  const source = await toSource('X', X)
  const steps = settled.stepsFor(ranks[0]!)
  const { mask, sampleWeight, ...entries } = checkEntryOptions(X, rows, cols, steps)
  const { inputs, arrays } = await loanOf({ X: source, mask, sampleWeight })
  const asFit = (given: ReturnType<Settled['stepsFor']>) => {
    const { iterations: maxIterations, loss: _, missing: __, ...scalars } = given
    return {
      ...scalars,
      ...entries,
      device,
      model,
      maxIterations,
      triesSvd: false,
      givenW: undefined,
      givenH: undefined,
      mask: inputs.mask,
      sampleWeight: inputs.sampleWeight,
      identity: '{}',
      resumeObjectives: 0,
    }
  }
  const outputs = ranks.map((rank) => ({
    consensus: outputMatrix('consensus', undefined, rank, cols),
    components: outputMatrix('components', undefined, restarts * rank, cols),
  }))
  const asked = ranks.map((rank, i) => ({
    fit: asFit(settled.stepsFor(rank)),
    heldOut:
      heldOut === undefined
        ? undefined
        : { ...asFit(settled.heldOutStepsFor(rank)), share: heldOut },
    consensus: outputs[i]!.consensus.matrix,
    components: outputs[i]!.components.matrix,
  }))
  const shared = { device, restarts, perturbation, copies, atOnce }
  const found = await runJob(job, arrays, (addon, control) =>
    addon.survey(inputs.X as NativeSource, asked, shared, control),
  )
  return Promise.all(
    found.map(async (each, i) => ({
      ...each,
      H: await outputs[i]!.consensus.settle(),
      components: await outputs[i]!.components.settle(),
    })),
  )
}

/** The restarts of one rank: from the survey to resume from, or by a job. */
export async function restartsOfRank(X: SourceInput, settled: Settled): Promise<RestartsOfRank> {
  const { ranks, files } = settled
  const plan = await planSurvey(X, settled)
  const finished = await FinishedRanks.open(files, () => identityOf(X, settled))
  const before = finished.get(ranks[0]!)
  if (before) return before
  const [found] = await surveyRanks(X, settled, ranks, plan)
  await finished.add(ranks[0]!, found!)
  return found!
}
