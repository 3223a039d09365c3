import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { arraysOf, firstColumns, toQueries } from '../data/source'
import { checkApart, outputArray } from '../data/typed-array'
import { planMemory } from '../memory'
import { nothingAsked } from '../native'
import {
  checkInteger,
  checkJob,
  checkNumber,
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
import { Neighbours } from './neighbours'
import { holderOf, keeping, scanned, type CorpusInput } from './prepare-corpus'
import {
  arraysOfChoice,
  chosenRows,
  lentOf,
  toRowChoice,
  type RowChoice,
  type RowChoiceInput,
} from './row-choice'
import { ofSmallCorpus, ofZeroVectors, type Naming, type Searched } from './search-warnings'
import { checkedSelf, type SelfRows } from './self-rows'
import { searchOnce, searchPrepared, type Search } from './shared-scan'

/** The only place where the defaults of {@link topK} are written. */
export const topKDefaults = frozen({
  /** The metric; `cosine`, or the metric of a prepared corpus, unless given. */
  metric: undefined as Metric | undefined,
  /** Corpus rows that queries must not get: a set for all, or a set or list for each; none unless given. */
  exclude: undefined as RowChoiceInput | undefined,
  /**
   * The only corpus rows that queries may get, in the same forms; all rows unless given. A query with an empty
   * list gets none.
   */
  allow: undefined as RowChoiceInput | undefined,
  /**
   * True if the queries are the corpus, so that query i does not get row i; or an array with the row that is
   * each query itself and that it does not get, [nq], −1 for none; false unless given.
   */
  excludeSelf: false as SelfRows,
  /** The lowest canonical score of an answer, itself included; none unless given. */
  minScore: undefined as number | undefined,
  /**
   * Columns that count: the first `dims` of both sides, as if the matrices had no others; all unless given. Not
   * for files. A prepared corpus has its own ({@link prepareCorpus}), and its queries may be wider.
   */
  dims: undefined as number | undefined,
  /** Arrays for the answers; new arrays unless given. */
  out: undefined as TopKOutputs | undefined,
})

/**
 * The caller's arrays for the answers. Their buffers must have a fixed size and must not overlap each other
 * or inputs; they are lent to the job ({@link DenseMatrix}).
 */
export interface TopKOutputs {
  /** [queries · k] */
  readonly indices?: Int32Array | undefined
  /** [queries · k] */
  readonly scores?: Float32Array | undefined
}

const allDefaults = { k: required, ...topKDefaults, ...jobDefaults, ...memoryDefaults }

const outputDefaults: TopKOutputs = { indices: undefined, scores: undefined }

export type TopKOptions = {
  /** Rows wanted for each query, to be given; at least 1. */
  k: number
} & Overrides<typeof topKDefaults> &
  JobOptions &
  MemoryOptions

/** Warnings about the answer to a search. */
export const topKWarnings = (found: Searched, k: number, name: Naming): string[] => [
  ...ofSmallCorpus('k', k, found, name),
  ...ofZeroVectors(found, { ofQuery: ', and the first rows are the answer' }),
]

/**
 * The k best corpus rows for each query: exact, equal scores by lower row, the same bits on every machine and
 * for any number of threads. No score matrix is made. Calls of few queries that wait for one prepared corpus
 * share a scan, with the same answers.
 *
 * @param queries [nq × d], dense or a file; no rows give an answer without rows. Lent until the promise
 *   settles: see {@link DenseMatrix}.
 * @param corpus [nc × d], dense, a file, or prepared by {@link prepareCorpus}.
 * @throws {TypeError | RangeError} if shapes disagree, k is not at least 1, or an entry is not finite.
 * @throws {GemmineError} `ERR_GEMMINE_DISPOSED` for a corpus that was disposed of, or a file that was closed.
 *
 * @example
 * const { indices, scores } = await topK(queries, corpus, { k: 10, metric: 'cosine' })
 */
export function topK(
  queries: MatrixInput,
  corpus: CorpusInput,
  given: TopKOptions,
): Promise<Neighbours> {
  return keeping(corpus, () => nearest(queries, corpus, given))
}

async function nearest(
  queries: MatrixInput,
  corpus: CorpusInput,
  given: TopKOptions,
): Promise<Neighbours> {
  const asked = checkedSearch(queries, corpus, given)
  const { source, liveRows, ids, k, matrix, handle, metric, job } = asked
  const exclude = asked.exclude instanceof Promise ? await asked.exclude : asked.exclude
  const allow = asked.allow instanceof Promise ? await asked.allow : asked.allow
  planMemory(`An answer of ${k} rows for each of ${source.rows} queries`, 8 * source.rows * k)
  const { indices, scores } = outputsOf(asked, exclude, allow)
  const loan = loanOf({
    queries: source,
    corpus: matrix,
    excludeSelf: asked.self,
    exclude: lentOf(exclude),
    allow: lentOf(allow),
  })
  const { inputs: lent, arrays } = loan instanceof Promise ? await loan : loan
  const search: Search = {
    queries: lent.queries,
    k,
    minScore: asked.minScore,
    excludeSelf: lent.excludeSelf,
    ...chosenRows({ exclude, allow }, lent),
    indices: indices.array,
    scores: scores.array,
    device: job.device,
    metric,
    job,
    arrays: asked.outputs ? { ...arrays, ...namesOf(asked.outputs) } : arrays,
  }
  const proof =
    source.rows === 0
      ? nothingAsked
      : handle
        ? await searchPrepared(handle, search)
        : await searchOnce(lent.corpus!, search)
  const warnings = topKWarnings({ queries: source.rows, corpus: liveRows, ...proof }, k, String)
  return new Neighbours({
    ...{ queries: source.rows, k, metric },
    ...{ indices: await indices.settle(), scores: await scores.settle() },
    ids: await ids?.idsOf(indices.array),
    ...proof,
    warnings,
  })
}

/** The arguments of a search, checked. */
export function checkedSearch(queries: MatrixInput, corpus: CorpusInput, given: TopKOptions) {
  const options = withDefaults(allDefaults, given)
  const { k, metric: asked, exclude, excludeSelf, allow, minScore, dims, out } = options
  const job = checkJob(options, holderOf(corpus))
  const outputs = out === undefined ? undefined : withDefaults(outputDefaults, out, 'out')
  const source = firstColumns(toQueries(queries), dims)
  const { rows, liveRows, ids, metric, matrix, handle, memory } = scanned(
    corpus,
    asked,
    source,
    'corpus',
    dims,
  )
  checkInteger('k', k, 1)
  if (minScore !== undefined) checkNumber('minScore', minScore)
  const self = checkedSelf(excludeSelf, source.rows, rows)
  return {
    source,
    rows,
    liveRows,
    ids,
    k,
    metric,
    matrix,
    handle,
    memory,
    self,
    minScore,
    job,
    outputs,
    exclude: toRowChoice('exclude', exclude, source.rows, rows),
    allow: toRowChoice('allow', allow, source.rows, rows),
  }
}

/** The caller's arrays for answers, by their names in messages. */
const namesOf = ({ indices, scores }: TopKOutputs) => ({
  'out.indices': indices,
  'out.scores': scores,
})

/** Arrays for the answers, apart from all inputs. */
export function outputsOf(
  { source, k, memory, self, outputs }: ReturnType<typeof checkedSearch>,
  exclude: RowChoice,
  allow: RowChoice,
) {
  const indices = outputArray('out.indices', outputs?.indices, Int32Array, source.rows * k)
  const scores = outputArray('out.scores', outputs?.scores, Float32Array, source.rows * k)
  if (outputs)
    checkApart(namesOf(outputs), {
      ...{ ...arraysOf(source), ...memory },
      ...{ ...arraysOfChoice('exclude', exclude), ...arraysOfChoice('allow', allow) },
      excludeSelf: typeof self === 'boolean' ? undefined : self,
    })
  return { indices, scores }
}
