// Semi-NMF of a matrix of any sign: parts that add up, with codes that are never negative.
//   node examples/factorize.mjs
import { semiNmf } from 'gemmine'

const [rows, cols] = [500, 32]
const data = Float32Array.from(
  { length: rows * cols },
  (_, i) => Math.sin(i * i * 0.37) / 4 + Math.cos(Math.floor(i / cols) + (i % cols) * 1.7),
)

const model = await semiNmf({ data, rows, cols }, { rank: 4, seed: 1 })
console.log(`relative error ${model.relativeError.toFixed(4)} after ${model.iterations} iterations`)

const { W } = await model.transform({ data: data.subarray(0, 3 * cols), rows: 3, cols })
console.log(
  'codes of the first three rows:',
  Array.from(W.data, (value) => value.toFixed(2)).join(' '),
)
