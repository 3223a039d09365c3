import type { AbortSignalLike } from '../cancellation'
import { arrayInMemory, compressRows } from './compressed-rows'
import { plannedRoom, transposed } from './dense-elements'
import { fileError } from './file'
import { GrowingArray } from './growing-array'
import { parseLines, readLines } from './lines'
import type { LineReader } from './lines'
import { MatrixMarketHeader, MatrixMarketSides, type Size } from './matrix-market-header'
import type { DenseMatrix } from './matrix'
import { inSlices } from './slices'
import type { SparseMatrix } from './sparse'

/** Whether these are the first bytes of a Matrix Market file. */
export const isMatrixMarket = (bytes: Uint8Array) =>
  /^(\ufeff)?%%MatrixMarket/i.test(Buffer.from(bytes.subarray(0, 20)).toString('utf8'))

const integerPattern = /^[+-]?\d+$/
const realPattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

const largestInteger = 2 ** 53

type Read = DenseMatrix | SparseMatrix

class MatrixMarketReader extends MatrixMarketHeader implements LineReader<Promise<Read>> {
  private received = 0

  constructor(
    path: string,
    private readonly signal?: AbortSignalLike,
  ) {
    super(path)
  }

  /** Number of entries off the diagonal. */
  private beside = 0
  private readonly rows = new GrowingArray(new Int32Array(0))
  private readonly columns = new GrowingArray(new Int32Array(0))
  private readonly values = new GrowingArray(new Float64Array(0))

  async finish(): Promise<Read> {
    const size = this.checkedSize()
    if (this.received !== size.entries)
      throw fileError(this.path, `expected ${size.entries} entries, received ${this.received}`)
    return this.isArray ? this.dense(size) : this.sparse(size)
  }

  protected override entry(words: readonly string[], text: string, number: number) {
    const { rows, cols, entries } = this.size!
    if (++this.received > entries)
      throw this.wrong(number, `no line after ${entries} entries`, text)
    const isPattern = this.field === 'pattern'
    const wanted = [...(this.isArray ? [] : ['row', 'column']), ...(isPattern ? [] : ['value'])]
    if (words.length !== wanted.length) throw this.wrong(number, wordsOf(wanted), text)
    if (this.isArray) return this.values.push(this.value(words[0]!, number))
    const row = this.index(words[0]!, 'row', rows, number)
    const column = this.index(words[1]!, 'column', cols, number)
    const value = isPattern ? 1 : this.value(words[2]!, number)
    if (row !== column) this.beside++
    else if (this.symmetry === 'skew-symmetric' && value !== 0)
      throw this.wrong(number, 'nothing but 0 on the diagonal of a skew-symmetric matrix', text)
    this.rows.push(row)
    this.columns.push(column)
    this.values.push(value)
  }

  /** Rows and columns count from 1 in the file. */
  private index(word: string, what: string, count: number, number: number): number {
    const index = /^\d{1,10}$/.test(word) ? Number(word) : 0
    if (index < 1 || index > count) throw this.wrong(number, `a ${what} in 1..${count}`, word)
    return index - 1
  }

  private value(word: string, number: number): number {
    if (this.field === 'real') {
      const value = realPattern.test(word) ? Number(word) : NaN
      if (Number.isFinite(value)) return value
      throw this.wrong(number, 'a finite number', word)
    }
    if (!integerPattern.test(word) || (this.field === 'unsigned-integer' && word.startsWith('-')))
      throw this.wrong(
        number,
        this.field === 'integer' ? 'an integer' : 'an integer of at least 0',
        word,
      )
    const value = Number(word)
    if (Math.abs(value) < largestInteger || word.replace(/^[+-]?0*/, '') === String(largestInteger))
      return value
    throw this.wrong(number, 'an integer from -2^53 to 2^53', word)
  }

  private async sparse({ rows, cols, entries }: Size): Promise<SparseMatrix> {
    const { path, symmetry } = this
    const mirror = ({ general: 'none', symmetric: 'symmetric', 'skew-symmetric': 'skew' } as const)[
      symmetry
    ]
    const [major, minor] = [await this.rows.joined(), await this.columns.joined()]
    const given = {
      layout: 'coordinate',
      mirror,
      rows,
      cols,
      entries,
      major: arrayInMemory(path, major),
      minor: arrayInMemory(path, minor),
      values: arrayInMemory(path, await this.values.joined()),
    } as const
    return compressRows(path, given, entries + (mirror === 'none' ? 0 : this.beside), this.signal)
  }

  /** The values of an array are listed column by column. */
  private async dense({ rows, cols }: Size): Promise<DenseMatrix> {
    const values = await this.values.joined()
    const layout = { rows, cols, type: 'float64', bigEndian: false, fortranOrder: true } as const
    const bytes =
      this.symmetry === 'general'
        ? await transposed(
            new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
            layout,
            { path: this.path, signal: this.signal },
          )
        : plannedRoom(this.path, 8 * rows * cols)
    const data = new Float64Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, rows * cols)
    if (this.symmetry !== 'general') await this.mirror(values, data, rows)
    return { data, rows, cols, type: 'float64' }
  }

  /** Fills both halves of an array from its lower half. */
  private async mirror(values: Float64Array, data: Float64Array, n: number) {
    const isSkew = this.symmetry === 'skew-symmetric'
    const [first, sign] = isSkew ? [1, -1] : [0, 1]
    let t = 0
    await inSlices(
      n,
      (begin, end) => {
        for (let j = begin; j < end; j++)
          for (let i = j + first; i < n; i++) {
            data[i * n + j] = values[t]!
            data[j * n + i] = i === j ? values[t]! : sign * values[t]!
            t++
          }
      },
      Math.max(1, Math.floor(2 ** 16 / n)),
    )
  }
}

const wordsOf = (words: readonly string[]) =>
  words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

/**
 * Reads a matrix from the bytes of a Matrix Market file; see {@link readMatrixMarket}.
 *
 * @param path Names the file in errors.
 */
export const parseMatrixMarket = (bytes: Uint8Array, path: string): Promise<Read> =>
  parseLines(bytes, path, new MatrixMarketReader(path))

/**
 * Reads a matrix from a Matrix Market file, possibly packed (`.mtx.gz`): real, integer, unsigned-integer or
 * pattern entries (a pattern's are 1), general, symmetric (either half is listed) or skew-symmetric.
 * Coordinates give a sparse matrix, in which repeated entries are summed; an array gives a dense one of
 * float64.
 *
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE`, naming the line and its content.
 * @see Boisvert, Pozo & Remington (1996), "The Matrix Market Exchange Formats: Initial Design",
 *   NISTIR 5935
 *
 * @example
 * const X = await readMatrixMarket('counts.mtx')
 */
export const readMatrixMarket = (path: string): Promise<Read> => loadMatrixMarket(path)

export const loadMatrixMarket = (path: string, signal?: AbortSignalLike): Promise<Read> =>
  readLines(path, new MatrixMarketReader(path, signal), { signal })

/** The numbers of rows and columns in the header of a file. */
export const matrixMarketSides = (path: string) => readLines(path, new MatrixMarketSides(path))
