// What a job will take, from its shape and from short trials of the same job on made-up rows.

export interface Estimate {
  /** Memory beside the inputs, in bytes: what the plan of the job counts before it starts. */
  readonly bytes: number
  /** Floating-point operations of an iteration or a scan: those of its products with the matrix. */
  readonly operations: number
  /** Seconds of an iteration or a scan. */
  readonly seconds: number
}

/** Trials of one size; the quickest counts, because other work of the machine only adds time. */
const repeats = 3

/** The least of the seconds that several runs take. */
export async function quickest(run: () => Promise<number>): Promise<number> {
  let least = Infinity
  for (let i = 0; i < repeats; i++) least = Math.min(least, await run())
  return least
}

/** Seconds at `size`, by a line through those of two trials of smaller sizes. */
export function extended(
  size: number,
  [small, large]: readonly [number, number],
  [ofSmall, ofLarge]: readonly [number, number],
): number {
  if (small === large) return (ofLarge * size) / large
  const slope = Math.max(0, (ofLarge - ofSmall) / (large - small))
  return Math.max(0, ofLarge + slope * (size - large))
}

/** Numbers from 0 to 1 that look drawn, the same in every call (Knuth's multiplicative hash). */
export function madeUpNumbers(count: number): Float32Array {
  const numbers = new Float32Array(count)
  let state = 1
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    numbers[i] = state / 2 ** 32
  }
  return numbers
}
