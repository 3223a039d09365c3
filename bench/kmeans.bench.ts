import { kmeans } from '../lib/index'
import { handOver, randomMatrix } from './data'
import { experiment, type Experiment } from './experiment'
import { interleave, times, type Times } from './interleave'
import { Rival } from './rival'
import { kmeansIterations, kmeansShapes } from './shapes'

const question =
  'Is an iteration of k-means as fast as that of faiss, and how near to a square sgemm?'

const { fewer, more } = kmeansIterations

/** The speeds required beside the two ways of faiss, in both of its processes. */
const targets: Record<string, number> = { Kmeans: 3, SuperKmeans: 1 }

/** Kernels of its BLAS: those that it selects, and the best ones. */
const faissEnvironments = [{}, { OPENBLAS_CORETYPE: 'SkylakeX' }] as Record<string, string>[]

/** One way of faiss in one of its processes. */
interface Side {
  readonly rival: Rival
  readonly kind: string
  readonly name: string
}

async function sidesOf(
  rivals: readonly Rival[],
  path: string | undefined,
  clusters: number,
): Promise<Side[]> {
  const sides: Side[] = []
  for (const rival of rivals) {
    const { kinds } = await rival.call('load', { X: path, clusters })
    for (const kind of kinds as readonly string[])
      sides.push({ rival, kind, name: `${rival.name} ${kind}` })
  }
  return sides
}

async function raceOn(
  report: Experiment,
  rivals: readonly Rival[],
  place: number,
  { rows, cols, clusters }: (typeof kmeansShapes)[number],
) {
  const X = randomMatrix(rows, cols, place + 1)
  const path = rivals.length > 0 ? await handOver(`kmeans-${place}`, X) : undefined
  const sides = await sidesOf(rivals, path, clusters)

  const limits: number[] = []
  const turns: Record<string, () => Promise<Times>> = {
    limit: () => times(async () => limits.push(await report.roofline.sample())),
  }
  for (const iterations of [fewer, more]) {
    const job = () => kmeans(X, { clusters, iterations, tolerance: 0 })
    turns[`own ${iterations}`] = () => times(job)
    for (const { rival, kind, name } of sides)
      turns[`${name} ${iterations}`] = () => rival.times('run', { kind, iterations })
  }
  const measured: Record<string, Times[]> = await interleave(turns)
  const iteration = (side: string) =>
    measured[`${side} ${more}`]!.map((long, round): Times => {
      const short = measured[`${side} ${fewer}`]![round]!
      const share = (of: keyof Times) => (long[of] - short[of]) / (more - fewer)
      return { seconds: share('seconds'), cpu: share('cpu') }
    })

  const job = `k-means iteration, ${rows} × ${cols}, k = ${clusters}`
  const own = iteration('own')
  report.compareRate(
    job,
    2 * rows * cols * clusters,
    own.map(({ seconds }) => seconds),
    limits.slice(-own.length), // The first round is not counted.
  )
  for (const { kind, name } of sides)
    report.compareTimes(job, name, own, iteration(name), targets[kind])
  const { inertia } = await kmeans(X, { clusters, iterations: more, tolerance: 0 })
  report.note(`${job}: inertia ${inertia.toPrecision(6)} after ${more} iterations`)
  for (const { rival, kind, name } of sides) {
    const { inertia } = await rival.call('run', { kind, iterations: more })
    report.note(`${name}: ${Number(inertia).toPrecision(6)}, before its last step`)
  }
}

experiment(__filename, question, async (report) => {
  const rivals: Rival[] = []
  for (const env of faissEnvironments) {
    const rival = await Rival.start(report, 'faiss_kmeans', env)
    if (rival) rivals.push(rival)
  }
  report.note(
    `one iteration is (time of ${more} − time of ${fewer}) / ${more - fewer}; counted are the products of rows and centres, 2·n·d·k operations`,
  )
  for (const [place, shape] of kmeansShapes.entries()) await raceOn(report, rivals, place, shape)
})
