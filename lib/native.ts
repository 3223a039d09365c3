// The functions of the addon. Its failures become this package's errors here. No other file calls it.
import { loadAddon } from './addon'
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
import { checkReturned, filled, lend } from './lending'
import type { NamedArrays } from './data/typed-array'
import type { Addon, JobControl, NativeProof } from './native-types'
import type { Priority, Progress } from './options'

export type * from './native-types'

/** The proof of a search without queries, which runs no job. */
export const nothingAsked: NativeProof = {
  certified: 0,
  fallback: 0,
  zeroQueries: 0,
  zeroRows: 0,
  seconds: 0,
}

let loaded: Addon | undefined

/** The addon, loaded on first use. */
export function native(): Addon {
  loaded ??= loadAddon() as Addon
  return loaded
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

function translated(failure: NativeFailure, signal: AbortSignalLike | undefined): unknown {
  const { code, message, path, errno } = failure
  if (code === 'CANCELLED') return signal ? reasonOf(signal) : failure
  if (code === 'INVALID_ENTRY') return invalidValue(failure)
  if (code === 'REFUSED') return changedAfterTheCall(failure)
  if (errno !== undefined) return nativeFileFailure(path!, errno, failure)
  return code?.startsWith('ERR_GEMMINE_')
    ? new GemmineError(code, message, { cause: failure })
    : failure
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
    throw translated(failure as NativeFailure, undefined)
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
}

/** A job that takes one thread for a short time. */
export const smallJob = (signal?: AbortSignalLike): CheckedJob => ({
  ...{ threads: 1, priority: 'interactive', signal, onProgress: undefined },
})

/**
 * Runs one job of the addon under the caller's signal and listener.
 *
 * @param lent The caller's arrays that the job reads or writes, by their names in messages.
 * @throws {TypeError} if the buffer of one of them is detached while the job runs.
 */
export async function runJob<Result>(
  { threads, priority, signal, onProgress, memoryBudget }: CheckedJob,
  lent: NamedArrays,
  start: (addon: Addon, control: JobControl) => Promise<Result>,
): Promise<Result> {
  throwIfAborted(signal)
  const addon = native()
  tryFileThreads()
  const cancel = new Int32Array(new SharedArrayBuffer(4))
  const stop = () => {
    Atomics.store(cancel, 0, 1)
    dropCancelled()
  }
  const forget = signal && onAbort(signal, stop)
  // A listener may throw any value, even one that resembles a failure of the addon.
  let ofListener: { readonly thrown: unknown } | undefined
  const tell = (phase: string, done: number, total: number, objective: number) => {
    const known = Number.isNaN(objective) ? {} : { objective }
    try {
      onProgress?.({ phase, done, total, ...known })
    } catch (thrown) {
      ofListener = { thrown }
      throw thrown
    }
  }
  lend(lent)
  const watched = filled(lent)
  try {
    const result = await start(addon, {
      threads,
      priority,
      cancel,
      memoryBudget,
      onProgress: onProgress && tell,
    })
    checkReturned(watched)
    return result
  } catch (failure) {
    if (!ofListener && !cancel[0]) checkReturned(watched)
    throw ofListener ? ofListener.thrown : translated(failure as NativeFailure, signal)
  } finally {
    forget?.()
  }
}
