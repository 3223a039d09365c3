// The Arrow schema of a matrix, by which Arrow, pandas and datasets read its lists as of one size.

/**
 * A FlatBuffers message for one field, a list of `size` floats that are never null, as Arrow serializes it; the
 * name of the field is appended. https://github.com/apache/arrow/blob/main/format/Schema.fbs
 */
const template =
  '1000000000000a000c000600050008000a000000000104000c000000080008000000040008000000040000000100000004000000' +
  'c8ffffff00000010140000002400000004000000010000003000000009000000656d62656464696e670006000800040006000000' +
  '18000000100014000800000007000c00000010001000000000000003100000002000000004000000000000000700000065' +
  '6c656d656e740000000600080006000600000000000000'

/** Positions of the offset of the name, the size of the lists, and the precision of the floats. */
const places = { name: 60, size: 104, precision: 174 } as const

const precisions = { float16: 0, float32: 1, float64: 2 } as const

export type FloatType = keyof typeof precisions

/** @param size Numbers in a list. */
export function arrowSchema(name: string, type: FloatType, size: number): string {
  const fixed = Buffer.from(template, 'hex')
  const text = Buffer.from(name)
  const length = Math.ceil((fixed.length + 4 + text.length + 1) / 8) * 8
  const message = Buffer.alloc(8 + length)
  message.writeInt32LE(-1, 0)
  message.writeInt32LE(length, 4)
  const body = message.subarray(8)
  fixed.copy(body)
  body.writeUInt32LE(fixed.length - places.name, places.name)
  body.writeInt32LE(size, places.size)
  body.writeInt16LE(precisions[type], places.precision)
  body.writeUInt32LE(text.length, fixed.length)
  text.copy(body, fixed.length + 4)
  return message.toString('base64')
}
