// The time a factorization needs to reach the loss that a rival ends with.
import type { Factorization, Matrix } from '../lib/index'
import { exchangePath, handOver, readAnswer } from './data'
import type { Experiment } from './experiment'
import { interleave, median, seconds } from './interleave'
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

/** Enough iterations for a rate that the noise of the start does not drown. */
const leastForRate = 20

export async function race(report: Experiment, given: Race) {
  const { job, X, rank, fit, rival, rivalIterations, target } = given
  await rival?.call('load', { X: await handOver('X', X), rank, iterations: rivalIterations })
  const iterations = rival
    ? await iterationsToLoss(report, given, await rivalLoss(rival, given))
    : rivalIterations
  if (iterations === undefined) return
  const counted = Math.max(iterations, leastForRate)
  const measured: Record<string, number[]> = await interleave<string>({
    start: () => seconds(() => fit(0)),
    counted: () => seconds(() => fit(counted)),
    limit: report.roofline.sample,
    ...(rival && {
      whole: () => seconds(() => fit(iterations)),
      rival: () => rival.seconds('run'),
    }),
  })
  const { start, counted: times, limit, whole, rival: rivalTimes } = measured
  if (rival) {
    report.compareTime(job, rival.name, whole!, rivalTimes!, target)
    report.note(`${job}: the start takes ${median(start!).toFixed(3)} s of that`)
  }
  report.compareRate(
    `${job}, iterations alone`,
    4 * X.rows * X.cols * rank * counted,
    times!.map((time, round) => time - start![round]!),
    limit!,
  )
}
