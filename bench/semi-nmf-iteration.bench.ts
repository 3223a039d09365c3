import { semiNmf } from '../lib/index'
import { randomMatrix } from './data'
import { experiment } from './experiment'
import { interleave, seconds } from './interleave'
import { semiNmfIteration } from './shapes'

const question = 'How near to a square sgemm does one semi-NMF iteration come?'

experiment(__filename, question, async (report) => {
  const { rows, cols, rank, fewer, more } = semiNmfIteration
  const X = randomMatrix(rows, cols, 1)
  // The time of the start cancels in the difference; that of a random start varies least.
  const run = (iterations: number) => () =>
    seconds(() => semiNmf(X, { rank, iterations, tolerance: 0, init: 'random' }))
  const measured = await interleave({
    fewer: run(fewer),
    more: run(more),
    limit: report.roofline.sample,
  })
  const times = measured.more.map((time, round) => (time - measured.fewer[round]!) / (more - fewer))
  report.note(
    `one iteration is (time of ${more} − time of ${fewer}) / ${more - fewer}; counted are the two products with X, 4·n·d·k operations`,
  )
  report.compareRate(
    `semi-NMF iteration, ${rows} × ${cols}, k = ${rank}`,
    4 * rows * cols * rank,
    times,
    measured.limit,
    0.75,
  )
})
