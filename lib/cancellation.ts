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

interface Listeners {
  /** One per job. */
  readonly stops: Set<() => void>
  readonly stopAll: () => void
}

/**
 * The jobs that run under a signal. They share one listener, because Node.js warns of a leak above ten on one
 * signal, and a signal with the lifetime of the process may stop thousands of jobs at once.
 */
const listeners = new WeakMap<AbortSignalLike, Listeners>()

function listenTo(signal: AbortSignalLike): Listeners {
  const stops = new Set<() => void>()
  const stopAll = () => stops.forEach((stop) => stop())
  signal.addEventListener('abort', stopAll, { once: true })
  const jobs = { stops, stopAll }
  listeners.set(signal, jobs)
  return jobs
}

/**
 * Calls `stop`, which must not throw, when the signal is aborted.
 *
 * @returns A function that ends this. The signal has no listener while no job runs under it.
 */
export function onAbort(signal: AbortSignalLike, stop: () => void): () => void {
  const { stops, stopAll } = listeners.get(signal) ?? listenTo(signal)
  const own = () => stop()
  stops.add(own)
  return () => {
    stops.delete(own)
    if (stops.size > 0) return
    signal.removeEventListener('abort', stopAll)
    listeners.delete(signal)
  }
}
