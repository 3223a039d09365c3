// Prepares many corpora over one matrix; prints [bytes of one handle, growth of the resident set], at its peak.
const { load, prepare, source } = require('./jobs.cjs')
const [count, dispose] = process.argv.slice(2)

async function main() {
  const addon = load()
  const corpus = source('corpus', 16_384, 256)
  const first = await prepare(addon, corpus)
  const { bytes } = first
  first.dispose()
  const before = process.memoryUsage.rss()
  let peak = before
  for (let i = 1; i < Number(count); i++) {
    const handle = await prepare(addon, corpus)
    if (dispose === 'dispose') handle.dispose()
    await new Promise(setImmediate)
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  console.log(JSON.stringify([bytes, peak - before]))
}
main()
