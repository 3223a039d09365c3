import { zipSync } from 'fflate'
import { it } from 'vitest'
import { npyHeader } from '../../lib/data/npy-header'
import { parseNpz } from '../../lib/data/npz'
import type { SparseMatrix } from '../../lib/data/sparse'
import type { DenseMatrix } from '../../lib/data/matrix'
import { bytes, temporaryFolder } from './files'
import { expectSurvival } from './mutations'
import { checkSparse } from './well-formed'

export const folder = temporaryFolder()

/** What `scipy.sparse.save_npz` (SciPy 1.17) wrote for [[0, 1.5, 0, 2], [0, 0, 0, 0], [3, 0, 0, -4]]. */
export const fromScipy = Buffer.from(
  `
UEsDBC0AAAAIAAAAIQCNfGjU//////////8LABQAaW5kaWNlcy5ucHkBABAAkAAAAAAAAABNAAAAAAAAAJvsF+obEMnIUMZQ
rZ6SWpxcpG6loG6TaaKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GiY6mjoKtQoUAC5GBgYGZgYIANEAUEsDBC0A
AAAIAAAAIQC3nlc+//////////8KABQAaW5kcHRyLm5weQEAEACQAAAAAAAAAEwAAAAAAAAAm+wX6hsQychQxlCtnpJanFyk
bqWgbpNpoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaJjqaOgq1ChQALgYgYIJiFiAGAFBLAwQtAAAACAAAACEA
o8N0l///////////CgAUAGZvcm1hdC5ucHkBABAAgwAAAAAAAABFAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF4TbKyu
o6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5Gpo6CrUKFAGu5OIiAFBLAwQtAAAACAAAACEA6NDTqP//////////CQAU
AHNoYXBlLm5weQEAEACQAAAAAAAAAEoAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6joJ6WX1RSlJgXn1+UkgoS
d0vMKU4FihdnJBakAvkaRjqaOgq1ChQALmYGCGCB0gBQSwMELQAAAAgAAAAhAFxI1fn//////////wgAFABkYXRhLm5weQEA
EACQAAAAAAAAAFEAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBak
AvkaJjqaOgq1ChQALgaGA/YMDAwOQATEDQcAUEsBAi0DLQAAAAgAAAAhAI18aNRNAAAAkAAAAAsAAAAAAAAAAAAAAIABAAAA
AGluZGljZXMubnB5UEsBAi0DLQAAAAgAAAAhALeeVz5MAAAAkAAAAAoAAAAAAAAAAAAAAIABigAAAGluZHB0ci5ucHlQSwEC
LQMtAAAACAAAACEAo8N0l0UAAACDAAAACgAAAAAAAAAAAAAAgAESAQAAZm9ybWF0Lm5weVBLAQItAy0AAAAIAAAAIQDo0NOo
SgAAAJAAAAAJAAAAAAAAAAAAAACAAZMBAABzaGFwZS5ucHlQSwECLQMtAAAACAAAACEAXEjV+VEAAACQAAAACAAAAAAAAAAA
AAAAgAEYAgAAZGF0YS5ucHlQSwUGAAAAAAUABQAWAQAAowIAAAAA`,
  'base64',
)

export const expected: SparseMatrix = {
  rows: 3,
  cols: 4,
  indptr: Int32Array.of(0, 2, 2, 4),
  indices: Int32Array.of(1, 3, 0, 3),
  values: Float32Array.of(1.5, 2, 3, -4),
}

export const member = (descr: string, shape: readonly number[], data: ArrayBufferView) =>
  new Uint8Array(
    Buffer.concat([
      npyHeader(descr, shape),
      Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    ]),
  )

export const list = (descr: string, data: ArrayBufferView & { length: number }) =>
  member(descr, [data instanceof Buffer ? data.length / Number(descr[2]) : data.length], data)

/** The members of the matrix above, with others in their place. */
export const members = (others: Record<string, Uint8Array | undefined> = {}) => {
  const all: Record<string, Uint8Array | undefined> = {
    format: member('|S3', [], bytes('csr')),
    shape: list('<i8', BigInt64Array.of(3n, 4n)),
    indptr: list('<i4', Int32Array.of(0, 2, 2, 4)),
    indices: list('<i4', Int32Array.of(1, 3, 0, 3)),
    data: list('<f4', expected.values),
    ...others,
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, data]) => (data ? [[`${name}.npy`, data]] : [])),
  )
}

export const npz = (others?: Record<string, Uint8Array | undefined>, level: 0 | 6 = 6) =>
  zipSync(members(others), { level })

