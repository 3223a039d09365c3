import { isSharedArrayBuffer } from 'node:util/types'
import { bytesOfFile, PlainReader } from '../data/byte-reader'
import { checkPath, fileError, withFile } from '../data/file'
import { GemmineError, invalid, invalidText, isMistake } from '../errors'
import { native } from '../native'
import { jobDefaults, withDefaults, type JobOptions } from '../options'
import type { CorpusHandle } from './corpus-changes'
import { readCorpus } from './corpus-file'
import { prepareCorpus } from './prepare-corpus'
import { PreparedCorpus } from './prepared-corpus'
import { RowIds } from './row-ids'

const isHandle = (given: unknown): given is CorpusHandle =>
  typeof given === 'object' && given !== null && 'token' in given && 'metric' in given

/**
 * Opens a corpus that {@link PreparedCorpus.save} wrote to a file, or that {@link PreparedCorpus.share} gave a
 * handle of in another thread. A file is read into memory, checked with its digest and packed for this CPU; its
 * rows have the numbers and ids that they had. A corpus of another thread is not copied.
 *
 * @param from The path of a file, or a handle.
 * @param given Options of the job that packs a file.
 * @throws {TypeError} if this is no path and no handle, or a handle that went through JSON.
 * @throws {GemmineError} `ERR_GEMMINE_FILE` for a file that is missing, damaged or of another format;
 *   `ERR_GEMMINE_DISPOSED` if the handle was opened before, also as a clone, or the corpus was disposed of before
 *   it was opened; `ERR_GEMMINE_OUT_OF_MEMORY`.
 *
 * @example
 * await corpus.save('articles.corpus')
 * const articles = await openCorpus('articles.corpus')
 *
 * // In a worker thread, after worker.postMessage(corpus.share()):
 * parentPort.once('message', async (handle) => {
 *   using shared = await openCorpus(handle)
 *   const { indices } = await topK(queries, shared, { k: 10 })
 * })
 */
export async function openCorpus(
  from: string | CorpusHandle,
  given: JobOptions = {},
): Promise<PreparedCorpus> {
  if (typeof from === 'string') return openFile(from, given)
  if (!isHandle(from)) throw invalid('from', 'a path, or a handle of PreparedCorpus.share()', from)
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

async function openFile(path: string, given: JobOptions): Promise<PreparedCorpus> {
  checkPath(path)
  const stored = await withFile(path, (file) =>
    readCorpus(new PlainReader(bytesOfFile(file), 0, file.size)),
  )
  const { rows, cols, metric, live, data } = stored
  const options = withDefaults({ ...jobDefaults }, given)
  const removed: number[] = []
  for (let row = 0; row < rows; row++)
    if (((live[row >>> 5]! >>> (row & 31)) & 1) === 0) removed.push(row)
  let corpus: PreparedCorpus | undefined
  try {
    corpus = await prepareCorpus({ data, rows, cols }, { ...options, metric })
    await corpus.remove(removed, options)
    corpus.take(stored.ids && RowIds.stored(stored.ids))
    return corpus
  } catch (error) {
    corpus?.dispose()
    throw isMistake(error) && /\bcorpus\b/.test(error.argument)
      ? fileError(path, error.message)
      : error
  }
}
