// How a signal stops the jobs that were given it.

/**
 * What stops a job: an `AbortSignal` of Node.js or of a browser, or any other object with these members.
 * The type lists them because `AbortSignal` is unknown without the DOM and without @types/node.
 */
export interface AbortSignalLike {
  readonly aborted: boolean
  /** What a stopped job rejects with. */
  readonly reason?: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export const isAbortSignal = (value: unknown): value is AbortSignalLike =>
  typeof value === 'object' &&
  value !== null &&
  'aborted' in value &&
  'addEventListener' in value &&
  'removeEventListener' in value

/** What an aborted signal rejects with; an AbortError for a signal without reasons. */
export const reasonOf = (signal: AbortSignalLike): unknown =>
  'reason' in signal ? signal.reason : AbortSignal.abort().reason

/** Throws the reason of a signal that was aborted. */
export function throwIfAborted(signal: AbortSignalLike | undefined) {
  if (signal?.aborted) throw reasonOf(signal)
}

interface RunningJobs {
  /** One element in shared memory for each job; not 0 means: stop. */
  readonly flags: Set<Int32Array>
  readonly stop: () => void
}

/**
 * The jobs that run under a signal. They share one listener: Node.js takes more than ten on one signal for
 * a leak, and a signal that lives as long as its process may stop thousands of jobs at once.
 */
const running = new WeakMap<AbortSignalLike, RunningJobs>()

function listenTo(signal: AbortSignalLike, raised: () => void): RunningJobs {
  const flags = new Set<Int32Array>()
  const stop = () => {
    flags.forEach((flag) => Atomics.store(flag, 0, 1))
    raised()
  }
  signal.addEventListener('abort', stop, { once: true })
  const jobs = { flags, stop }
  running.set(signal, jobs)
  return jobs
}

/**
 * Raises a job's flag when the signal is aborted.
 *
 * @param raised Called once all flags of the signal are raised; the same function for every job.
 * @returns Ends that. The signal keeps no listener once no job runs under it.
 */
export function stopOnAbort(
  signal: AbortSignalLike,
  flag: Int32Array,
  raised: () => void,
): () => void {
  const { flags, stop } = running.get(signal) ?? listenTo(signal, raised)
  flags.add(flag)
  return () => {
    flags.delete(flag)
    if (flags.size > 0) return
    signal.removeEventListener('abort', stop)
    running.delete(signal)
  }
}
