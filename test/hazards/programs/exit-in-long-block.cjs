// Ends the process during a block that no flag stops: a basis of many rows is made orthonormal.
const { load, control, matrix, source } = require('./jobs.cjs')
const side = 2500

const options = { device: 'cpu', rank: side, oversamples: 0, powerIterations: 0, seed: 1 }
const [U, V] = [matrix(side, side), matrix(side, side)]
load()
  .truncatedSvd(source('X', side, side), options, U, new Float64Array(side), V, control())
  .then(() => console.log('done'))
setTimeout(() => {
  console.log(Date.now())
  process.exit(7)
}, 1500)
