// The matrices of the benches, as float32, and files that pass the same matrices to the rivals.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DenseMatrix, Matrix, SparseMatrix } from '../lib/index'
import { readNpy, writeNpy } from '../lib/index'
import { readNpz } from '../lib/data/npz'
import { scaled } from './shapes'

const folder = join(__dirname, '..', '..', 'shared', 'data')

/** A file of the shared data sets, or undefined where they are absent. */
export function sharedFile(...parts: string[]): string | undefined {
  const path = join(folder, ...parts)
  return existsSync(path) ? path : undefined
}

/** The value of the bits of a float16. */
function widened(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

function asFloat32({ data, cols, type }: DenseMatrix, kept: number): Matrix {
  const values = Float32Array.from({ length: kept * cols }, (_, i) => Number(data[i]))
  if (type === 'float16') for (let i = 0; i < values.length; i++) values[i] = widened(values[i]!)
  return { data: values, rows: kept, cols }
}

/** Reads a matrix of a data set; a trial reads only its first rows. */
export async function readMatrix(path: string): Promise<Matrix> {
  const matrix = await readNpy(path)
  return asFloat32(matrix, scaled(matrix.rows))
}

/** Reads a matrix written by a rival. */
export async function readAnswer(path: string): Promise<Matrix> {
  const matrix = await readNpy(path)
  return asFloat32(matrix, matrix.rows)
}

/** Reads one array of a data set in a NumPy archive; a trial reads only its first rows. */
export async function readMember(path: string, name: string): Promise<Matrix> {
  const matrix = (await readNpz(path, { name })) as DenseMatrix
  return asFloat32(matrix, scaled(matrix.rows))
}

/** Reads the lines `query<TAB>row` of the rows that a trial uses, [2 × pairs]. */
export function readPairsWithin(path: string, queries: number, corpus: number): Int32Array {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const pairs = lines.map((line) => line.split('\t').map(Number))
  return Int32Array.from(pairs.filter(([query, row]) => query! < queries && row! < corpus).flat())
}

/** Entries uniform in [−1, 1). */
export function randomMatrix(rows: number, cols: number, seed: number): Matrix {
  const data = new Float32Array(rows * cols)
  let state = seed | 1
  for (let i = 0; i < data.length; i++) {
    // Marsaglia (2003), "Xorshift RNGs"
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    data[i] = state * 2 ** -31
  }
  return { data, rows, cols }
}

/** Random directions: rows of norm 1. */
export function randomUnitRows(rows: number, cols: number, seed: number): Matrix {
  const matrix = randomMatrix(rows, cols, seed)
  for (let i = 0; i < rows; i++) {
    const row = matrix.data.subarray(i * cols, (i + 1) * cols)
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))
    for (let j = 0; j < cols; j++) row[j]! /= norm
  }
  return matrix
}

let exchange: string | undefined

/** A path for a file that a rival reads or writes; it is removed at the end of the process. */
export function exchangePath(name: string): string {
  if (exchange === undefined) {
    const created = mkdtempSync(join(tmpdir(), 'gemmine-bench-'))
    process.once('exit', () => rmSync(created, { recursive: true, force: true }))
    exchange = created
  }
  return join(exchange, name)
}

/** Writes a matrix for a rival. */
export async function handOver(name: string, { data, rows, cols }: Matrix): Promise<string> {
  const path = exchangePath(`${name}.npy`)
  await writeNpy(path, { data, shape: [rows, cols] })
  return path
}

/** Writes the arrays of a sparse matrix for a rival; returns their paths, and its shape. */
export async function handOverSparse({ rows, cols, ...arrays }: SparseMatrix) {
  const paths: Record<string, string> = {}
  for (const name of ['indptr', 'indices', 'values'] as const) {
    const data = arrays[name] as Int32Array
    paths[name] = exchangePath(`${name}.npy`)
    await writeNpy(paths[name], { data, shape: [data.length] })
  }
  return { ...paths, rows, cols }
}
