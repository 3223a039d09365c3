/** Tables that grow one at a time, so that a step of growth is short. A power of two. */
const parts = 256

/** Elements of a slot: two keys, and the number of the pair + 1, which is 0 in an empty slot. */
const width = 3

function hash(a: number, b: number): number {
  let mixed = Math.imul(a ^ 0x2545f491, 0x9e3779b1) ^ Math.imul(b ^ 0x27d4eb2f, 0x85ebca77)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) >>> 0
}

/** One part of the table, with open addressing. */
class Part {
  private slots = new Int32Array(8 * width)
  private used = 0

  /** The first element of the slot of a pair, or of the empty slot where it belongs. */
  at(a: number, b: number, slots = this.slots): number {
    const count = slots.length / width
    let slot = Math.floor(hash(a, b) / parts) & (count - 1)
    for (;;) {
      const start = slot * width
      if (slots[start + 2] === 0 || (slots[start] === a && slots[start + 1] === b)) return start
      slot = (slot + 1) & (count - 1)
    }
  }

  /** The number of a pair + 1, or 0. */
  found(a: number, b: number): number {
    return this.slots[this.at(a, b) + 2]!
  }

  add(a: number, b: number, number: number) {
    if (2 * ++this.used * width > this.slots.length) this.grow()
    this.slots.set([a, b, number], this.at(a, b))
  }

  private grow() {
    const larger = new Int32Array(2 * this.slots.length)
    for (let i = 0; i < this.slots.length; i += width)
      if (this.slots[i + 2] !== 0) {
        const slot = this.slots.subarray(i, i + width)
        larger.set(slot, this.at(slot[0]!, slot[1]!, larger))
      }
    this.slots = larger
  }
}

/** Numbers pairs of 32-bit integers in the order in which they are added: 24 to 48 bytes for each. */
export class PairTable {
  private readonly table = Array.from({ length: parts }, () => new Part())

  /** Number of different pairs. */
  size = 0

  /** The number of a pair, or −1. */
  find(a: number, b: number): number {
    return this.partOf(a, b).found(a, b) - 1
  }

  has(a: number, b: number): boolean {
    return this.find(a, b) !== -1
  }

  /** The number of a pair, which is added if it is new. */
  add(a: number, b: number): number {
    const part = this.partOf(a, b)
    const found = part.found(a, b)
    if (found !== 0) return found - 1
    part.add(a, b, ++this.size)
    return this.size - 1
  }

  private partOf(a: number, b: number): Part {
    return this.table[hash(a, b) & (parts - 1)]!
  }
}
