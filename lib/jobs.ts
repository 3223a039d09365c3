// The jobs of this JavaScript thread that are not done: how many may wait, who is told of them, and their end.
import { channel } from 'node:diagnostics_channel'
import { setImmediate } from 'node:timers/promises'
import { onAbort, reasonOf, type AbortSignalLike } from './cancellation'
import { GemmineError } from './errors'
import { checkInteger, frozen, type Overrides } from './options'

/** The only place where the defaults of {@link configureQueue} are written. */
export const queueDefaults = frozen({
  /**
   * Calls that may wait for a job thread, of this JavaScript thread; 8192 unless given. Sixteen jobs run at a
   * time; a call that finds as many waiting as allowed rejects with `ERR_GEMMINE_BUSY`.
   */
  maxQueue: 8192,
})

export type QueueOptions = Overrides<typeof queueDefaults>

/** Jobs that run at the same time, at most: `most_threads` of native/binding/job_threads.cc. */
const mostRunning = 16

let { maxQueue }: { maxQueue: number } = queueDefaults

export function setMaxQueue(most: number) {
  checkInteger('maxQueue', most, 0)
  maxQueue = most
}

/** Whether a call has been let in. One for all jobs of a call, so that none is refused in its middle. */
export interface Entry {
  isAdmitted: boolean
}

/** Searches that wait to share a scan (mining/shared-scan.ts). */
export const waiting = { searches: 0 }

/** A job, or a call that waits for one, with what stops it. */
interface Unfinished {
  readonly stop: (reason: unknown) => void
}

const unfinished = new Set<Unfinished>()

/** Promises of work of calls before, between and after their jobs. */
let besideJobs = 0

/** Called when nothing is unfinished. */
const idle: (() => void)[] = []

const isIdle = () => unfinished.size === 0 && besideJobs === 0

function settleIfIdle() {
  if (isIdle()) for (const settle of idle.splice(0)) settle()
}

/** The signals that end all jobs when they are aborted. */
const drains = new Set<AbortSignalLike>()

/**
 * Counts a job until the returned function is called.
 *
 * @param stop Ends the job with this reason; must not throw.
 * @throws {GemmineError} `ERR_GEMMINE_BUSY` if the queue is full.
 */
export function enter(entry: Entry, stop: Unfinished['stop']): () => void {
  for (const signal of drains) if (signal.aborted) throw reasonOf(signal)
  if (!entry.isAdmitted && unfinished.size - mostRunning >= maxQueue)
    throw new GemmineError(
      'ERR_GEMMINE_BUSY',
      `${mostRunning} jobs run and ${unfinished.size - mostRunning} wait, as many as maxQueue allows; try again when some have ended`,
    )
  entry.isAdmitted = true
  const own = { stop }
  unfinished.add(own)
  return () => {
    unfinished.delete(own)
    settleIfIdle()
  }
}

/** Counts work of a call between its jobs as unfinished. */
export async function holding<Result>(entry: Entry, run: () => Promise<Result>): Promise<Result> {
  const leave = enter(entry, () => {})
  try {
    return await run()
  } finally {
    leave()
  }
}

/** Counts work of a call beside its jobs as unfinished, such as reading a file; it has no place in the queue. */
export async function working<Result>(work: Promise<Result>): Promise<Result> {
  besideJobs++
  try {
    return await work
  } finally {
    besideJobs--
    settleIfIdle()
  }
}

/** Lets the event loop run in the middle of the work of a call. */
export const pause = (): Promise<void> => working(setImmediate())

/** Two turns of the event loop, in which a call comes to its next job or pause. */
async function twoTurns() {
  await setImmediate()
  await setImmediate()
}

/** Waits until no call of this thread is unfinished. */
export async function drained(signal: AbortSignalLike | undefined): Promise<void> {
  const stopAll = () => {
    for (const { stop } of [...unfinished]) stop(reasonOf(signal!))
  }
  if (signal) drains.add(signal)
  const forget = signal && onAbort(signal, stopAll)
  if (signal?.aborted) stopAll()
  try {
    await twoTurns()
    while (!isIdle()) {
      await new Promise<void>((settle) => idle.push(settle))
      await twoTurns()
    }
  } finally {
    forget?.()
    if (signal) drains.delete(signal)
  }
}

const [starts, ends] = [channel('gemmine:job:start'), channel('gemmine:job:end')]

let lastId = 0

/** What subscribers of `gemmine:job:start` get. */
export interface JobStart {
  /** Number of the job, counted in this JavaScript thread. */
  readonly id: number
  /** Its function in the addon: `topK`, `mine`, `fit`, ... */
  readonly name: string
  /** Who waits for it. */
  readonly priority: string
  /** Compute threads at most; 0 for all. */
  readonly threads: number
}

/** What subscribers of `gemmine:job:end` get. */
export interface JobEnd extends JobStart {
  /** Seconds from the start, with the time in which it waited. */
  readonly seconds: number
  /** Why it failed; undefined if it did not. */
  readonly error: unknown
}

/** Whether anybody wants to hear of jobs. */
export const isObserved = () => starts.hasSubscribers || ends.hasSubscribers

/** Tells of the start of a job; returns what tells of its end. */
export function observed(job: Omit<JobStart, 'id'>): (error?: unknown) => void {
  const started: JobStart = { id: ++lastId, ...job }
  const began = performance.now()
  starts.publish(started)
  return (error) =>
    ends.publish({
      ...started,
      seconds: (performance.now() - began) / 1000,
      error,
    } satisfies JobEnd)
}
