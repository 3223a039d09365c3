// Dense matrices in memory, read element by element.
import { resultMatrix, toDenseView, type Matrix, type MatrixInput } from '../data/matrix'
import { numberAt } from '../data/floats'
import { packed } from '../data/pieces'
import { inTurns } from '../data/slices'
import { invalidEntry, invalidText } from '../errors'
import { detached } from '../lending'
import { planMemory } from '../memory'

/** Throws if memory was transferred while the event loop ran. */
export function checkAttached(name: string, data: { readonly length: number }, length: number) {
  if (data.length !== length) throw detached(name)
}

/** A matrix in memory, not in a file. */
export function viewInMemory(name: string, input: MatrixInput) {
  const { data, ...view } = toDenseView(name, input)
  if (data) return { data, ...view }
  throw invalidText(name, 'a matrix in memory, as readNpy() gives', 'a file')
}

function checkFinite(name: string, value: number, i: number, j: number) {
  if (Number.isFinite(value)) return
  throw invalidEntry(name, "a finite number within float32's range", value, i, j)
}

/**
 * A small matrix as float32 without gaps, all entries finite; borrowed if it is so already.
 *
 * @throws {TypeError | RangeError} if it is no matrix in memory, or has an entry that is not finite in float32.
 */
export async function denseMatrix(name: string, input: MatrixInput): Promise<Matrix> {
  const { data, rows, cols, stride, type } = viewInMemory(name, input)
  const { length } = data
  const isPlain = data instanceof Float32Array
  if (!isPlain) planMemory(`A copy of ${name}`, 4 * rows * cols)
  const own = isPlain ? await packed(name, { data, rows, cols, stride }) : undefined
  const floats = own ?? new Float32Array(rows * cols)
  const at = numberAt(data, type)
  await inTurns(function* (slice) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0, to = i * cols; j < cols; j++, to++) {
        if (!own) floats[to] = at(i * stride + j)
        checkFinite(name, floats[to]!, i, j)
      }
      checkAttached(name, data, length)
      if (slice.spend(cols)) yield
    }
  })
  return { data: floats, rows, cols }
}

/** The rows of a small matrix as columns. */
export async function transposedMatrix({ data, rows, cols }: Matrix): Promise<Matrix> {
  planMemory(`A copy of ${rows} × ${cols} numbers`, 4 * rows * cols)
  const turned = resultMatrix(cols, rows)
  await inTurns(function* (slice) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < cols; j++) turned.data[j * rows + i] = data[i * cols + j]!
      if (slice.spend(cols)) yield
    }
  })
  return turned
}

/**
 * The columns of a row with the largest magnitudes, of those that are not 0: largest first, equal ones by lower
 * column.
 */
export function largestColumns(row: Float32Array, count: number): number[] {
  const magnitudes = row.map(Math.abs).sort()
  // Only columns from this magnitude on are sorted by a comparison, which takes long.
  const least = magnitudes[Math.max(0, row.length - count)]!
  const columns: number[] = []
  for (let j = 0; j < row.length; j++)
    if (row[j] !== 0 && Math.abs(row[j]!) >= least) columns.push(j)
  const order = columns.sort((a, b) => Math.abs(row[b]!) - Math.abs(row[a]!) || a - b)
  return order.slice(0, count)
}
