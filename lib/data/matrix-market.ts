import { compressRows } from './compressed-rows'
import { fileError, printable } from './file'
import { GrowingArray } from './growing-array'
import { parseLines, readLines } from './lines'
import type { LineReader } from './lines'
import type { SparseMatrix } from './sparse'

const largestSide = 2 ** 31 - 1

/** A few bytes of a file may claim no more rows than this without an entry in them. */
const emptyRowsLimit = 2 ** 24

const integerPattern = /^[+-]?\d+$/
const realPattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

const fields = ['real', 'integer', 'pattern']
const symmetries = ['general', 'symmetric']

interface Size {
  readonly rows: number
  readonly cols: number
  readonly entries: number
}

class MatrixMarketReader implements LineReader<SparseMatrix> {
  private field: string | undefined
  private symmetric = false
  private size: Size | undefined
  private received = 0
  private readonly rows = new GrowingArray(new Int32Array(0))
  private readonly columns = new GrowingArray(new Int32Array(0))
  private readonly values = new GrowingArray(new Float64Array(0))

  constructor(private readonly path: string) {}

  line(text: string, number: number) {
    if (number === 1) return this.header(text)
    const words = text.trim().split(/\s+/)
    if (words[0] === '' || text.startsWith('%')) return
    if (this.size) this.entry(words, text, number)
    else this.size = this.sizeOf(words, text, number)
  }

  finish(): SparseMatrix {
    if (this.field === undefined)
      throw fileError(this.path, 'expected a Matrix Market file, received an empty file')
    if (!this.size)
      throw fileError(this.path, 'expected a line of rows, columns and entries, received none')
    const { rows, cols, entries } = this.size
    if (this.received !== entries)
      throw fileError(this.path, `expected ${entries} entries, received ${this.received}`)
    return compressRows(rows, cols, this.rows.view(), this.columns.view(), this.values.view())
  }

  private header(text: string) {
    const [banner, object, format, field, symmetry, ...more] = text
      .trim()
      .toLowerCase()
      .split(/\s+/)
    if (banner !== '%%matrixmarket' || object !== 'matrix' || more.length > 0)
      throw this.wrong(1, '%%MatrixMarket matrix coordinate …', text)
    if (format !== 'coordinate') throw this.wrong(1, 'the format coordinate', format ?? '')
    if (!fields.includes(field!))
      throw this.wrong(1, 'real, integer or pattern entries', field ?? '')
    if (!symmetries.includes(symmetry!))
      throw this.wrong(1, 'a general or symmetric matrix', symmetry ?? '')
    this.field = field
    this.symmetric = symmetry === 'symmetric'
  }

  private sizeOf(words: readonly string[], text: string, number: number): Size {
    const [rows, cols, entries] = words.map((word) =>
      /^\d{1,15}$/.test(word) ? Number(word) : NaN,
    )
    if (words.length !== 3 || !(rows! >= 0) || !(cols! >= 0) || !(entries! >= 0))
      throw this.wrong(number, 'the numbers of rows, columns and entries', text)
    const size = { rows: rows!, cols: cols!, entries: entries! }
    if (size.rows < 1 || size.cols < 1)
      throw this.wrong(number, 'at least one row and one column', text)
    if (size.cols > largestSide) throw this.wrong(number, `at most ${largestSide} columns`, text)
    const rowLimit = Math.min(largestSide, emptyRowsLimit + size.entries)
    if (size.rows > rowLimit)
      throw this.wrong(number, `at most ${rowLimit} rows for ${entries} entries`, text)
    if (this.symmetric && size.rows !== size.cols)
      throw this.wrong(number, 'as many rows as columns in a symmetric matrix', text)
    return size
  }

  private entry(words: readonly string[], text: string, number: number) {
    const { rows, cols, entries } = this.size!
    if (++this.received > entries)
      throw this.wrong(number, `no line after ${entries} entries`, text)
    const pattern = this.field === 'pattern'
    if (words.length !== (pattern ? 2 : 3))
      throw this.wrong(number, pattern ? 'row and column' : 'row, column and value', text)
    const row = this.index(words[0]!, 'row', rows, number)
    const column = this.index(words[1]!, 'column', cols, number)
    const value = pattern ? 1 : this.value(words[2]!, number)
    if (this.symmetric && column > row)
      throw this.wrong(number, 'an entry on or below the diagonal', text)
    this.push(row, column, value)
    if (this.symmetric && column !== row) this.push(column, row, value)
  }

  /** Rows and columns count from 1 in the file. */
  private index(word: string, what: string, count: number, number: number): number {
    const index = /^\d{1,10}$/.test(word) ? Number(word) : 0
    if (index < 1 || index > count) throw this.wrong(number, `a ${what} in 1..${count}`, word)
    return index - 1
  }

  private value(word: string, number: number): number {
    if ((this.field === 'integer' ? integerPattern : realPattern).test(word)) return Number(word)
    throw this.wrong(number, this.field === 'integer' ? 'an integer' : 'a finite number', word)
  }

  private push(row: number, column: number, value: number) {
    this.rows.push(row)
    this.columns.push(column)
    this.values.push(value)
  }

  private wrong(number: number, expected: string, received: string) {
    return fileError(
      this.path,
      `line ${number}: expected ${expected}, received ${printable(received)}`,
    )
  }
}

/**
 * Reads a sparse matrix out of the bytes of a Matrix Market file; see {@link readMatrixMarket}.
 *
 * @param path Names the file in errors.
 */
export const parseMatrixMarket = (bytes: Uint8Array, path: string): SparseMatrix =>
  parseLines(bytes, path, new MatrixMarketReader(path))

/**
 * Reads a sparse matrix from a Matrix Market file: coordinates of real, integer or pattern entries
 * (a pattern's are 1), general or symmetric. Entries that repeat are summed.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE`, naming the line and what stands there.
 * @see Boisvert, Pozo & Remington (1996), "The Matrix Market Exchange Formats: Initial Design",
 *   NISTIR 5935
 *
 * @example
 * const X = await readMatrixMarket('counts.mtx')
 */
export const readMatrixMarket = (path: string): Promise<SparseMatrix> =>
  readLines(path, new MatrixMarketReader(path))
