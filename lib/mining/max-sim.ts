import { loanOf } from '../data/loan'
import { inSlices } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { isInt32Array } from 'node:util/types'
import type { MatrixInput } from '../data/matrix'
import { toQueries } from '../data/source'
import { invalid, invalidText } from '../errors'
import { planMemory } from '../memory'
import { nothingAsked, runJob } from '../native'
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
import { chosenRows, lentChoices, toRowChoices, type RowChoiceInput } from './row-choice'
import { ofFewDocuments, ofZeroTokens } from './search-warnings'

/** The only place where the defaults of {@link maxSim} are written. */
export const maxSimDefaults = frozen({
  /** The metric of two tokens; `cosine`, or the metric of prepared documents, unless given. */
  metric: undefined as Metric | undefined,
  /** Documents that queries must not get: a set for all, or a set or list for each; none unless given. */
  exclude: undefined as RowChoiceInput | undefined,
  /** The only documents that queries may get, in the same forms; all documents unless given. */
  allow: undefined as RowChoiceInput | undefined,
})

export type MaxSimOptions = {
  /** Documents wanted for each query, to be given; at least 1. */
  k: number
} & Overrides<typeof maxSimDefaults> &
  JobOptions &
  MemoryOptions

/**
 * Texts with several vectors each, such as one vector per token; the vectors of all texts are in one matrix,
 * in order.
 */
export interface MultiVectors<Tokens = MatrixInput> {
  /** Token vectors, [tokens × d], dense or a file. */
  readonly tokens: Tokens
  /**
   * Start of each text's tokens, then the number of all tokens: text i has the rows `starts[i]`..`starts[i +
   * 1] - 1`, possibly none, [texts + 1].
   */
  readonly starts: Int32Array | readonly number[]
}

export interface RankedDocuments {
  /** Number of queries. */
  readonly queries: number
  /** Slots for each query. */
  readonly k: number
  /** Metric of two tokens. */
  readonly metric: Metric
  /** Documents, best first, [queries × k]; −1 if fewer than k documents have tokens. */
  readonly indices: Int32Array
  /** Sums of maxima rounded to float32, [queries × k]; NaN if fewer than k documents have tokens. */
  readonly scores: Float32Array
  /** Queries with an answer that the certificate proved without a rescan. */
  readonly certified: number
  /** Queries that were scanned again in float64; `certified + fallback` is all of them. */
  readonly fallback: number
  /** Tokens of queries that are zero vectors, whose cosine is 0 with every token; 0 for the other metrics. */
  readonly zeroQueryTokens: number
  /** The same of the documents' tokens. */
  readonly zeroDocumentTokens: number
  /** Time inside the scan, in seconds. */
  readonly seconds: number
  /** Complete sentences about zero vectors, and about a `k` above the documents. */
  readonly warnings: readonly string[]
}

/**
 * The k best documents for each query by late interaction (the score of ColBERT): the sum, over the query's
 * tokens, of the highest score with a token of the document. Exact: the maxima are canonical float64 scores,
 * added in the order of the query's tokens; equal scores by lower document; the same bits on every machine
 * and for any number of threads. No score matrix is made.
 *
 * @param queries Token vectors and the start of each query. Borrowed until the promise settles. A query
 *   without tokens scores 0 with every document; no queries give an answer without rows.
 * @param documents The same for documents; `prepareCorpus` may have prepared the tokens. A document without
 *   tokens is never found.
 * @throws {TypeError | RangeError} if shapes disagree, starts do not ascend from 0 to the number of
 *   tokens, k is not at least 1, or an entry is not finite.
 * @throws {GemmineError} `ERR_GEMMINE_DISPOSED` for tokens that were disposed of, or a file that was closed.
 * @see Khattab & Zaharia (2020), "ColBERT: Efficient and Effective Passage Search via Contextualized Late
 *   Interaction over BERT", arXiv 2004.12832
 *
 * @example
 * const documents = { tokens: { data, rows: 5, cols: 128 }, starts: [0, 3, 5] } // of 3 and 2 tokens
 * const { indices, scores } = await maxSim(queries, documents, { k: 2 })
 */
export function maxSim(
  queries: MultiVectors,
  documents: MultiVectors<CorpusInput>,
  given: MaxSimOptions,
): Promise<RankedDocuments> {
  return keeping(documents?.tokens, () => rankedDocuments(queries, documents, given))
}

