/** Statistics of a set of numbers; every field is null for an empty set. Quantiles interpolate linearly. */
export interface Distribution {
  readonly min: number | null
  readonly mean: number | null
  readonly max: number | null
  readonly q05: number | null
  readonly q50: number | null
  readonly q95: number | null
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

export function distributionOf(values: Float64Array): Distribution {
  if (values.length === 0)
    return { min: null, mean: null, max: null, q05: null, q50: null, q95: null }
  const ascending = values.slice().sort()
  return {
    min: ascending[0]!,
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    max: ascending.at(-1)!,
    q05: quantile(ascending, 0.05),
    q50: quantile(ascending, 0.5),
    q95: quantile(ascending, 0.95),
  }
}
