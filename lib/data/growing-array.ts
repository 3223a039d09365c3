/** A list of numbers in one typed array that doubles when it is full. */
export class GrowingArray<T extends Int32Array | Float64Array> {
  private size = 0

  constructor(private array: T) {}

  get length(): number {
    return this.size
  }

  push(value: number) {
    if (this.size === this.array.length) this.grow()
    this.array[this.size++] = value
  }

  /** What was pushed, borrowed until the next push. */
  view(): T {
    return this.array.subarray(0, this.size) as T
  }

  private grow() {
    const Elements = this.array.constructor as new (length: number) => T
    const larger = new Elements(Math.max(64, 2 * this.size))
    larger.set(this.array)
    this.array = larger
  }
}
