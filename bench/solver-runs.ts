// Runs of nmf with the CPU time of one thread.
import { nmf, type NmfOptions } from '../lib/index'
import { cpuSeconds } from './interleave'

export interface Run {
  /** CPU seconds of the start and of an iteration. */
  readonly start: number
  readonly iteration: number
  readonly objective: Float64Array
}

export async function runOf(
  X: Parameters<typeof nmf>[0],
  options: NmfOptions,
  iterations: number,
): Promise<Run> {
  const common = { tolerance: 0, threads: 1, ...options } as const
  const start = await cpuSeconds(() => nmf(X, { ...common, iterations: 0 }))
  let objective = new Float64Array()
  const all = await cpuSeconds(async () => {
    objective = (await nmf(X, { ...common, iterations })).objective as typeof objective
  })
  return { start, iteration: Math.max(all - start, 1e-6) / iterations, objective }
}

/** CPU seconds until the objective is at most `loss`; Infinity if it never is. */
export function secondsTo(loss: number, { start, iteration, objective }: Run): number {
  const first = objective.findIndex((value) => value <= loss)
  return first < 0 ? Infinity : start + first * iteration
}

export const secondsText = (seconds: number) =>
  seconds < Infinity ? seconds.toPrecision(3) : 'never'
