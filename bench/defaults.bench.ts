import {
  nmf,
  semiNmf,
  type Factorization,
  type Matrix,
  type NmfOptions,
  type SemiNmfOptions,
  type SparseMatrix,
} from '../lib/index'
import { experiment, type Experiment } from './experiment'
import { geometricMean } from './interleave'
import { mixedCases, nonnegativeCases, type Case } from './matrices'
import { isTrial } from './shapes'

const question =
  'Which start, inner sweeps and acceleration reach the loss of one plain sweep soonest, over matrices of many kinds?'

type Settings = Omit<NmfOptions & SemiNmfOptions, 'rank'>
type Fit = (
  X: Matrix | SparseMatrix,
  options: NmfOptions & SemiNmfOptions,
) => Promise<Factorization>

/** Number of iterations of all settings; the tolerance ends the reference runs earlier. */
const most = isTrial ? 20 : 150

/** One run: seconds of the start and of an iteration, and the objectives. */
interface Trace {
  readonly start: number
  readonly iteration: number
  readonly objective: Float64Array
}

async function trace(fit: Fit, X: Matrix | SparseMatrix, rank: number, settings: Settings) {
  const options = { rank, tolerance: 0, ...settings }
  const { seconds: start } = await fit(X, { ...options, iterations: 0 })
  const { seconds, objective } = await fit(X, { ...options, iterations: most })
  return { start, iteration: Math.max(seconds - start, 1e-6) / most, objective } satisfies Trace
}

/** Seconds until the objective is at most `loss`, or undefined. */
function secondsTo(loss: number, { start, iteration, objective }: Trace): number | undefined {
  const first = objective.findIndex((value) => value <= loss * (1 + 1e-5))
  return first < 0 ? undefined : start + first * iteration
}

/** Results of one kind of settings over all cases, relative to the first kind. */
class Tally {
  readonly #times: number[] = []
  readonly #better: string[] = []
  readonly #worse: string[] = []
  #late = 0

  add(name: string, time: number | undefined, base: number, loss: number, baseLoss: number) {
    if (time === undefined) this.#late++
    else this.#times.push(time / base)
    if (loss < 0.99 * baseLoss) this.#better.push(name)
    if (loss > 1.01 * baseLoss) this.#worse.push(`${name} ${(loss / baseLoss).toPrecision(3)}`)
  }

  report(report: Experiment, label: string) {
    const time = geometricMean(this.#times).toFixed(2)
    report.note(
      `${label}: ${time} of the time to the first settings' loss (not reached in ${this.#late} of ${this.#late + this.#times.length}); ` +
        `after ${most} iterations ${this.#better.length} end over 1 % lower, ${this.#worse.length} higher` +
        (this.#worse.length ? ` (${this.#worse.join('; ')})` : ''),
    )
  }
}

async function compare(
  report: Experiment,
  fit: Fit,
  cases: readonly Case[],
  all: readonly (readonly [string, Settings])[],
) {
  const tallies = all.map(() => new Tally())
  for (const { name, ranks, load } of cases) {
    const X = await load()
    if (X === undefined) {
      report.notRun(name, 'the data set is absent')
      continue
    }
    for (const rank of ranks) {
      const traces: Trace[] = []
      for (const [, settings] of all) traces.push(await trace(fit, X, rank, settings))
      const { iterations } = await fit(X, { rank, ...all[0]![1] })
      const base = traces[0]!
      const loss = base.objective[Math.min(iterations, most)]!
      traces.forEach((each, i) =>
        tallies[i]!.add(
          `${name} k = ${rank}`,
          secondsTo(loss, each),
          secondsTo(loss, base)!,
          each.objective.at(-1)!,
          base.objective.at(-1)!,
        ),
      )
    }
  }
  all.forEach(([label], i) => tallies[i]!.report(report, label))
}

const sweeps = (innerSweeps: number, acceleration: 'none' | 'extrapolated') => ({
  innerSweeps,
  acceleration,
})
const named = (settings: Settings) => [Object.values(settings).join(', '), settings] as const

experiment(__filename, question, async (report) => {
  console.log('\nnmf: init, innerSweeps, acceleration')
  await compare(report, nmf as Fit, nonnegativeCases, [
    named({ init: 'nndsvda', ...sweeps(1, 'none') }),
    named({ init: 'nndsvda', ...sweeps(2, 'none') }),
    named({ init: 'nndsvda', ...sweeps(2, 'extrapolated') }),
    named({ init: 'nndsvdar', ...sweeps(1, 'none') }),
    named({ init: 'nndsvdar', ...sweeps(2, 'none') }),
    named({ init: 'nndsvdar', ...sweeps(2, 'extrapolated') }),
  ])
  console.log('\nsemiNmf: innerSweeps, acceleration')
  await compare(report, semiNmf as Fit, mixedCases, [
    named(sweeps(1, 'none')),
    named(sweeps(2, 'none')),
    named(sweeps(3, 'none')),
    named(sweeps(4, 'none')),
    named(sweeps(2, 'extrapolated')),
    named(sweeps(3, 'extrapolated')),
  ])
})
