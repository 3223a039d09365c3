// Small integers as Parquet packs them: runs of one value, and groups of eight values of few bits.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
import { inParts, unitsOfCopied, type Slice } from '../slices'

/** Bits of a value at most: positions in a dictionary of a page. */
const widest = 24

/** Work for a run, in the units of a slice. */
const unitsOfRun = 8

export class DamagedPage extends Error {}

class Runs {
  private seen = 0

  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly width: number,
    private readonly values: Uint8Array | Int32Array,
  ) {}

  *read(slice: Slice): Generator<void, void> {
    while (this.seen < this.values.length) {
      const head = this.header()
      if (head % 2 === 1) yield* this.unpack(Math.floor(head / 2), slice)
      else yield* this.repeat(head / 2, slice)
      if (slice.spend(unitsOfRun)) yield
    }
  }

  private byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined)
      throw new DamagedPage(`runs of ${this.values.length} values, received ${this.seen}`)
    return byte
  }

  private header(): number {
    let value = 0
    for (let i = 0; i < 5; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return value
    }
    throw new DamagedPage('a run of less than 2^32 values, received a longer one')
  }

  private *repeat(length: number, slice: Slice) {
    let value = 0
    for (let i = 0; i < this.width; i += 8) value += this.byte() * 2 ** i
    if (length === 0) throw new DamagedPage('runs that are not empty, received an empty one')
    if (value >= 2 ** this.width)
      throw new DamagedPage(`values of ${this.width} bits, received ${value}`)
    const { seen } = this
    const count = Math.min(this.values.length - seen, length)
    const fill = (begin: number, end: number) => this.values.fill(value, seen + begin, seen + end)
    yield* inParts(count, slice, fill, unitsOfCopied)
    this.seen += count
  }

  /** The last group may be cut off behind the last value. */
  private *unpack(groups: number, slice: Slice) {
    const { bytes, width, values, at, seen } = this
    const count = Math.min(values.length - this.seen, 8 * groups)
    if (count === 0 || at + Math.ceil((count * width) / 8) > bytes.length)
      throw new DamagedPage(`packed groups of ${count} values, received fewer bytes`)
    const mask = 2 ** width - 1
    yield* inParts(count, slice, (begin, end) => {
      // In a page of 2^30 bytes the number of a bit can exceed 2^32; parts begin with whole bytes.
      const start = at + (begin / 8) * width
      for (let i = begin, bit = 0; i < end; i++, bit += width) {
        const first = start + (bit >>> 3)
        const word =
          bytes[first]! |
          (bytes[first + 1]! << 8) |
          (bytes[first + 2]! << 16) |
          (bytes[first + 3]! << 24)
        values[seen + i] = (word >>> (bit & 7)) & mask
      }
    })
    this.seen += count
    this.at = Math.min(bytes.length, at + groups * width)
  }
}

/**
 * Unpacks integers of `width` bits.
 *
 * @throws {DamagedPage} if there are fewer, or they have too many bits.
 */
export function* unpackRuns(
  bytes: Uint8Array,
  width: number,
  count: number,
  slice: Slice,
): Generator<void, Uint8Array | Int32Array> {
  if (width > widest) throw new DamagedPage(`values of at most ${widest} bits, received ${width}`)
  const values = width <= 8 ? new Uint8Array(count) : new Int32Array(count)
  if (width > 0) yield* new Runs(bytes, 0, width, values).read(slice)
  return values
}
