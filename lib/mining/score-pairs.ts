// Scores of listed pairs by a scorer of the caller.
import { throwIfAborted } from '../cancellation'
import { joined } from '../data/pieces'
import type { RowLists } from '../data/row-lists'
import { judgedExtent, judgeSource, type CandidateLists } from './judge-source'
import type { NegativeLists } from './negative-lists'
import { checkScorer, settleScorer, type ScorerOptions } from './scorer-options'
import { withScorer } from './scorer-session'

/** Scores of listed pairs. */
export interface PairScores extends RowLists {
  /** [queries + 1]: the pairs of query i are at indptr[i] .. indptr[i + 1] − 1. */
  readonly indptr: Int32Array
  /** Rows in the order of the lists, each once. */
  readonly indices: Int32Array
  /** The scorer's scores, parallel to `indices`; NaN where it gave none. */
  readonly scores: Float64Array
  /** Pairs that the scorer was asked about in this run; the others were in the cache. */
  readonly asked: number
}

/**
 * Asks a scorer of the caller about all listed pairs, with the batches, retries and cache of
 * {@link judgeNegatives}, for example to make the scores that {@link curEmbeddings} needs.
 *
 * @param candidates Lists of rows for each query; positives that are given with them are left out.
 * @throws {TypeError | RangeError} naming the wrong argument and value.
 * @throws {GemmineError} as {@link judgeNegatives}.
 *
 * @example
 * const rows = [
 *   [0, 1, 2],
 *   [2, 3],
 * ]
 * const { scores } = await scorePairs(
 *   { queries: 2, corpus: 4, rows },
 *   { score: async (pairs) => pairs.map(({ query, row }) => query - row) },
 * )
 */
export async function scorePairs(
  candidates: NegativeLists | CandidateLists,
  given: ScorerOptions,
): Promise<PairScores> {
  const options = settleScorer(given)
  checkScorer(options, judgedExtent(candidates))
  throwIfAborted(options.signal)
  const source = await judgeSource(candidates)
  const { indptr, indices } = source.candidates
  return withScorer(source, options, async (session) => {
    const { pairs } = session
    session.expect(indices.length)
    await session.ask(indices.length, (i) => pairs.firstCandidate + i)
    const scores = await joined([pairs.scores.subarray(pairs.firstCandidate)], Float64Array)
    return { indptr, indices, scores, asked: session.asked }
  })
}
