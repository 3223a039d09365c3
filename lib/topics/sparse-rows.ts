// Sparse matrices that are made row by row.
import type { SparseMatrix } from '../data/sparse'
import { resultArray } from '../data/typed-array'

/** The most entries of a sparse matrix whose row starts are int32. */
const mostEntries = 2 ** 31 - 1

/** Collects the entries of one row after the other. */
export class SparseRows {
  readonly #indptr: number[] = [0]
  #indices = new Int32Array(1 << 10)
  #values = new Float32Array(1 << 10)
  #count = 0

  constructor(private readonly cols: number) {}

  /** An entry of the present row, at a higher column than those before it. */
  add(column: number, value: number) {
    if (this.#count === this.#indices.length) this.#grow()
    this.#indices[this.#count] = column
    this.#values[this.#count] = value
    this.#count++
  }

  endRow() {
    this.#indptr.push(this.#count)
  }

  finish(): SparseMatrix {
    const indices = resultArray(Int32Array, this.#count)
    const values = resultArray(Float32Array, this.#count)
    indices.set(this.#indices.subarray(0, this.#count))
    values.set(this.#values.subarray(0, this.#count))
    const isLong = this.#count > mostEntries
    const indptr = isLong ? Float64Array.from(this.#indptr) : Int32Array.from(this.#indptr)
    return { rows: this.#indptr.length - 1, cols: this.cols, indptr, indices, values }
  }

  #grow() {
    const [indices, values] = [this.#indices, this.#values]
    this.#indices = new Int32Array(2 * indices.length)
    this.#values = new Float32Array(2 * values.length)
    this.#indices.set(indices)
    this.#values.set(values)
  }
}
