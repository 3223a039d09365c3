// Runs one factorization; prints [bytes planned, growth of the resident set at its peak].
const { join } = require('node:path')
const { noise } = require('./jobs.cjs')
const dist = join(__dirname, '..', '..', '..', 'dist')
const { kmeans, nmf, semiNmf } = require(dist)
const { fitBytes, kmeansBytes } = require(join(dist, 'factorization', 'memory.js'))

const jobs = {
  kmeans: (X, rank) => kmeans(X, { clusters: rank, iterations: 2 }),
  nmf: (X, rank) => nmf(X, { rank, iterations: 2 }),
  'semi-nmf': (X, rank) => semiNmf(X, { rank, iterations: 2 }),
}
const plans = {
  kmeans: kmeansBytes,
  nmf: (X, rank) => fitBytes(X, { rank, init: 'nndsvda', solver: 'hals' }),
  'semi-nmf': (X, rank) => fitBytes(X, { rank, init: 'kmeans', solver: 'hals' }),
}

async function main() {
  const [job, ...sides] = process.argv.slice(2)
  const [rows, cols, rank] = sides.map(Number)
  const X = { data: noise(rows * cols).map(Math.abs), rows, cols, type: 'float32' }
  const before = process.memoryUsage.rss()
  await jobs[job](X, rank)
  console.log(JSON.stringify([plans[job](X, rank), process.resourceUsage().maxRSS * 1024 - before]))
}
main()
