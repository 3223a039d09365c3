// The time a factorization needs to reach the loss that a rival ends with.
import type { Factorization, Matrix } from '../lib/index'
import { exchangePath, handOver, readAnswer } from './data'
import type { Experiment } from './experiment'
import { interleave, seconds } from './interleave'
import { squaredError } from './loss'
import type { Rival } from './rival'

export interface Race {
  readonly job: string
  readonly X: Matrix
  readonly rank: number
  /** The library's run with default options, for so many iterations. */
  readonly fit: (iterations: number) => Promise<Factorization>
  readonly rival: Rival | undefined
  readonly rivalIterations: number
  /** Times as fast as the rival that was promised. */
  readonly target: number
}

/** The rival's loss after its iterations. */
async function rivalLoss(rival: Rival, { X }: Race): Promise<number> {
  await rival.call('run')
  const W = exchangePath('rival-W.npy')
  const H = exchangePath('rival-H.npy')
  await rival.call('factors', { W, H })
  return squaredError(X, await readAnswer(W), await readAnswer(H))
}

/** The fewest iterations after which the factors, measured in float64, have no larger a loss. */
async function iterationsToLoss(
  report: Experiment,
  { X, fit, rivalIterations, job }: Race,
  loss: number,
): Promise<number | undefined> {
  const limit = 2 * rivalIterations
  const { objective } = await fit(limit)
  const first = objective.findIndex((value) => value <= loss)
  for (let iterations = first; iterations >= 0 && iterations <= limit; iterations++) {
    const { W, H } = await fit(iterations)
    const own = squaredError(X, W, H)
    if (own > loss) continue
    report.note(
      `${job}: gemmine's loss is ${own.toPrecision(7)} after ${iterations} iterations, the rival's ${loss.toPrecision(7)} after ${rivalIterations}`,
    )
    return iterations
  }
  report.missed(
    job,
    `after ${limit} iterations the loss is ${objective.at(-1)?.toPrecision(7)}, the rival's ${loss.toPrecision(7)} after ${rivalIterations}`,
  )
  return undefined
}

const differences = (a: readonly number[], b: readonly number[]) =>
  a.map((value, round) => value - b[round]!)

export async function race(report: Experiment, given: Race) {
  const { job, X, rank, fit, rival, rivalIterations, target } = given
  await rival?.call('load', { X: await handOver('X', X), rank, iterations: rivalIterations })
  const iterations = rival
    ? await iterationsToLoss(report, given, await rivalLoss(rival, given))
    : rivalIterations
  if (iterations === undefined) return
  const own = {
    whole: () => seconds(() => fit(iterations)),
    start: () => seconds(() => fit(0)),
    limit: report.roofline.sample,
  }
  const operations = 4 * X.rows * X.cols * rank * iterations
  const rateOf = (times: { whole: number[]; start: number[]; limit: number[] }) =>
    report.compareRate(
      `${job}, iterations alone`,
      operations,
      differences(times.whole, times.start),
      times.limit,
    )
  if (!rival) return rateOf(await interleave(own))

  const measured = await interleave({
    ...own,
    rivalWhole: () => rival.seconds('run'),
    rivalStart: () => rival.seconds('start'),
  })
  report.compareTime(job, rival.name, measured.whole, measured.rivalWhole, target)
  report.compareTime(
    `${job}, without the start`,
    rival.name,
    differences(measured.whole, measured.start),
    differences(measured.rivalWhole, measured.rivalStart),
  )
  rateOf(measured)
}
