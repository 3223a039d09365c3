import { inSlices } from '../data/slices'
import { detached } from '../lending'
import { planMemory } from '../memory'
import { runJob, smallJob } from '../native'

/** Statistics of a set of numbers; every field is null for an empty set. Quantiles interpolate linearly. */
export interface Distribution {
  readonly min: number | null
  readonly mean: number | null
  readonly max: number | null
  readonly q05: number | null
  readonly q50: number | null
  readonly q95: number | null
}

/** The first `counts[i]` of each `width` numbers; without counts all numbers. NaN stands for none. */
export interface Written {
  readonly name: string
  readonly values: Float32Array | Float64Array | Int32Array
  readonly width: number
  readonly counts?: Int32Array | undefined
}

/** Numbers that are copied between two turns of the event loop. */
const copiedAtOnce = 1 << 18

/** A copy of the numbers without NaN, made in pieces. */
async function gathered({ name, values, width, counts }: Written, found: number) {
  planMemory(`The statistics of ${found} ${name}`, 8 * found)
  const all = new Float64Array(found)
  const { length } = values
  let at = 0
  const copy = (begin: number, end: number) => {
    if (values.length !== length) throw detached(name)
    for (let i = begin; i < end; i++) {
      const count = counts ? counts[i]! : width
      for (let place = i * width; place < i * width + count; place++) {
        all[at] = values[place]!
        at += Number(!Number.isNaN(all[at]))
      }
    }
  }
  const step = Math.max(1, Math.floor(copiedAtOnce / width))
  await inSlices(counts ? counts.length : length / width, copy, step)
  return all.subarray(0, at)
}

/**
 * Interpolates linearly between the two nearest values in the order; two equal infinities give that infinity.
 */
function quantile(ascending: Float64Array, fraction: number): number {
  const at = fraction * (ascending.length - 1)
  const low = ascending[Math.floor(at)]!
  const high = ascending[Math.ceil(at)]!
  return low === high ? low : low + (at % 1) * (high - low)
}

/** @param found How many numbers were written. */
export async function distributionOf(written: Written, found: number): Promise<Distribution> {
  const values = await gathered(written, found)
  if (values.length === 0)
    return { min: null, mean: null, max: null, q05: null, q50: null, q95: null }
  const sum = await runJob(smallJob(), {}, (addon, control) => addon.sortNumbers(values, control))
  return {
    min: values[0]!,
    mean: sum / values.length,
    max: values.at(-1)!,
    q05: quantile(values, 0.05),
    q50: quantile(values, 0.5),
    q95: quantile(values, 0.95),
  }
}
