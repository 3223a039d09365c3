import { kmeans } from '../lib/index'
import { handOver, randomMatrix } from './data'
import { experiment, type Experiment } from './experiment'
import { interleave, times, type Times } from './interleave'
import { Rival } from './rival'
import { kmeansIterations, kmeansShapes } from './shapes'

const question =
  'Is an iteration of k-means as fast as that of faiss, and how near to a square sgemm?'

const { fewer, more } = kmeansIterations

/** The speeds required beside the two ways of faiss. */
const targets: Record<string, number> = { Kmeans: 3, SuperKmeans: 1 }

async function raceOn(
  report: Experiment,
  rival: Rival | undefined,
  place: number,
  { rows, cols, clusters }: (typeof kmeansShapes)[number],
) {
  const X = randomMatrix(rows, cols, place + 1)
  const path = rival && (await handOver(`kmeans-${place}`, X))
  const loaded = await rival?.call('load', { X: path, clusters })
  const kinds = (loaded?.['kinds'] ?? []) as readonly string[]

  const limits: number[] = []
  const turns: Record<string, () => Promise<Times>> = {
    limit: () => times(async () => limits.push(await report.roofline.sample())),
  }
  for (const iterations of [fewer, more]) {
    const job = () => kmeans(X, { clusters, iterations, tolerance: 0 })
    turns[`own ${iterations}`] = () => times(job)
    for (const kind of kinds)
      turns[`${kind} ${iterations}`] = () => rival!.times('run', { kind, iterations })
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
  for (const kind of kinds)
    report.compareTimes(job, `${rival!.name} ${kind}`, own, iteration(kind), targets[kind])
  const { inertia } = await kmeans(X, { clusters, iterations: more, tolerance: 0 })
  report.note(`${job}: inertia ${inertia.toPrecision(6)} after ${more} iterations`)
  for (const kind of kinds) {
    const { inertia } = await rival!.call('run', { kind, iterations: more })
    report.note(`${kind}: ${Number(inertia).toPrecision(6)}, before its last step`)
  }
}

experiment(__filename, question, async (report) => {
  const rival = await Rival.start(report, 'faiss_kmeans')
  report.note(
    `one iteration is (time of ${more} − time of ${fewer}) / ${more - fewer}; counted are the products of rows and centres, 2·n·d·k operations`,
  )
  for (const [place, shape] of kmeansShapes.entries()) await raceOn(report, rival, place, shape)
})
