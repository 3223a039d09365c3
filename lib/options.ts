import { isAbortSignal, type AbortSignalLike } from './cancellation'
import type { DeviceName } from './device'
import { resolveDevice } from './device'
import { invalid, invalidText } from './errors'

/** The type of an option whose default is `T`: a literal number or boolean is widened to its type. */
type Widened<T> = T extends boolean ? boolean : T extends number ? number : T

/**
 * The options of an object of defaults, all optional. An editor shows the doc comments of the object's fields
 * only if the object is written out: a declaration file loses those of fields that are spread into another
 * object.
 */
export type Overrides<Defaults> = {
  -readonly [K in keyof Defaults]?: Widened<Defaults[K]> | undefined
}

/** Freezes defaults: they are exported and every call reads them, so callers must not change them. */
export const frozen = <const Defaults extends object>(defaults: Defaults): Readonly<Defaults> =>
  Object.freeze(defaults)

/** The progress of a running job. */
export interface Progress {
  /** The current phase: `initialise`, `iterate`, `prepare`, `scan`, ... */
  readonly phase: string
  /** Units done and in total: iterations of a factorization, queries × blocks of the corpus of a scan. */
  readonly done: number
  readonly total: number
  /** The objective after the last iteration, for a factorization. */
  readonly objective?: number
}

/** Who waits for a job. */
export const priorities = ['interactive', 'batch'] as const
export type Priority = (typeof priorities)[number]

/** Options of every job. */
export interface JobOptions {
  /** Compute threads at most; all that the process may use unless given. */
  threads?: number | undefined
  /**
   * Where to compute; `auto` unless given, which is the CPU: the CUDA backend has not been measured on a GPU yet.
   * `cuda` is the first GPU. Requesting an absent device is an error.
   */
  device?: DeviceName | undefined
  /**
   * `interactive` unless given. A job of `batch` gives way to interactive jobs that run beside it, in the
   * middle of its blocks too, and gets a seventeenth of the time beside one that runs as long. Among jobs of
   * one priority that which has used the least time is next, so a short job does not wait for a long one.
   * Results do not depend on it.
   */
  priority?: Priority | undefined
  /** Aborts the job within one block; the promise rejects with the signal's reason; none unless given. */
  signal?: AbortSignalLike | undefined
  /**
   * Called at most ten times a second, and once at the end. If it throws, the job stops and rejects with that
   * value. A returned promise is not awaited: if it rejects, the job goes on, and the process has an
   * unhandled rejection. None unless given.
   */
  onProgress?: ((progress: Progress) => void) | undefined
}

/** The only place where the defaults of {@link JobOptions} are written. */
export const jobDefaults = frozen({
  threads: undefined,
  device: 'auto',
  priority: 'interactive' as Priority,
  signal: undefined,
  onProgress: undefined,
})

/** Options of jobs whose memory can be bounded. */
export interface MemoryOptions {
  /**
   * Bytes of memory for the job, at least 64 MiB (67108864); what the process may still allocate unless given.
   * Inputs do not count. Factors and other results of a factorization count, and one that needs more is refused
   * before it starts, with the bytes that it needs. A search or a mining job is cut into smaller parts; its
   * results, which have the same bits, and the packed copy of its corpus do not count.
   */
  memoryBudget?: number | undefined
}

/** The only place where the defaults of {@link MemoryOptions} are written. */
export const memoryDefaults = frozen({ memoryBudget: undefined as number | undefined })

/** Less would not hold what every job needs: stacks of threads, and parts of the matrices. */
export const leastBudget = 2 ** 26

/**
 * Merges overrides into defaults; an override of `undefined` keeps the default.
 *
 * @param defaults All options, with `undefined` for those without a default.
 * @param argument Name of the object in messages; a prefix of its options' names unless it is `options`.
 * @throws {TypeError} if an option is unknown.
 */
export function withDefaults<Defaults extends object, Given extends object>(
  defaults: Defaults,
  given: Given | undefined,
  argument = 'options',
): {
  [K in keyof Defaults]: K extends keyof Given
    ? Exclude<Given[K], undefined> | Defaults[K]
    : Defaults[K]
} {
  const merged = { ...defaults } as Record<string, unknown>
  for (const [name, value] of Object.entries(checkObject(argument, given, defaults))) {
    if (!Object.hasOwn(defaults, name)) throw unknownOption(argument, name, defaults)
    if (value !== undefined) merged[name] = value
  }
  return merged as never
}

/** The default of an option that must be given; the check of the option reports that it is missing. */
export const required = undefined as never

const namesOf = (options: object) => Object.keys(options).join(', ')

function checkObject(argument: string, given: unknown, defaults: object): object {
  if (given === undefined) return {}
  const isList = Array.isArray(given) || ArrayBuffer.isView(given)
  if (typeof given === 'object' && given !== null && !isList) return given
  throw invalid(argument, `an object of ${namesOf(defaults)}`, given)
}

const unknownOption = (argument: string, name: string, defaults: object) =>
  invalidText(
    argument === 'options' ? name : `${argument}.${name}`,
    `one of the options ${namesOf(defaults)}`,
    `the unknown option ${name}`,
  )

export function checkInteger(
  name: string,
  value: unknown,
  low: number,
  high = Infinity,
): asserts value is number {
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high) return
  throw invalid(
    name,
    high === Infinity ? `an integer of at least ${low}` : `an integer in ${low}..${high}`,
    value,
  )
}

export function checkNumber(
  name: string,
  value: unknown,
  low = -Infinity,
  high = Infinity,
): asserts value is number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= low && value <= high) return
  const bounds =
    low === -Infinity ? '' : high === Infinity ? ` of at least ${low}` : ` in ${low}..${high}`
  throw invalid(name, `a finite number${bounds}`, value)
}

export function checkOneOf<const T extends string>(
  name: string,
  value: unknown,
  choices: readonly T[],
): asserts value is T {
  if (choices.includes(value as T)) return
  throw invalid(name, `one of ${choices.join(', ')}`, value)
}

/**
 * The job options, checked, with the device resolved.
 *
 * @param holder The device that holds a prepared corpus of the call: `auto` is this one.
 */
export function checkJob(
  { threads, device, priority, signal, onProgress, memoryBudget }: JobOptions & MemoryOptions,
  holder?: string,
) {
  if (threads !== undefined) checkInteger('threads', threads, 1)
  checkOneOf('priority', priority ?? jobDefaults.priority, priorities)
  if (signal !== undefined && !isAbortSignal(signal))
    throw invalid('signal', 'an AbortSignal', signal)
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalid('onProgress', 'a function', onProgress)
  if (memoryBudget !== undefined) checkInteger('memoryBudget', memoryBudget, leastBudget)
  const wanted = device ?? jobDefaults.device
  const resolved = resolveDevice(holder !== undefined && wanted === 'auto' ? holder : wanted)
  if (holder !== undefined && resolved !== holder)
    throw invalid('device', `${holder}, where the corpus is,`, wanted)
  return {
    threads: threads ?? 0,
    device: resolved,
    priority: priority ?? jobDefaults.priority,
    signal,
    onProgress,
    memoryBudget,
    entry: { isAdmitted: false },
  }
}
