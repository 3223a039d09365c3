// What a job will take, from its shape and from short trials of the same job on made-up rows.

import { invalid } from './errors'
import { required, withDefaults } from './options'

export interface Estimate {
  /** Memory beside the inputs, in bytes: what the plan of the job counts before it starts. */
  readonly bytes: number
  /** Floating-point operations of an iteration or a scan: those of its products with the matrix. */
  readonly operations: number
  /** Seconds of an iteration or a scan. */
  readonly seconds: number
}

/** Entries of a trial's matrix at most, 16 MiB as float32: more than the caches near a core. */
export const trialEntries = 1 << 22

/** The options of a job that its trials have too. */
export const trialJobOptions = ['threads', 'device', 'priority', 'signal'] as const

/**
 * The error for an option of files, arrays, listeners or budgets: a trial would write or read the files of the
 * job, or has other rows than an array of the caller.
 */
export const noSuchOption = (name: string, value: unknown, taken?: readonly string[]) =>
  invalid(
    name,
    `nothing (estimates take no such option${taken ? `, only ${taken.join(', ')}` : ''})`,
    value,
  )

/**
 * Refuses options that estimates do not take.
 *
 * @throws {TypeError | RangeError} naming the option.
 */
export function checkTaken(options: unknown, taken: readonly string[]): void {
  for (const [name, value] of Object.entries(checkedObject('options', options, taken.join(', '))))
    if (value !== undefined && !taken.includes(name)) throw noSuchOption(name, value, taken)
}

/** An argument that must be an object, with the name that the caller knows. */
export function checkedObject(name: string, value: unknown, of: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw invalid(name, `an object of ${of}`, value)
}

/** The fields of a shape without others; the checks of its numbers follow. */
export const shapeOf = <const Name extends string>(shape: unknown, names: readonly Name[]) => {
  checkedObject('shape', shape, names.join(', '))
  const none = Object.fromEntries(names.map((name) => [name, required]))
  return withDefaults(none, shape as object, 'shape') as Readonly<Record<Name, never>>
}

/** Trials of one size; the quickest counts, because other work of the machine only adds time. */
const repeats = 3

/** The least of the seconds that several runs take. */
export async function quickest(run: () => Promise<number>): Promise<number> {
  let least = Infinity
  for (let i = 0; i < repeats; i++) least = Math.min(least, await run())
  return least
}

/**
 * Seconds at `size`, by a line through those of two trials of smaller sizes.
 *
 * @param times How many times a trial's work each element of the size has, and what does not depend on it.
 */
export function extended(
  size: number,
  [small, large]: readonly [number, number],
  [ofSmall, ofLarge]: readonly [number, number],
  times: { readonly each: number; readonly fixed: number } = { each: 1, fixed: 1 },
): number {
  const { each, fixed } = times
  if (small === large) return (ofLarge * size * Math.max(each, fixed)) / large
  const slope = Math.max(0, (ofLarge - ofSmall) / (large - small))
  const rest = ofLarge - slope * large
  return Math.max(0, slope * size * each + rest * (rest > 0 ? fixed : each))
}

/** Numbers above 0, at most 1, that look drawn, the same in every call (Knuth's multiplicative hash). */
export function madeUpNumbers(count: number): Float32Array {
  const numbers = new Float32Array(count)
  let state = 1
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    numbers[i] = (state + 1) / 2 ** 32
  }
  return numbers
}
