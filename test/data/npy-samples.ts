import type { DenseData } from '../../lib/data/matrix'
import { temporaryFolder } from './files'

export const folder = temporaryFolder()

/** A `.npy` file with the given dictionary and elements. */
export function npy(
  dictionary: string,
  elements: ArrayBufferView | number = 0,
  version = 1,
): Buffer {
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, 0, 0, 0, 0])
  const head = start.subarray(0, version === 1 ? 10 : 12)
  const text = Buffer.from(`${dictionary}\n`)
  head.writeUIntLE(text.length, 8, head.length - 8)
  const data =
    typeof elements === 'number'
      ? Buffer.alloc(elements)
      : Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength)
  return Buffer.concat([head, text, data])
}

export const dictionary = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`

export const values = Float32Array.of(1, -2.5, 3e-30, 4, 5, 6)

/** The bytes of elements in the order that a header tells. */
export function inFile(
  descr: string,
  { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT }: DenseData,
) {
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  const copy = Buffer.from(bytes)
  if (descr.startsWith('>') && BYTES_PER_ELEMENT > 1)
    for (let at = 0; at < copy.length; at += BYTES_PER_ELEMENT)
      copy.subarray(at, at + BYTES_PER_ELEMENT).reverse()
  return copy
}
export const full = dictionary('<f4', '(12, 5)')
export const elements = 'floats, integers or truth values of 1 to 8 bytes'
export const remedy = " (.astype('float32') makes them)"
