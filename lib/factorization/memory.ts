// Memory of factorizations without X, in bytes: the large arrays of native/factorization that exist at the
// same time. Arrays that have not been written to take no memory.
import { sizeOf } from '../data/element-types'
import { native, type NativeClusteringSizes, type NativeSource } from '../native'
import type { ModelName } from './models'

/** Kernels pad the columns of float32 sums to whole panels. */
function padded(columns: number): number {
  const { panelColumns } = native().planSizes()
  return Math.ceil(columns / panelColumns) * panelColumns
}

/** Blocks whose sums exist at the same time; few non-zeros give few blocks. */
function blocksAtOnce(source: NativeSource): number {
  const { sumsAtOnce, nonzerosByColumn } = native().planSizes()
  if (!('indptr' in source)) return sumsAtOnce
  const ofNonzeros = Math.floor(source.values.length / (nonzerosByColumn * source.cols))
  return Math.min(sumsAtOnce, 1 + ofNonzeros)
}

function clusteringSizes(source: NativeSource, clusters: number): NativeClusteringSizes {
  const { rows, cols } = source
  const entries = 'indptr' in source ? source.values.length : rows * cols
  return native().clusteringSizes({ rows, entries, clusters })
}

/** S and R in float64 and per block, and Ht in panels, for a pass with this many columns. */
function passBytes(source: NativeSource, columns: number): number {
  const wide = padded(columns)
  const sums = (8 * columns + 4 * blocksAtOnce(source) * wide) * (source.cols + columns)
  return sums + 4 * source.cols * wide + 48 * columns * columns
}

/**
 * Rows of a dense X that all threads hold at the same time: read from a file or converted to float32, then
 * centred or reduced to residuals, with two products for each.
 */
function tileBytes(source: NativeSource, rank: number): number {
  if ('indptr' in source) return 0
  const { rows, cols, type, data } = source
  const atOnce = Math.min(rows, native().tileRows({ cols, rank })) * native().planSizes().sumsAtOnce
  const read = type === 'float32' ? 0 : sizeOf(type)
  const held = data && type === 'float32' ? 0 : 4 + (data ? 0 : read)
  return atOnce * ((held + 4) * cols + 8 * padded(rank))
}

/**
 * The normal matrix of each column of X, as rank · (rank + 1) / 2 sums in float64 and per block, the products of
 * pairs of components that form those of the rows, and their products with a tile.
 */
export function ownNormalsBytes(source: NativeSource, rank: number): number {
  const pairs = padded((rank * (rank + 1)) / 2)
  const { cols } = source
  const ofTiles = Math.max(4 * 2 ** 19, 4 * 24 * pairs) * 2 * native().planSizes().sumsAtOnce
  return (8 + 4 * blocksAtOnce(source) + 4) * pairs * cols + ofTiles
}

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

export function kmeansBytes(source: NativeSource, clusters: number): number {
  const { rows, cols } = source
  const { seedsFromAllRows, farRows } = clusteringSizes(source, clusters)
  const seeding = seedsFromAllRows ? 160 * rows : sampleBytes(source, 3 * farRows)
  const centers = 4 * cols * clusters + clusteringBytes(source, clusters)
  return 4 * rows + centers + seeding + tileBytes(source, clusters)
}

/** A·W, the pair kept to undo an iteration, W in panels, and the arrays per row of a graph. */
export const graphBytes = (rows: number, rank: number) => 4 * rows * (2 * rank + padded(rank) + 2)

/** F, its gradient and its next value in float64, for H [rank × d]. */
const cayleyBytes = (cols: number, rank: number) => 24 * cols * rank + 96 * rank * rank

/** H [rank × d] and its next value in float64. */
const dictionaryBytes = (cols: number, rank: number) => 8 * cols * rank

/** The best pair. */
const bestPairBytes = (rows: number, cols: number, rank: number) => 4 * (rows + cols) * rank

interface FitShape {
  readonly rank: number
  readonly init: string
  readonly solver: string
  readonly acceleration: string
  /** Whether each row of a factor has a normal matrix of its own; false unless given. */
  readonly hasOwnNormals?: boolean
}

