// The functions of the addon. Its failures become this package's errors here. No other file calls it.
import { native } from './loaded-addon'
import { onAbort, reasonOf, throwIfAborted, type AbortSignalLike } from './cancellation'
import {
  GemmineError,
  invalid,
  invalidEntry,
  invalidText,
  type GemmineErrorCode,
  type MistakeError,
} from './errors'
import { nativeFileFailure } from './file-errors'
import { enter, isObserved, observed, type Entry } from './jobs'
import { checkReturned, filled, lend } from './lending'
import type { NamedArrays } from './data/typed-array'
import type { Addon, JobControl, NativeProof } from './native-types'
import type { Priority, Progress } from './options'

export type * from './native-types'
export { native }

/** The proof of a search without queries, which runs no job. */
export const nothingAsked: NativeProof = {
  certified: 0,
  fallback: 0,
  zeroQueries: 0,
  zeroRows: 0,
  seconds: 0,
}

interface NativeFailure extends Error {
  readonly code?: GemmineErrorCode | 'CANCELLED' | 'INVALID_ENTRY' | 'REFUSED'
  readonly argument?: string
  readonly expected?: string
  /** As digits if a number cannot represent it. */
  readonly value?: number | string
  readonly row?: number
  readonly column?: number
  /** The file, and the number of the system's error, after a system error. */
  readonly path?: string
  readonly errno?: number
}

/** An argument that lib/ accepted and the addon refuses. */
function changedAfterTheCall({ argument, expected }: NativeFailure): MistakeError {
  const received = 'one that changed after the call, as when its buffer is detached (transferred)'
  return invalidText(argument!, expected!, received)
}

/** An entry of a matrix, or an element of a list. */
function invalidValue({ argument, expected, value, row, column }: NativeFailure): MistakeError {
  return row === undefined || column === undefined
    ? invalid(argument!, expected!, value)
    : invalidEntry(argument!, expected!, value!, row, column)
}

function translated(failure: NativeFailure, stopped?: Stopped): unknown {
  const { code, message, path, errno } = failure
  if (code === 'CANCELLED') return stopped ? stopped.reason : failure
  if (code === 'INVALID_ENTRY') return invalidValue(failure)
  if (code === 'REFUSED') return changedAfterTheCall(failure)
  if (errno !== undefined) return nativeFileFailure(path!, errno, failure)
  return code?.startsWith('ERR_GEMMINE_')
    ? new GemmineError(code, message, { cause: failure })
    : failure
}

/** Why a job was stopped. */
interface Stopped {
  readonly reason: unknown
}

let dropping = false

/** Called once for all signals that are aborted together, because the addon searches all waiting calls. */
function dropCancelled() {
  if (dropping) return
  dropping = true
  queueMicrotask(() => {
    dropping = false
    native().dropCancelled()
  })
}

/** Calls a function of the addon that runs on this thread. */
export function callNative<Result>(call: (addon: Addon) => Result): Result {
  try {
    return call(native())
  } catch (failure) {
    throw translated(failure as NativeFailure)
  }
}

let fileThreadsAsked = false

/**
 * Starts the threads of Node.js for files, names and compression, once. Otherwise Node.js may start them
 * after jobs have used up a limit on threads, and then it ends the process.
 *
 * @throws {GemmineError} `ERR_GEMMINE_BUSY` or `ERR_GEMMINE_OUT_OF_MEMORY`, once, if the system
 *   refuses them. Work without files can continue.
 */
export function startFileThreads() {
  if (fileThreadsAsked) return
  fileThreadsAsked = true
  try {
    native().startFileThreads()
  } catch (failure) {
    throw translated(failure as NativeFailure)
  }
}

function tryFileThreads() {
  try {
    startFileThreads()
  } catch {
    // The job uses the threads that it can get.
  }
}

/** The options of a job that do not concern its data, after a check. */
export interface CheckedJob {
  readonly threads: number
  readonly priority: Priority
  readonly signal: AbortSignalLike | undefined
  readonly onProgress: ((progress: Progress) => void) | undefined
  readonly memoryBudget?: number | undefined
  readonly entry: Entry
}

/** A job that takes one thread for a short time. */
export const smallJob = (signal?: AbortSignalLike): CheckedJob => ({
  ...{ threads: 1, priority: 'interactive', signal, onProgress: undefined },
  entry: { isAdmitted: true },
})

/** The error for the first array that has lost its elements. */
function detachedOf(arrays: NamedArrays): unknown {
  try {
    checkReturned(arrays)
  } catch (error) {
    return error
  }
  return undefined
}

/** Passes the name of the function that `start` calls to `hear`. */
const named = (addon: Addon, hear: (name: string) => void): Addon =>
  new Proxy(addon, {
    get(target, name: keyof Addon) {
      hear(name)
      return target[name]
    },
  })

/** Tells of the end of a job. */
type Ended = (error?: unknown) => void

/** Starts a job, and tells those who want to hear of it; `end` tells of its end. */
function started<Result>(
  { priority, threads }: CheckedJob,
  control: JobControl,
  start: (addon: Addon, control: JobControl) => Promise<Result>,
): { readonly result: Promise<Result>; readonly end: Ended } {
  const addon = native()
  if (!isObserved()) return { result: start(addon, control), end: () => {} }
  let name = ''
  const result = start(
    named(addon, (called) => (name = called)),
    control,
  )
  return { result, end: observed({ name, priority, threads }) }
}

/** The listener of a job in the form for the addon; it may throw any value, even one like a failure of the addon. */
function listenerOf(onProgress: CheckedJob['onProgress'], hear: (thrown: unknown) => void) {
  if (!onProgress) return undefined
  return (phase: string, done: number, total: number, objective: number) => {
    const known = Number.isNaN(objective) ? {} : { objective }
    try {
      onProgress({ phase, done, total, ...known })
    } catch (thrown) {
      hear(thrown)
      throw thrown
    }
  }
}

/**
 * Runs one job of the addon under the caller's signal and listener.
 *
 * @param lent The caller's arrays that the job reads or writes, by their names in messages.
 * @throws {TypeError} if the buffer of one of them is detached while the job runs.
 * @throws {GemmineError} `ERR_GEMMINE_BUSY` if too many jobs wait.
 */
export async function runJob<Result>(
  job: CheckedJob,
  lent: NamedArrays,
  start: (addon: Addon, control: JobControl) => Promise<Result>,
): Promise<Result> {
  const { threads, priority, signal, onProgress, memoryBudget } = job
  throwIfAborted(signal)
  native()
  tryFileThreads()
  const cancel = new Int32Array(new SharedArrayBuffer(4))
  let stopped: Stopped | undefined
  const stop = (reason: unknown) => {
    stopped ??= { reason }
    Atomics.store(cancel, 0, 1)
    dropCancelled()
  }
  const leave = enter(job.entry, stop)
  const forget = signal && onAbort(signal, () => stop(reasonOf(signal)))
  let ofListener: Stopped | undefined
  const tell = listenerOf(onProgress, (reason) => (ofListener = { reason }))
  const watched = filled(lent)
  const failureOf = (failure: unknown): unknown => {
    if (ofListener) return ofListener.reason
    return (!cancel[0] && detachedOf(watched)) || translated(failure as NativeFailure, stopped)
  }
  let end: Ended = () => {}
  try {
    lend(lent)
    const begun = started(job, { threads, priority, cancel, memoryBudget, onProgress: tell }, start)
    end = begun.end
    const found = await begun.result
    checkReturned(watched)
    end()
    return found
  } catch (failure) {
    const error = failureOf(failure)
    end(error)
    throw error
  } finally {
    forget?.()
    leave()
  }
}
