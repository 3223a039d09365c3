// Measures the delay of 1 ms timers and the time of a small readFile while `jobs` factorizations run on
// `threads` threads each; prints { timers, reads }, in ms, sorted.
const { readFile } = require('node:fs/promises')
const { load, fit, control } = require('./jobs.cjs')
const [jobs, threads, duration] = process.argv.slice(2).map(Number)

const sorted = (values) => values.sort((a, b) => a - b)

async function timers(until) {
  const late = []
  while (performance.now() < until) {
    const due = performance.now() + 1
    await new Promise((resolve) => setTimeout(resolve, 1))
    late.push(performance.now() - due)
  }
  return sorted(late)
}

async function reads(until) {
  const took = []
  while (performance.now() < until) {
    const began = performance.now()
    await readFile(__filename)
    took.push(performance.now() - began)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return sorted(took)
}

async function main() {
  const addon = load()
  const share = threads > 0 ? threads : Math.max(1, addon.info().threads - 1)
  const controls = Array.from({ length: jobs }, () => control(() => {}, share))
  const running = controls.map((job) =>
    fit(addon, { job, rows: 20_000, cols: 384, rank: 32 }).catch(() => {}),
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  const until = performance.now() + duration
  const [late, took] = await Promise.all([timers(until), reads(until)])
  for (const { cancel } of controls) Atomics.store(cancel, 0, 1)
  await Promise.all(running)
  console.log(JSON.stringify({ timers: late, reads: took }))
}
main()
