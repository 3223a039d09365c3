// The arrays that the addon fills.
import { resultArray } from '../data/typed-array'

export const minedArrays = (queries: number, numNegatives: number) => ({
  indices: resultArray(Int32Array, queries * numNegatives),
  scores: resultArray(Float32Array, queries * numNegatives),
  counts: resultArray(Int32Array, queries),
  ranks: resultArray(Int32Array, queries * numNegatives),
})

export const positiveArrays = (pairs: number, all: number) => ({
  positiveStarts: resultArray(Int32Array, all + 1),
  positiveRows: resultArray(Int32Array, pairs),
  positiveScores: resultArray(Float64Array, pairs),
})
