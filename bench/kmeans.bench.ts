import { kmeans } from '../lib/index'
import { handOver, randomMatrix } from './data'
import { experiment } from './experiment'
import { interleave, seconds, type Turn } from './interleave'
import { Rival } from './rival'
import { kmeansIterations, kmeansShapes } from './shapes'

const question =
  'Is an iteration of k-means as fast as that of faiss, and how near to a square sgemm?'

experiment(__filename, question, async (report) => {
  const { fewer, more } = kmeansIterations
  const rival = await Rival.start(report, 'faiss_kmeans')
  report.note(
    `one iteration is (time of ${more} − time of ${fewer}) / ${more - fewer}; counted are the products of rows and centres, 2·n·d·k operations`,
  )
  for (const [place, { rows, cols, clusters }] of kmeansShapes.entries()) {
    const X = randomMatrix(rows, cols, place + 1)
    const ours = (iterations: number) => () =>
      seconds(() => kmeans(X, { clusters, iterations, tolerance: 0 }))
    const theirs = (iterations: number) => () => rival!.seconds('run', { iterations })
    if (rival) await rival.call('load', { X: await handOver(`kmeans-${place}`, X), clusters })
    const turns: Record<string, Turn> = {
      fewer: ours(fewer),
      more: ours(more),
      limit: report.roofline.sample,
      ...(rival ? { rivalFewer: theirs(fewer), rivalMore: theirs(more) } : {}),
    }
    const measured = await interleave(turns)
    const iteration = (long: string, short: string) =>
      measured[long]!.map((time, round) => (time - measured[short]![round]!) / (more - fewer))
    const times = iteration('more', 'fewer')
    const job = `k-means iteration, ${rows} × ${cols}, k = ${clusters}`
    report.compareRate(job, 2 * rows * cols * clusters, times, measured['limit']!)
    if (rival) report.compareTime(job, rival.name, times, iteration('rivalMore', 'rivalFewer'), 1)
  }
})
