import { isInt32Array } from 'node:util/types'
import { toRowLists, type RowLists, type RowListsInput } from '../data/row-lists'
import { inTurns } from '../data/slices'
import { invalid } from '../errors'
import { handOut } from '../lending'
import type { Neighbours } from './neighbours'
import { checkInteger, frozen, required, withDefaults, type Overrides } from '../options'

/** The only place where the defaults of {@link downsample} are written. */
export const downsampleDefaults = frozen({
  /** Rows of each run that each query keeps, the first ones; 250 unless given. */
  depth: 250,
})

export type DownsampleOptions = {
  /** Number of rows of the whole corpus, to be given. */
  corpusRows: number
} & Overrides<typeof downsampleDefaults>

/** What a search found for each query, best first: lists of rows in any form, or an answer of `topK`. */
export type Run = RowListsInput | Pick<Neighbours, 'queries' | 'k' | 'indices'>

/** A smaller corpus, and the positives in its numbering. */
export interface DownsampledCorpus {
  /** The rows that are kept, numbered as in the whole corpus, ascending: new row i is old row rows[i]. */
  readonly rows: Int32Array
  /** The positives of each query as rows of the smaller corpus, ascending, each once. */
  readonly positives: RowLists
}

const isAnswer = (run: Run): run is Pick<Neighbours, 'queries' | 'k' | 'indices'> =>
  typeof run === 'object' && run !== null && 'k' in run && isInt32Array(run.indices)

/** The rows of an answer without its padding, which is behind the rows of each query. */
const listsOf = ({ queries, k, indices }: Pick<Neighbours, 'queries' | 'k' | 'indices'>) =>
  inTurns<RowLists>(function* (slice) {
    const indptr = new Int32Array(queries + 1)
    const rows = new Int32Array(indices.length)
    let count = 0
    for (let query = 0; query < queries; query++) {
      for (let t = query * k; t < (query + 1) * k; t++)
        if (indices[t] !== -1) rows[count++] = indices[t]!
      indptr[query + 1] = count
      if (slice.spend(k)) yield
    }
    return { indptr, indices: rows.subarray(0, count) }
  })

/** Number of queries of lists in any form. */
export const queriesOf = (name: string, lists: RowListsInput): number => {
  if (isInt32Array(lists) || Array.isArray(lists)) return lists.length
  const { indptr } = (lists ?? {}) as Partial<RowLists>
  if (!isInt32Array(indptr) || indptr.length === 0)
    throw invalid(
      name,
      'an array of rows for each query, an Int32Array, or { indptr, indices }',
      lists,
    )
  return indptr.length - 1
}

/** Marks the first `depth` rows of each list. */
const mark = (name: string, { indptr, indices }: RowLists, depth: number, kept: Uint8Array) =>
  inTurns<void>(function* (slice) {
    for (let query = 0; query + 1 < indptr.length; query++) {
      const [begin, end] = [indptr[query]!, indptr[query + 1]!]
      if (!(begin >= 0 && end >= begin && end <= indices.length))
        throw invalid(`${name}.indptr[${query + 1}]`, `a start in ${begin}..${indices.length}`, end)
      for (let t = begin; t < Math.min(end, begin + depth); t++) {
        const row = indices[t]!
        if (!(row >= 0 && row < kept.length))
          throw invalid(`${name}.indices[${t}]`, `a corpus row in 0..${kept.length - 1}`, row)
        kept[row] = 1
        if (slice.spend(1)) yield
      }
      if (slice.spend(1)) yield
    }
  })

/** Lists in the new numbering, ascending, each row once. */
const renumbered = ({ indptr, indices }: RowLists, numbers: Int32Array) =>
  inTurns<RowLists>(function* (slice) {
    const starts = handOut(new Int32Array(indptr.length))
    const all: number[] = []
    for (let query = 0; query + 1 < indptr.length; query++) {
      const own = indices.subarray(indptr[query], indptr[query + 1])
      const rows = [...new Set(Array.from(own, (row) => numbers[row]!))].sort((a, b) => a - b)
      for (const row of rows) all.push(row)
      starts[query + 1] = all.length
      if (slice.spend(8 * own.length + 1)) yield
    }
    return { indptr: starts, indices: handOut(Int32Array.from(all)) }
  })

/**
 * Makes a smaller corpus for the evaluation of retrieval from the runs of several searches: it keeps all
 * positives, and the first `depth` rows of every query in every run. Scores on it order models nearly as
 * scores on the whole corpus do. The HardNegatives tasks of MTEB are made in this way, of the 250 best of
 * BM25, e5-multilingual-large and e5-mistral-7b-instruct for each query.
 *
 * @param runs What each search found for the queries of `positives`. Lists of `readPairs` are no runs, because
 *   their rows ascend.
 * @param positives Corpus rows that belong to each query, for the same queries.
 * @throws {TypeError | RangeError} naming the list, row and value that is wrong.
 * @see Enevoldsen et al. (2025), "MMTEB: Massive Multilingual Text Embedding Benchmark", on downsampling
 *
 * @example
 * const dense = await topK(queries, corpus, { k: 250 })
 * const { rows, positives } = await downsample([dense, bm25], qrels, { corpusRows: 8_841_823 })
 */
export async function downsample(
  runs: readonly Run[],
  positives: RowListsInput,
  given: DownsampleOptions,
): Promise<DownsampledCorpus> {
  const { corpusRows, depth } = withDefaults({ corpusRows: required, ...downsampleDefaults }, given)
  checkInteger('corpusRows', corpusRows, 1, 2 ** 31 - 1)
  checkInteger('depth', depth, 0)
  if (!Array.isArray(runs)) throw invalid('runs', 'an array of runs, each lists of rows', runs)
  const queries = queriesOf('positives', positives)
  const kept = new Uint8Array(corpusRows)
  const relevant = await toRowLists('positives', positives, queries, corpusRows)
  await mark('positives', relevant, Infinity, kept)
  for (const [i, run] of (runs as readonly Run[]).entries()) {
    const name = `runs[${i}]`
    const lists = isAnswer(run) ? await listsOf(run) : run
    await mark(name, await toRowLists(name, lists, queries, corpusRows), depth, kept)
  }
  const numbers = new Int32Array(corpusRows).fill(-1)
  const rows: number[] = []
  await inTurns<void>(function* (slice) {
    for (let row = 0; row < corpusRows; row++) {
      if (kept[row]) numbers[row] = rows.push(row) - 1
      if (slice.spend(1)) yield
    }
  })
  return { rows: handOut(Int32Array.from(rows)), positives: await renumbered(relevant, numbers) }
}
