import type { AbortSignalLike } from '../cancellation'
import { extname } from 'node:path'
import { invalid } from '../errors'
import { frozen, withDefaults, type Overrides } from '../options'
import { reading, take, withBytes } from './byte-reader'
import type { Bytes } from './byte-reader'
import type { Loading } from './dense-elements'
import { checkPath, fileError, printable } from './file'
import type { OpenFile } from './file'
import { isNpy, isParquet, isSafetensors, isZip, shownBytes, shownFormat } from './file-format'
import { isMatrixMarket, loadMatrixMarket, matrixMarketSides } from './matrix-market'
import type { DenseMatrix, MatrixFile } from './matrix'
import { partOf, type Part } from './named-part'
import { checkLimit, loadNpyDefaults, loadNpyFrom, npySides, usualLimit } from './npy'
import { loadNpzFrom, npzSides } from './npz'
import { loadParquet, parquetSides } from './parquet/parquet-matrix'
import { loadSafetensorsFrom, matrixIn } from './safetensors'
import type { SparseMatrix } from './sparse'

export interface Sides {
  readonly rows: number
  readonly cols: number
  readonly isSparse: boolean
}

type Loaded = DenseMatrix | SparseMatrix | MatrixFile

/** Reads matrices from files of one format. */
interface Format {
  /** The extension of such a file, before `.gz`. */
  readonly extension: string
  /** Such a file in the words of the help. */
  readonly described: string
  /** Whether these are the first bytes of an unpacked file of this format. */
  begins(head: Uint8Array): boolean
  readonly isNamed: boolean
  sides(bytes: Bytes, name: string | undefined): Promise<Sides>
  load(bytes: Bytes, name: string | undefined, loading: Loading): Promise<Loaded>
}

/**
 * All matrix formats. The format of a file is that of its first bytes, or, if they do not determine it, that
 * of its name.
 */
export const formats: readonly Format[] = [
  {
    extension: '.npy',
    described: '.npy of any real type and order',
    begins: isNpy,
    isNamed: false,
    sides: (bytes) => reading(bytes, npySides),
    load: (bytes, _, loading) => reading(bytes, (reader) => loadNpyFrom(reader, loading)),
  },
  {
    extension: '.npz',
    described: ".npz (NumPy's, or SciPy's sparse csr, csc and coo)",
    begins: isZip,
    isNamed: true,
    sides: npzSides,
    load: (bytes, name, loading) => loadNpzFrom(bytes, { limit: Infinity, name }, loading),
  },
  {
    extension: '.mtx',
    described: 'Matrix Market .mtx',
    begins: isMatrixMarket,
    isNamed: false,
    sides: ({ path }) => matrixMarketSides(path),
    load: ({ path }, _, { signal }) => loadMatrixMarket(path, signal),
  },
  {
    extension: '.safetensors',
    described: '.safetensors',
    begins: isSafetensors,
    isNamed: true,
    sides: (bytes, name) =>
      reading(bytes, async (reader) => {
        const { rows, cols } = await matrixIn(reader, name)
        return { rows, cols, isSparse: false }
      }),
    load: (bytes, name, loading) =>
      reading(bytes, (reader) => loadSafetensorsFrom(reader, name, loading)),
  },
  {
    extension: '.parquet',
    described: '.parquet with a column of lists of numbers (not as .gz)',
    begins: isParquet,
    isNamed: true,
    sides: parquetSides,
    load: loadParquet,
  },
]

/** `a, b or c`. */
const anyOf = (texts: readonly string[]) => `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`

/** `a .npy, .npz, .mtx or .safetensors file`, for messages and the help. */
export const matrixFile = `a ${anyOf(formats.map(({ extension }) => extension))} file`

/** The formats of files with named arrays: `.npz, .safetensors or .parquet`. */
export const namedExtensions = anyOf(
  formats.filter(({ isNamed }) => isNamed).map(({ extension }) => extension),
)

const byExtension = (path: string) => {
  const extension = extname(path.replace(/\.gz$/i, '')).toLowerCase()
  return formats.find((format) => format.extension === extension)
}

/** Opens a file and calls `use` with its format. */
async function withFormat<T>(
  { path, name }: Part,
  use: (format: Format, bytes: Bytes, keep: () => OpenFile) => Promise<T>,
): Promise<T> {
  const named = byExtension(path)
  return withBytes(path, async (bytes, keep) => {
    const head = await reading(bytes, (reader) => take(reader, shownBytes))
    const format = formats.find(({ begins }) => begins(head)) ?? named
    if (!format) throw fileError(path, `expected ${matrixFile}, received ${shownFormat(head)}`)
    return use(checkedName(format, path, name), bytes, keep)
  })
}

function checkedName(format: Format, path: string, name: string | undefined): Format {
  if (name === undefined || format.isNamed) return format
  throw fileError(
    path,
    `expected a file of named arrays (${namedExtensions}) for the name ${printable(name)}, received one without names`,
  )
}

/** The numbers of rows and columns of the matrix that {@link loadMatrix} would read; reads no elements. */
export const sidesInFile = (path: string): Promise<Sides> => {
  const part = partOf(path)
  return withFormat(part, (format, bytes) => format.sides(bytes, part.name))
}

/** The only place where the defaults of {@link loadMatrix} are written. */
export const loadMatrixDefaults = frozen({
  /**
   * Elements of a dense matrix of more bytes stay in the file, to be read block by block; unless given, 1
   * GiB, or a quarter of the available memory if that is less. Packed files, text files and Fortran order are
   * read into memory, whatever their size.
   */
  limit: loadNpyDefaults.limit,
  /** The name of one of several arrays or tensors; the only matrix of floats unless given. */
  name: undefined as string | undefined,
  /** Aborts the reading; none unless given. */
  signal: undefined as AbortSignalLike | undefined,
})

export type LoadMatrixOptions = Overrides<typeof loadMatrixDefaults>

/**
 * Reads a matrix from a file of any format: `.npy`, `.npz` (dense, or sparse from SciPy), Matrix Market
 * `.mtx`, `.safetensors`, each also packed as `.gz`, and a column of lists of numbers in Parquet. The format is
 * detected by the first bytes.
 *
 * @param path Path of the file; `file:name` is the array of that name in a `.npz` or `.safetensors`.
 * @returns A dense matrix in memory, or one that stays in its file until {@link closeMatrix}, or a sparse one,
 *   which has `indptr`.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if it contains no such matrix, or several and no name
 *   is given, or is damaged; `ERR_GEMMINE_OUT_OF_MEMORY`, before it is read.
 *
 * @example
 * const X = await loadMatrix('model.safetensors:embeddings')
 */
export async function loadMatrix(path: string, given: LoadMatrixOptions = {}): Promise<Loaded> {
  checkPath(path)
  const { limit = usualLimit(), name, signal } = withDefaults(loadMatrixDefaults, given)
  checkLimit(limit)
  if (name !== undefined && typeof name !== 'string')
    throw invalid('name', 'the name of an array', name)
  const part = name === undefined ? partOf(path) : { path, name }
  return withFormat(part, (format, bytes, keep) =>
    format.load(bytes, part.name, { limit, keep, signal }),
  )
}
