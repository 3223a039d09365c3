// Hard negatives for two queries over a corpus of five documents, given as an embedding service returns them.
//   node examples/mine.mjs
import { fromRows, mineHardNegatives } from 'gemmine'

const queries = fromRows([
  [1, 0, 0],
  [0, 1, 0.2],
])
const corpus = fromRows([
  [0.9, 0.1, 0],
  [0.88, 0, 0.3],
  [0.5, 0.5, 0],
  [0, 1, 0.3],
  [0.1, 0.7, 0.6],
])

const mined = await mineHardNegatives(queries, corpus, [[0], [3]], { numNegatives: 2, explain: 1 })
for (const { query, positive, negative } of mined.triplets())
  console.log({ query, positive, negative })
console.log('dropped:', mined.dropped)
