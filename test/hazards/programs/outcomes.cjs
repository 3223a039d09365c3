// Runs several jobs of one kind at the same time; prints the number of jobs by outcome: { done, "<code>: …"
// }.
const { load, fit, prepare, source, topK } = require('./jobs.cjs')
const [kind, count] = process.argv.slice(2)

const jobs = {
  async fit(addon) {
    const shape = { rows: 2000, cols: 100, rank: 20 }
    return () => fit(addon, { ...shape, options: { maxIterations: 5 } })
  },
  async query(addon) {
    const corpus = await prepare(addon, source('corpus', 20_000, 64))
    return () => topK(addon, { corpus, queries: 1 })
  },
}

async function main() {
  const outcomes = {}
  const note = (outcome) => (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1)
  const ofFailure = ({ code, message }) => `${code}: ${message}`
  try {
    const run = await jobs[kind](load())
    const running = Array.from({ length: Number(count) }, () => run())
    for (const { reason } of await Promise.allSettled(running))
      note(reason === undefined ? 'done' : ofFailure(reason))
  } catch (failure) {
    note(ofFailure(failure))
  }
  console.log(JSON.stringify(outcomes))
}
main()
