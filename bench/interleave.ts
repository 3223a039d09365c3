// Ratios on a machine with other load: the sides take turns, and each round gives one ratio.
import { setTimeout as pause } from 'node:timers/promises'
import { rounds } from './shapes'

/** One measurement: seconds, or a rate. */
export type Turn = () => Promise<number>

/**
 * Threads of OpenMP and OpenBLAS spin for up to 200 ms after their work, which would slow down the next side.
 */
const settlingMilliseconds = 300

/**
 * Measures all sides once per round. The first round is not counted, and each round begins with another side.
 */
export async function interleave<Name extends string, Value = number>(
  sides: Record<Name, () => Promise<Value>>,
): Promise<Record<Name, Value[]>> {
  const names = Object.keys(sides) as Name[]
  const measured = Object.fromEntries(names.map((name) => [name, [] as Value[]])) as Record<
    Name,
    Value[]
  >
  for (let round = 0; round <= rounds; round++)
    for (let place = 0; place < names.length; place++) {
      const name = names[(round + place) % names.length]!
      await pause(settlingMilliseconds)
      const value = await sides[name]()
      if (round > 0) measured[name].push(value)
    }
  return measured
}

/** Seconds of a job from call to result. */
export async function seconds(job: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await job()
  return (performance.now() - started) / 1000
}

/**
 * Seconds of the CPU that this process takes meanwhile, over all its threads: on a machine that others use
 * too, the sides of a ratio are compared so.
 */
export async function cpuSeconds(job: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await job()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** One measurement of a job: seconds from call to result, and seconds of the CPU over all threads. */
export interface Times {
  readonly seconds: number
  readonly cpu: number
}

export async function times(job: () => Promise<unknown>): Promise<Times> {
  let wall = 0
  const cpu = await cpuSeconds(async () => void (wall = await seconds(job)))
  return { seconds: wall, cpu }
}

export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b)
  const middle = ascending.length >> 1
  return ascending.length % 2 === 1
    ? ascending[middle]!
    : (ascending[middle - 1]! + ascending[middle]!) / 2
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly rounds: number
}

/** The ratios of values measured in the same round. */
export function pairedRatios(
  numerators: readonly number[],
  denominators: readonly number[],
): Spread {
  const ratios = numerators.map((value, round) => value / denominators[round]!)
  return {
    median: median(ratios),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    rounds: ratios.length,
  }
}

export const geometricMean = (values: readonly number[]) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
