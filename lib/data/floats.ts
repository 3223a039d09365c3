// Converts elements of a file to float32, for jobs that accept no other type.
import type { DenseData, ElementType } from './element-types'
import { fileError } from './file'
import { inSlices } from './slices'

/** IEEE 754 binary16, exact. */
function widenFloat16(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023]
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** IEEE 754 binary16 of all bits. */
let halves: Float32Array | undefined

/** The number at a position of an array of elements; float16 and bfloat16 are read from their bits. */
export function numberAt(data: DenseData, type: ElementType): (at: number) => number {
  if (type === 'float16') {
    const table = (halves ??= Float32Array.from({ length: 1 << 16 }, (_, bits) =>
      widenFloat16(bits),
    ))
    return (at) => table[data[at] as number]!
  }
  if (type === 'bfloat16') {
    const float = new Float32Array(1)
    const bits = new Uint32Array(float.buffer)
    return (at) => {
      bits[0] = (data[at] as number) << 16
      return float[0]!
    }
  }
  return (at) => Number(data[at])
}

const largestInteger = 2n ** 53n

function expectedOf(element: number | bigint): string | undefined {
  if (typeof element === 'bigint' && (element > largestInteger || -element > largestInteger))
    return 'an integer from -2^53 to 2^53'
  const value = Number(element)
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
    return "a number within float32's range"
  return undefined
}

/**
 * Converts elements of `cols` columns to float32; a list has one column. float32 is borrowed, not copied.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` naming row and column of a number beyond float32.
 */
export async function toFloat32(
  path: string,
  elements: DenseData,
  type: ElementType,
  cols: number,
): Promise<Float32Array> {
  if (elements instanceof Float32Array) return elements
  const floats = new Float32Array(elements.length)
  const isHalf = type === 'float16'
  await inSlices(floats.length, (begin, end) => {
    for (let i = begin; i < end; i++) {
      const element = elements[i]!
      floats[i] = isHalf ? widenFloat16(Number(element)) : Number(element)
      const expected = isHalf ? undefined : expectedOf(element)
      if (expected === undefined) continue
      const place = `row ${Math.floor(i / cols)}, column ${i % cols}`
      throw fileError(path, `expected ${expected} at ${place}, received ${element}`)
    }
  })
  return floats
}
