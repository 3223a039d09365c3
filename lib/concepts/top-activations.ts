import { planMemory } from '../memory'
import { inTurns } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import { checkInteger, checkNumber, frozen, withDefaults, type Overrides } from '../options'
import { checkAttached } from './dense'
import { flattenedCodes, type CodesInput } from './tensor'

/** The only place where the defaults of {@link topActivations} are written. */
export const topActivationsDefaults = frozen({
  /** Rows wanted for each component; 10 unless given. */
  count: 10,
  /** Only activations above this; 0 unless given. */
  above: 0,
  /**
   * The group of each row, [n], such as the sentence of a token: a component gets only the best row of a
   * group; no groups unless given.
   */
  groups: undefined as ArrayLike<number> | undefined,
})

export type TopActivationsOptions = Overrides<typeof topActivationsDefaults>

/** The rows that activate each component most. */
export interface TopActivations {
  /** Number of components, K. */
  readonly components: number
  /** Slots for each component. */
  readonly count: number
  /** Rows of the codes, largest activation first, equal ones by lower row, [K × count]; −1 where none is left. */
  readonly rows: Int32Array
  /** Their activations, [K × count]; NaN where none is left. */
  readonly values: Float32Array
}

/** The best rows of one component so far, in its slots of the result. */
class Slots {
  private used = 0

  constructor(
    private readonly rows: Int32Array,
    private readonly values: Float32Array,
    private readonly groups: ArrayLike<number> | undefined,
  ) {}

  offer(row: number, value: number) {
    const { used, values } = this
    if (used === values.length && value <= values[used - 1]!) return
    const held = this.groups ? this.slotOf(this.groups[row]!) : -1
    if (held >= 0 && value <= values[held]!) return
    // The slot that ends: that of the group, a new one, or the last.
    const end = held >= 0 ? held : Math.min(used, values.length - 1)
    if (held < 0 && used < values.length) this.used++
    this.insert(row, value, end)
  }

  private slotOf(group: number): number {
    for (let slot = 0; slot < this.used; slot++)
      if (this.groups![this.rows[slot]!] === group) return slot
    return -1
  }

  private insert(row: number, value: number, end: number) {
    const { rows, values } = this
    let slot = end
    for (; slot > 0 && values[slot - 1]! < value; slot--) {
      values[slot] = values[slot - 1]!
      rows[slot] = rows[slot - 1]!
    }
    values[slot] = value
    rows[slot] = row
  }
}

/**
 * The rows that activate each component most, such as the tokens by which a component is read.
 *
 * @param codes [n × K], or with more dimensions before K, whose positions are then counted row-major.
 * @throws {TypeError | RangeError} if the codes are no array of float32, `count` is not at least 1, or `groups` has
 *   another length.
 * @see Shafran, Geiger & Geva (2025), arXiv 2506.10920, which reads components by their 25 largest activations
 *
 * @example
 * const { rows, values } = await topActivations(reducer.codes, { count: 25 })
 */
export async function topActivations(
  codes: CodesInput,
  given?: TopActivationsOptions,
): Promise<TopActivations> {
  const { count, above, groups } = withDefaults(topActivationsDefaults, given)
  const { matrix } = await flattenedCodes('codes', codes)
  const { data, rows: n, cols: components } = matrix
  checkInteger('count', count, 1)
  checkNumber('above', above)
  if (groups !== undefined && typeof groups?.length !== 'number')
    throw invalid('groups', `a number for each of the ${n} rows`, groups)
  if (groups !== undefined && groups.length !== n)
    throw invalidText('groups', `${n} numbers, one for each row`, `${groups.length}`, RangeError)
  planMemory(`${count} rows of each of ${components} components`, 8 * components * count)
  const rows = resultArray(Int32Array, components * count).fill(-1)
  const values = resultArray(Float32Array, components * count).fill(NaN)
  const slots = Array.from({ length: components }, (_, c) => {
    const [begin, end] = [c * count, (c + 1) * count]
    return new Slots(rows.subarray(begin, end), values.subarray(begin, end), groups)
  })
  await inTurns(function* (slice) {
    for (let i = 0, at = 0; i < n; i++) {
      for (let c = 0; c < components; c++, at++) {
        const value = data[at]!
        if (value > above) slots[c]!.offer(i, value)
      }
      checkAttached('codes', data, n * components)
      if (slice.spend(components)) yield
    }
  })
  return { components, count, rows, values }
}

/** The only place where the defaults of {@link topConcepts} are written. */
export const topConceptsDefaults = frozen({
  /** Components wanted for each row; 5 unless given. */
  count: 5,
  /** Only activations above this; 0 unless given. */
  above: 0,
})

export type TopConceptsOptions = Overrides<typeof topConceptsDefaults>

/** The components that each row shows most. */
export interface TopConcepts {
  /** The dimensions of the codes without the last. */
  readonly leading: readonly number[]
  /** Slots for each row. */
  readonly count: number
  /** Components, largest activation first, equal ones by lower number, [… × count]; −1 where none is left. */
  readonly components: Int32Array
  /** Their activations, [… × count]; NaN where none is left. */
  readonly values: Float32Array
}

/**
 * The components that each row shows most: a sample as a ranked list of concepts.
 *
 * @param codes [n × K], or with more dimensions before K.
 * @throws {TypeError | RangeError} if the codes are no array of float32, or `count` is not at least 1.
 * @see Parekh et al. (2024), arXiv 2406.08074, which reads test samples by their most activated concepts
 *
 * @example
 * const { components } = await topConcepts(await reducer.transform(X), { count: 3 })
 */
export async function topConcepts(
  codes: CodesInput,
  given?: TopConceptsOptions,
): Promise<TopConcepts> {
  const { count, above } = withDefaults(topConceptsDefaults, given)
  const { matrix, leading } = await flattenedCodes('codes', codes)
  const { data, rows: n, cols } = matrix
  checkInteger('count', count, 1)
  checkNumber('above', above)
  planMemory(`${count} components of each of ${n} rows`, 8 * n * count)
  const components = resultArray(Int32Array, n * count)
  const values = resultArray(Float32Array, n * count)
  await inTurns(function* (slice) {
    for (let i = 0; i < n; i++) {
      const [begin, end] = [i * count, (i + 1) * count]
      const own = [components.subarray(begin, end), values.subarray(begin, end)] as const
      own[0].fill(-1)
      own[1].fill(NaN)
      const slots = new Slots(...own, undefined)
      for (let c = 0; c < cols; c++) {
        const value = data[i * cols + c]!
        if (value > above) slots.offer(c, value)
      }
      checkAttached('codes', data, n * cols)
      if (slice.spend(4 * cols + 4 * count + 64)) yield
    }
  })
  return { leading, count, components, values }
}
