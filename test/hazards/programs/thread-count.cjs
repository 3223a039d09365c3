// Runs several jobs at the same time; prints [threads before, threads with the addon loaded, most threads,
// threads of the pool].
const { readdirSync } = require('node:fs')
const { load, fit, prepare, source, topK } = require('./jobs.cjs')
const [count, kind] = process.argv.slice(2)

const threads = () => readdirSync('/proc/self/task').length

const jobs = {
  async fit(addon) {
    const { iterations } = await fit(addon, { options: { maxIterations: 60 } })
    if (iterations !== 60) throw new Error('expected 60 iterations')
  },
  async query(addon, corpus) {
    const { certified, fallback } = await topK(addon, { corpus, queries: 1 })
    if (certified + fallback !== 1) throw new Error('expected an answer')
  },
}

async function main() {
  const before = threads()
  const addon = load()
  const loaded = threads()
  const corpus = await prepare(addon, source('corpus', 20_000, 64))
  const running = Array.from({ length: Number(count) }, () => jobs[kind](addon, corpus))
  let most = threads()
  const watch = setInterval(() => (most = Math.max(most, threads())), 1)
  await Promise.all(running)
  clearInterval(watch)
  console.log(JSON.stringify([before, loaded, most, addon.info().threads]))
}
main()
