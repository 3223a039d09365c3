// How late do 1 ms timers fire, and how long does a small readFile take, while jobs run? Target: 99 % of the
// timers within 5 ms while a job runs on all but one core.
import { availableParallelism } from 'node:os'
import { info } from '../lib/info'
import { quantile, runProgram } from '../test/hazards/child'

const duration = 5000
const all = info().threads
const cases = [
  { name: 'no job', jobs: 0, threads: all },
  { name: 'one job on all threads but one', jobs: 1, threads: Math.max(1, all - 1) },
  { name: 'one job on all threads', jobs: 1, threads: all },
  { name: 'four jobs on all threads but one', jobs: 4, threads: Math.max(1, all - 1) },
]

const shown = (value: number) => `${value.toFixed(2)} ms`

async function measure({ name, jobs, threads }: (typeof cases)[number]) {
  const { stdout, stderr, code } = await runProgram('event-loop', [jobs, threads, duration])
  if (code !== 0) throw new Error(stderr)
  const { timers, reads } = JSON.parse(stdout) as { timers: number[]; reads: number[] }
  const within = timers.filter((late) => late <= 5).length / timers.length
  console.log(`${name} (${threads} threads)`)
  console.log(`  timers   ${timers.length} fired, ${(100 * within).toFixed(2)} % within 5 ms`)
  console.log(
    `  late by  median ${shown(quantile(timers, 0.5))}, 99 % ${shown(quantile(timers, 0.99))}, at most ${shown(timers.at(-1)!)}`,
  )
  console.log(
    `  readFile median ${shown(quantile(reads, 0.5))}, 99 % ${shown(quantile(reads, 0.99))}`,
  )
}

async function main() {
  const { cpu, blas, threadsReason } = info()
  console.log(
    `${cpu.model}, ${availableParallelism()} CPUs, ${all} threads (${threadsReason}), ${blas.name} ${blas.version} ${blas.core}`,
  )
  console.log(`environment ${JSON.stringify(blas.env)}, semi-NMF of 20000 x 384 at rank 32`)
  for (const one of cases) await measure(one)
}

void main()
