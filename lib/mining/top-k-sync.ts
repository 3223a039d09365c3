import type { MatrixInput } from '../data/matrix'
import { invalid, invalidText } from '../errors'
import { callNative, nothingAsked } from '../native'
import { required, withDefaults, type Overrides } from '../options'
import { Neighbours } from './neighbours'
import type { CorpusInput } from './prepare-corpus'
import { chosenRows, lentChoices, type RowChoice } from './row-choice'
import { checkedSearch, outputsOf, topKDefaults, topKWarnings, type TopKOptions } from './top-k'

/**
 * Products of a query's and a row's entry that {@link topKSync} computes at most: queries · rows · columns. Some
 * ten milliseconds, in which nothing else runs on the event loop.
 */
export const mostSyncProducts = 2 ** 26

export type TopKSyncOptions = {
  /** Rows wanted for each query, to be given; at least 1. */
  k: number
} & Overrides<typeof topKDefaults>

const waits = (name: string) =>
  invalidText(
    name,
    'a RowSet, a bitmap, or { indptr, indices }, because topKSync cannot wait',
    'lists that are copied in pieces',
  )

function now(name: string, choice: RowChoice | Promise<RowChoice>): RowChoice {
  if (!(choice instanceof Promise)) return choice
  choice.catch(() => {})
  throw waits(name)
}

/**
 * The same answer as {@link topK}, computed at once on the calling thread: for tiny searches, where a promise and
 * a job thread would take longer than the search. It has no signal, no progress and no other thread, and the
 * event loop stands still while it runs.
 *
 * @throws {RangeError} if queries · rows · columns is above {@link mostSyncProducts}; and as topK throws.
 *
 * @example
 * const { indices } = topKSync(query, corpus, { k: 10 })
 */
export function topKSync(
  queries: MatrixInput,
  corpus: CorpusInput,
  given: TopKSyncOptions,
): Neighbours {
  const options: TopKOptions = withDefaults({ k: required, ...topKDefaults }, given)
  const asked = checkedSearch(queries, corpus, options)
  const { source, rows, liveRows, ids, k, matrix, handle, self, job, metric, minScore } = asked
  const products = source.rows * rows * source.cols
  if (products > mostSyncProducts)
    throw invalid(
      'queries',
      `at most ${mostSyncProducts} products of queries, rows and columns for topKSync; topK has no such limit`,
      products,
    )
  const exclude = now('exclude', asked.exclude)
  const allow = now('allow', asked.allow)
  const { indices, scores } = outputsOf(asked, exclude, allow)
  const search = {
    ...{ device: job.device, metric, k, minScore, excludeSelf: self },
    ...chosenRows({ exclude, allow }, lentChoices({ exclude, allow })),
  }
  const proof =
    source.rows === 0
      ? nothingAsked
      : callNative((addon) =>
          addon.topKSync(source, handle ?? matrix!, search, indices.own, scores.own),
        )
  return new Neighbours({
    ...{ queries: source.rows, k, metric, indices: indices.own, scores: scores.own },
    ids: ids?.idsNow(indices.own),
    ...proof,
    warnings: topKWarnings({ queries: source.rows, corpus: liveRows, ...proof }, k, String),
  })
}
