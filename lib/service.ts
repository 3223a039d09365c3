// What a service needs to know of all its jobs, and to do with them.
import { isAbortSignal, type AbortSignalLike } from './cancellation'
import { invalid } from './errors'
import { drained, queueDefaults, setMaxQueue, waiting, type QueueOptions } from './jobs'
import { native } from './native'
import { withDefaults } from './options'

/** Jobs, memory and threads of the process at one moment. */
export interface Stats {
  /** Calls that wait for a job thread, or for a search that they will share a scan with. */
  readonly waiting: number
  /** Jobs that run. */
  readonly running: number
  /** Bytes held by prepared corpora, without rows that they borrow. */
  readonly bytes: number
  /** Threads that compute. */
  readonly threads: number
  /** Threads that lead jobs and mostly sleep; started when they are needed. */
  readonly jobThreads: number
}

/**
 * Tells what the process does at the moment: for metrics, and for a health check. The searches of other
 * JavaScript threads that will share a scan are not counted as waiting.
 *
 * @throws {GemmineError} `ERR_GEMMINE_NATIVE_LOAD` if the compiled part is missing.
 *
 * @example
 * const { running, bytes } = stats()
 */
export function stats(): Stats {
  const found = native().stats()
  return { ...found, waiting: found.waiting + waiting.searches }
}

/**
 * Limits the queue of this JavaScript thread. A call beyond it rejects with `ERR_GEMMINE_BUSY` before it
 * starts; a call that was let in is never refused in its middle.
 *
 * @throws {TypeError | RangeError} if `maxQueue` is not an integer of at least 0.
 *
 * @example
 * configureQueue({ maxQueue: 200 })
 */
export function configureQueue(options: QueueOptions): void {
  setMaxQueue(withDefaults(queueDefaults, options).maxQueue)
}

/**
 * Waits until no call of this JavaScript thread runs or waits: for the end of a service. A call that still
 * prepares its inputs (lists, texts, files) or writes a file is waited for, and so is one that starts in the
 * meantime, so a server must first stop taking requests. The promises of the calls settle in the following
 * turns of the event loop. Not waited for are scorers of the caller, pipes, and generators of lines that the
 * caller reads.
 *
 * @param signal When it aborts, all jobs are stopped, and new ones refused, with its reason: a call that
 *   prepares its inputs ends when it comes to its job.
 *
 * @example
 * process.on('SIGTERM', async () => {
 *   server.close()
 *   await drain(AbortSignal.timeout(5000))
 * })
 */
export async function drain(signal?: AbortSignalLike): Promise<void> {
  if (signal !== undefined && !isAbortSignal(signal))
    throw invalid('signal', 'an AbortSignal', signal)
  await drained(signal)
}
