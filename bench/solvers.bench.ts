import { nmf, type NmfOptions } from '../lib/index'
import { solvers } from '../lib/factorization/models'
import { experiment } from './experiment'
import { cpuSeconds, geometricMean } from './interleave'
import { nonnegativeCases } from './matrices'
import { isTrial } from './shapes'

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

interface Run {
  /** CPU seconds of the start and of an iteration. */
  readonly start: number
  readonly iteration: number
  readonly objective: Float64Array
}

async function run(X: Parameters<typeof nmf>[0], options: NmfOptions): Promise<Run> {
  const common = { init: 'nndsvdar', tolerance: 0, threads: 1, ...options } as const
  const start = await cpuSeconds(() => nmf(X, { ...common, iterations: 0 }))
  let objective = new Float64Array()
  const all = await cpuSeconds(async () => {
    objective = (await nmf(X, { ...common, iterations })).objective as typeof objective
  })
  return { start, iteration: Math.max(all - start, 1e-6) / iterations, objective }
}

/** CPU seconds until the objective is at most `loss`; Infinity if it never is. */
function secondsTo(loss: number, { start, iteration, objective }: Run): number {
  const first = objective.findIndex((value) => value <= loss)
  return first < 0 ? Infinity : start + first * iteration
}

const text = (seconds: number) => (seconds < Infinity ? seconds.toPrecision(3) : 'never')

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
    for (const [, options] of runs) done.push(await run(X, { rank, ...options }))
    const least = Math.min(...done.map(({ objective }) => objective.at(-1)!))
    const lines = within.map((factor, w) => {
      const times = done.map((each) => secondsTo(factor * least, each))
      times.forEach((time, r) => time < Infinity && shares[w]![r]!.push(time / times[0]!))
      return `to ${((factor - 1) * 100).toFixed(1)} %: ${runs.map(([label], r) => `${label} ${text(times[r]!)}`).join(', ')}`
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
