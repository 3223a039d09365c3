// A warning of data that lie far from 0, where products of float32 lose what tells rows apart.
import type { Matrix } from '../data/matrix'
import { inTurns } from '../data/slices'
import type { ModelName } from './models'

/** Rows that differ by less than this share of their length. */
const leastSpread = 1e-2

/** Below this error nothing is left to lose. */
const leastError = 1e-7

const remedies: { readonly [Model in ModelName]?: string } = {
  'archetypal-analysis':
    'subtract a row, such as the mean, from all rows of X, which moves H by it and leaves W and A',
  'convex-nmf': 'subtract a row, such as the mean, from all rows of X, for another model of it',
  'min-volume-nmf': 'subtract the least of each column from X, for another model of it',
  'orthogonal-nmf': 'subtract the least of each column from X, for another model of it',
}

/** The largest distance of a row of H from the mean row, as a share of the length of that row. */
const spreadOf = async ({ data, rows, cols }: Matrix, byDirection: boolean): Promise<number> =>
  await inTurns(function* (slice) {
    const mean = new Float64Array(cols)
    const factors = new Float64Array(rows)
    for (let j = 0; j < rows; j++) {
      let square = 0
      for (let t = 0; t < cols; t++) square += data[j * cols + t]! ** 2
      factors[j] = byDirection ? (square > 0 ? 1 / Math.sqrt(square) : 0) : 1
      for (let t = 0; t < cols; t++) mean[t]! += (factors[j]! * data[j * cols + t]!) / rows
      if (slice.spend(2 * cols)) yield
    }
    const length = Math.sqrt(mean.reduce((sum, x) => sum + x * x, 0))
    let largest = 0
    for (let j = 0; j < rows; j++) {
      let square = 0
      for (let t = 0; t < cols; t++) square += (factors[j]! * data[j * cols + t]! - mean[t]!) ** 2
      largest = Math.max(largest, Math.sqrt(square))
      if (slice.spend(cols)) yield
    }
    return largest / length
  })

/** A warning for a fit of data far from 0, or none. */
export async function farFromZero(
  model: ModelName,
  H: Matrix,
  relativeError: number,
): Promise<readonly string[]> {
  const remedy = remedies[model]
  if (remedy === undefined || H.rows < 2 || relativeError < leastError) return []
  if (!((await spreadOf(H, model === 'orthogonal-nmf')) < leastSpread)) return []
  return [
    `The components differ by less than a hundredth of their length, so that X lies far from 0 and products of float32 hardly tell its rows apart: the fit may be far above its minimum; ${remedy}.`,
  ]
}
