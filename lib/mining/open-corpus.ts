import { isSharedArrayBuffer } from 'node:util/types'
import { bytesOfFile, PlainReader } from '../data/byte-reader'
import { checkPath, fileError, withFile } from '../data/file'
import { reasonOf } from '../cancellation'
import { GemmineError, invalid, invalidText, isMistake, shown } from '../errors'
import { native } from '../native'
import { checkInteger, checkJob, jobDefaults, withDefaults, type JobOptions } from '../options'
import { isMarked, type CorpusHandle } from './corpus-changes'
import { readCorpus } from './corpus-file'
import { preparedFrom } from './prepare-corpus'
import { PreparedCorpus } from './prepared-corpus'
import { RowIds } from './row-ids'
import { mostVersions, taken } from './shared-versions'

const isHandle = (given: unknown): given is CorpusHandle =>
  typeof given === 'object' && given !== null && 'token' in given && 'metric' in given

/**
 * Opens a corpus that {@link PreparedCorpus.save} wrote to a file, or that {@link PreparedCorpus.share} gave a
 * handle of in another thread. A file is read into memory and checked with its digest, and its rows are packed
 * again if those of the file are of another kind of CPU; rows have the numbers and ids that they had. A corpus
 * of another thread is not copied.
 *
 * @param from The path of a file, or a handle.
 * @param given Options of the job that prepares a file; a handle is opened without a job, on its device.
 * @throws {TypeError} if this is no path and no handle, or a handle that went through JSON.
 * @throws {GemmineError} `ERR_GEMMINE_FILE` for a file that is missing, damaged or of another format;
 *   `ERR_GEMMINE_DISPOSED` if the handle was opened before, also as a clone, or the corpus was disposed of, or
 *   changed and shared 16 times, before it was opened; `ERR_GEMMINE_OUT_OF_MEMORY`.
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
  if (typeof memory !== 'object' || memory === null)
    throw invalidText('from.memory', 'what PreparedCorpus.share() gave', shown(memory))
  for (const [name, size] of Object.entries({ rows, liveRows, cols }))
    checkInteger(`from.${name}`, size, 1)
  if (ids !== undefined && !(isSharedArrayBuffer(ids?.values) && isSharedArrayBuffer(ids.ends)))
    throw invalidText('from.ids', 'what PreparedCorpus.share() gave', shown(ids))
  checkOptions(given, device)
  const opened = native().openShared(taken(token), Object.values(memory)[0])
  if (!opened)
    throw new GemmineError(
      'ERR_GEMMINE_DISPOSED',
      'This handle was opened before, its corpus was disposed of, or ' +
        `${mostVersions} later versions were shared: call share() once for each thread`,
    )
  const kept = { cols, metric, device, ids: ids && RowIds.stored(ids), memory }
  return new PreparedCorpus({ native: opened, rows, liveRows }, kept)
}

/** Checks options that a handle has no use for: it is opened without a job. */
function checkOptions(given: JobOptions, held: string) {
  const { signal } = checkJob(withDefaults({ ...jobDefaults }, given), held)
  if (signal?.aborted) throw reasonOf(signal)
}

async function openFile(path: string, given: JobOptions): Promise<PreparedCorpus> {
  checkPath(path)
  const options = withDefaults({ ...jobDefaults }, given)
  const { device } = checkJob(options)
  const format = device === 'cpu' ? { format: native().info().cpu.scan } : {}
  const stored = await withFile(path, (file) =>
    readCorpus(new PlainReader(bytesOfFile(file), 0, file.size), format),
  )
  const { rows, cols, metric, live, data, packed } = stored
  const ids = stored.ids && RowIds.stored(stored.ids)
  const same = await ids?.sameId((row) => isMarked(live, row))
  if (same) throw fileError(path, `expected different ids of the rows ${same.join(' and ')}`)
  const removed: number[] = []
  for (let row = 0; row < rows; row++) if (!isMarked(live, row)) removed.push(row)
  let corpus: PreparedCorpus | undefined
  try {
    corpus = await preparedFrom({ data, rows, cols }, { ...options, metric }, packed)
    await corpus.remove(removed, options)
    corpus.take(ids)
    return corpus
  } catch (error) {
    corpus?.dispose()
    if (!isMistake(error) || !/\bcorpus\b/.test(error.argument)) throw error
    if (error.argument !== 'corpus.pages') throw fileError(path, error.message)
    throw fileError(path, 'expected packed rows with their checksums: it is damaged')
  }
}
