import { prepareCorpus, semiNmf, topK } from '../lib/index'
import { randomMatrix, randomUnitRows } from './data'
import { experiment, type Experiment } from './experiment'
import { scaling } from './shapes'
import { suite } from './suite'

const question = 'How do the rates grow with the rank and with the threads?'

const range = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** Jobs by label, each with its floating-point operations. */
type Jobs = Readonly<
  Record<string, { readonly operations: number; readonly run: () => Promise<unknown> }>
>

async function noteRates(report: Experiment, name: string, file: string, jobs: Jobs) {
  const runs = Object.fromEntries(Object.entries(jobs).map(([label, { run }]) => [label, run]))
  const { results } = await suite(name, file, runs)
  for (const { name: label, details } of results) {
    const rate = jobs[label]!.operations / details.mean / 1e9
    report.note(`${name}, ${label}: ${rate.toFixed(1)} GFLOP/s`)
  }
}

async function factorizations(report: Experiment) {
  const { rows, cols, iterations, ranks, rank: fixedRank } = scaling.factorization
  const X = randomMatrix(rows, cols, 1)
  const job = (rank: number, threads?: number) => ({
    operations: 4 * rows * cols * rank * iterations,
    run: () => semiNmf(X, { rank, threads, iterations, tolerance: 0, init: 'random' }),
  })
  const name = `semiNmf, ${rows} × ${cols}, ${iterations} iterations`
  await noteRates(
    report,
    name,
    'scaling-rank',
    Object.fromEntries(ranks.map((rank) => [`rank ${rank}`, job(rank)])),
  )
  const byThreads = range(report.machine.threads).map((threads) => [
    `${threads} threads`,
    job(fixedRank, threads),
  ])
  await noteRates(
    report,
    `${name}, rank ${fixedRank}`,
    'scaling-factorization-threads',
    Object.fromEntries(byThreads),
  )
}

async function searches(report: Experiment) {
  const { queries: queryRows, corpus: corpusRows, cols, k } = scaling.search
  const queries = randomUnitRows(queryRows, cols, 1)
  const corpus = await prepareCorpus(randomUnitRows(corpusRows, cols, 2))
  const operations = 2 * queryRows * corpusRows * cols
  const jobs = range(report.machine.threads).map((threads) => [
    `${threads} threads`,
    { operations, run: () => topK(queries, corpus, { k, threads }) },
  ])
  await noteRates(
    report,
    `topK, ${queryRows} × ${corpusRows} × ${cols}, k = ${k}`,
    'scaling-search-threads',
    Object.fromEntries(jobs),
  )
  corpus.dispose()
}

experiment(__filename, question, async (report) => {
  report.note('rates of whole calls, the start and the last residual included')
  await factorizations(report)
  await searches(report)
  report.note(
    `square sgemm on ${report.machine.threads} threads: ${(await report.roofline.sample()).toFixed(1)} GFLOP/s`,
  )
})
