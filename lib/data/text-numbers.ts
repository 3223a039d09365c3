// Numbers for texts, in many small maps: one Map of a million texts holds the event loop when it grows, and
// none takes more than 16 million.

/** Maps together. */
const maps = 256

/** Places in {@link mapOf}, a power of two. */
const places = 1 << 12

/**
 * The map of each range of hashes. The largest gets twice as many texts as the smallest, so that they grow at
 * different times.
 */
const mapOf = Uint8Array.from({ length: places }, (_, i) => maps * Math.log2(1 + i / places))

/** Characters of a text that are hashed, at most. */
const hashed = 32

/** A multiplicative hash of the length and of characters from all parts of a text: log₂(places) bits. */
function hashOf(text: string): number {
  const step = Math.max(1, text.length / hashed)
  let hash = text.length
  for (let at = 0; at < text.length; at += step)
    hash = Math.imul(hash ^ text.charCodeAt(Math.floor(at)), 0x9e3779b1)
  // The highest bits of a product depend on all others.
  return (hash ^ (hash >>> 15)) >>> 20
}

/** Texts are kept in lists of this length, as a growing array would be copied. */
const listLength = 1 << 14

/** Numbers texts 0, 1, 2 … in the order in which they come, the same text always alike. */
export class TextNumbers implements ReadonlyMap<string, number> {
  readonly #maps: Map<string, number>[] = []
  readonly #texts: string[][] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The number of a text, a new one if it was not there. */
  add(text: string): number {
    const at = mapOf[hashOf(text)]!
    const map = (this.#maps[at] ??= new Map<string, number>())
    const found = map.get(text)
    if (found !== undefined) return found
    if (this.#size % listLength === 0) this.#texts.push([])
    this.#texts.at(-1)!.push(text)
    map.set(text, this.#size)
    return this.#size++
  }

  get(text: string): number | undefined {
    return typeof text === 'string' ? this.#maps[mapOf[hashOf(text)]!]?.get(text) : undefined
  }

  has(text: string): boolean {
    return this.get(text) !== undefined
  }

  *keys(): Generator<string, undefined> {
    for (const texts of this.#texts) yield* texts
    return undefined
  }

  *values(): Generator<number, undefined> {
    for (let number = 0; number < this.#size; number++) yield number
    return undefined
  }

  *entries(): Generator<[string, number], undefined> {
    let number = 0
    for (const text of this.keys()) yield [text, number++]
    return undefined
  }

  [Symbol.iterator](): Generator<[string, number], undefined> {
    return this.entries()
  }

  forEach(
    call: (number: number, text: string, map: ReadonlyMap<string, number>) => void,
    self?: unknown,
  ): void {
    for (const [text, number] of this.entries()) call.call(self, number, text, this)
  }
}
