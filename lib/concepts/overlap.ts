import { planMemory } from '../memory'
import { inTurns, type Slice } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { invalid } from '../errors'
import type { MatrixInput } from '../data/matrix'
import { checkNumber, frozen, withDefaults, type Overrides } from '../options'
import { denseMatrix, largestColumns } from './dense'

/** How much the sets of components have in common. */
export interface ConceptOverlap {
  /** Number of components, K. */
  readonly components: number
  /** Size of each set, [K]. */
  readonly sizes: Int32Array
  /** Number of members that two sets share, [K × K], symmetric; the sizes on its diagonal. */
  readonly shared: Int32Array
  /** |Tᵢ ∩ Tⱼ| / |Tᵢ|, [K × K]: 0 for disjoint sets, 1 if Tⱼ has all of Tᵢ; 0 for an empty Tᵢ. */
  readonly overlap: Float64Array
  /** Mean of `overlap` over the ordered pairs i ≠ j; 0 for a single component. */
  readonly mean: number
}

/** Sets of small integers, each a row of bits. */
class BitSets {
  private readonly words: number
  private readonly bits: Int32Array

  constructor(
    readonly sets: number,
    members: number,
  ) {
    this.words = Math.ceil(members / 32)
    planMemory(`${sets} sets of ${members}`, 4 * sets * this.words + 12 * sets * sets)
    this.bits = new Int32Array(sets * this.words)
  }

  add(set: number, member: number) {
    this.bits[set * this.words + (member >>> 5)]! |= 1 << (member & 31)
  }

  *shared(slice: Slice): Generator<void, Int32Array> {
    const { sets, words, bits } = this
    const counts = resultArray(Int32Array, sets * sets)
    for (let i = 0; i < sets; i++)
      for (let j = i; j < sets; j++) {
        let count = 0
        for (let w = 0; w < words; w++) count += ones(bits[i * words + w]! & bits[j * words + w]!)
        counts[i * sets + j] = counts[j * sets + i] = count
        if (slice.spend(4 * words + 4)) yield
      }
    return counts
  }
}

/** Number of bits that are 1, of 32. */
function ones(bits: number): number {
  let left = bits - ((bits >>> 1) & 0x55555555)
  left = (left & 0x33333333) + ((left >>> 2) & 0x33333333)
  return Math.imul((left + (left >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

async function overlapOf(bits: BitSets): Promise<ConceptOverlap> {
  const K = bits.sets
  const shared = await inTurns((slice) => bits.shared(slice))
  const sizes = Int32Array.from({ length: K }, (_, i) => shared[i * K + i]!)
  const overlap = resultArray(Float64Array, K * K)
  let total = 0
  for (let i = 0; i < K; i++)
    for (let j = 0; j < K; j++) {
      const share = sizes[i] === 0 ? 0 : shared[i * K + j]! / sizes[i]!
      overlap[i * K + j] = share
      if (i !== j) total += share
    }
  return { components: K, sizes, shared, overlap, mean: K > 1 ? total / (K * (K - 1)) : 0 }
}

/**
 * How much components have in common by the sets of words, rows or anything else by which they are read.
 *
 * @param sets One for each component; repeated members count once.
 * @throws {TypeError} if there is no set, or one is not iterable.
 * @see Parekh et al. (2024), "A Concept-Based Explainability Framework for Large Multimodal Models", NeurIPS:
 *   the overlap of the words that ground concepts; lower is better
 *
 * @example
 * const { overlap, mean } = await conceptOverlap([['dog', 'puppy'], ['puppy', 'train']]) // mean 0.5
 */
export async function conceptOverlap(
  sets: readonly Iterable<string | number>[],
): Promise<ConceptOverlap> {
  if (!Array.isArray(sets) || sets.length === 0)
    throw invalid('sets', 'an array of at least one set of words or numbers', sets)
  sets.forEach((set: unknown, i) => {
    const isList =
      typeof (set as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function'
    // The members of a string would be its letters.
    if (!isList || typeof set === 'string')
      throw invalid(`sets[${i}]`, 'a set or a list of words or numbers', set)
  })
  const numbers = new Map<string | number, number>()
  const numbered = await inTurns<Int32Array[]>(function* (slice) {
    const all: Int32Array[] = []
    for (const set of sets as readonly Iterable<string | number>[]) {
      const members: number[] = []
      for (const member of set) {
        if (!numbers.has(member)) numbers.set(member, numbers.size)
        members.push(numbers.get(member)!)
        if (slice.spend(16)) yield
      }
      all.push(Int32Array.from(members))
    }
    return all
  })
  const bits = new BitSets(sets.length, numbers.size)
  await inTurns(function* (slice) {
    for (const [i, members] of numbered.entries())
      for (const member of members) {
        bits.add(i, member)
        if (slice.spend(1)) yield
      }
  })
  return overlapOf(bits)
}

/** The only place where the defaults of {@link neuronReuse} are written. */
export const neuronReuseDefaults = frozen({
  /**
   * The support of a component: the ⌈share · d⌉ features of largest magnitude that are not 0, equal ones by
   * lower column; in (0, 1]; 1 unless given: all that are not 0.
   */
  share: 1,
})

export type NeuronReuseOptions = Overrides<typeof neuronReuseDefaults>

/**
 * How many neurons components share: the overlap of their supports. Components that use the same neurons
 * are related, as those of one concept under several names.
 *
 * @param components [K × d], the H of a factorization; sparse ones, such as those of `snmf`, are read as they are.
 * @throws {TypeError | RangeError} if they are no matrix of finite numbers in memory, or `share` is not in (0, 1].
 * @see Shafran, Geiger & Geva (2025), arXiv 2506.10920, which finds groups of neurons reused by related features
 *
 * @example
 * const { shared, overlap } = await neuronReuse(model.H, { share: 0.01 })
 */
export async function neuronReuse(
  components: MatrixInput,
  given?: NeuronReuseOptions,
): Promise<ConceptOverlap> {
  const { share } = withDefaults(neuronReuseDefaults, given)
  checkNumber('share', share, 0, 1)
  if (share === 0) throw invalid('share', 'a number above 0, at most 1', share)
  const { data, rows, cols } = await denseMatrix('components', components)
  const bits = new BitSets(rows, cols)
  await inTurns(function* (slice) {
    for (let i = 0; i < rows; i++) {
      const row = data.subarray(i * cols, (i + 1) * cols)
      for (const j of largestColumns(row, Math.ceil(share * cols))) bits.add(i, j)
      if (slice.spend(16 * cols)) yield
    }
  })
  return overlapOf(bits)
}
