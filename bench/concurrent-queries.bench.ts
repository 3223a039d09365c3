import { prepareCorpus, topK, type Matrix, type PreparedCorpus } from '../lib/index'
import { quantile } from '../test/hazards/child'
import { randomUnitRows } from './data'
import { experiment } from './experiment'
import { concurrentShape } from './shapes'

const question =
  'How many single queries a second does a prepared corpus answer, to one client and to many at once?'

const { corpus: nc, cols, k, clients, seconds } = concurrentShape

/** Requests a second, CPU milliseconds of each, and the milliseconds that half and 99 % of them wait at most. */
async function load(count: number, queries: readonly Matrix[], corpus: PreparedCorpus) {
  const waits: number[] = []
  const end = performance.now() + 1000 * seconds
  const before = process.cpuUsage()
  const client = async (c: number) => {
    for (let i = c; performance.now() < end; i += count) {
      const begun = performance.now()
      await topK(queries[i % queries.length]!, corpus, { k })
      waits.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: count }, (_, c) => client(c)))
  const { user, system } = process.cpuUsage(before)
  waits.sort((a, b) => a - b)
  return {
    rate: waits.length / seconds,
    cpu: (user + system) / 1000 / waits.length,
    p50: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
  }
}

experiment(__filename, question, async (report) => {
  using corpus = await prepareCorpus(randomUnitRows(nc, cols, 1))
  const queries = Array.from({ length: 64 }, (_, i) => randomUnitRows(1, cols, 2 + i))
  await load(1, queries, corpus)
  for (const count of clients) {
    const { rate, cpu, p50, p99 } = await load(count, queries, corpus)
    report.note(
      `${count} clients over ${nc} × ${cols}, k = ${k}: ${rate.toFixed(0)} requests a second, ${cpu.toFixed(2)} ms of CPU time each; half within ${p50.toFixed(1)} ms, 99 % within ${p99.toFixed(1)} ms`,
    )
  }
})
