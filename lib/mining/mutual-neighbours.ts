import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { toQueries } from '../data/source'
import { handOut } from '../lending'
import { planMemory } from '../memory'
import { runJob } from '../native'
import {
  checkInteger,
  checkJob,
  frozen,
  jobDefaults,
  memoryDefaults,
  required,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import type { Metric } from './metric'
import { holderOf, keeping, scanned, type CorpusInput } from './prepare-corpus'
import { nothingFound, type FoundRows } from './range-search'
import { chosenRows, differ, lentChoices, toRowChoices, type RowChoiceInput } from './row-choice'
import { ofZeroVectors } from './search-warnings'
import { checkedSelf, type SelfRows } from './self-rows'

/** The only place where the defaults of {@link mutualNeighbours} are written. */
export const mutualNeighboursDefaults = frozen({
  /** The metric; `cosine`, or the metric of a prepared corpus, unless given. */
  metric: undefined as Metric | undefined,
  /** Corpus rows that are no neighbours of queries: a set for all, or a set or list for each; none unless given. */
  exclude: undefined as RowChoiceInput | undefined,
  /** The only corpus rows that may be neighbours of queries, in the same forms; all rows unless given. */
  allow: undefined as RowChoiceInput | undefined,
  /**
   * True if the queries are the corpus, so that row i is no neighbour of query i; or an array with the row
   * that is each query itself, [nq], −1 for none; false unless given.
   */
  excludeSelf: false as SelfRows,
})

export type MutualNeighboursOptions = {
  /** Number of best rows of the other side that count as neighbours, to be given; at least 1. */
  k: number
} & Overrides<typeof mutualNeighboursDefaults> &
  JobOptions &
  MemoryOptions

/** In the form of `rangeSearch`: the pairs of query i are at indptr[i] .. indptr[i + 1] − 1, best first. */
export interface MutualNeighbours extends Omit<FoundRows, 'certified' | 'fallback'> {
  /** Number of best rows of the other side that count as neighbours. */
  readonly k: number
  /** Lists of neighbours (of a query or a corpus row) that the certificate proved without a rescan. */
  readonly certified: number
  /** Such lists that were scanned again in float64; `certified + fallback` is all queries and corpus rows. */
  readonly fallback: number
}

/**
 * The pairs of a query and a corpus row in which each is among the k best of the other: for example
 * translations, duplicates in two collections, or edges of a mutual nearest-neighbour graph. Exact, equal
 * scores by lower row, the same bits on every machine and for any number of threads. Scores are computed once
 * for both sides.
 *
 * @param queries [nq × d], dense or a file; no rows give no pairs. Lent until the promise settles: see
 *   {@link DenseMatrix}.
 * @param corpus [nc × d], dense, a file, or prepared by `prepareCorpus`.
 * @throws {TypeError | RangeError} if shapes disagree, k is not at least 1, or an entry is not finite.
 * @throws {GemmineError} `ERR_GEMMINE_DISPOSED` for a corpus that was disposed of, or a file that was closed.
 *
 * @example
 * const { indptr, indices } = await mutualNeighbours(english, german, { k: 1 })
 * const translationOfSentence7 = indices[indptr[7]] // undefined where indptr[8] is no more
 */
export function mutualNeighbours(
  queries: MatrixInput,
  corpus: CorpusInput,
  given: MutualNeighboursOptions,
): Promise<MutualNeighbours> {
  return keeping(corpus, () => mutualPairs(queries, corpus, given))
}

async function mutualPairs(
  queries: MatrixInput,
  corpus: CorpusInput,
  given: MutualNeighboursOptions,
): Promise<MutualNeighbours> {
  const { k, exclude, excludeSelf, allow, ...rest } = withDefaults(
    { k: required, ...mutualNeighboursDefaults, ...jobDefaults, ...memoryDefaults },
    given,
  )
  const { metric: asked, ...jobOptions } = rest
  const { device, ...job } = checkJob(jobOptions, holderOf(corpus))
  const source = toQueries(queries)
  const { rows, liveRows, metric, matrix, handle } = scanned(corpus, asked, source)
  checkInteger('k', k, 1)
  const self = checkedSelf(excludeSelf, source.rows, rows)
  const both = toRowChoices({ exclude, allow }, source.rows, rows)
  const choices = both instanceof Promise ? await both : both
  const kept = source.rows * Math.min(k, rows) + rows * Math.min(k, source.rows)
  planMemory(
    `${k} neighbours of ${source.rows} queries and of ${rows} corpus rows`,
    16 * kept + (differ(choices) ? (source.rows * rows) / 4 : 0),
    job.memoryBudget,
  )
  const loan = loanOf({
    ...{ queries: source, corpus: matrix, excludeSelf: self },
    ...lentChoices(choices),
  })
  const { inputs: lent, arrays } = loan instanceof Promise ? await loan : loan
  const options = {
    ...{ device, metric, k, excludeSelf: lent.excludeSelf },
    ...chosenRows(choices, lent),
  }
  const found =
    source.rows === 0
      ? { ...nothingFound(), certified: rows }
      : await runJob(job, arrays, (addon, control) =>
          addon.mutualNeighbours(lent.queries, handle ?? lent.corpus!, options, control),
        )
  for (const array of [found.indptr, found.indices, found.scores]) handOut(array)
  const sizes = { queries: source.rows, corpus: liveRows, ...found }
  const warnings = ofZeroVectors(sizes, {
    ofQuery: ', and the first rows count as its neighbours',
    ofRow: ', and the first queries count as its neighbours',
  })
  return { queries: source.rows, k, metric, ...found, warnings }
}