export const parseSparse = async (content: Uint8Array) =>
  (await parseNpz(content, 'X.npz')) as SparseMatrix

export const six = Float32Array.of(1, 2, 3, 4, 5, 6)
export const matrixOf = (descr: string, data: ArrayBufferView) => member(descr, [3, 2], data)

/** A matrix of floats, beside others. */
export const dense = zipSync({
  'X.npy': matrixOf('<f4', six),
  'labels.npy': list('<i8', BigInt64Array.of(1n, 2n)),
  'counts.npy': matrixOf('<i4', Int32Array.from(six)),
})

/** What makes of the members of the matrix above those of other formats. */
export const coordinates = {
  format: member('|S3', [], bytes('coo')),
  indptr: undefined,
  indices: undefined,
  row: list('<i8', BigInt64Array.of(2n, 0n, 2n, 0n)),
  col: list('<i4', Int32Array.of(3, 3, 0, 1)),
  data: list('<f8', Float64Array.of(-4, 2, 3, 1.5)),
}
export const columns = {
  format: member('|S3', [], bytes('csc')),
  indptr: list('<i4', Int32Array.of(0, 1, 2, 2, 4)),
  indices: list('<i4', Int32Array.of(2, 0, 2, 0)),
  data: list('<f4', Float32Array.of(3, 1.5, -4, 2)),
}

/** The same archive with its directory in 64 bits, as what is written to a pipe has it. */
export function inWideFields(archive: Uint8Array): Buffer {
  const from = Buffer.from(archive)
  const end = from.length - 22
  const [count, begin] = [from.readUInt16LE(end + 10), from.readUInt32LE(end + 16)]
  const entries: Buffer[] = []
  for (let i = 0, at = begin; i < count; i++) {
    const head = Buffer.from(from.subarray(at, at + 46))
    const name = from.subarray(at + 46, at + 46 + head.readUInt16LE(28))
    at += 46 + name.length + head.readUInt16LE(30) + head.readUInt16LE(32)
    const extra = Buffer.alloc(28)
    extra.writeUInt16LE(1, 0)
    extra.writeUInt16LE(24, 2)
    for (const [t, field] of [24, 20, 42].entries()) {
      extra.writeBigUInt64LE(BigInt(head.readUInt32LE(field)), 4 + 8 * t)
      head.writeUInt32LE(0xffffffff, field)
    }
    head.writeUInt16LE(28, 30)
    head.writeUInt16LE(0, 32)
    entries.push(head, name, extra)
  }
  const directory = Buffer.concat(entries)
  const wideEnd = Buffer.alloc(56)
  wideEnd.writeUInt32LE(0x06064b50)
  wideEnd.writeBigUInt64LE(44n, 4)
  for (const [value, field] of [
    [count, 24],
    [count, 32],
    [directory.length, 40],
    [begin, 48],
  ] as const)
    wideEnd.writeBigUInt64LE(BigInt(value), field)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50)
  locator.writeBigUInt64LE(BigInt(begin + directory.length), 8)
  const last = Buffer.alloc(22, 0xff)
  last.writeUInt32LE(0x06054b50)
  last.writeUInt16LE(0, 20)
  return Buffer.concat([from.subarray(0, begin), directory, wideEnd, locator, last])
}

/** Throws unless the matrix is what the addon takes. */
export function checkMatrix(matrix: SparseMatrix | DenseMatrix) {
  if ('indptr' in matrix) return checkSparse(matrix)
  if (matrix.data.length !== matrix.rows * matrix.cols) throw new Error('ill-formed matrix')
}

it('the parser of .npz archives survives damage', async () => {
  await expectSurvival(
    'X.npz',
    [fromScipy, npz({}, 0), dense, npz(columns, 0), npz(coordinates, 0), inWideFields(npz({}, 0))],
    (content) => parseNpz(content, 'X.npz'),
    checkMatrix,
  )
})

it('the parser of .npz members survives damage', async () => {
  const names = Object.keys(members())
  let turn = 0
  const others = { indices: list('<i8', BigInt64Array.of(3n, 1n, 0n, 3n)) }
  const originals = names.map((name) => members(others)[name]!)
  const damagedOne = (content: Uint8Array) => {
    const name = names[turn++ % names.length]!
    return zipSync({ ...members(others), [name]: new Uint8Array(content) }, { level: 0 })
  }
  await expectSurvival(
    'X.npz',
    originals,
    (content) => parseNpz(damagedOne(content), 'X.npz'),
    checkMatrix,
  )
})
