import { nmf, type NmfOptions } from '../lib/index'
import { defaultSteps } from '../lib/factorization/fit-options'
import { nmfDefaultInits } from '../lib/factorization/models'
import { experiment, type Experiment } from './experiment'
import { cpuSeconds, geometricMean } from './interleave'
import { nonnegativeCases } from './matrices'
import { isTrial } from './shapes'

const question =
  'Does mu end within 2 % of its best start, and how soon is it where plain steps end, over matrices of many kinds?'

const inits = ['random', 'kmeans', 'nndsvda', 'nndsvdar'] as const
type Init = (typeof inits)[number]

const limit = 1.02

/** A run with the default tolerance. */
interface Run {
  /** CPU time of the call, with its start. */
  readonly seconds: number
  readonly objective: Float64Array
}

const lossOf = ({ objective }: Run) => objective.at(-1)!

type Runs = ReadonlyMap<Init, Run>

/** One run from each start. */
async function runsOf(X: Parameters<typeof nmf>[0], options: NmfOptions): Promise<Runs> {
  const runs = new Map<Init, Run>()
  const iterations = isTrial ? { iterations: 20 } : {}
  for (const init of inits) {
    let objective: Float64Array = new Float64Array()
    const seconds = await cpuSeconds(async () => {
      objective = (await nmf(X, { solver: 'mu', init, ...iterations, ...options })).objective
    })
    runs.set(init, { seconds, objective })
  }
  return runs
}

/** Each loss relative to the lowest of all starts. */
function ratiosOf(runs: Runs): ReadonlyMap<Init, number> {
  const losses = [...runs.values()].map(lossOf)
  const least = Math.min(...losses)
  // A loss of 0 is within every limit.
  return new Map(inits.map((init, i) => [init, least > 0 ? losses[i]! / least : 1]))
}

/** Seconds until the loss is at most `loss`, at least those of one iteration, or undefined. */
function secondsTo(loss: number, { seconds, objective }: Run): number | undefined {
  const first = objective.findIndex((value) => value <= loss * (1 + 1e-5))
  return first < 0 ? undefined : (seconds * Math.max(1, first)) / Math.max(1, objective.length - 1)
}

/** The results of one kind of steps over all cases. */
class Tally {
  readonly #over = new Map<Init, string[]>(inits.map((init) => [init, []]))
  readonly #losses = new Map<Init, number[]>(inits.map((init) => [init, []]))
  readonly #times = new Map<Init, number[]>(inits.map((init) => [init, []]))
  #cases = 0

  constructor(readonly label: string) {}

  add(name: string, runs: Runs, base: Run) {
    this.#cases++
    for (const [init, ratio] of ratiosOf(runs)) {
      if (ratio > limit) this.#over.get(init)!.push(`${name} ${ratio.toPrecision(3)}`)
      const run = runs.get(init)!
      if (lossOf(base) > 0 && lossOf(run) > 0)
        this.#losses.get(init)!.push(lossOf(run) / lossOf(base))
      const time = secondsTo(lossOf(base), run)
      if (time !== undefined) this.#times.get(init)!.push(time / base.seconds)
    }
  }

  report(report: Experiment, chosen: Init) {
    for (const init of inits) {
      const over = this.#over.get(init)!
      const times = this.#times.get(init)!
      report.note(
        `${this.label}, ${init}${init === chosen ? ' (default)' : ''}: ${over.length} of ${this.#cases} over 2 % above the best start` +
          `${over.length ? ` (${over.join('; ')})` : ''}; loss ${geometricMean(this.#losses.get(init)!).toFixed(3)} of that of plain steps, ` +
          `reached in ${geometricMean(times).toFixed(2)} of the time, not in ${this.#cases - times.length}`,
      )
    }
  }
}

const text = (ratios: ReadonlyMap<Init, number>) =>
  [...ratios].map(([init, ratio]) => `${init} ${ratio.toFixed(3)}`).join(', ')

experiment(__filename, question, async (report) => {
  const plain = new Tally('plain steps')
  const now = new Tally('default steps')
  for (const { name, ranks, load } of nonnegativeCases) {
    const X = await load()
    if (X === undefined) {
      report.notRun(name, 'the data set is absent')
      continue
    }
    for (const rank of ranks) {
      const label = `${name} k = ${rank}`
      const before = await runsOf(X, { rank, ...defaultSteps.plain })
      const after = await runsOf(X, { rank })
      const base = before.get(nmfDefaultInits.plain)!
      plain.add(label, before, base)
      now.add(label, after, base)
      report.note(
        `${label}: ${text(ratiosOf(after))} of the best; plain: ${text(ratiosOf(before))}`,
      )
    }
  }
  plain.report(report, nmfDefaultInits.plain)
  now.report(report, nmfDefaultInits.mu)
})
