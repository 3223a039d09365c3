// Late interaction over many documents of one token each: prints what turns.cjs measures.
const { join } = require('node:path')
const { longestTurn } = require('./turns.cjs')
const { maxSim } = require(join(__dirname, '..', '..', '..'))

const ones = (rows) => ({ data: new Float32Array(rows).fill(1), rows, cols: 1 })

async function main() {
  const rows = 1.5e6
  const starts = Int32Array.from({ length: rows + 1 }, (_, i) => i)
  const queries = { tokens: ones(1), starts: [0, 1] }
  const documents = { tokens: ones(rows), starts }
  await maxSim(queries, queries, { k: 1 })
  console.log(JSON.stringify(await longestTurn(() => maxSim(queries, documents, { k: 1 }))))
}
main()
