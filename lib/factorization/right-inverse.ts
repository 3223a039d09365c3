// The small systems of models of layers, in float64.
import { resultMatrix, type Matrix } from '../data/matrix'
import { inSlices, inTurns, type Slice } from '../data/slices'
import { invalidText } from '../errors'

/** A row whose part beyond the rows before it is below this share of it counts as dependent on them. */
const leastPivot = 1e-6

/** A Aᵀ [k × k] of A [k × m]. */
function* gramOf({ data, rows: k, cols: m }: Matrix, slice: Slice) {
  const gram = new Float64Array(k * k)
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let t = 0; t < m; t++) sum += data[i * m + t]! * data[j * m + t]!
      gram[i * k + j] = gram[j * k + i] = sum
      if (slice.spend(m)) yield
    }
  return gram
}

/** L of L Lᵀ = N, in place; rows that depend on others become 0, with 0 on the diagonal. */
function* factorize(N: Float64Array, k: number, slice: Slice) {
  for (let j = 0; j < k; j++) {
    const whole = N[j * k + j]!
    let pivot = whole
    for (let t = 0; t < j; t++) pivot -= N[j * k + t]! ** 2
    const isDependent = !(pivot > leastPivot * whole)
    if (isDependent) N.fill(0, j * k, (j + 1) * k)
    const root = Math.sqrt(Math.max(pivot, 0))
    N[j * k + j] = isDependent ? 0 : root
    for (let i = j + 1; i < k; i++) {
      let sum = N[i * k + j]!
      for (let t = 0; t < j; t++) sum -= N[i * k + t]! * N[j * k + t]!
      N[i * k + j] = isDependent ? 0 : sum / root
      if (slice.spend(j + 1)) yield
    }
  }
}

/** x with L Lᵀ x = b, in place; 0 for dependent rows. */
function solve(L: Float64Array, k: number, b: Float64Array) {
  for (let i = 0; i < k; i++) {
    for (let t = 0; t < i; t++) b[i]! -= L[i * k + t]! * b[t]!
    b[i] = L[i * k + i] === 0 ? 0 : b[i]! / L[i * k + i]!
  }
  for (let i = k - 1; i >= 0; i--) {
    for (let t = i + 1; t < k; t++) b[i]! -= L[t * k + i]! * b[t]!
    b[i] = L[i * k + i] === 0 ? 0 : b[i]! / L[i * k + i]!
  }
}

/**
 * A⁺ = Aᵀ (A Aᵀ)⁻¹ [m × k], the right inverse of A [k × m] with m ≥ k: A A⁺ = I, and A⁺ B is the least X with
 * A X = B. Rows of A that depend on those before them are left out.
 */
export async function rightInverse(A: Matrix): Promise<Matrix> {
  const { data, rows: k, cols: m } = A
  return await inTurns(function* (slice) {
    const L: Float64Array = yield* gramOf(A, slice)
    yield* factorize(L, k, slice)
    const inverse = resultMatrix(m, k)
    const column = new Float64Array(k)
    for (let t = 0; t < m; t++) {
      for (let i = 0; i < k; i++) column[i] = data[i * m + t]!
      solve(L, k, column)
      inverse.data.set(column, t * k)
      if (slice.spend(2 * k * k)) yield
    }
    return inverse
  })
}

/** A times 2^−exponent, exactly unless it leaves the range of float32. */
async function scaled({ data, rows, cols }: Matrix, exponent: number): Promise<Matrix> {
  const result = resultMatrix(rows, cols)
  const factor = 2 ** -exponent
  await inSlices(data.length, (begin, end) => {
    for (let at = begin; at < end; at++) result.data[at] = data[at]! * factor
  })
  return result
}

/**
 * A and B times the power of two that takes the largest entry of A into [1, 2): B A⁺ stays the same, and A⁺ is of
 * float32 for an A near the ends of its range too.
 */
export async function inRange(A: Matrix, B: Matrix): Promise<readonly [A: Matrix, B: Matrix]> {
  let largest = 0
  await inSlices(A.data.length, (begin, end) => {
    for (let at = begin; at < end; at++) largest = Math.max(largest, Math.abs(A.data[at]!))
  })
  if (largest === 0) return [A, B]
  const exponent = Math.floor(Math.log2(largest))
  return [await scaled(A, exponent), await scaled(B, exponent)]
}

/** @throws {RangeError} naming X if components of a layer are beyond float32. */
export async function checkComponents({ data }: Matrix, layer: number) {
  const expected = `entries so small that the components of layer ${layer} are of float32`
  await inSlices(data.length, (begin, end) => {
    for (let at = begin; at < end; at++)
      if (!Number.isFinite(data[at]!)) throw invalidText('X', expected, 'larger ones', RangeError)
  })
}
