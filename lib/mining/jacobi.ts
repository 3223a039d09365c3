// Singular values of small matrices in float64, by rotations of pairs of columns.
import { inTurns, type Slice } from '../data/slices'

/** A = Σ_c values[c] · left[c] · right[c]ᵀ, values falling; vectors have length 1. */
export interface SmallSvd {
  readonly left: readonly Float64Array[]
  readonly values: readonly number[]
  readonly right: readonly Float64Array[]
}

/** Two columns count as orthogonal below this cosine. */
const orthogonal = 2 ** -48

/** Far more than are needed: convergence is quadratic. */
const mostSweeps = 60

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function rotate(a: Float64Array, b: Float64Array, cosine: number, sine: number) {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!]
    a[i] = cosine * x - sine * y
    b[i] = sine * x + cosine * y
  }
}

/** Makes all pairs of columns orthogonal once; false if they were. */
function* sweep(columns: Float64Array[], turned: Float64Array[], slice: Slice) {
  let isRotated = false
  for (let p = 0; p < columns.length; p++)
    for (let q = p + 1; q < columns.length; q++) {
      const [a, b] = [columns[p]!, columns[q]!]
      const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)]
      if (slice.spend(6 * a.length)) yield
      if (Math.abs(ab) <= orthogonal * Math.sqrt(aa) * Math.sqrt(bb)) continue
      isRotated = true
      const zeta = (bb - aa) / (2 * ab)
      const tangent = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
      const cosine = 1 / Math.sqrt(1 + tangent * tangent)
      rotate(a, b, cosine, cosine * tangent)
      rotate(turned[p]!, turned[q]!, cosine, cosine * tangent)
    }
  return isRotated
}

/**
 * The singular value decomposition of a matrix with few columns (hundreds), without singular values of 0.
 *
 * @param columns Its columns, which are overwritten; not more than they have rows.
 * @see Demmel & Veselić (1992), "Jacobi's Method is More Accurate than QR"
 */
export async function jacobiSvd(columns: Float64Array[]): Promise<SmallSvd> {
  const turned = columns.map((_, i) => {
    const unit = new Float64Array(columns.length)
    unit[i] = 1
    return unit
  })
  await inTurns(function* (slice) {
    for (let left = mostSweeps; left > 0; left--)
      if (!(yield* sweep(columns, turned, slice))) return
  })
  const sizes = columns.map((column) => Math.sqrt(dot(column, column)))
  const order = [...sizes.keys()].filter((i) => sizes[i]! > 0).sort((a, b) => sizes[b]! - sizes[a]!)
  return {
    left: order.map((i) => columns[i]!.map((x) => x / sizes[i]!)),
    values: order.map((i) => sizes[i]!),
    right: order.map((i) => turned[i]!),
  }
}
