import { setTimeout as pause } from 'node:timers/promises'
import { mineHardNegatives, prepareCorpus, semiNmf, topK } from '../lib/index'
import type { JobOptions, Progress } from '../lib/options'
import { quantile } from '../test/hazards/child'
import { randomUnitRows } from './data'
import { experiment } from './experiment'
import { besideShape } from './shapes'

const question =
  'How long does a query wait beside a job of the priority batch (99 % within 3 times the time of those alone), and which share of its rate does the job keep (80 %)?'

/** A job that goes on until its signal is aborted. */
type Endless = (options: JobOptions) => Promise<unknown>

const { corpus: nc, cols, k, rows, rank, queries: many, perSecond, asked } = besideShape

/** Units that a job ends in a second, from its own progress. */
class Rate {
  #begun?: readonly [milliseconds: number, done: number]
  #last: readonly [milliseconds: number, done: number] = [0, 0]

  readonly listen = ({ phase, done }: Progress) => {
    if (phase !== 'iterate' && phase !== 'scan') return
    this.#last = [performance.now(), done]
    this.#begun ??= this.#last
  }

  get perSecond() {
    const [from, first] = this.#begun ?? this.#last
    return (this.#last[1] - first) / ((this.#last[0] - from) / 1000)
  }
}

/** Runs `work` beside the job, and gives the job's rate. */
async function beside(job: Endless, work: () => Promise<unknown>): Promise<number> {
  const stop = new AbortController()
  const rate = new Rate()
  const running = job({ priority: 'batch', signal: stop.signal, onProgress: rate.listen })
  const ended = running.catch((reason: unknown) => {
    if (!stop.signal.aborted) throw reason
  })
  await work()
  stop.abort()
  await ended
  return rate.perSecond
}

experiment(__filename, question, async (report) => {
  using corpus = await prepareCorpus(randomUnitRows(nc, cols, 1))
  const single = randomUnitRows(1, cols, 2)
  const X = randomUnitRows(rows, cols, 3)
  const Q = randomUnitRows(many, cols, 4)
  const positives = Int32Array.from({ length: many }, (_, q) => q % nc)

  /** Milliseconds of each query, asked at fixed times whether or not those before were answered. */
  const openLoop = async () => {
    const waits: Promise<number>[] = []
    for (let i = 0; i < asked; i++) {
      const begun = performance.now()
      waits.push(topK(single, corpus, { k }).then(() => performance.now() - begun))
      await pause(1000 / perSecond)
    }
    return Promise.all(waits)
  }
  const jobs: Record<string, Endless> = {
    [`semiNmf of ${rows} × ${cols}, rank ${rank}`]: (options) =>
      semiNmf(X, { rank, iterations: 1_000_000, tolerance: 0, init: 'random', ...options }),
    [`mineHardNegatives of ${many} queries`]: (options) =>
      mineHardNegatives(Q, corpus, positives, options),
  }
  const shown = (waits: readonly number[]) => {
    const ascending = [...waits].sort((a, b) => a - b)
    return [0.5, 0.99].map((share) => quantile(ascending, share))
  }
  for (const [name, job] of Object.entries(jobs)) {
    const alone = await openLoop()
    const rateAlone = await beside(job, () => pause((1000 * asked) / perSecond))
    let waits: number[] = []
    const rateBeside = await beside(job, async () => (waits = await openLoop()))
    const [p50, p99] = shown(alone)
    const [p50Beside, p99Beside] = shown(waits)
    const times = (p99Beside! / p99!).toFixed(2)
    report.note(
      `${name}: a query alone takes ${p50!.toFixed(1)} ms, 99 % within ${p99!.toFixed(1)}; beside it ${p50Beside!.toFixed(1)} ms, 99 % within ${p99Beside!.toFixed(1)} (${times} times); the job keeps ${((100 * rateBeside) / rateAlone).toFixed(0)} % of its rate`,
    )
    if (p99Beside! > 3 * p99!) report.missed(name, `99 % of the queries within ${times} times`)
    if (rateBeside < 0.8 * rateAlone)
      report.missed(name, `${((100 * rateBeside) / rateAlone).toFixed(0)} % of its rate`)
  }
})
