// Matrices in Parquet files: a column of lists, as many numbers in each.
import { setImmediate } from 'node:timers/promises'
import type { AbortSignalLike } from '../../cancellation'
import type { Bytes } from '../byte-reader'
import { plannedRoom, type Loading } from '../dense-elements'
import { elementsOver, sizeOf, type DenseData, type ElementType } from '../element-types'
import { fileError, printable } from '../file'
import type { DenseMatrix } from '../matrix'
import { chosenLeaf } from './columns'
import { inParts, inTurns, unitsOfCopied, type Slice } from '../slices'
import { damaged, openParquet, type Leaf, type ParquetFile } from './footer'
import { pagesOf, type Page } from './pages'

const isMatrix = ({ kind, maxRepetition }: Leaf) =>
  maxRepetition === 1 && kind !== undefined && kind !== 'bool' && kind !== 'text'

interface MatrixColumn {
  readonly file: ParquetFile
  readonly leaf: Leaf
  readonly type: ElementType
  readonly rows: number
  readonly cols: number
}

/** Entries of the first list that are counted between two turns of the event loop. */
const lookedAtOnce = 1 << 16

/** The number of entries of the first list, which all others must have too. */
async function firstLength(file: ParquetFile, leaf: Leaf): Promise<number> {
  let length = 0
  for (const group of file.groups)
    for await (const { count, repetitions, definitions } of pagesOf(file, leaf, group, undefined))
      for (let i = 0; i < count; i++) {
        if (length > 0 && repetitions![i] === 0) return length
        if (length === 0) checkPresent(file, leaf, 0, 0, definitions![i]!)
        length++
        if (length % lookedAtOnce === 0) await setImmediate()
      }
  return length
}

async function columnIn(bytes: Bytes, name: string | undefined): Promise<MatrixColumn> {
  const file = await openParquet(bytes)
  const leaf = chosenLeaf(
    file,
    name,
    'one column of lists of numbers, the rows of a matrix',
    isMatrix,
  )
  const { rows, path } = file
  if (rows === 0) throw fileError(path, 'expected at least one row, received none')
  return { file, leaf, type: leaf.kind as ElementType, rows, cols: await firstLength(file, leaf) }
}

/** Null or empty lists have lower levels than lists with a null. */
function checkPresent(file: ParquetFile, leaf: Leaf, row: number, at: number, definition: number) {
  if (definition === leaf.maxDefinition) return
  const isNullable = leaf.element.repetition_type !== 'REQUIRED'
  const inList = isNullable && definition === leaf.maxDefinition - 1
  const received = inList ? `null at position ${at}` : 'null or an empty list'
  throw fileError(
    file.path,
    `expected numbers in column ${printable(leaf.path[0]!)}, row ${row}, received ${received}`,
  )
}

/** Room for the elements of this many bytes of the file is made before they are read. */
const usualRatio = 8

/** Copies the first elements of an array to a place in another one. */
function copy(from: DenseData, to: DenseData, at: number, length: number, slice: Slice) {
  const part = (begin: number, end: number) =>
    to.set(from.subarray(begin, end) as never, at + begin)
  return inParts(length, slice, part, unitsOfCopied)
}

/** Copies the lists of one page after the other, and compares their lengths. */
class ListsReader {
  private row = -1
  /** Values of the row at hand. */
  private length = 0
  private filled = 0
  private data: DenseData
  private readonly total: number

  constructor(private readonly column: MatrixColumn) {
    const { rows, cols, file, type } = column
    this.total = rows * cols
    this.data = this.room(
      Math.min(this.total, Math.ceil((usualRatio * file.bytes.size) / sizeOf(type))),
    )
  }

  private room(length: number): DenseData {
    const { file, type } = this.column
    return elementsOver(plannedRoom(file.path, length * sizeOf(type)), type)
  }

  /** A few bytes may claim any number of elements: such files get room as their pages are read. */
  private *grow(length: number, slice: Slice) {
    if (length <= this.data.length) return
    const larger = this.room(Math.min(this.total, Math.max(length, 2 * this.data.length)))
    yield* copy(this.data, larger, 0, this.filled, slice)
    this.data = larger
  }

  take({ count, repetitions, definitions, values }: Page) {
    const { file, leaf, cols } = this.column
    const { maxDefinition } = leaf
    const look = (begin: number, end: number) => {
      for (let i = begin; i < end; i++) {
        if (repetitions![i] === 0) this.begin()
        if (definitions![i] !== maxDefinition)
          checkPresent(file, leaf, this.row, this.length, definitions![i]!)
        if (++this.length > cols) throw this.ragged(`more than ${cols}`)
      }
    }
    return inTurns<void>(
      function* (this: ListsReader, slice: Slice): Generator<void, void> {
        yield* inParts(count, slice, look)
        if (this.filled + values.length > this.total) throw this.wrongRows('more')
        yield* this.grow(this.filled + values.length, slice)
        yield* copy(values as DenseData, this.data, this.filled, values.length, slice)
        this.filled += values.length
      }.bind(this),
    )
  }

  /** Checks the row at hand, and begins the next one. */
  private begin() {
    if (this.row >= 0 && this.length < this.column.cols) throw this.ragged(String(this.length))
    this.row++
    this.length = 0
  }

  finish(): DenseData {
    this.begin()
    if (this.row !== this.column.rows) throw this.wrongRows(String(this.row))
    return this.data
  }

  private wrongRows(received: string) {
    const { file, rows } = this.column
    return damaged(file.path, `${rows} rows are claimed, and the column has ${received}`)
  }

  private ragged(received: string) {
    const { file, leaf, cols } = this.column
    const place = `column ${printable(leaf.path[0]!)}, row ${this.row}`
    const expected = `${cols} numbers, as in row 0, in ${place}`
    return fileError(file.path, `expected ${expected}, received ${received}`)
  }
}

async function elementsIn(column: MatrixColumn, signal: AbortSignalLike | undefined) {
  const { file, leaf } = column
  const reader = new ListsReader(column)
  for (const group of file.groups)
    for await (const page of pagesOf(file, leaf, group, signal)) await reader.take(page)
  return reader.finish()
}

/** The numbers of rows and columns of the matrix; the lengths of its lists are not compared. */
export async function parquetSides(bytes: Bytes, name: string | undefined) {
  const { rows, cols } = await columnIn(bytes, name)
  return { rows, cols, isSparse: false }
}

/**
 * Reads a column of lists as a matrix, into memory whatever its size; its elements keep their bits.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` naming the row of a null, or of a list of another length.
 */
export async function loadParquet(
  bytes: Bytes,
  name: string | undefined,
  { signal }: Pick<Loading, 'signal'>,
): Promise<DenseMatrix> {
  const column = await columnIn(bytes, name)
  const data = await elementsIn(column, signal)
  const { rows, cols, type } = column
  return { data, rows, cols, type }
}
