// Stops the jobs that run under a signal.

/**
 * A signal that stops a job: an `AbortSignal` of Node.js or of a browser, or any object with these members.
 * They are listed because the type `AbortSignal` needs the DOM types or @types/node.
 */
export interface AbortSignalLike {
  readonly aborted: boolean
  /** The value with which a stopped job rejects. */
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

/** The reason of an aborted signal, or an AbortError if it has none. */
export const reasonOf = (signal: AbortSignalLike): unknown =>
  'reason' in signal ? signal.reason : AbortSignal.abort().reason

/** Throws the reason of a signal that was aborted. */
export function throwIfAborted(signal: AbortSignalLike | undefined) {
  if (signal?.aborted) throw reasonOf(signal)
}

interface RunningJobs {
  /** One element in shared memory per job; a value other than 0 stops the job. */
  readonly flags: Set<Int32Array>
  readonly stop: () => void
}

/**
 * The jobs that run under a signal. They share one listener, because Node.js warns of a leak above ten on one
 * signal, and a signal with the lifetime of the process may stop thousands of jobs at once.
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
 * Sets a job's flag when the signal is aborted.
 *
 * @param raised Called after all flags of the signal are set; the same function for every job.
 * @returns A function that ends this. The signal has no listener while no job runs under it.
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