/** The weights of combinations twice and as a result, and their components in float32 and as sums. */
const combinationsBytes = (rows: number, cols: number, rank: number) =>
  16 * rows * rank + 64 * cols * rank

/** Numbers for each row, and copies of some rows in float64 with directions, while rows are chosen. */
const chosenRowsBytes = (rows: number, cols: number, rank: number) =>
  64 * rows + 8 * cols * (2 * rank + 1) + 2 ** 23

/** The additional memory of some models. */
export function ownBytes(
  model: ModelName,
  { rows, cols }: { readonly rows: number; readonly cols: number },
  rank: number,
): number {
  switch (model) {
    case 'semi-orthogonal-nmf':
      return cayleyBytes(cols, rank)
    case 'dictionary-learning':
      return dictionaryBytes(cols, rank)
    case 'snmf':
      return bestPairBytes(rows, cols, rank)
    case 'separable-nmf':
    case 'min-volume-nmf':
      return chosenRowsBytes(rows, cols, rank)
    case 'convex-nmf':
    case 'archetypal-analysis':
      return combinationsBytes(rows, cols, rank) + chosenRowsBytes(rows, cols, rank)
    default:
      return 0
  }
}

/** Whether a start consists of rows of X. */
const isOfRows = (init: string) => init === 'spa' || init === 'furthest-sum'

/** Copies of W [n × rank] that exist at the same time: at the start, in the loop or at the end. */
function copiesOfW(source: NativeSource, shape: FitShape): number {
  const { rank, init, solver } = shape
  // Extrapolation keeps the last pair and the last steps.
  const inLoop = shape.acceleration === 'extrapolated' ? 3 : 2
  if (init === 'random' || isOfRows(init)) return inLoop
  // Three blocks of a basis with its oversamples, U and W; for iterations on U, U has oversamples too.
  if (init !== 'kmeans') return 5 + (init === 'low-rank' ? 40 : 30) / rank
  return solver === 'hals' && clusteringSizes(source, rank).sampleIsSmall ? inLoop : 3
}

/** Memory of a factorization; with `triesSvd`, of one that may run again from `svd`. */
export function fitBytes(source: NativeSource, shape: FitShape, triesSvd = false): number {
  const { rank, init, hasOwnNormals = false } = shape
  const { rows, cols } = source
  if (triesSvd) {
    const ofFirst = 8 * rows * rank
    return Math.max(fitBytes(source, shape), fitBytes(source, { ...shape, init: 'svd' }) + ofFirst)
  }
  const ofSvd = init !== 'random' && init !== 'kmeans' && !isOfRows(init)
  const columns = ofSvd ? rank + native().planSizes().startOversamples : rank
  const ofClusters = () =>
    sampleBytes(source, clusteringSizes(source, rank).sampleRows) + clusteringBytes(source, rank)
  return (
    4 * copiesOfW(source, shape) * rows * rank +
    40 * cols * columns +
    passBytes(source, columns) +
    tileBytes(source, columns) +
    (init === 'kmeans' ? ofClusters() : 0) +
    (hasOwnNormals ? ownNormalsBytes(source, rank) : 0)
  )
}

/**
 * A truncated SVD of `width` columns: three blocks of both bases and the singular vectors in float32, or
 * after the blocks the vectors twice in float64; sums and bases of the columns in float64; small matrices of
 * all three blocks; and its reads of X.
 */
export const svdBytes = (source: NativeSource, width: number) =>
  (20 * source.rows + 40 * source.cols) * width +
  300 * width * width +
  passBytes(source, width) +
  tileBytes(source, width)

/** Memory of the codes of new rows: W twice, and H in panels and in float64. */
export const codesBytes = (source: NativeSource, rank: number) =>
  8 * source.rows * rank + 4 * source.cols * (rank + padded(rank)) + tileBytes(source, rank)

/**
 * The additional memory of a survey: W of a restart and of the chosen model, the components of all restarts as
 * float32 and of unit length in float64, and their centroids and sums.
 */
export const surveyBytes = (rows: number, cols: number, rank: number, restarts: number) =>
  8 * rows * rank + (12 * restarts + 24) * cols * rank
