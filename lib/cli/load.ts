// Matrices by their file's name: shapes are known, and checked, before any element is read.
import { extname, resolve } from 'node:path'
import { fileError } from '../data/file'
import type { MatrixInput } from '../data/matrix'
import { readMatrixMarket } from '../data/matrix-market'
import { closeMatrix, loadNpy, openNpy } from '../data/npy'
import { readNpz } from '../data/npz'
import { isSparse } from '../data/sparse'
import type { SourceInput } from '../data/source'

export interface Shape {
  readonly rows: number
  readonly cols: number
}

/** The shape of a `.npy` matrix, from its header. */
export async function shapeOf(path: string): Promise<Shape> {
  const matrix = await openNpy(path)
  await closeMatrix(matrix)
  return matrix
}

async function withNpy<T>(path: string, use: (matrix: MatrixInput) => Promise<T>): Promise<T> {
  const matrix = await loadNpy(path)
  try {
    return await use(matrix)
  } finally {
    await closeMatrix(matrix)
  }
}

const sparseReaders: Record<string, typeof readMatrixMarket> = {
  '.npz': readNpz,
  '.mtx': readMatrixMarket,
}

/**
 * Reads a matrix to factorize, sparse from `.npz` and `.mtx`, dense from any other file, and closes
 * it after use. `check` is asked about the shape as soon as that is known.
 */
export async function withSource<T>(
  path: string,
  check: (shape: Shape) => void,
  use: (X: SourceInput) => Promise<T>,
): Promise<T> {
  const read = sparseReaders[extname(path).toLowerCase()]
  if (!read) {
    check(await shapeOf(path))
    return withNpy(path, use)
  }
  const X = await read(path)
  check(X)
  return use(X)
}

/** Entries that take part in a product: all of a dense matrix, the stored ones of a sparse one. */
export const entriesOf = (X: SourceInput, { rows, cols }: Shape) =>
  isSparse(X) ? X.values.length : rows * cols

/** Reads queries and corpus, once where they are one file, and closes them after use. */
export async function withQueriesAndCorpus<T>(
  queries: string,
  corpus: string,
  use: (queries: MatrixInput, corpus: MatrixInput) => Promise<T>,
): Promise<T> {
  if (resolve(queries) === resolve(corpus)) return withNpy(corpus, (rows) => use(rows, rows))
  return withNpy(queries, (left) => withNpy(corpus, (right) => use(left, right)))
}

/** The shapes of queries and corpus, which must be equally wide. */
export async function shapesOf(queries: string, corpus: string) {
  const [left, right] = [await shapeOf(queries), await shapeOf(corpus)]
  checkWidth(queries, left.cols, right.cols, corpus)
  return { queries: left, corpus: right }
}

export function checkWidth(path: string, cols: number, wanted: number, other: string) {
  if (cols !== wanted)
    throw fileError(path, `expected ${wanted} columns, as in ${other}, received ${cols}`)
}
