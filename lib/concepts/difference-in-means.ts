import { numberAt } from '../data/floats'
import { inTurns } from '../data/slices'
import { isSparse } from '../data/sparse'
import { resultArray } from '../data/typed-array'
import { invalid, invalidEntry, invalidText } from '../errors'
import type { MatrixInput } from '../data/matrix'
import { checkAttached, viewInMemory } from './dense'
import { flattened, type Activations } from './tensor'

/** The means of two classes of rows, and what separates them. */
export interface DifferenceInMeans {
  /** mean₁ − mean₀, [d]. */
  readonly difference: Float64Array
  /** The means of the classes 0 and 1, [d] each. */
  readonly means: readonly [Float64Array, Float64Array]
  /** The numbers of their rows. */
  readonly counts: readonly [number, number]
}

/** −1 for a row of neither class. */
type Label = -1 | 0 | 1

function checkedLabel(labels: ArrayLike<number | boolean>, row: number): Label {
  const label = Number(labels[row])
  if (label === 0 || label === 1 || label === -1) return label
  throw invalid(`labels[${row}]`, '0, 1, or −1 for a row of neither class', labels[row])
}

/**
 * The difference in means, the plain baseline of concept directions: the mean of the rows that show a concept
 * minus the mean of those that do not. Sums are in float64.
 *
 * @param X [n × d], dense and in memory, or `{ data, shape }` with the features last. Read in place, not copied.
 * @param labels [n], for each row 1 or true if it shows the concept, 0 or false if not, −1 to leave it out.
 * @throws {TypeError | RangeError} if X is no such matrix of finite numbers, a label is another value, or a class
 *   has no row.
 * @see Marks & Tegmark (2023), "The Geometry of Truth", arXiv 2310.06824: difference-in-mean directions
 *
 * @example
 * const { difference } = await differenceInMeans(X, rows.map((row) => Number(row.text.includes('bank'))))
 */
export async function differenceInMeans(
  X: Activations,
  labels: ArrayLike<number | boolean>,
): Promise<DifferenceInMeans> {
  const { matrix } = flattened('X', X)
  if (isSparse(matrix)) throw invalidText('X', 'a dense matrix', 'a sparse one')
  const { data, rows, cols, stride, type } = viewInMemory('X', matrix as MatrixInput)
  if (labels?.length !== rows)
    throw invalidText('labels', `${rows} labels, one for each row`, `${labels?.length}`)
  const { length } = data
  const at = numberAt(data, type)
  const means = [0, 1].map(() => resultArray(Float64Array, cols)) as [Float64Array, Float64Array]
  const counts: [number, number] = [0, 0]
  await inTurns(function* (slice) {
    for (let i = 0; i < rows; i++) {
      const label = checkedLabel(labels, i)
      if (label === -1) continue
      const sums = means[label]
      for (let j = 0; j < cols; j++) {
        const value = at(i * stride + j)
        if (!Number.isFinite(value)) throw invalidEntry('X', 'a finite number', value, i, j)
        sums[j]! += value
      }
      counts[label]++
      checkAttached('X', data, length)
      if (slice.spend(2 * cols)) yield
    }
  })
  counts.forEach((count, label) => {
    if (count === 0) throw invalidText('labels', `a row of each class`, `none with label ${label}`)
  })
  for (const label of [0, 1] as const)
    means[label].forEach((sum, j) => (means[label][j] = sum / counts[label]))
  const [zero, one] = means
  return { difference: one.map((mean, j) => mean - zero[j]!), means, counts }
}
