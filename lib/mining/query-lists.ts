// The lists of negatives of a job: one for each query, or with the reference `each` one for each positive.
import { filled } from '../data/pieces'
import type { RowLists } from '../data/row-lists'
import { inTurns } from '../data/slices'
import { handOut } from '../lending'
import type { NativeLists } from '../native'
import type { JointReferenceName, ReferenceName } from './mining-options'
import type { PositiveScores } from './score-positives'

/**
 * The first list of each query with the reference `each`, [queries + 1]: one for each of its positives, or
 * one for a query without.
 */
export const listStartsOf = ({ indptr }: RowLists): Promise<Int32Array> =>
  inTurns(function* (slice) {
    const starts = handOut(new Int32Array(indptr.length))
    for (let q = 0; q + 1 < indptr.length; q++) {
      starts[q + 1] = starts[q]! + Math.max(1, indptr[q + 1]! - indptr[q]!)
      if (slice.spend(1)) yield
    }
    return starts
  })

/** Lists of a range of queries at most; positives that are listed twice count twice. */
export const mostLists = (
  reference: string,
  { indptr, indices }: RowLists,
  { firstQuery, queryCount }: { readonly firstQuery: number; readonly queryCount: number },
): Promise<number> =>
  inTurns(function* (slice) {
    if (reference !== 'each') return queryCount
    let lists = 0
    for (let q = firstQuery; q < firstQuery + queryCount; q++) {
      lists += Math.max(1, indptr[q + 1]! - indptr[q]!)
      if (slice.spend(1)) yield
    }
    // The starts are not checked yet.
    return Math.min(lists, queryCount + indices.length)
  })

/** The list of every positive, and of every query without. */
async function listsOfPositives({ positives, scores }: PositiveScores): Promise<NativeLists> {
  const { indptr, indices } = positives
  const starts = await listStartsOf(positives)
  const lists = starts.at(-1)!
  const references = await filled(Float64Array, lists, NaN)
  const listQueries = new Int32Array(lists)
  const listPositives = await filled(Int32Array, lists, -1)
  await inTurns(function* (slice) {
    for (let q = 0; q + 1 < indptr.length; q++) {
      const [begin, end] = [indptr[q]!, indptr[q + 1]!]
      listQueries.fill(q, starts[q], starts[q + 1])
      listPositives.set(indices.subarray(begin, end), starts[q])
      references.set(scores.subarray(begin, end), starts[q])
      if (slice.spend(16 + end - begin)) yield
    }
  })
  return { references, listQueries, listPositives }
}

/** One score of each query, NaN for one without positives; means add in the order of rows. */
async function jointReferencesOf(
  { positives, scores, queries }: PositiveScores,
  reference: JointReferenceName,
): Promise<Float64Array> {
  const references = await filled(Float64Array, queries, NaN)
  const better = {
    min: (score: number, best: number) => (score < best ? score : best),
    max: (score: number, best: number) => (score > best ? score : best),
    mean: (score: number, sum: number) => sum + score,
  }[reference]
  await inTurns(function* (slice) {
    for (let q = 0; q < queries; q++) {
      const [begin, end] = [positives.indptr[q]!, positives.indptr[q + 1]!]
      if (slice.spend(4)) yield
      if (begin === end) continue
      let found = scores[begin]!
      for (let t = begin + 1; t < end; t++) {
        if (slice.spend(1)) yield
        found = better(scores[t]!, found)
      }
      references[q] = reference === 'mean' ? found / (end - begin) : found
    }
  })
  return references
}

/** The lists of a job on a corpus in parts, with their reference scores. */
export const referencesOf = async (
  scores: PositiveScores,
  reference: ReferenceName,
): Promise<NativeLists> =>
  reference === 'each'
    ? listsOfPositives(scores)
    : { references: await jointReferencesOf(scores, reference) }
