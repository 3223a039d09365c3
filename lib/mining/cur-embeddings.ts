// Embeddings whose products approximate the scores of an expensive scorer (CUR).
import type { DenseMatrix, Matrix } from '../data/matrix'
import { inTurns } from '../data/slices'
import { kindOf, resultArray } from '../data/typed-array'
import { invalid, invalidEntry, invalidText } from '../errors'
import { planMemory } from '../memory'
import { checkInteger, checkNumber, frozen, withDefaults, type Overrides } from '../options'
import { jacobiSvd, type SmallSvd } from './jacobi'

/** The only place where the defaults of {@link curEmbeddings} are written. */
export const curEmbeddingsDefaults = frozen({
  /**
   * Singular values of the scores of anchor queries with anchor rows below this fraction of the largest are
   * left out; 0.05 unless given. Noise in the scores needs it; scores of low rank without noise allow 1e-6.
   */
  tolerance: 0.05,
})

export type CurEmbeddingsOptions = Overrides<typeof curEmbeddingsDefaults>

/** Scores, finite numbers. */
export type ScoreMatrix = DenseMatrix<Float32Array | Float64Array>

/** The scores from which others are approximated. */
export interface AnchorScores {
  /** The scores of some queries, the anchors, with all corpus rows, [anchor queries × corpus]. */
  readonly anchorScores: ScoreMatrix
  /** Some corpus rows, the anchors, [anchor rows]. */
  readonly anchorRows: readonly number[] | Int32Array
  /** The scores of the queries with the anchor rows, [queries × anchor rows]. */
  readonly queryScores: ScoreMatrix
}

/** Embeddings whose products approximate scores. */
export interface CurEmbeddings {
  /** [queries × rank]. */
  readonly queries: Matrix
  /** [corpus × rank]. */
  readonly corpus: Matrix
  /** Singular values that were kept: columns of both sides. */
  readonly rank: number
  /**
   * ‖S − Ŝ‖ / ‖S‖ for the anchor queries' own scores S, of which the anchor queries span all they can: other
   * queries are approximated less well.
   */
  readonly relativeError: number
}

const stepOf = ({ stride, cols }: ScoreMatrix) => stride ?? cols

function checkScores(name: string, given: ScoreMatrix) {
  const { data, rows, cols } = given ?? {}
  if (!['Float32Array', 'Float64Array'].includes(kindOf(data)))
    throw invalid(`${name}.data`, 'a Float32Array or a Float64Array', data)
  checkInteger(`${name}.rows`, rows, 1)
  checkInteger(`${name}.cols`, cols, 1)
  if (given.stride !== undefined) checkInteger(`${name}.stride`, given.stride, cols!)
  const needed = (rows! - 1) * stepOf(given) + cols!
  if (data!.length < needed)
    throw invalidText(
      `${name}.data`,
      `${needed} elements for ${rows} rows of ${cols}`,
      `${data!.length}`,
    )
}

function checkInputs({ anchorScores, anchorRows, queryScores }: AnchorScores) {
  checkScores('anchorScores', anchorScores)
  checkScores('queryScores', queryScores)
  const isList = Array.isArray(anchorRows) || kindOf(anchorRows) === 'Int32Array'
  if (!isList) throw invalid('anchorRows', 'an array of corpus rows', anchorRows)
  if (anchorRows.length !== queryScores.cols)
    throw invalid(
      'queryScores.cols',
      `${anchorRows.length}, one for each anchor row`,
      queryScores.cols,
    )
  const seen = new Set<number>()
  anchorRows.forEach((row: number, i: number) => {
    checkInteger(`anchorRows[${i}]`, row, 0, anchorScores.cols - 1)
    if (seen.has(row)) throw invalid(`anchorRows[${i}]`, 'every anchor row once', row)
    seen.add(row)
  })
}

/** The scores of anchor queries with anchor rows: the shorter side as columns. */
async function anchorSvd({ anchorScores, anchorRows }: AnchorScores): Promise<SmallSvd> {
  const { data, rows } = anchorScores
  const at = (query: number, row: number) => data[query * stepOf(anchorScores) + row]!
  const count = anchorRows.length
  const isTall = rows >= count
  const columns = isTall
    ? Array.from(anchorRows, (row) => Float64Array.from({ length: rows }, (_, q) => at(q, row)))
    : Array.from({ length: rows }, (_, q) => Float64Array.from(anchorRows, (row) => at(q, row)))
  const svd = await jacobiSvd(columns)
  return isTall ? svd : { left: svd.right, values: svd.values, right: svd.left }
}

/** Vectors of equal length, the columns of a matrix, row by row. */
function interleaved(columns: readonly Float64Array[]): Float64Array {
  const count = columns.length
  const all = new Float64Array(count * columns[0]!.length)
  columns.forEach((column, c) => column.forEach((x, t) => (all[t * count + c] = x)))
  return all
}

