import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { nmf, prepareCorpus, topK } from '../lib/index'
import { quantile } from '../test/hazards/child'
import { randomUnitRows } from './data'
import { experiment } from './experiment'
import { median } from './interleave'
import { overheadShape } from './shapes'

const question =
  'What does gemmine cost where there is next to nothing to compute: loading it (15 ms), a tiny topK (30 µs), an iteration of a tiny nmf (60 µs)?'

const { rows, cols, k, rank, calls, iterations, processes } = overheadShape

const dist = join(__dirname, '..', 'dist')

/** What programs load, each in a process of its own. */
const programs = {
  'require of nothing': '',
  require: `require(${JSON.stringify(dist)})`,
  'require of prepareCorpus and topK': `const { prepareCorpus, topK } = require(${JSON.stringify(dist)})`,
  'import of all': `await import(${JSON.stringify(join(dist, 'index.mjs'))})`,
}

function millisecondsOf(statement: string): number {
  const begin = statement.startsWith('await') ? '(async () => {' : '{'
  const end = statement.startsWith('await') ? '})()' : '}'
  const program = `${begin} const begun = performance.now(); ${statement}; console.log(performance.now() - begun) ${end}`
  const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' })
  return Number(stdout)
}

/** Microseconds of each call, one after the other, ascending, and of CPU time in all threads. */
async function timed(count: number, call: () => Promise<unknown>) {
  const waits: number[] = []
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) {
    const begun = performance.now()
    await call()
    waits.push(1000 * (performance.now() - begun))
  }
  const { user, system } = process.cpuUsage(before)
  return { waits: waits.sort((a, b) => a - b), cpu: (user + system) / count }
}

experiment(__filename, question, async (report) => {
  const loading: Record<string, number[]> = {}
  for (let round = 0; round <= processes; round++)
    for (const [name, statement] of Object.entries(programs)) {
      const milliseconds = millisecondsOf(statement)
      if (round > 0) (loading[name] ??= []).push(milliseconds)
    }
  for (const [name, times] of Object.entries(loading))
    report.note(
      `${name}: ${median(times).toFixed(1)} ms, the least ${Math.min(...times).toFixed(1)}`,
    )

  using corpus = await prepareCorpus(randomUnitRows(rows, cols, 1))
  const query = randomUnitRows(1, cols, 2)
  const ask = () => topK(query, corpus, { k })
  await timed(calls, ask)
  const { waits, cpu } = await timed(calls, ask)
  report.note(
    `topK of one query over ${rows} × ${cols}: half within ${quantile(waits, 0.5).toFixed(0)} µs, the least ${waits[0]!.toFixed(0)}; ${cpu.toFixed(0)} µs of CPU time`,
  )

  const X = { rows, cols, data: randomUnitRows(rows, cols, 3).data.map(Math.abs) }
  const run = (most: number) => () =>
    nmf(X, { rank, init: 'random', iterations: most, tolerance: 0 })
  const short = await timed(calls / 100, run(1))
  const long = await timed(calls / 100, run(1 + iterations))
  const of = (share: number) =>
    (quantile(long.waits, share) - quantile(short.waits, share)) / iterations
  report.note(
    `an iteration of nmf of ${rows} × ${cols}, rank ${rank}: ${of(0.5).toFixed(0)} µs, ${((long.cpu - short.cpu) / iterations).toFixed(0)} µs of CPU time; a call of one iteration ${quantile(short.waits, 0.5).toFixed(0)} µs`,
  )
})
