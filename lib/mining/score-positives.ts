import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { joined, mapped } from '../data/pieces'
import { toRowLists, type RowLists, type RowListsInput } from '../data/row-lists'
import { inTurns, type Slice } from '../data/slices'
import { toQueries } from '../data/source'
import { detached, handOut } from '../lending'
import { runJob, type Addon, type JobControl } from '../native'
import {
  checkJob,
  frozen,
  jobDefaults,
  required,
  withDefaults,
  type JobOptions,
  type Overrides,
} from '../options'
import {
  checkAlike,
  checkParts,
  checkRange,
  inOrder,
  listsWithin,
  shardRows,
  type CorpusRange,
} from './corpus-shard'
import type { Metric } from './metric'
import { minedArrays, positiveArrays } from './mined-arrays'
import type { CorpusInput } from './prepare-corpus'
import { fingerprintOf } from './query-shard'

/** The only place where the defaults of {@link scorePositives} are written. */
export const scorePositivesDefaults = frozen({
  /** The metric; `cosine`, or that for which the shard was prepared, unless given. */
  metric: undefined as Metric | undefined,
})

export type ScorePositivesOptions = {
  /** The first row of the shard among all rows of the corpus, to be given. */
  firstRow: number
  /** Rows of the whole corpus, to be given. */
  corpusRows: number
} & Overrides<typeof scorePositivesDefaults> &
  JobOptions

/** Scores of the positives that lie in a shard of a corpus, or in all of it: plain data, to be sent about. */
export interface PositiveScores extends CorpusRange {
  /** Number of queries. */
  readonly queries: number
  /** Columns of either side. */
  readonly dimensions: number
  /** How scores were computed. */
  readonly metric: Metric
  /** Positives within the rows, numbered as in the whole corpus: ascending and unique for each query. */
  readonly positives: RowLists
  /** Canonical scores of `positives.indices`, in float64. */
  readonly scores: Float64Array
  /** Of the queries and of all positives: the shards of one job have the same. */
  readonly fingerprint: string
}

/** One number of a rule that no query is asked about. */
const idle = {
  numNegatives: 1,
  reference: 'min',
  skipRanks: 0,
  skipSurvivors: 0,
  sampling: 'top',
  pool: 1,
  seed: 0,
  explain: 0,
} as const

/**
 * The first stage of mining a corpus in shards: scores the positives that lie in one shard. A machine needs
 * the rows of its shard only. {@link mergePositiveScores} puts the scores of all shards together, and
 * {@link mineCorpusShard} is the second stage.
 *
 * @param queries [nq × d], all of them, dense or a file. Lent until the promise settles.
 * @param corpus [rows × d], rows firstRow .. firstRow + rows − 1 of the corpus, dense, a file or prepared; a
 *   shard may have no rows.
 * @param positives Of each query, rows of the whole corpus, as for {@link mineHardNegatives}.
 * @throws {TypeError | RangeError} naming the argument, row and value that is wrong.
 */
export async function scorePositives(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: RowListsInput,
  given: ScorePositivesOptions,
): Promise<PositiveScores> {
  const { firstRow, corpusRows, metric, ...rest } = withDefaults(
    { firstRow: required, corpusRows: required, ...scorePositivesDefaults, ...jobDefaults },
    given,
  )
  const { device, ...job } = checkJob(rest)
  const source = toQueries(queries)
  const target = shardRows(corpus, metric, source)
  const range = { firstRow, rows: target.rows, corpusRows }
  checkRange(range)
  const all = await toRowLists('positives', positives, source.rows, corpusRows)
  const listed = await listsWithin('positives', all, range)
  const lists = { positives: listed, all }
  const { inputs, arrays } = await loanOf({ queries: source, corpus: target.matrix, ...lists })
  const run = <Result>(start: (addon: Addon, control: JobControl) => Promise<Result>) =>
    runJob(job, arrays, start)
  const named = { matrices: [inputs.queries], options: { positives: inputs.all }, run }
  const fingerprint = await fingerprintOf(named)
  const out = positiveArrays(listed.indices.length, source.rows)
  const empty = { indptr: new Int32Array(source.rows + 1), indices: new Int32Array(0) }
  const options = {
    ...{ device, metric: target.metric, firstQuery: 0, queryCount: source.rows },
    ...{ excludeSelf: false, positives: inputs.positives, candidates: empty },
    groups: 'off' as const,
  }
  const sweep = [{ options: idle, out: minedArrays(source.rows, 1) }]
  if (source.rows > 0 && target.rows > 0)
    await run((addon, control) =>
      addon.mine(inputs.queries, target.handle ?? inputs.corpus!, options, out, sweep, control),
    )
  const count = out.positiveStarts[source.rows]!
  return {
    ...range,
    queries: source.rows,
    dimensions: source.cols,
    metric: target.metric,
    positives: {
      indptr: out.positiveStarts,
      indices: await mapped(out.positiveRows.subarray(0, count), (row) => row + firstRow),
    },
    scores: await joined([out.positiveScores.subarray(0, count)], Float64Array),
    fingerprint,
  }
}

/** Lists of each query from several shards, those of lower rows first. */
function* joinedLists(parts: readonly PositiveScores[], queries: number, slice: Slice) {
  const count = parts.reduce((sum, { scores }) => sum + scores.length, 0)
  const indptr = handOut(new Int32Array(queries + 1))
  const indices = handOut(new Int32Array(count))
  const scores = handOut(new Float64Array(count))
  let at = 0
  for (let q = 0; q < queries; q++) {
    for (const { positives, scores: own } of parts) {
      if (slice.spend(4)) yield
      for (let t = positives.indptr[q]!; t < positives.indptr[q + 1]!; t++, at++) {
        if (slice.spend(1)) yield
        indices[at] = positives.indices[t]!
        scores[at] = own[t]!
      }
    }
    indptr[q + 1] = at
  }
  for (const [i, part] of parts.entries())
    if (queries > 0 && part.positives.indptr.length === 0) throw detached(`parts[${i}]`)
  return { positives: { indptr, indices }, scores }
}

/**
 * Puts together what {@link scorePositives} gave for all shards of a corpus.
 *
 * @param parts Each shard once, in any order.
 * @throws {TypeError | RangeError} naming the part that belongs to another job, or rows that no part or
 *   several parts have.
 */
export async function mergePositiveScores(
  parts: readonly PositiveScores[],
): Promise<PositiveScores> {
  checkParts(parts, 'scores', 'scorePositives')
  checkAlike(parts, ({ queries, dimensions, metric, fingerprint }: PositiveScores) => ({
    ...{ queries, dimensions, metric },
    'fingerprint of queries and positives': fingerprint,
  }))
  const [first] = parts as [PositiveScores]
  const { queries, corpusRows } = first
  const lists = await inTurns((slice) => joinedLists(inOrder(parts), queries, slice))
  return { ...first, firstRow: 0, rows: corpusRows, ...lists }
}
