import { isAbortSignal, type AbortSignalLike } from './cancellation'
import type { DeviceName } from './device'
import { resolveDevice } from './device'
import { invalid, invalidText } from './errors'

/** The type of an option whose default is `T`: a literal number or truth value stands for its whole type. */
type Widened<T> = T extends boolean ? boolean : T extends number ? number : T

/**
 * The options that an object of defaults describes, all of them optional. An editor shows the texts of
 * the object's fields, if it is written out: a declaration file keeps none of those that are spread
 * into another object.
 */
export type Overrides<Defaults> = {
  -readonly [K in keyof Defaults]?: Widened<Defaults[K]> | undefined
}

/** Defaults that no caller can change: they are exported, and every call reads them. */
export const frozen = <const Defaults extends object>(defaults: Defaults): Readonly<Defaults> =>
  Object.freeze(defaults)

/** What is known of a job while it runs. */
export interface Progress {
  /** What is being done: `initialise`, `iterate`, `prepare`, `scan`, ... */
  readonly phase: string
  /** Units done and in all: iterations of a factorization, queries × blocks of the corpus of a scan. */
  readonly done: number
  readonly total: number
  /** The objective after the last iteration, for a factorization. */
  readonly objective?: number
}

/** What every job takes besides its own options. */
export interface JobOptions {
  /** Compute threads at most; all that the process may use unless given. */
  threads?: number | undefined
  /** Where to compute; `auto` unless given: the best device. Asking for an absent one is an error. */
  device?: DeviceName | undefined
  /** Aborts the job within one block; the promise rejects with the signal's reason; none unless given. */
  signal?: AbortSignalLike | undefined
  /**
   * Called at most ten times a second, and once at the end. If it throws, the job stops and rejects with
   * that. A promise that it returns is not waited for: one that rejects does not stop the job, and is an
   * unhandled rejection of the process. None unless given.
   */
  onProgress?: ((progress: Progress) => void) | undefined
}

/** The only place where the defaults of {@link JobOptions} are written. */
export const jobDefaults = frozen({
  threads: undefined,
  device: 'auto',
  signal: undefined,
  onProgress: undefined,
})

/**
 * Defaults with the overrides laid over them; an override of `undefined` leaves the default.
 *
 * @param defaults Every option there is, with `undefined` for those without a default.
 * @param argument What messages call the object itself, and the options of any but `options`.
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

/** An option that must be given: it has no default, and its own check tells that it is missing. */
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

/** The job options, checked, with the device resolved. */
export function checkJob({ threads, device, signal, onProgress }: JobOptions) {
  if (threads !== undefined) checkInteger('threads', threads, 1)
  if (signal !== undefined && !isAbortSignal(signal))
    throw invalid('signal', 'an AbortSignal', signal)
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalid('onProgress', 'a function', onProgress)
  return {
    threads: threads ?? 0,
    device: resolveDevice(device ?? jobDefaults.device),
    signal,
    onProgress,
  }
}