async function rankedDocuments(
  queries: MultiVectors,
  documents: MultiVectors<CorpusInput>,
  given: MaxSimOptions,
): Promise<RankedDocuments> {
  const {
    k,
    metric: asked,
    exclude,
    allow,
    ...rest
  } = withDefaults({ k: required, ...maxSimDefaults, ...jobDefaults, ...memoryDefaults }, given)
  checkMultiVectors('queries', queries)
  checkMultiVectors('documents', documents)
  const { device, ...job } = checkJob(rest, holderOf(documents.tokens))
  const source = toQueries(queries.tokens, 'queries.tokens')
  const { rows, liveRows, metric, matrix, handle } = scanned(
    documents.tokens,
    asked,
    source,
    'documents.tokens',
  )
  const ofQueries = toStarts('queries.starts', queries.starts, source.rows, 0)
  const queryStarts = ofQueries instanceof Promise ? await ofQueries : ofQueries
  const ofDocuments = toStarts('documents.starts', documents.starts, rows, 1)
  const documentStarts = ofDocuments instanceof Promise ? await ofDocuments : ofDocuments
  const count = queryStarts.length - 1
  if (source.rows === 0 && count > 0)
    throw invalidText('queries.tokens', 'the tokens of some query', 'none', RangeError)
  checkInteger('k', k, 1)
  planMemory(`An answer of ${k} documents for each of ${count} queries`, 8 * count * k)
  const indices = resultArray(Int32Array, count * k)
  const scores = resultArray(Float32Array, count * k)
  const both = toRowChoices({ exclude, allow }, count, documentStarts.length - 1)
  const choices = both instanceof Promise ? await both : both
  const loan = loanOf({
    ...{ 'queries.tokens': source, 'documents.tokens': matrix },
    ...lentChoices(choices),
  })
  const { inputs: lent, arrays } = loan instanceof Promise ? await loan : loan
  const options = {
    ...{ device, metric, k, queryStarts, documentStarts },
    ...chosenRows(choices, lent),
  }
  const [tokens, out] = [lent['queries.tokens'], [indices, scores] as const]
  const { zeroQueries, zeroRows, ...proof } =
    count === 0
      ? nothingAsked
      : await runJob(job, arrays, (addon, control) =>
          addon.maxSim(tokens, handle ?? lent['documents.tokens']!, options, ...out, control),
        )
  const warnings = [
    ...(count === 0 ? [] : ofFewDocuments(k, documentStarts.length - 1)),
    ...ofZeroTokens('query', zeroQueries, source.rows),
    ...ofZeroTokens('document', zeroRows, liveRows),
  ]
  const zeros = { zeroQueryTokens: zeroQueries, zeroDocumentTokens: zeroRows }
  return { queries: count, k, metric, indices, scores, ...proof, ...zeros, warnings }
}

function checkMultiVectors(name: string, given: unknown): asserts given is MultiVectors<unknown> {
  const isObject = typeof given === 'object' && given !== null
  if (isObject && 'tokens' in given && 'starts' in given) return
  const expected = 'token vectors and where those of each text begin, { tokens, starts }'
  if (isObject && 'data' in given) throw invalidText(name, expected, 'a matrix without starts')
  throw invalid(name, expected, given)
}

/** Starts to check without a pause; they take a fraction of a millisecond. */
const startsAtOnce = 1 << 16

/** A checked copy, which cannot change while a job runs. A promise only if there are many starts. */
function toStarts(
  name: string,
  given: unknown,
  tokens: number,
  fewest: number,
): Int32Array | Promise<Int32Array> {
  if (!isInt32Array(given) && !Array.isArray(given))
    throw invalid(name, 'an Int32Array or an array of integers', given)
  const { length } = given
  if (length < fewest + 1)
    throw invalidText(name, `at least ${fewest + 1}, one more than texts`, `${length}`, RangeError)
  const starts = new Int32Array(length)
  const take = (begin: number, end: number) => {
    for (let i = begin; i < end; i++) {
      const start: unknown = given[i]
      const [low, high] = i === 0 ? [0, 0] : [starts[i - 1]!, tokens]
      if (!(Number.isInteger(start) && (start as number) >= low && (start as number) <= high))
        checkInteger(`${name}[${i}]`, start, low, high)
      starts[i] = start as number
    }
  }
  const taken = () => {
    const last = starts[length - 1]!
    if (last === tokens) return starts
    throw invalid(`${name}[${length - 1}]`, `${tokens}, the number of tokens`, last)
  }
  if (length > startsAtOnce) return inSlices(length, take, startsAtOnce).then(taken)
  take(0, length)
  return taken()
}
