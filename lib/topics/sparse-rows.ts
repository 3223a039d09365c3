// Sparse matrices that are made row by row.
import type { SparseMatrix } from '../data/sparse'
import { resultArray } from '../data/typed-array'
import { planMemory } from '../memory'

/** The most entries of a sparse matrix whose row starts are int32. */
const mostEntries = 2 ** 31 - 1

/** Collects the entries of one row after the other. */
export class SparseRows {
  #indptr: Int32Array | Float64Array
  #indices = new Int32Array(1 << 10)
  #values = new Float32Array(1 << 10)
  #count = 0
  #ended = 0

  /** @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` if there is no memory for so many row starts. */
  constructor(
    private readonly rows: number,
    private readonly cols: number,
  ) {
    planMemory(`A sparse matrix of ${rows} rows`, 4 * (rows + 1))
    this.#indptr = resultArray(Int32Array, rows + 1)
  }

  /** An entry of the present row, at a higher column than those before it. */
  add(column: number, value: number) {
    if (this.#count === this.#indices.length) this.#grow()
    this.#indices[this.#count] = column
    this.#values[this.#count] = value
    this.#count++
  }

  endRow() {
    if (this.#count > mostEntries && this.#indptr instanceof Int32Array) this.#widen(this.#indptr)
    this.#indptr[++this.#ended] = this.#count
  }

  /** Rows without entries, after the end of a row. */
  endEmptyRows(count: number) {
    this.#indptr.fill(this.#count, this.#ended + 1, this.#ended + 1 + count)
    this.#ended += count
  }

  /** After the end of the last row. */
  finish(): SparseMatrix {
    const { rows, cols } = this
    const indices = resultArray(Int32Array, this.#count)
    const values = resultArray(Float32Array, this.#count)
    indices.set(this.#indices.subarray(0, this.#count))
    values.set(this.#values.subarray(0, this.#count))
    return { rows, cols, indptr: this.#indptr, indices, values }
  }

  #widen(narrow: Int32Array) {
    planMemory(`A sparse matrix of ${this.rows} rows`, 8 * (this.rows + 1))
    this.#indptr = resultArray(Float64Array, this.rows + 1)
    this.#indptr.set(narrow)
  }

  #grow() {
    const [indices, values] = [this.#indices, this.#values]
    this.#indices = new Int32Array(2 * indices.length)
    this.#values = new Float32Array(2 * values.length)
    this.#indices.set(indices)
    this.#values.set(values)
  }
}
