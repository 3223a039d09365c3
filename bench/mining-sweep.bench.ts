import { mineHardNegatives, type MineHardNegativesOptions } from '../lib/index'
import { randomMatrix } from './data'
import { experiment } from './experiment'
import { interleave, seconds } from './interleave'
import { sweepShape } from './shapes'

const question = 'What do four sets of rules on one scan cost beside one, and a draw from a band?'

/** Queries near their positives, so that ceilings bite. */
function scene({ queries: nq, corpus: nc, cols }: typeof sweepShape) {
  const queries = randomMatrix(nq, cols, 1)
  const corpus = randomMatrix(nc, cols, 2)
  for (let i = 0; i < nq * cols; i++) corpus.data[i] = queries.data[i]! + 0.6 * corpus.data[i]!
  return { queries, corpus, positives: Int32Array.from({ length: nq }, (_, i) => i) }
}

const sweep = [
  { relativeMargin: 0.05 },
  { relativeMargin: 0.2, numNegatives: 8 },
  { maxScore: 0.3, sampling: 'random', pool: 50 },
  { relativeMargin: 0.1, skipRanks: 10 },
] as const

const band = { minScore: 0.05, maxScore: 0.3, sampling: 'band' } as const

experiment(__filename, question, async (report) => {
  const { queries, corpus, positives } = scene(sweepShape)
  const mine = (options: MineHardNegativesOptions) =>
    mineHardNegatives(queries, corpus, positives, options)
  const { one, all, apart, drawn } = await interleave({
    one: () => seconds(() => mine(sweep[0])),
    all: () => seconds(() => mineHardNegatives(queries, corpus, positives, { sweep })),
    apart: () =>
      seconds(async () => {
        for (const rules of sweep) await mine(rules)
      }),
    drawn: () => seconds(() => mine(band)),
  })
  const job = `${queries.rows} × ${corpus.rows} × ${corpus.cols}`
  report.compareTime(`one call, ${job}`, 'a sweep of 4', one, all)
  report.compareTime(`a sweep of 4, ${job}`, '4 calls', all, apart)
  report.compareTime(`one call, ${job}`, 'a draw from a band', one, drawn)
})
