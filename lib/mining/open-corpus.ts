import { GemmineError, invalid, invalidText } from '../errors'
import { native } from '../native'
import { isSharedArrayBuffer } from 'node:util/types'
import { PreparedCorpus, type CorpusHandle } from './prepared-corpus'
import { RowIds } from './row-ids'

const isHandle = (given: unknown): given is CorpusHandle =>
  typeof given === 'object' && given !== null && 'token' in given && 'metric' in given

/**
 * Opens, in another thread, a corpus that {@link PreparedCorpus.share} gave a handle of. Nothing is copied.
 *
 * @throws {TypeError} if this is no handle, or one that went through JSON or a file.
 * @throws {GemmineError} `ERR_GEMMINE_DISPOSED` if the handle was opened before, also as a clone, or the corpus
 *   was disposed of before it was opened.
 *
 * @example
 * parentPort.once('message', async (handle) => {
 *   using corpus = await openCorpus(handle)
 *   const { indices } = await topK(queries, corpus, { k: 10 })
 * })
 */
export async function openCorpus(from: CorpusHandle): Promise<PreparedCorpus> {
  if (!isHandle(from)) throw invalid('from', 'a handle of PreparedCorpus.share()', from)
  const { token, rows, liveRows, cols, metric, device, ids, memory } = from
  if (!isSharedArrayBuffer(token) || token.byteLength !== 8)
    throw invalidText(
      'from',
      'a handle of PreparedCorpus.share(), as postMessage() or workerData hand it on',
      'one without its shared memory, as JSON leaves it',
    )
  const number = new BigUint64Array(token)[0]!
  const opened = native().openShared(number, Object.values(memory)[0])
  if (!opened)
    throw new GemmineError(
      'ERR_GEMMINE_DISPOSED',
      'This handle was opened before, or its corpus was disposed of: call share() once for each thread',
    )
  const kept = { cols, metric, device, ids: ids && RowIds.stored(ids), memory }
  return new PreparedCorpus({ native: opened, rows, liveRows }, kept)
}
