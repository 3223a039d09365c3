// Runs four jobs at once; prints [threads before, at most, the pool's].
const { readdirSync } = require('node:fs')
const { load, fit } = require('./jobs.cjs')

const threads = () => readdirSync('/proc/self/task').length

async function main() {
  const before = threads()
  const addon = load()
  const run = () => fit(addon, { options: { maxIterations: 60 } })
  let most = 0
  const watch = setInterval(() => (most = Math.max(most, threads())), 1)
  const results = await Promise.all([run(), run(), run(), run()])
  clearInterval(watch)
  if (results.some(({ iterations }) => iterations !== 60))
    throw new Error('expected 60 iterations of each')
  console.log(JSON.stringify([before, most, addon.info().threads]))
}
main()