/** Entries of embeddings are float32; far smaller ones lose digits, and the smallest become 0. */
function checkSize(name: string, largest: number) {
  if (largest === 0 || (Number.isFinite(Math.fround(largest)) && largest >= 2 ** -100)) return
  throw invalidText(
    name,
    `scores whose embeddings have entries in float32's range, such as these times a power of two`,
    `scores that give entries up to ${largest}`,
    RangeError,
  )
}

/**
 * X V, or Xᵀ V, with V given by its columns; in float64, rounded to float32.
 *
 * @param transposed Whether rows of the result belong to columns of X.
 */
async function product(
  name: string,
  X: ScoreMatrix,
  columns: readonly Float64Array[],
  transposed: boolean,
): Promise<{ readonly matrix: Matrix; readonly squaredNorm: number }> {
  const rows = transposed ? X.cols : X.rows
  const cols = columns.length
  planMemory(`Embeddings of ${rows} rows`, 4 * rows * cols)
  const matrix = { data: resultArray(Float32Array, rows * cols), rows, cols }
  const [length, step] = [transposed ? X.rows : X.cols, stepOf(X)]
  const V = interleaved(columns)
  let [squaredNorm, largest] = [0, 0]
  await inTurns(function* (slice) {
    const sums = new Float64Array(cols)
    for (let i = 0; i < rows; i++) {
      sums.fill(0)
      for (let t = 0; t < length; t++) {
        const [row, column] = transposed ? [t, i] : [i, t]
        const x = X.data[row * step + column]!
        if (!Number.isFinite(x)) throw invalidEntry(name, 'a finite number', x, row, column)
        for (let c = 0, at = t * cols; c < cols; c++, at++) sums[c]! += x * V[at]!
        if (slice.spend(cols)) yield
      }
      matrix.data.set(sums, i * cols)
      for (const sum of sums) {
        squaredNorm += sum * sum
        largest = Math.max(largest, Math.abs(sum))
      }
    }
  })
  checkSize(name, largest)
  return { matrix, squaredNorm }
}

/** ‖X‖². */
async function squaredNormOf(name: string, X: ScoreMatrix): Promise<number> {
  let sum = 0
  await inTurns(function* (slice) {
    for (let i = 0; i < X.rows; i++)
      for (let j = 0; j < X.cols; j++) {
        const x = X.data[i * stepOf(X) + j]!
        if (!Number.isFinite(x)) throw invalidEntry(name, 'a finite number', x, i, j)
        sum += x * x
        if (slice.spend(1)) yield
      }
  })
  return sum
}

/**
 * Embeddings whose products approximate the scores of an expensive scorer, from the scores of some anchor
 * queries with all corpus rows and of each query with some anchor rows. So {@link mineHardNegatives} with
 * `metric: 'dot'` finds the candidates that the scorer itself may like best, for {@link judgeNegatives} to
 * ask about, at the cost of as many calls for each query as there are anchor rows. The approximation is exact
 * if the scores have a rank that the anchors span, and useless where scores are mostly noise.
 *
 * @returns Ŝ = C·pinv(A)·R, with C the scores of queries, R those of anchor queries and A the columns of R
 *   for anchor rows, as a product of two factors.
 * @throws {TypeError | RangeError} naming a wrong size, a row that is none, or a score that is not finite.
 * @see "Efficient Nearest Neighbor Search for Cross-Encoder Models using Matrix Factorization" (ANNCUR, 2022)
 *
 * @example
 * const { queries, corpus } = await curEmbeddings({ anchorScores, anchorRows, queryScores })
 * const pool = await mineHardNegatives(queries, corpus, positives, {
 *   metric: 'dot',
 *   relativeMargin: null,
 *   numNegatives: 100,
 * })
 */
export async function curEmbeddings(
  given: AnchorScores,
  overrides: CurEmbeddingsOptions = {},
): Promise<CurEmbeddings> {
  if (typeof given !== 'object' || given === null)
    throw invalid('scores', 'an object of anchorScores, anchorRows and queryScores', given)
  const { tolerance } = withDefaults(curEmbeddingsDefaults, overrides)
  checkNumber('tolerance', tolerance, 0, 1)
  checkInputs(given)
  const { anchorScores, queryScores } = given
  const all = await squaredNormOf('anchorScores', anchorScores)
  if (!Number.isFinite(all))
    throw invalidText('anchorScores', 'scores whose squares have a finite sum', 'larger scores')
  const { left, values, right } = await anchorSvd(given)
  if (values.length === 0)
    throw invalidText(
      'anchorRows',
      'rows with a score that is not 0',
      'rows whose scores are all 0',
    )
  const rank = values.filter((value) => value >= tolerance * values[0]!).length
  const inverse = right.slice(0, rank).map((column, c) => column.map((x) => x / values[c]!))
  const queries = await product('queryScores', queryScores, inverse, false)
  const corpus = await product('anchorScores', anchorScores, left.slice(0, rank), true)
  const relativeError = Math.sqrt(Math.max(0, 1 - corpus.squaredNorm / all))
  return { queries: queries.matrix, corpus: corpus.matrix, rank, relativeError }
}
