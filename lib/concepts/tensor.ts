// Arrays with any number of dimensions, of which the last is the features and the others are rows.
import { invalid, invalidText } from '../errors'
import type { DenseData, Float16Data, Matrix } from '../data/matrix'
import type { ElementType } from '../data/element-types'
import { packed } from '../data/pieces'
import { sidesOf, type SourceInput } from '../data/source'
import { kindOf } from '../data/typed-array'

/** Numbers of float32 with any number of dimensions, row-major: the last dimension is contiguous. */
export interface FloatTensor {
  readonly data: Float32Array
  readonly shape: readonly number[]
}

/**
 * Activations: a matrix [n × d] in any accepted form, or `{ data, shape }` or `{ data, dims }` with at least
 * two dimensions, such as [n, h, w, c] or [n, t, d], whose last one is the features. Each position is a row.
 */
export type Activations = SourceInput

/** Codes of activations: a matrix [n × K], or `{ data, shape }` with K as the last dimension. */
export type CodesInput = Matrix | FloatTensor

/** Rows, and the dimensions that they had. */
export interface Flattened<Input> {
  readonly matrix: Input
  /** All dimensions but the last. */
  readonly leading: readonly number[]
}

interface Shaped {
  readonly data: DenseData | Float16Data
  readonly shape?: readonly number[]
  readonly dims?: readonly number[]
  readonly type?: ElementType
  readonly stride?: unknown
  readonly offset?: unknown
}

const product = (sides: readonly number[]) => sides.reduce((all, side) => all * side, 1)

/**
 * The dimensions, and the field that has them, of an input that is no matrix of lib/data: one with another number
 * of dimensions, or a tensor of a safetensors file, which has a shape and a type.
 */
function dimensionsOf(input: unknown) {
  if (typeof input !== 'object' || input === null) return undefined
  const { shape, dims, type } = input as Shaped
  const sides = dims ?? shape
  const field = dims === undefined ? 'shape' : 'dims'
  const isTensor = field === 'shape' && type !== undefined
  return sides === undefined || (sides.length === 2 && !isTensor) ? undefined : { sides, field }
}

function checkSides(name: string, sides: readonly number[]) {
  const expected = 'two dimensions or more, the last of them the features'
  if (sides.length < 2) throw invalidText(name, expected, `${sides.length} of them`)
  const wrong = sides.find((side) => !Number.isInteger(side) || side < 1)
  if (wrong !== undefined) throw invalid(name, 'positive integers', wrong)
}

/**
 * Activations as rows; borrowed, not copied.
 *
 * @throws {TypeError | RangeError} naming the part of `name` that is wrong.
 */
export function flattened(name: string, input: Activations): Flattened<SourceInput> {
  const dimensions = dimensionsOf(input)
  if (dimensions === undefined) return { matrix: input, leading: [sidesOf(name, input).rows] }
  const { sides, field } = dimensions
  checkSides(`${name}.${field}`, sides)
  const { data, type, stride, offset } = input as Shaped
  if (stride !== undefined || offset !== undefined)
    throw invalidText(
      `${name}.${stride === undefined ? 'offset' : 'stride'}`,
      'none beside a shape of any number of dimensions',
      'one',
    )
  const leading = Array.from(sides).slice(0, -1)
  const matrix = { data, rows: product(leading), cols: sides.at(-1)!, type } as SourceInput
  sidesOf(name, matrix)
  return { matrix, leading }
}

/**
 * Codes as rows without gaps; borrowed unless they have gaps.
 *
 * @throws {TypeError | RangeError} if they are no array of float32 in memory with the right length.
 */
export async function flattenedCodes(name: string, input: CodesInput): Promise<Flattened<Matrix>> {
  const { matrix, leading } = flattened(name, input)
  const { rows, cols } = sidesOf(name, matrix)
  const { data, stride = cols } = matrix as Matrix
  if (kindOf(data) !== 'Float32Array') throw invalid(`${name}.data`, 'a Float32Array', data)
  return { matrix: { data: await packed(name, { data, rows, cols, stride }), rows, cols }, leading }
}

/** Rows in the dimensions that they had. */
export const restored = (
  { data, cols }: Matrix,
  leading: readonly number[],
): FloatTensor & { readonly data: Float32Array } => ({ data, shape: [...leading, cols] })
