import { invalidText } from '../errors'
import type { NativeSource } from '../native'
import { checkInteger } from '../options'
import { toDenseView, type DenseView, type MatrixInput } from './matrix'
import { isSparse, toSparseView, type SparseMatrix } from './sparse'
import type { NamedArrays } from './typed-array'

/** Input of a factorization: a dense matrix in any accepted form, a file, or a sparse matrix. */
export type SourceInput = MatrixInput | SparseMatrix

/**
 * A dense or sparse matrix for the addon, called `name` in messages.
 *
 * @throws {TypeError | RangeError} naming the part of `name` that is wrong.
 */
export const toSource = async (name: string, input: SourceInput): Promise<NativeSource> =>
  isSparse(input) ? { name, ...(await toSparseView(name, input)) } : toDenseSource(name, input)

/** The same for a job that accepts only dense matrices. */
export const toDenseSource = (
  name: string,
  input: MatrixInput,
): DenseView & { readonly name: string } => ({
  name,
  ...toDenseView(name, input),
})

/** The queries of a search, possibly none, called `name` in messages. */
export function toQueries(input: MatrixInput, name = 'queries'): NativeSource {
  const cols = colsWithoutRows(input)
  if (cols === undefined) return toDenseSource(name, input)
  const data = new Float32Array(0)
  return { name, data, type: 'float32', rows: 0, cols, stride: cols }
}

/**
 * The first `dims` columns of a matrix; all if undefined.
 *
 * @throws {TypeError | RangeError} if there are fewer, or for a file.
 */
export function firstColumns<Source extends NativeSource>(
  source: Source,
  dims: number | undefined,
): Source {
  if (dims === undefined) return source
  checkInteger('dims', dims, 1, source.cols)
  if (dims === source.cols) return source
  if (!('data' in source) || source.data === undefined)
    throw invalidText('dims', `a matrix in memory for ${source.name}`, 'a file')
  return { ...source, cols: dims }
}

/** The number of columns of a matrix without rows; undefined for any other value. */
function colsWithoutRows(input: MatrixInput): number | undefined {
  if (typeof input !== 'object' || input === null) return undefined
  const { rows, cols, shape, dims } = input as Partial<
    Record<'rows' | 'cols', number> & Record<'shape' | 'dims', readonly number[]>
  >
  const sides: readonly unknown[] = dims ?? shape ?? [rows, cols]
  const [none, width] = sides
  return none === 0 && Number.isInteger(width) && (width as number) > 0
    ? (width as number)
    : undefined
}

/** The arrays that a job reads from a source, by their names in messages; a file has none. */
export const arraysOf = (source: NativeSource): NamedArrays =>
  'indptr' in source
    ? { [`${source.name}.indices`]: source.indices, [`${source.name}.values`]: source.values }
    : { [`${source.name}.data`]: source.data }

interface Sides {
  readonly rows: number
  readonly cols: number
}

/** The numbers of rows and columns of an input. */
export function sidesOf(name: string, input: SourceInput): Sides {
  const { rows, cols } = isSparse(input) ? input : toDenseView(name, input)
  return { rows, cols }
}

/** Number of entries that are read: those stored if the input is sparse, which may not have been checked. */
export const entriesOf = (input: SourceInput, { rows, cols }: Sides) =>
  isSparse(input) ? ((input.values as Float32Array | undefined)?.length ?? 0) : rows * cols

/** The sides of an input, and the number of its entries. */
export function extentOf(name: string, input: SourceInput) {
  const sides = sidesOf(name, input)
  return { ...sides, entries: entriesOf(input, sides) }
}
