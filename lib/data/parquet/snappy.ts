// Snappy without frames, as Parquet has it: literal bytes, and copies of bytes that are unpacked already.
// https://github.com/google/snappy/blob/main/format_description.txt
import type { Slice } from '../slices'
import { DamagedPage } from './runs'

/** Bytes that are unpacked at once, about, and their work in the units of a slice. */
const unpackedAtOnce = 1 << 16
const unitsOfUnpacked = 1 << 14

const damagedElement = () => new DamagedPage('whole Snappy elements, received a part')

class Unpacking {
  private from = 0
  private at = 0
  /** Bytes of a literal that are still to be copied. */
  private literal = 0

  constructor(
    private readonly bytes: Uint8Array,
    private readonly to: Uint8Array,
  ) {
    const size = this.size()
    if (size !== to.length)
      throw new DamagedPage(`${to.length} bytes from Snappy, received ${size}`)
  }

  /** An integer of seven bits a byte. */
  private size(): number {
    for (let i = 0, value = 0; i < 5; i++) {
      const byte = this.bytes[this.from++]
      if (byte === undefined) throw damagedElement()
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return value
    }
    throw new DamagedPage('a size of Snappy below 2^35, received a larger one')
  }

  /** Unpacks some elements, or a part of a literal. Returns whether there are more. */
  some(): boolean {
    const { bytes, to } = this
    const end = this.at + unpackedAtOnce
    while (this.at < end) {
      if (this.literal > 0) this.copyLiteral(end - this.at)
      else if (this.from < bytes.length) this.elements(end)
      else if (this.at === to.length) return false
      else throw new DamagedPage(`${to.length} bytes from Snappy, received ${this.at}`)
    }
    return true
  }

  /** Copies elements up to a literal or an end. They are many and short, so that calls would take the time. */
  private elements(end: number) {
    const { bytes, to } = this
    let { from, at } = this
    while (at < end && from < bytes.length) {
      const tag = bytes[from++]!
      const kind = tag & 3
      if (kind === 0) {
        ;[this.from, this.at] = [from, at]
        return this.beginLiteral(tag >> 2)
      }
      const length = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2)
      let distance = bytes[from++]!
      if (kind === 1) distance += (tag >> 5) << 8
      else distance += bytes[from++]! << 8
      if (kind === 3) distance += bytes[from++]! * 2 ** 16 + bytes[from++]! * 2 ** 24
      if (from > bytes.length) throw damagedElement()
      if (length > to.length - at) throw this.tooMany()
      if (distance === 0 || distance > at)
        throw new DamagedPage(
          `a copy of one of the ${at} bytes before, received that ${distance} before`,
        )
      // A copy may begin with what it has written.
      for (const last = at + length; at < last; at++) to[at] = to[at - distance]!
    }
    ;[this.from, this.at] = [from, at]
  }

  /** Lengths from 61 on follow in one to four bytes, the lowest first. */
  private beginLiteral(high: number) {
    let length = high
    if (high >= 60) {
      length = 0
      for (let i = 0; i < high - 59; i++) length += (this.bytes[this.from + i] ?? 0) * 2 ** (8 * i)
      this.from += high - 59
    }
    this.literal = 1 + length
    if (this.literal > this.bytes.length - this.from) throw damagedElement()
    if (this.literal > this.to.length - this.at) throw this.tooMany()
  }

  private copyLiteral(most: number) {
    const { bytes, to, from, at } = this
    const length = Math.min(this.literal, most)
    if (length < 16) for (let i = 0; i < length; i++) to[at + i] = bytes[from + i]!
    else to.set(bytes.subarray(from, from + length), at)
    this.from += length
    this.at += length
    this.literal -= length
  }

  private tooMany() {
    return new DamagedPage(`${this.to.length} bytes from Snappy, received more`)
  }
}

/**
 * Unpacks Snappy, in turns.
 *
 * @throws {DamagedPage} if the bytes are none, or do not fill `to`.
 */
export function* unpackSnappy(
  bytes: Uint8Array,
  to: Uint8Array,
  slice: Slice,
): Generator<void, void> {
  const unpacking = new Unpacking(bytes, to)
  while (unpacking.some()) if (slice.spend(unitsOfUnpacked)) yield
}
