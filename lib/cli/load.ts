// Loads matrices from files. Shapes are checked before any element is read.
import { resolve } from 'node:path'
import { take, withReader } from '../data/byte-reader'
import { fileError } from '../data/file'
import type { MatrixInput } from '../data/matrix'
import { formats, loadMatrix, namedExtensions, sidesInFile } from '../data/matrix-files'
import { closeMatrix, usualLimit } from '../data/npy'
import { headerLimit, parseNpyHeader } from '../data/npy-header'
import { isSparse, type SparseMatrix } from '../data/sparse'
import type { SourceInput } from '../data/source'
import type { MemoryOptions } from '../options'
import { interrupted } from './interruption'

export interface Shape {
  readonly rows: number
  readonly cols: number
}

/** The supported files of matrices in lines, for the help. */
export const matrixFiles = `a file in one of these formats, most also as .gz:
${formats.map(({ described }) => `  ${described}`).join('\n')}
FILE:NAME is one of several arrays in a ${namedExtensions}`

const refuseSparse = (path: string) =>
  fileError(path, 'expected a dense matrix, received a sparse one')

/** Queries without rows; undefined if the file has rows or another format. */
async function withoutRows(path: string): Promise<MatrixInput | undefined> {
  try {
    const head = await withReader(path, (reader) => take(reader, headerLimit))
    const { shape } = parseNpyHeader(head, path)
    const [rows, cols] = shape
    if (shape.length !== 2 || rows !== 0 || cols === 0) return undefined
    return { data: new Float32Array(0), rows: 0, cols: cols! }
  } catch {
    return undefined
  }
}

/** The shape of queries, possibly without rows. */
async function queriesShape(path: string): Promise<Shape> {
  return ((await withoutRows(path)) as Shape | undefined) ?? (await shapeOf(path))
}

/** The shape of a dense matrix, before its elements are read. */
export async function shapeOf(path: string): Promise<Shape> {
  const sides = await sidesInFile(path)
  if (sides.isSparse) throw refuseSparse(path)
  return sides
}

/** A job with a budget leaves matrices in their files if they are larger than a quarter of it. */
const limitOf = (memoryBudget: number | undefined) =>
  memoryBudget === undefined ? undefined : Math.min(usualLimit(), memoryBudget / 4)

async function withMatrix<T>(
  path: string,
  use: (matrix: SourceInput) => Promise<T>,
  memoryBudget?: number,
): Promise<T> {
  const matrix = await loadMatrix(path, { signal: interrupted, limit: limitOf(memoryBudget) })
  try {
    return await use(matrix)
  } finally {
    await closeMatrix(matrix)
  }
}

export const withDense = <T>(
  path: string,
  use: (matrix: MatrixInput) => Promise<T>,
  memoryBudget?: number,
): Promise<T> => {
  const useDense = async (matrix: SourceInput) => {
    if (isSparse(matrix)) throw refuseSparse(path)
    return use(matrix)
  }
  return withMatrix(path, useDense, memoryBudget)
}

/**
 * Reads a matrix to factorize, dense or sparse, and closes it after use. Calls `check` as soon as the shape
 * is known.
 */
export async function withSource<T>(
  path: string,
  { memoryBudget }: MemoryOptions,
  check: (shape: Shape) => void,
  use: (X: SourceInput) => Promise<T>,
): Promise<T> {
  check(await sidesInFile(path))
  return withMatrix(path, use, memoryBudget)
}

/** Reads a dense matrix and closes it after use. */
export const withRows = async <T>(
  path: string,
  use: (X: MatrixInput) => Promise<T>,
  memoryBudget?: number,
): Promise<T> => {
  await shapeOf(path)
  return withDense(path, use, memoryBudget)
}

/** Reads queries and corpus, only once if they are the same file, and closes them after use. */
export async function withQueriesAndCorpus<T>(
  queries: string,
  corpus: string,
  { memoryBudget }: MemoryOptions,
  use: (queries: MatrixInput, corpus: MatrixInput) => Promise<T>,
): Promise<T> {
  const open = (path: string, use: (matrix: MatrixInput) => Promise<T>) =>
    withDense(path, use, memoryBudget)
  if (resolve(queries) === resolve(corpus)) return open(corpus, (rows) => use(rows, rows))
  const none = await withoutRows(queries)
  if (none) return open(corpus, (right) => use(none, right))
  return open(queries, (left) => open(corpus, (right) => use(left, right)))
}

/** The shapes of queries and corpus, which must have the same number of columns. */
export async function shapesOf(queries: string, corpus: string) {
  const [left, right] = [await queriesShape(queries), await shapeOf(corpus)]
  checkWidth(queries, left.cols, right.cols, corpus)
  return { queries: left, corpus: right }
}

export function checkWidth(path: string, cols: number, wanted: number, other: string) {
  if (cols !== wanted)
    throw fileError(path, `expected ${wanted} columns, as in ${other}, received ${cols}`)
}

/** A matrix of a file, which must be sparse. */
export function sparseOf(path: string, X: unknown): SparseMatrix {
  if (isSparse(X)) return X as SparseMatrix
  throw fileError(path, 'expected a sparse matrix, .npz or .mtx, received a dense one')
}
