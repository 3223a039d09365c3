// Checks the bounds of a structure in Thrift's compact protocol before the library parses it: it allocates
// lists of the length that they claim, and reads numbers of any length.

/** Of structures and lists within each other; those of Parquet need 8. */
const deepest = 32

/** Bytes of a number of 64 bits at most. */
const longestNumber = 10

export class ThriftMistake extends Error {}

/** A structure that goes on behind the bytes at hand. */
export class ThriftEnd extends ThriftMistake {}

const stop = 0
const binary = 8
const fixed: Readonly<Record<number, number>> = { 1: 0, 2: 0, 3: 1, 7: 8 }

class Skimmer {
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
  ) {}

  private byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw new ThriftEnd('a structure goes on behind its end')
    return byte
  }

  private skip(length: number) {
    if (length > this.bytes.length - this.at) throw new ThriftEnd(`${length} bytes are claimed`)
    this.at += length
  }

  private number(): number {
    let value = 0
    for (let i = 0; i < longestNumber; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return value
    }
    throw new ThriftMistake('a number has more than 64 bits')
  }

  /** Skips one structure and returns the position behind it. */
  structure(depth = 0): number {
    if (depth > deepest) throw new ThriftMistake(`structures are nested more than ${deepest} deep`)
    for (;;) {
      const head = this.byte()
      const type = head & 0x0f
      if (type === stop) return this.at
      if (head < 0x10) this.number()
      this.element(type, depth, false)
    }
  }

  private element(type: number, depth: number, inList: boolean) {
    const size = fixed[type]
    if (size !== undefined) this.skip(inList && size === 0 ? 1 : size)
    else if (type >= 4 && type <= 6) this.number()
    else if (type === binary) this.skip(this.number())
    else if (type === 9) this.list(depth + 1)
    else if (type === 12) this.structure(depth + 1)
    else throw new ThriftMistake(`a structure has a field of type ${type}`)
  }

  private list(depth: number) {
    if (depth > deepest) throw new ThriftMistake(`lists are nested more than ${deepest} deep`)
    const head = this.byte()
    const length = head >> 4 === 15 ? this.number() : head >> 4
    if (length > this.bytes.length - this.at) throw new ThriftEnd(`${length} entries are claimed`)
    for (let i = 0; i < length; i++) this.element(head & 0x0f, depth, true)
  }
}

/**
 * The position behind the structure that begins at `start`.
 *
 * @throws {ThriftMistake} if it goes on behind the bytes, claims more than they hold, or is nested too deep.
 */
export const afterStructure = (bytes: Uint8Array, start = 0): number =>
  new Skimmer(bytes, start).structure()
