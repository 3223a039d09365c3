import { extended, madeUpNumbers, quickest, type Estimate } from '../estimate'
import type { DenseMatrix } from '../data/matrix'
import { checkInteger } from '../options'
import { mineHardNegatives } from './mine-hard-negatives'
import type { MineHardNegativesOptions } from './mining-options'
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

/** Entries of the larger corpus of a trial, 16 MiB as float32. */
const trialEntries = 1 << 22

/** Rows around 0, as those of embeddings. */
function madeUp(rows: number, cols: number): DenseMatrix {
  return { data: madeUpNumbers(rows * cols).map((value) => value - 0.5), rows, cols }
}

/** Seconds of a scan, from trials with fewer queries and two smaller corpora. */
async function secondsOf(
  { queries, corpus, cols }: SearchShape,
  least: number,
  trial: (queries: DenseMatrix, corpus: PreparedCorpus) => Promise<{ readonly seconds: number }>,
): Promise<number> {
  const count = Math.min(queries, trialQueries)
  const large = Math.min(corpus, Math.max(4 * least, 1024, Math.ceil(trialEntries / cols)))
  const sizes = [Math.ceil(large / 4), large] as const
  const Q = madeUp(count, cols)
  const timed = async (rows: number) => {
    using prepared = await prepareCorpus(madeUp(rows, cols))
    return await quickest(async () => (await trial(Q, prepared)).seconds)
  }
  const times = [await timed(sizes[0]), await timed(sizes[1])] as const
  return (extended(corpus, sizes, times) * queries) / count
}

function checkShape(shape: SearchShape) {
  checkInteger('shape.queries', shape.queries, 1)
  checkInteger('shape.corpus', shape.corpus, 1)
  checkInteger('shape.cols', shape.cols, 1)
}

const operationsOf = ({ queries, corpus, cols }: SearchShape) => 2 * queries * corpus * cols

/** The packed copy of a corpus. */
const corpusBytes = ({ corpus, cols }: SearchShape) => packedBytes({ rows: corpus, cols })

/**
 * Estimates {@link topK} before it starts, from trials with made-up rows, at most 16 MiB, by cosine. They take a
 * second or two of compute time.
 *
 * @param shape Numbers of queries, corpus rows and columns.
 * @returns `bytes` of the answers and of the packed corpus; `operations` (2 · queries · corpus · columns) and
 *   `seconds` of the scan of a prepared corpus.
 * @throws {TypeError | RangeError} if the shape or an option is wrong.
 *
 * @example
 * const { bytes, seconds } = await estimateTopK({ queries: 1000, corpus: 100_000, cols: 384 }, { k: 10 })
 */
export async function estimateTopK(
  shape: SearchShape,
  options: Pick<TopKOptions, 'k' | 'threads' | 'device' | 'priority' | 'signal'>,
): Promise<Estimate> {
  checkShape(shape)
  const { k } = options
  const seconds = await secondsOf(shape, k, (Q, corpus) => topK(Q, corpus, options))
  return {
    bytes: 8 * shape.queries * k + corpusBytes(shape),
    operations: operationsOf(shape),
    seconds,
  }
}

/** The options of {@link mineHardNegatives} that do not depend on the rows. */
export type TriedMining = Pick<
  MineHardNegativesOptions,
  | 'numNegatives'
  | 'absoluteMargin'
  | 'relativeMargin'
  | 'maxScore'
  | 'minScore'
  | 'skipRanks'
  | 'maxRank'
  | 'threads'
  | 'device'
  | 'priority'
  | 'signal'
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
  checkShape(shape)
  let numNegatives = 0
  const seconds = await secondsOf(shape, options.numNegatives ?? 1, async (Q, corpus) => {
    const positives = Int32Array.from({ length: Q.rows }, (_, query) => query % corpus.rows)
    const mined = await mineHardNegatives(Q, corpus, positives, options)
    numNegatives = mined.numNegatives
    return mined
  })
  return {
    bytes: bytesOfNegative * shape.queries * (numNegatives + 1) + corpusBytes(shape),
    operations: operationsOf(shape),
    seconds,
  }
}
