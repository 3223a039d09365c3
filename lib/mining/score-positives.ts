import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { joined, mapped } from '../data/pieces'
import { toRowLists, type RowLists, type RowListsInput } from '../data/row-lists'
import { inTurns, type Slice } from '../data/slices'
import { toQueries } from '../data/source'
import { checkKind } from '../data/typed-array'
import { invalid } from '../errors'
import { detached, handOut } from '../lending'
import { runJob, type Addon, type JobControl, type NativePositiveArrays } from '../native'
import {
  checkInteger,
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
  placeIn,
  shardRows,
  type CorpusRange,
} from './corpus-shard'
import { nativeSampling, samplingDefaults } from './samplings'
import type { Metric } from './metric'
import { minedArrays, positiveArrays } from './mined-arrays'
import { groupArray } from './mining-options'
import { holderOf, keeping, type CorpusInput } from './prepare-corpus'
import { fingerprintOf } from './query-shard'
import { checkShared, joinShared, sharedRowsOf, type SharedRows } from './shared-rows'
import type { SharedTexts } from './text-digests'

/** The only place where the defaults of {@link scorePositives} are written. */
export const scorePositivesDefaults = frozen({
  /** The metric; `cosine`, or that for which the shard was prepared, unless given. */
  metric: undefined as Metric | undefined,
  /**
   * What {@link mergeTextDigests} gave, for mining with texts: the shard adds its rows whose text is also that
   * of a row in another shard. None unless given.
   */
  sharedTexts: undefined as SharedTexts | undefined,
  /** Group of each row of the shard, [rows], for mining with texts and groups; none unless given. */
  corpusGroups: undefined as Int32Array | undefined,
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
  /** Of queries, positives and shared texts: the shards of one job have the same. */
  readonly fingerprint: string
  /** Rows whose text is also that of a row in another shard, if `sharedTexts` was given. */
  readonly shared: SharedRows | undefined
}

/** One number of a rule that no query is asked about. */
const idle = {
  numNegatives: 1,
  reference: 'min',
  skipRanks: 0,
  skipSurvivors: 0,
  ...nativeSampling({ ...samplingDefaults, numNegatives: 1, pool: 1 }),
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
export function scorePositives(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: RowListsInput,
  given: ScorePositivesOptions,
): Promise<PositiveScores> {
  return keeping(corpus, () => positivesOfShard(queries, corpus, positives, given))
}

async function positivesOfShard(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: RowListsInput,
  given: ScorePositivesOptions,
): Promise<PositiveScores> {
  const { firstRow, corpusRows, metric, sharedTexts, corpusGroups, ...rest } = withDefaults(
    { firstRow: required, corpusRows: required, ...scorePositivesDefaults, ...jobDefaults },
    given,
  )
  const { device, ...job } = checkJob(rest, holderOf(corpus))
  const source = toQueries(queries)
  const target = shardRows(corpus, metric, source)
  const range = { firstRow, rows: target.rows, corpusRows }
  checkRange(range)
  if (corpusGroups !== undefined) groupArray('corpusGroups', corpusGroups, range.rows)
  // Both start at the same time, so that a resizable buffer is copied before the caller can shrink it.
  const [all] = await Promise.all([
    toRowLists('positives', positives, source.rows, corpusRows),
    sharedTexts && checkShared(sharedTexts, corpusRows),
  ])
  const empty = { indptr: new Int32Array(source.rows + 1), indices: new Int32Array(0) }
  const listed = await listsWithin('positives', all, corpusRows, placeIn(range))
  const lists = { positives: listed, all }
  const { inputs, arrays } = await loanOf({ queries: source, corpus: target.matrix, ...lists })
  const run = <Result>(start: (addon: Addon, control: JobControl) => Promise<Result>) =>
    runJob(job, arrays, start)
  const fingerprint = await fingerprintOf({
    matrices: { queries: inputs.queries },
    options: { positives: inputs.all, sharedTexts, groups: corpusGroups && empty.indices },
    run,
  })
  const out = positiveArrays(listed.indices.length, source.rows)
  const options = {
    ...{ device, metric: target.metric, firstQuery: 0, queryCount: source.rows },
    ...{ excludeSelf: false, positives: inputs.positives, candidates: empty, beside: false },
    groups: 'off' as const,
  }
  const sweep = [
    { options: { ...idle, dimensions: source.cols }, out: minedArrays(source.rows, 1) },
  ]
  if (source.rows > 0 && target.rows > 0)
    await run((addon, control) =>
      addon.mine(inputs.queries, target.handle ?? inputs.corpus!, options, out, sweep, control),
    )
  const held = { cols: source.cols, target: { ...target, matrix: inputs.corpus }, device }
  const shared = sharedTexts && (await sharedRowsOf(sharedTexts, range, corpusGroups, held, run))
  return {
    ...range,
    ...{ queries: source.rows, dimensions: source.cols, metric: target.metric },
    ...(await scoredLists(out, firstRow)),
    ...{ fingerprint, shared },
  }
}

/** What the addon found, with rows numbered as in the whole corpus. */
async function scoredLists(
  { positiveStarts, positiveRows, positiveScores }: NativePositiveArrays,
  firstRow: number,
) {
  const count = positiveStarts.at(-1)
  const indices = await mapped(positiveRows.subarray(0, count), (row) => row + firstRow)
  const scores = await joined([positiveScores.subarray(0, count)], Float64Array)
  return { positives: { indptr: positiveStarts, indices }, scores }
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
    'fingerprint of the inputs': fingerprint,
  }))
  const [first] = parts as [PositiveScores]
  const { queries, corpusRows } = first
  const ordered = inOrder(parts)
  return {
    ...{ ...first, firstRow: 0, rows: corpusRows },
    ...(await inTurns((slice) => joinedLists(ordered, queries, slice))),
    shared: await joinShared(ordered.map(({ shared }) => shared)),
  }
}

