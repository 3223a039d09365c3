// Reads a file of a large matrix, or of many pairs: prints what turns.cjs measures.
const { join } = require('node:path')
const { longestTurn } = require('./turns.cjs')
const gemmine = require(join(__dirname, '..', '..', '..'))
const [path] = process.argv.slice(2)

const read = () =>
  path.endsWith('.tsv')
    ? gemmine.readPairs(path, { queries: 1000, corpus: 1e6 })
    : gemmine.loadMatrix(path)

async function main() {
  await gemmine.loadMatrix(__filename).catch(() => {}) // loads what reading needs
  console.log(JSON.stringify(await longestTurn(read)))
}
main()
