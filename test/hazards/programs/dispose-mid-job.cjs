// Releases a prepared corpus and its matrix while scans use them, then allocates much memory.
const { load, prepare, source, topK } = require('./jobs.cjs')

async function scans(addon) {
  const corpus = await prepare(addon, source('corpus', 60_000, 64))
  const running = [topK(addon, { corpus, queries: 1000 }), topK(addon, { corpus, queries: 1000 })]
  corpus.dispose()
  return Promise.all(running)
}

async function main() {
  const running = scans(load())
  for (let i = 0; i < 20; i++) {
    global.gc()
    new Float32Array(4_000_000).fill(NaN)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  for (const { certified, fallback } of await running)
    if (certified + fallback !== 1000) throw new Error('expected 1000 answers')
}
main()