/** @throws {TypeError | RangeError} naming a score of a positive that is no number, or a broken list. */
export async function checkPositiveScores({
  queries,
  corpusRows,
  positives: { indptr, indices },
  scores,
}: PositiveScores) {
  const at = 'positives.positives'
  checkKind(`${at}.indptr`, indptr, ['Int32Array'], 'an Int32Array')
  checkKind(`${at}.indices`, indices, ['Int32Array'], 'an Int32Array')
  checkKind('positives.scores', scores, ['Float64Array'], 'a Float64Array')
  if (indptr.length !== queries + 1)
    throw invalid(`${at}.indptr`, `${queries + 1} list starts`, indptr.length)
  if (scores.length !== indices.length)
    throw invalid(
      'positives.scores',
      `${indices.length} scores, one for each positive`,
      scores.length,
    )
  checkInteger(`${at}.indptr[0]`, indptr[0], 0, 0)
  // checkInteger() is called for the message alone, because its name costs more than the comparison.
  await inTurns(function* (slice) {
    for (let q = 0; q < queries; q++) {
      if (slice.spend(4)) yield
      const [begin, end] = [indptr[q]!, indptr[q + 1]!]
      const least = q === queries - 1 ? indices.length : begin
      if (!(end >= least && end <= indices.length))
        checkInteger(`${at}.indptr[${q + 1}]`, end, least, indices.length)
      for (let t = begin; t < end; t++) {
        if (slice.spend(4)) yield
        const after = t === begin ? 0 : indices[t - 1]! + 1
        if (!(indices[t]! >= after && indices[t]! < corpusRows))
          checkInteger(`${at}.indices[${t}]`, indices[t], after, corpusRows - 1)
        if (!Number.isFinite(scores[t]))
          throw invalid(
            `positives.scores[${t}]`,
            `a finite score of query ${q} with row ${indices[t]}`,
            scores[t],
          )
      }
    }
  })
}
