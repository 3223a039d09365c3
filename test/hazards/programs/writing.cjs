// Writes a matrix whose rows have gaps: prints what turns.cjs measures.
const { join } = require('node:path')
const { longestTurn } = require('./turns.cjs')
const { writeNpy } = require(join(__dirname, '..', '..', '..'))

const [rows, cols, stride] = [20_000, 500, 600]
const data = new Float32Array(rows * stride)

longestTurn(() => writeNpy(process.argv[2], { data, rows, cols, stride })).then((turns) =>
  console.log(JSON.stringify(turns)),
)
