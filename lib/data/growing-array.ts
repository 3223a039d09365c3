import { planMemory } from '../memory'
import { inSlices } from './slices'

type Numbers = Int32Array | Float64Array | Uint8Array

/** Maximum of numbers per piece. */
const pieceLength = 1 << 17

/** Pieces between two checks of the available memory. */
const plannedPieces = 64

/** A list of numbers that grows piece by piece, without large copies. */
export class GrowingArray<T extends Numbers> {
  private readonly full: T[] = []
  private size = 0

  /** @param last Empty. */
  constructor(private last: T) {}

  get length(): number {
    return this.full.length * pieceLength + this.size
  }

  /**
   * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` if there is no memory for as many numbers
   * again.
   */
  push(value: number) {
    if (this.size === this.last.length) this.grow()
    this.last[this.size++] = value
  }

  /** All pushed numbers in one array. */
  view(): T {
    if (this.full.length === 0) return this.last.subarray(0, this.size) as T
    const all = this.allocate(this.length)
    for (let i = 0; i <= this.full.length; i++) this.copy(i, all)
    return all
  }

  /** The same, without blocking the event loop. */
  async joined(): Promise<T> {
    if (this.full.length === 0) return this.view()
    const all = this.allocate(this.length)
    await inSlices(this.full.length + 1, (i) => this.copy(i, all), 1)
    return all
  }

  private copy(i: number, all: T) {
    const piece = this.full[i] ?? this.last.subarray(0, this.size)
    all.set(piece, i * pieceLength)
  }

  private allocate(length: number): T {
    return new (this.last.constructor as new (length: number) => T)(length)
  }

  private grow() {
    if (this.size < pieceLength) {
      const larger = this.allocate(Math.min(pieceLength, Math.max(64, 2 * this.size)))
      larger.set(this.last)
      this.last = larger
      return
    }
    this.full.push(this.last)
    if (this.full.length % plannedPieces === 0)
      planMemory('What a file lists', this.length * this.last.BYTES_PER_ELEMENT)
    this.last = this.allocate(pieceLength)
    this.size = 0
  }
}
