// Which of many texts are equal: a hash table of a size that is known before.

/** Bytes of a table of so many texts, which it refers to and does not copy: 6 to 12 for each. */
export const textTableBytes = (texts: number): number => 4 * placesFor(texts)

/** A power of two, of which at most two thirds are taken. */
const placesFor = (texts: number) => 2 ** Math.ceil(Math.log2(1.5 * texts + 2))

/** All characters count: texts that differ in few of them are usual. */
function hashOf(text: string): number {
  let hash = text.length
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** The first of numbered items with each text, in open addressing. A Map takes more than ten times as much. */
export class TextTable {
  /** Number of an item + 1, or 0 for none. */
  readonly #places: Uint32Array
  readonly #mask: number

  /**
   * @param count Different texts, at most.
   * @param textOf The text of an item that was added.
   */
  constructor(
    count: number,
    private readonly textOf: (item: number) => string,
  ) {
    this.#places = new Uint32Array(placesFor(count))
    this.#mask = this.#places.length - 1
  }

  /** The first item with a text: the item itself, which is added, if there is none. */
  add(text: string, item: number): number {
    const place = this.#placeOf(text)
    const held = this.#places[place]!
    if (held !== 0) return held - 1
    this.#places[place] = item + 1
    return item
  }

  /** The first item with a text, or −1. */
  find(text: string): number {
    return this.#places[this.#placeOf(text)]! - 1
  }

  /** The place of the item with a text, or the empty one for it. */
  #placeOf(text: string): number {
    let place = hashOf(text) & this.#mask
    for (;;) {
      const held = this.#places[place]!
      if (held === 0 || this.textOf(held - 1) === text) return place
      place = (place + 1) & this.#mask
    }
  }
}
