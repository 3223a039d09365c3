// A corpus that is larger than memory, as a function that gives its shards one after the other.
import { onAbort, reasonOf, throwIfAborted, type AbortSignalLike } from '../cancellation'
import type { MatrixInput } from '../data/matrix'
import { toQueries } from '../data/source'
import { invalid } from '../errors'
import type { NativeSource } from '../native'
import { groupArray } from './mining-options'
import { checkTexts } from './text-classes'

/** Some rows of a corpus, with what belongs to them. */
export interface CorpusShardRows {
  /** [rows × d], dense or a file; a shard may have no rows. */
  readonly corpus: MatrixInput
  /** Text of each row, [rows], beside `queryTexts`. */
  readonly corpusTexts?: readonly string[] | undefined
  /** Group of each row, [rows], beside `groups`. */
  readonly corpusGroups?: Int32Array | undefined
}

/**
 * A corpus in shards: a function that gives a fresh iterable of all its shards, in the order of their rows,
 * each time it is called. It must give the same shards each time; if the rows are cut in another way, the job
 * ends with an error. {@link mineHardNegatives} calls it twice: to score the positives, unless `positiveScores`
 * are given without texts, and to mine; once more before that with texts, and once more after it with the
 * sampling `band` (without `maxRank` and `candidates`).
 *
 * One shard is in use at a time: its memory may be used again as soon as the next one is asked for. Small
 * shards are copied and mined together. The iterator is closed when the job ends, fails or is aborted.
 *
 * `onProgress` tells of the rows that are done, in the phases `texts`, `positives`, `mine` and `rank`; `total`
 * is infinite in the first run, which counts the rows. The options that a shard of the corpus refuses are
 * refused here as well, see {@link mineCorpusShard}; only `positiveScores` may be given.
 *
 * @example
 * const corpus: CorpusStream = async function* () {
 *   for (const path of paths) yield await readNpy(path)
 * }
 */
export type CorpusStream = () =>
  AsyncIterable<MatrixInput | CorpusShardRows> | Iterable<MatrixInput | CorpusShardRows>

const isWithMore = (shard: MatrixInput | CorpusShardRows): shard is CorpusShardRows =>
  typeof shard === 'object' && shard !== null && 'corpus' in shard

/** Waits for a promise, but not after an abort. */
async function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignalLike | undefined,
): Promise<Value> {
  if (signal === undefined) return promise
  if (signal.aborted) void promise.catch(() => {})
  throwIfAborted(signal)
  let forget = () => {}
  const aborted = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => reject(reasonOf(signal)))
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    forget()
  }
}

type Given = MatrixInput | CorpusShardRows

/** Any iterable as an async one. */
async function* asAsync(iterable: AsyncIterable<Given> | Iterable<Given>) {
  yield* iterable
}

/** @throws {TypeError} if the caller's function gives nothing to iterate over. */
function started(stream: CorpusStream): AsyncIterator<Given> {
  const given = stream()
  const isIterable =
    typeof given === 'object' &&
    given !== null &&
    (Symbol.asyncIterator in given || Symbol.iterator in given)
  if (!isIterable) throw invalid('corpus()', 'an async iterable of shards', given)
  return asAsync(given)
}

/** The shards as the caller gives them. The iterator is closed in every case. */
async function* givenShards(stream: CorpusStream, signal: AbortSignalLike | undefined) {
  const iterator = started(stream)
  let isDone = false
  try {
    for (;;) {
      throwIfAborted(signal)
      const next = await unlessAborted(iterator.next(), signal)
      isDone = next.done === true
      if (next.done) return
      yield next.value
    }
  } finally {
    // A generator that waits for its data ends after that, so nobody waits for it after an abort.
    const closed = isDone ? undefined : Promise.resolve(iterator.return?.()).catch(() => {})
    if (signal?.aborted !== true) await closed
  }
}

export interface CheckedShard extends CorpusShardRows {
  readonly source: NativeSource
}

/** @throws {TypeError | RangeError} naming the shard by its number. */
function checkedShard(
  shard: MatrixInput | CorpusShardRows,
  number: number,
  cols: number,
): CheckedShard {
  const name = `corpus[${number}]`
  const all = isWithMore(shard) ? shard : { corpus: shard }
  const source = toQueries(all.corpus, isWithMore(shard) ? `${name}.corpus` : name)
  if (source.cols !== cols)
    throw invalid(`${source.name}.cols`, `${cols} columns, as in the queries`, source.cols)
  const { corpusTexts, corpusGroups } = all
  if (corpusTexts !== undefined) checkTexts(`${name}.corpusTexts`, corpusTexts, source.rows)
  if (corpusGroups !== undefined) groupArray(`${name}.corpusGroups`, corpusGroups, source.rows)
  return { ...all, source }
}

/**
 * The shards of one run.
 *
 * @throws {TypeError | RangeError} naming the shard that is wrong. Whatever the caller's iterator throws, and
 *   the reason of the signal, are thrown as they are.
 */
export async function* shardsOf(
  stream: CorpusStream,
  cols: number,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<CheckedShard, void> {
  let number = 0
  for await (const shard of givenShards(stream, signal)) yield checkedShard(shard, number++, cols)
}
