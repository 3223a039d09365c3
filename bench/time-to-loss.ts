// The time that a factorization needs to reach the final loss of a rival.
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
  /** Runs the library with default options for this many iterations. */
  readonly fit: (iterations: number) => Promise<Factorization>
  readonly rival: Rival | undefined
  readonly rivalIterations: number
  /** The required speed relative to the rival. */
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

/** The fewest iterations whose factors have no larger loss, measured in float64. */
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

/** Enough iterations for a rate that the variation of the start does not dominate. */
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
