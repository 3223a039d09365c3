// The arrays that the addon fills, and the sums of their counts.
import { inSlices } from '../data/slices'
import { resultArray } from '../data/typed-array'
import type { MinedNegatives } from './mined-negatives'

export const minedArrays = (lists: number, numNegatives: number, beside = false) => ({
  indices: resultArray(Int32Array, lists * numNegatives),
  scores: resultArray(Float32Array, lists * numNegatives),
  counts: resultArray(Int32Array, lists),
  ranks: resultArray(Int32Array, lists * numNegatives),
  sources: beside ? resultArray(Uint8Array, lists * numNegatives) : undefined,
})

/** The first lists of arrays that had room for more. */
export const firstLists = (
  { indices, scores, counts, ranks, sources }: ReturnType<typeof minedArrays>,
  lists: number,
  numNegatives: number,
) => ({
  indices: indices.subarray(0, lists * numNegatives),
  scores: scores.subarray(0, lists * numNegatives),
  counts: counts.subarray(0, lists),
  ranks: ranks.subarray(0, lists * numNegatives),
  sources: sources?.subarray(0, lists * numNegatives),
})

export const positiveArrays = (pairs: number, all: number) => ({
  positiveStarts: resultArray(Int32Array, all + 1),
  positiveRows: resultArray(Int32Array, pairs),
  positiveScores: resultArray(Float64Array, pairs),
})

export type SummedCounts = Pick<MinedNegatives, 'found' | 'served' | 'shortfall'>

/** The sums over the lists that a result holds beside the counts of each list. */
export async function summedCounts(
  counts: Int32Array,
  numNegatives: number,
): Promise<SummedCounts> {
  let [found, served, shortfall] = [0, 0, 0]
  await inSlices(counts.length, (begin, end) => {
    for (let query = begin; query < end; query++) {
      const count = counts[query]!
      found += count
      served += Number(count > 0)
      shortfall += Number(count < numNegatives)
    }
  })
  return { found, served, shortfall }
}
