// Rows drawn from a band can be anywhere in the order, so their raw ranks need a count in every shard.
import { isInt32Array } from 'node:util/types'
import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { mapped } from '../data/pieces'
import { inSlices } from '../data/slices'
import { invalid } from '../errors'
import { checkInteger } from '../options'
import { checkAlike, type CorpusRange } from './corpus-shard'
import {
  identityOf,
  preparedCall,
  type MineCorpusShardOptions,
  type ShardIdentity,
} from './mine-corpus-shard'
import { keeping, type CorpusInput } from './prepare-corpus'
import type { PositiveScores } from './score-positives'

/** The rows drawn for each list of negatives, with their scores: plain data, to be sent from machine to machine. */
export interface DrawnRows extends ShardIdentity {
  /** The rows, numbered as in the whole corpus, best first, [lists × numNegatives]; −1 for none. */
  readonly indices: Int32Array
  /** Their canonical scores in float64, [lists × numNegatives]; NaN for none. */
  readonly scores: Float64Array
}

/** Counts of a shard for drawn rows: plain data, to be sent from machine to machine. */
export interface DrawnRanks extends CorpusRange, ShardIdentity {
  /** Rows of the shard that are better than each drawn row, [lists × numNegatives]; −1 for none. */
  readonly ranks: Int32Array
}

type ShardJob = Awaited<ReturnType<typeof preparedCall>>

async function checkDrawn(
  drawn: DrawnRows,
  { rules: { numNegatives, references, listQueries }, range: { corpusRows }, ...call }: ShardJob,
) {
  if (typeof drawn !== 'object' || drawn === null || !isInt32Array(drawn.indices))
    throw invalid('drawn', 'what drawnRows() gave', drawn)
  checkAlike([call, drawn], identityOf, (i) => (i === 0 ? 'this shard' : 'drawn'))
  const { indices, scores } = drawn
  const queryOf = (list: number) => listQueries?.[list] ?? list
  const size = references.length * numNegatives
  if (indices.length !== size) throw invalid('drawn.indices', `${size} rows`, indices.length)
  if (scores.length !== size) throw invalid('drawn.scores', `${size} scores`, scores.length)
  // checkInteger() is called for the message alone, because its name costs more than the comparison.
  await inSlices(size, (begin, end) => {
    for (let i = begin; i < end; i++) {
      if (!(indices[i]! >= -1 && indices[i]! < corpusRows))
        checkInteger(`drawn.indices[${i}]`, indices[i], -1, corpusRows - 1)
      if (indices[i]! >= 0 && !Number.isFinite(scores[i]))
        throw invalid(
          `drawn.scores[${i}]`,
          `a finite score of query ${queryOf(Math.floor(i / numNegatives))} with row ${indices[i]}`,
          scores[i],
        )
    }
  })
}

/** Adds counts to sums; −1 in either stays out of the sums. */
export const addRanks = (to: Int32Array, ranks: Int32Array) =>
  inSlices(to.length, (begin, end) => {
    for (let i = begin; i < end; i++) if (to[i]! >= 0 && ranks[i]! > 0) to[i]! += ranks[i]!
  })

/** Sums before any count: 0 for a row, −1 for none. */
export const noRanks = (indices: Int32Array): Promise<Int32Array> =>
  mapped(indices, (row) => (row < 0 ? -1 : 0))

/**
 * Counts the rows of a shard that are better than each row drawn from a band. Only for the sampling `band`
 * without `maxRank` and `candidates`: as the step between {@link drawnRows} and {@link mergeCorpusShards}.
 *
 * @param queries As for {@link mineCorpusShard}, as are `corpus`, `positives` and the options.
 * @param drawn What {@link drawnRows} gave.
 * @throws {TypeError | RangeError} naming the argument, row and value that is wrong.
 */
export function rankDrawnRows(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: PositiveScores,
  drawn: DrawnRows,
  given: MineCorpusShardOptions,
): Promise<DrawnRanks> {
  return keeping(corpus, () => ranksInShard(queries, corpus, positives, drawn, given))
}

async function ranksInShard(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: PositiveScores,
  drawn: DrawnRows,
  given: MineCorpusShardOptions,
): Promise<DrawnRanks> {
  const call = await preparedCall(queries, corpus, positives, given)
  const { range, options, fingerprint, rules, parts, run } = call
  await checkDrawn(drawn, call)
  const { numNegatives: count } = rules
  const { inputs } = await loanOf({ drawn: { indices: drawn.indices, scores: drawn.scores } })
  const { indices: rows, scores } = inputs.drawn
  const total = await noRanks(rows)
  for (const part of parts) {
    const ranks = new Int32Array(rows.length)
    await run(part, (addon, control) =>
      addon.rankPart(
        part.queries,
        part.target.handle ?? part.target.matrix!,
        part.options,
        { ...rules, ...part.rows },
        { count, rows, scores },
        ranks,
        control,
      ),
    )
    await addRanks(total, ranks)
  }
  return { ...range, options, fingerprint, ranks: total }
}
