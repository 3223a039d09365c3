import type { Matrix, NmfOptions, SparseMatrix } from '../lib/index'
import { experiment } from './experiment'
import { geometricMean } from './interleave'
import { nonnegativeCases, uniform } from './matrices'
import { isTrial } from './shapes'
import { runOf, secondsTo, secondsText, type Run } from './solver-runs'

const question =
  'Where entries are missing, which solver of nmf reaches the lowest loss of all soonest, in CPU time of one thread?'

const names = [
  'planted, exponential factors, noise 1 %',
  'planted, sparse factors, noise 10 %',
  'low-rank counts (Poisson)',
  'small and wide, log-normal',
  'tall and narrow, gamma-like',
  'cbcl_faces',
  '20newsgroups',
]

/** Shares of entries that are missing of a dense matrix; of a sparse one those that it does not store. */
const shares = [0.1, 0.7]
const ranks = isTrial ? [5] : [10, 40]

/** A loss is reached when it is this much above the lowest of all solvers. */
const within = [1.05, 1.01] as const
/** About as much time for each: an iteration of mu is the cheapest. */
const runs = [
  { label: 'mu', solver: 'mu', iterations: isTrial ? 20 : 300 },
  { label: 'hals, 2 sweeps', solver: 'hals', innerSweeps: 2, iterations: isTrial ? 10 : 60 },
  { label: 'hals, 8 sweeps', solver: 'hals', innerSweeps: 8, iterations: isTrial ? 10 : 60 },
  { label: 'hals, 20 sweeps', solver: 'hals', innerSweeps: 20, iterations: isTrial ? 10 : 60 },
  { label: 'anls-bpp', solver: 'anls-bpp', iterations: isTrial ? 10 : 60 },
] as const
/** To which times are relative. */
const standard = 2

function masked(X: Matrix, share: number) {
  const draw = uniform(11)
  return Uint8Array.from({ length: X.rows * X.cols }, () => (draw() < share ? 0 : 1))
}

type Missing = Pick<NmfOptions, 'mask' | 'missing'>

const patterns = (X: Matrix | SparseMatrix): (readonly [string, Missing])[] =>
  'indptr' in X
    ? [['what is not stored', { missing: 'implicit' }]]
    : shares.map((share) => [`${share * 100} %`, { mask: masked(X, share) }] as const)

experiment(__filename, question, async (report) => {
  const reached = within.map(() => runs.map((): number[] => []))
  let cases = 0
  for (const { name, load } of nonnegativeCases) {
    if (!names.includes(name)) continue
    const X = await load()
    if (X === undefined) {
      report.notRun(name, 'the data set is absent')
      continue
    }
    for (const [pattern, missing] of patterns(X))
      for (const rank of ranks) {
        cases++
        const done: Run[] = []
        for (const { label, iterations, ...steps } of runs)
          done.push(await runOf(X, { rank, ...steps, ...missing }, iterations))
        const least = Math.min(...done.map(({ objective }) => objective.at(-1)!))
        const lines = within.map((factor, w) => {
          const times = done.map((each) => secondsTo(factor * least, each))
          times.forEach(
            (time, s) => time < Infinity && reached[w]![s]!.push(time / times[standard]!),
          )
          return `to ${((factor - 1) * 100).toFixed(0)} %: ${runs.map(({ label }, s) => `${label} ${secondsText(times[s]!)}`).join(', ')}`
        })
        const ends = runs.map(({ label }, s) => {
          const { objective, iteration } = done[s]!
          return `${label} ${(objective.at(-1)! / least).toFixed(3)} (${(iteration * 1e3).toPrecision(3)} ms each)`
        })
        report.note(
          `${name}, missing ${pattern}, k = ${rank}, CPU seconds ${lines.join('; ')}; ends at ${ends.join(', ')}`,
        )
      }
  }
  within.forEach((factor, w) =>
    runs.forEach(({ label }, s) => {
      const ratios = reached[w]![s]!.filter((ratio) => ratio > 0)
      report.note(
        `${label}: within ${((factor - 1) * 100).toFixed(0)} % of the lowest loss in ${ratios.length} of ${cases}, ` +
          `in ${geometricMean(ratios).toFixed(2)} of the time of ${runs[standard].label} where both get there`,
      )
    }),
  )
})
