// Memory of factorizations without X, in bytes: the large arrays of native/factorization that exist at the
// same time. Arrays that have not been written to take no memory.
import { availableParallelism } from 'node:os'
import type { NativeSource } from '../native'

/** Kernels pad the columns of float32 sums to whole panels. */
const padded = (columns: number) => Math.ceil(columns / 64) * 64

/** Blocks whose sums exist at the same time; few non-zeros give few blocks. */
function blocksAtOnce(source: NativeSource): number {
  const slots = availableParallelism() + 2
  if (!('indptr' in source)) return slots
  return Math.min(slots, 1 + Math.floor(source.values.length / (16 * source.cols)))
}

/** S and R in float64 and per block, and Ht in panels, for a pass with this many columns. */
function passBytes(source: NativeSource, columns: number): number {
  const wide = padded(columns)
  const sums = (8 * columns + 4 * blocksAtOnce(source) * wide) * (source.cols + columns)
  return sums + 4 * source.cols * wide + 48 * columns * columns
}

/** clustering_sample() of the core. */
const sampleRows = (clusters: number) => Math.max(1024, 16 * clusters)

/** Copies of this many rows, with the distances to each draw of a seed. */
function sampleBytes(source: NativeSource, rows: number): number {
  const share = Math.min(1, rows / source.rows)
  const bytes = 'indptr' in source ? 8 * source.values.length : 4 * source.rows * source.cols
  return share * (bytes + 160 * source.rows)
}

/** Centres before and after a step, and their sums, in float64 and per block; centres in panels. */
function clusteringBytes(source: NativeSource, clusters: number): number {
  const centers = (8 * (3 + blocksAtOnce(source)) * clusters + 4 * padded(clusters)) * source.cols
  return 4 * source.rows + centers
}

/** seeds_from_all_rows() of the core. */
function seedsFromAllRows(source: NativeSource, clusters: number): boolean {
  const { rows, cols } = source
  const entries = 'indptr' in source ? source.values.length : rows * cols
  return (
    rows <= sampleRows(clusters) || (rows <= 2 ** 18 && (entries + 8 * rows) * clusters <= 2 ** 27)
  )
}

export function kmeansBytes(source: NativeSource, clusters: number): number {
  const { rows, cols } = source
  const seeding = seedsFromAllRows(source, clusters)
    ? 160 * rows
    : sampleBytes(source, Math.max(1536, 12 * clusters))
  return 4 * rows + 4 * cols * clusters + clusteringBytes(source, clusters) + seeding
}

/** A·W, the pair kept to undo an iteration, W in panels, and the arrays per row of a graph. */
export const graphBytes = (rows: number, rank: number) => 4 * rows * (2 * rank + padded(rank) + 2)

/** F, its gradient and its next value in float64, for H [rank × d]. */
export const cayleyBytes = (cols: number, rank: number) => 24 * cols * rank + 96 * rank * rank

/** The best pair. */
export const bestPairBytes = (rows: number, cols: number, rank: number) => 4 * (rows + cols) * rank

interface FitShape {
  readonly rank: number
  readonly init: string
  readonly solver: string
}

/** Copies of W [n × rank] that exist at the same time: at the start, in the loop or at the end. */
function copiesOfW(rows: number, { rank, init, solver }: FitShape): number {
  if (init === 'random') return 2
  if (init !== 'kmeans') return 4 + 20 / rank
  const sampled = solver === 'hals' && rows >= 4 * sampleRows(rank)
  return sampled ? 2 : 3
}

/** Memory of a factorization; with `triesSvd`, of one that may run again from `svd`. */
export function fitBytes(source: NativeSource, shape: FitShape, triesSvd = false): number {
  if (triesSvd)
    return Math.max(fitBytes(source, shape), fitBytes(source, { ...shape, init: 'svd' }))
  const { rank, init } = shape
  const { rows, cols } = source
  const columns = init === 'random' || init === 'kmeans' ? rank : rank + 10
  return (
    4 * copiesOfW(rows, shape) * rows * rank +
    40 * cols * rank +
    passBytes(source, columns) +
    (init === 'kmeans' ? sampleBytes(source, sampleRows(rank)) + clusteringBytes(source, rank) : 0)
  )
}
