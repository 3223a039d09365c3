import type { NmfOptions } from '../lib/index'
import { solvers } from '../lib/factorization/models'
import { experiment } from './experiment'
import { geometricMean } from './interleave'
import { nonnegativeCases } from './matrices'
import { isTrial } from './shapes'
import { runOf, secondsTo, secondsText, type Run } from './solver-runs'

const question =
  'Which solver of nmf reaches the lowest loss of all soonest, in CPU time of one thread, over matrices of many kinds?'

/** One rank for each matrix: dense and sparse, tall and wide, easy and noisy. */
const ranks: Readonly<Record<string, number>> = {
  'planted, exponential factors, noise 1 %': 10,
  'planted, sparse factors, noise 10 %': 10,
  'low-rank counts (Poisson)': 12,
  'small and wide, log-normal': 40,
  'tall and narrow, gamma-like': 8,
  'uniform noise': 30,
  blocks: 12,
  cbcl_faces: 49,
  mnist: 32,
  '20newsgroups': 20,
}

/** A loss is reached when it is this much above the lowest of all solvers. */
const within = [1.01, 1.001] as const

const iterations = isTrial ? 20 : 200

/** Each solver with its default steps, from one start. */
const runs: readonly (readonly [string, Partial<NmfOptions>])[] = solvers.map((solver) => [
  solver,
  { solver },
])

experiment(__filename, question, async (report) => {
  const shares = within.map(() => runs.map((): number[] => []))
  let cases = 0
  for (const { name, load } of nonnegativeCases) {
    const rank = ranks[name]
    if (rank === undefined) continue
    const X = await load()
    if (X === undefined) {
      report.notRun(name, 'the data set is absent')
      continue
    }
    cases++
    const done: Run[] = []
    for (const [, options] of runs)
      done.push(await runOf(X, { rank, init: 'nndsvdar', ...options }, iterations))
    const least = Math.min(...done.map(({ objective }) => objective.at(-1)!))
    const lines = within.map((factor, w) => {
      const times = done.map((each) => secondsTo(factor * least, each))
      times.forEach((time, r) => time < Infinity && shares[w]![r]!.push(time / times[0]!))
      return `to ${((factor - 1) * 100).toFixed(1)} %: ${runs.map(([label], r) => `${label} ${secondsText(times[r]!)}`).join(', ')}`
    })
    const ends = runs.map(([label], r) => {
      const { objective } = done[r]!
      return `${label} ${(objective.at(-1)! / least).toFixed(4)}`
    })
    report.note(`${name} k = ${rank}, CPU seconds ${lines.join('; ')}; ends at ${ends.join(', ')}`)
  }
  within.forEach((factor, w) =>
    runs.forEach(([label], r) => {
      const ratios = shares[w]![r]!.filter((ratio) => ratio > 0)
      report.note(
        `${label}: within ${((factor - 1) * 100).toFixed(1)} % of the lowest loss in ${ratios.length} of ${cases}, ` +
          `in ${geometricMean(ratios).toFixed(2)} of the time of ${runs[0]![0]} where both get there`,
      )
    }),
  )
})
