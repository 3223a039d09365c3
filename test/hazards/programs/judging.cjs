// Judges candidates with a cache, and kills its own process in the middle of a batch.
//   judging.cjs <cache> <number of the batch>
const { join } = require('node:path')
const { judgeNegatives } = require(join(__dirname, '..', '..', '..'))

const [path, last] = process.argv.slice(2)
const queries = 40
const rows = Array.from({ length: queries }, (_, q) => Array.from({ length: 25 }, (_, i) => q + i))

void judgeNegatives(
  { queries, corpus: 100, rows },
  {
    score: async (pairs, { batch }) => {
      if (batch === Number(last)) process.kill(process.pid, 'SIGKILL')
      return pairs.map(({ query, row }) => ((7 * query + 3 * row) % 10) / 10)
    },
    maxScore: 0.5,
    cache: { path, fingerprint: 'sevens' },
    concurrency: 2,
    batchSize: 8,
  },
).then((judged) => console.log(JSON.stringify({ found: judged.found, asked: judged.asked })))
