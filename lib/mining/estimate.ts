import type { DenseMatrix } from '../data/matrix'
import {
  checkTaken,
  extended,
  madeUpNumbers,
  quickest,
  shapeOf,
  trialEntries,
  trialJobOptions,
  type Estimate,
} from '../estimate'
import { invalid } from '../errors'
import { checkInteger } from '../options'
import { mineHardNegatives } from './mine-hard-negatives'
import { mineHardNegativesDefaults, type MineHardNegativesOptions } from './mining-options'
import { packedBytes, prepareCorpus, type PreparedCorpus } from './prepare-corpus'
import { topK, type TopKOptions } from './top-k'

/** The numbers of queries, of corpus rows, and of their columns. */
export interface SearchShape {
  readonly queries: number
  readonly corpus: number
  readonly cols: number
}

/** Queries of a trial, at most: all threads have several tiles of them. */
const trialQueries = 512

/** Rows that each query of a trial gets, at most: the corpus of the trial has four times as many. */
const trialRank = 1 << 13

/** Corpus rows of the larger trial, at least. */
const leastCorpus = 1024

/** Rows around 0, as those of embeddings. */
function madeUp(rows: number, cols: number): DenseMatrix {
  return { data: madeUpNumbers(rows * cols).map((value) => value - 0.5), rows, cols }
}

/**
 * Seconds of a scan, from trials with fewer queries, two smaller corpora and, if the rows are wide, fewer
 * columns: the time grows with each of them.
 *
 * @param least Rows that each query gets.
 */
async function secondsOf(
  { queries, corpus, cols }: SearchShape,
  least: number,
  trial: (queries: DenseMatrix, corpus: PreparedCorpus) => Promise<{ readonly seconds: number }>,
): Promise<number> {
  const count = Math.min(queries, trialQueries, Math.ceil(trialEntries / (4 * least)))
  const wanted = Math.min(corpus, Math.max(4 * least, leastCorpus))
  const width = Math.min(cols, Math.max(1, Math.floor(trialEntries / wanted)))
  const large = Math.min(corpus, Math.max(wanted, Math.ceil(trialEntries / width)))
  const sizes = [Math.ceil(large / 4), large] as const
  const Q = madeUp(count, width)
  const timed = async (rows: number) => {
    using prepared = await prepareCorpus(madeUp(rows, width))
    return await quickest(async () => (await trial(Q, prepared)).seconds)
  }
  const times = [await timed(sizes[0]), await timed(sizes[1])] as const
  return (extended(corpus, sizes, times) * queries * cols) / (count * width)
}

function checkedShape(shape: SearchShape): SearchShape {
  const { queries, corpus, cols } = shapeOf(shape, ['queries', 'corpus', 'cols'])
  checkInteger('shape.queries', queries, 1)
  checkInteger('shape.corpus', corpus, 1)
  checkInteger('shape.cols', cols, 1)
  return { queries, corpus, cols }
}

/** Rows that each query of a trial gets; more than the corpus has are no more than it has. */
function triedRank(name: string, value: unknown, corpus: number): number {
  checkInteger(name, value, 1)
  const least = Math.min(value, corpus)
  if (least <= trialRank) return least
  throw invalid(name, `an integer in 1..${trialRank} (a trial of 16 MiB cannot tell more)`, value)
}

const operationsOf = ({ queries, corpus, cols }: SearchShape) => 2 * queries * corpus * cols

/** The packed copy of a corpus. */
const corpusBytes = ({ corpus, cols }: SearchShape) => packedBytes({ rows: corpus, cols })

/**
 * Estimates {@link topK} before it starts, from trials with made-up rows, at most 16 MiB, by cosine: wide rows
 * are cut, and the time grows with their columns. They take a second or two of compute time.
 *
 * @param shape Numbers of queries, corpus rows and columns.
 * @param options `k`, at most 8192 unless the corpus is smaller, and options of jobs.
 * @returns `bytes` of the answers and of the packed corpus; `operations` (2 · queries · corpus · columns) and
 *   `seconds` of the scan of a prepared corpus.
 * @throws {TypeError | RangeError} if the shape or an option is wrong.
 *
 * @example
 * const { bytes, seconds } = await estimateTopK({ queries: 1000, corpus: 100_000, cols: 384 }, { k: 10 })
 */
export async function estimateTopK(
  shape: SearchShape,
  options: Pick<TopKOptions, 'k' | (typeof trialJobOptions)[number]>,
): Promise<Estimate> {
  const checked = checkedShape(shape)
  checkTaken(options, ['k', ...trialJobOptions])
  const { k } = options
  const least = triedRank('k', k, checked.corpus)
  const seconds = await secondsOf(checked, least, (Q, corpus) => topK(Q, corpus, options))
  return {
    bytes: 8 * checked.queries * k + corpusBytes(checked),
    operations: operationsOf(checked),
    seconds,
  }
}

const triedRules = [
  'numNegatives',
  'absoluteMargin',
  'relativeMargin',
  'maxScore',
  'minScore',
  'skipRanks',
  'maxRank',
] as const

/** The options of {@link mineHardNegatives} that do not depend on the rows. */
export type TriedMining = Pick<
  MineHardNegativesOptions,
  (typeof triedRules)[number] | (typeof trialJobOptions)[number]
>

/** Bytes of a mined negative: its row, score and rank. */
const bytesOfNegative = 12

/**
 * The same for {@link mineHardNegatives}, with one positive for each query.
 *
 * @example
 * const { seconds } = await estimateMining({ queries: 50_000, corpus: 100_000, cols: 384 }, { numNegatives: 4 })
 */
export async function estimateMining(
  shape: SearchShape,
  options: TriedMining = {},
): Promise<Estimate> {
  const checked = checkedShape(shape)
  checkTaken(options, [...triedRules, ...trialJobOptions])
  const { numNegatives = mineHardNegativesDefaults.numNegatives } = options
  const least = triedRank('numNegatives', numNegatives, checked.corpus)
  const seconds = await secondsOf(checked, least, (Q, corpus) => {
    const positives = Int32Array.from({ length: Q.rows }, (_, query) => query % corpus.rows)
    return mineHardNegatives(Q, corpus, positives, options)
  })
  return {
    bytes: bytesOfNegative * checked.queries * (numNegatives + 1) + corpusBytes(checked),
    operations: operationsOf(checked),
    seconds,
  }
}
