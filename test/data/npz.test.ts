import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { npyHeader } from '../../lib/data/npy-header'
import { parseNpz, readNpz } from '../../lib/data/npz'
import type { SparseMatrix } from '../../lib/data/sparse'
import type { DenseMatrix } from '../../lib/data/matrix'
import { bytes, errorOf, expectFileError, misaligned, temporaryFolder } from './files'
import { expectSurvival } from './mutations'
import { checkSparse } from './well-formed'

const folder = temporaryFolder()

/** What `scipy.sparse.save_npz` (SciPy 1.17) wrote for [[0, 1.5, 0, 2], [0, 0, 0, 0], [3, 0, 0, -4]]. */
const fromScipy = Buffer.from(
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

const expected: SparseMatrix = {
  rows: 3,
  cols: 4,
  indptr: Int32Array.of(0, 2, 2, 4),
  indices: Int32Array.of(1, 3, 0, 3),
  values: Float32Array.of(1.5, 2, 3, -4),
}

const member = (descr: string, shape: readonly number[], data: ArrayBufferView) =>
  new Uint8Array(
    Buffer.concat([
      npyHeader(descr, shape),
      Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    ]),
  )

const list = (descr: string, data: ArrayBufferView & { length: number }) =>
  member(descr, [data instanceof Buffer ? data.length / Number(descr[2]) : data.length], data)

/** The members of the matrix above, with others in their place. */
const members = (others: Record<string, Uint8Array | undefined> = {}) => {
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

const npz = (others?: Record<string, Uint8Array | undefined>, level: 0 | 6 = 6) =>
  zipSync(members(others), { level })

const parseSparse = async (content: Uint8Array) =>
  (await parseNpz(content, 'X.npz')) as SparseMatrix

const six = Float32Array.of(1, 2, 3, 4, 5, 6)
const matrixOf = (descr: string, data: ArrayBufferView) => member(descr, [3, 2], data)

/** A matrix of floats, beside others. */
const dense = zipSync({
  'X.npy': matrixOf('<f4', six),
  'labels.npy': list('<i8', BigInt64Array.of(1n, 2n)),
  'counts.npy': matrixOf('<i4', Int32Array.from(six)),
})

/** What makes of the members of the matrix above those of other formats. */
const coordinates = {
  format: member('|S3', [], bytes('coo')),
  indptr: undefined,
  indices: undefined,
  row: list('<i8', BigInt64Array.of(2n, 0n, 2n, 0n)),
  col: list('<i4', Int32Array.of(3, 3, 0, 1)),
  data: list('<f8', Float64Array.of(-4, 2, 3, 1.5)),
}
const columns = {
  format: member('|S3', [], bytes('csc')),
  indptr: list('<i4', Int32Array.of(0, 1, 2, 2, 4)),
  indices: list('<i4', Int32Array.of(2, 0, 2, 0)),
  data: list('<f4', Float32Array.of(3, 1.5, -4, 2)),
}

/** The same archive with its directory in 64 bits, as what is written to a pipe has it. */
function inWideFields(archive: Uint8Array): Buffer {
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

describe('a dense .npz file', () => {
  it('is read where it holds one matrix of floats', async () => {
    const expected = { data: six, rows: 3, cols: 2, type: 'float32' }
    expect(await parseNpz(dense, 'X.npz')).toEqual(expected)
    const path = folder.write('dense.npz', dense)
    expect(await readNpz(path)).toEqual(expected)
    expect(await readNpz(path, { name: 'counts' })).toMatchObject({ type: 'int32' })
    await expectFileError(
      () => readNpz(path, { name: 'Y' }),
      `${path}: expected one of X [3 × 2], labels [2], counts [3 × 2], received Y`,
    )
  })
})

describe('a sparse .npz file', () => {
  it.each<[string, Uint8Array]>([
    ['of coordinates', npz(coordinates)],
    ['of compressed columns', npz(columns)],
    ['with a directory in 64 bits', inWideFields(npz())],
    ['packed once more', gzipSync(npz())],
    [
      'of big-endian members',
      npz({ data: list('>f4', Buffer.from(expected.values.buffer.slice(0)).swap32()) }),
    ],
  ])('%s is read', async (_, content) => {
    expect(await parseNpz(content, 'X.npz')).toEqual(expected)
    expect(await readNpz(folder.write('other.npz', content))).toEqual(expected)
  })

  it('may repeat coordinates, which are summed', async () => {
    const others = { ...coordinates, row: list('<i4', Int32Array.of(0, 0, 2, 0)) }
    expect(await parseSparse(npz(others))).toMatchObject({
      indptr: Int32Array.of(0, 2, 2, 3),
      indices: Int32Array.of(1, 3, 0),
      values: Float32Array.of(1.5, -2, 3),
    })
  })

  it('of SciPy is read', async () => {
    expect(await parseNpz(fromScipy, 'X.npz')).toEqual(expected)
    expect(await parseNpz(misaligned(fromScipy), 'X.npz')).toEqual(expected)
    expect(await readNpz(folder.write('X.npz', fromScipy))).toEqual(expected)
  })

  it('is read stored as well as deflated', async () => {
    expect(await parseNpz(npz({}, 0), 'X.npz')).toEqual(expected)
    expect(await parseNpz(npz({}, 6), 'X.npz')).toEqual(expected)
  })

  it('leaves the bytes it is read from as they are', async () => {
    const stored = npz({ indices: list('<i4', Int32Array.of(3, 1, 3, 0)) }, 0)
    const before = stored.slice()
    parseNpz(stored, 'X.npz')
    expect(stored).toEqual(before)
  })

  it('may use int64 and any real values', async () => {
    const wide = {
      indptr: list('<i8', BigInt64Array.of(0n, 2n, 2n, 4n)),
      indices: list('<i8', BigInt64Array.of(1n, 3n, 0n, 3n)),
    }
    expect(await parseNpz(npz(wide), 'X.npz')).toEqual(expected)
    const whole = Float32Array.of(1, 2, 3, 4)
    for (const data of [
      list('<f8', Float64Array.from(whole)),
      list('<i8', BigInt64Array.from(whole, BigInt)),
      list('|u1', Uint8Array.from(whole)),
      list('<i2', Int16Array.from(whole)),
    ])
      expect(await parseNpz(npz({ data }), 'X.npz')).toEqual({ ...expected, values: whole })
  })

  it('may name its format in UTF-32, and hold more members', async () => {
    const others = {
      format: member('<U3', [], Uint32Array.from(Buffer.from('csr'))),
      _is_array: bytes(''),
    }
    expect(await parseNpz(npz(others), 'X.npz')).toEqual(expected)
  })

  it('may have columns out of order and repeats, which are summed', async () => {
    const indices = list('<i4', Int32Array.of(3, 1, 2, 2))
    const data = list('<f4', Float32Array.of(2, 1.5, 3, -7))
    const matrix = await parseNpz(npz({ indices, data }), 'X.npz')
    expect(matrix).toEqual({
      ...expected,
      indptr: Int32Array.of(0, 2, 2, 3),
      indices: Int32Array.of(1, 3, 2),
      values: Float32Array.of(1.5, 2, -4),
    })
  })

  it('sums repeats in float64', async () => {
    const others = {
      indices: list('<i4', Int32Array.of(1, 1, 0, 3)),
      data: list('<f8', Float64Array.of(1 + 2 ** -24, 2 ** -24, 3, 4)),
    }
    expect((await parseSparse(npz(others))).values[0]).toBe(1 + 2 ** -23)
  })

  it('may have room after its last row', async () => {
    const others = {
      indices: list('<i4', Int32Array.of(1, 3, 0, 3, 0)),
      data: list('<f4', Float32Array.of(1.5, 2, 3, -4, 9)),
    }
    expect(await parseNpz(npz(others), 'X.npz')).toEqual(expected)
  })

  it('that is large is unpacked while the event loop turns', async () => {
    const entries = 300_000
    const others = {
      shape: list('<i8', BigInt64Array.of(1n, BigInt(entries))),
      indptr: list('<i4', Int32Array.of(0, entries)),
      indices: list(
        '<i4',
        Int32Array.from({ length: entries }, (_, t) => t),
      ),
      data: list('<f4', new Float32Array(entries).fill(2)),
    }
    const content = npz(others)
    const path = folder.write('large.npz', content)
    expect(((await readNpz(path)) as SparseMatrix).values).toEqual(
      new Float32Array(entries).fill(2),
    )
    await expectFileError(
      () => readNpz(path, { limit: 1e6 }),
      `${path}: expected at most 1000000 bytes when unpacked, received 2400667`,
    )
    const damaged = content.slice()
    damaged.fill(0xff, 5000, 5100)
    await expectFileError(
      () => readNpz(folder.write('damaged.npz', damaged)),
      `${folder.path('damaged.npz')}: expected whole data in the member indices.npy, received damaged data`,
    )
  })
})

describe('a sparse .npz file is refused', () => {
  const whole = npz()
  const directory = Buffer.from(whole).lastIndexOf('PK\x05\x06') - 46
  const patched = (at: number, value: number) => {
    const copy = Buffer.from(whole)
    copy.writeUInt32LE(value, at)
    return copy
  }
  const firstEntry = Buffer.from(whole).indexOf('PK\x01\x02')
  const names = 'format, shape, indptr, indices, data'

  it.each<[string, Uint8Array, string]>([
    ['when empty', Buffer.alloc(0), 'expected a whole zip archive, received an empty file'],
    [
      'when cut short',
      whole.subarray(0, directory),
      'expected a whole zip archive, received a file without its directory',
    ],
    [
      'of another format',
      npz({ format: member('|S3', [], bytes('bsr')) }),
      'expected the sparse format csr, csc or coo (.tocsr() makes one), received bsr',
    ],
    [
      'without indices',
      npz({ indices: undefined }),
      `expected the members ${names} of a SciPy csr matrix, received format, shape, indptr, data`,
    ],
    [
      'of an array that is none',
      zipSync({ 'X.npy': bytes('') }),
      'X.npy: expected a NumPy .npy file, received an empty file',
    ],
    [
      'of several matrices',
      zipSync({ 'W.npy': matrixOf('<f4', six), 'H.npy': matrixOf('<f4', six) }),
      'expected one matrix, or the name of one after a colon (PATH:W), received W [3 × 2], H [3 × 2]',
    ],
    [
      'of lists and texts alone',
      zipSync({
        'ids.npy': list('<i4', Int32Array.of(1)),
        't.npy': member('<U1', [1, 1], bytes('abcd')),
      }),
      'expected a matrix of real numbers, received only ids [1], t [1 × 1]',
    ],
    [
      'with float indices',
      npz({ indices: list('<f4', Float32Array.of(1, 3, 0, 3)) }),
      'indices.npy: expected integers, received <f4',
    ],
    [
      'of complex values',
      npz({ data: list('<c8', new Float32Array(8)) }),
      'data.npy: expected floats, integers or truth values of 1 to 8 bytes, received complex numbers, <c8',
    ],
    [
      'with a column too far',
      npz({ indices: list('<i4', Int32Array.of(1, 4, 0, 3)) }),
      'indices.npy: expected a column in 0..3 at entry 1, received 4',
    ],
    [
      'with a negative column',
      npz({ indices: list('<i8', BigInt64Array.of(1n, -1n, 0n, 3n)) }),
      'indices.npy: expected a column in 0..3 at entry 1, received -1',
    ],
    [
      'with row starts that fall',
      npz({ indptr: list('<i4', Int32Array.of(0, 3, 2, 4)) }),
      'indptr.npy: expected row starts that ascend from 0, received 2 at row 2',
    ],
    [
      'with row starts that begin late',
      npz({ indptr: list('<i4', Int32Array.of(1, 2, 2, 4)) }),
      'indptr.npy: expected row starts that ascend from 0, received 1 at row 0',
    ],
    [
      'with too few row starts',
      npz({ indptr: list('<i4', Int32Array.of(0, 4)) }),
      'indptr.npy: expected 4 row starts for 3 rows, received 2',
    ],
    [
      'with too few values',
      npz({ data: list('<f4', Float32Array.of(1, 2)) }),
      'expected 4 indices and values, as indptr ends, received 4 and 2',
    ],
    [
      'without rows',
      npz({ shape: list('<i8', BigInt64Array.of(0n, 4n)) }),
      'shape.npy: expected a number of rows and of columns in 1..2147483647, received (0, 4)',
    ],
    [
      'with a zip bomb in its directory',
      patched(firstEntry + 24, 4_000_000_000),
      'expected a whole zip archive, received the member format.npy with 4000000000 bytes out of 69',
    ],
    [
      'with a wrong checksum',
      patched(firstEntry + 16, 1),
      'expected whole data in the member format.npy, received damaged data',
    ],
    [
      'with a member that lies elsewhere',
      patched(firstEntry + 42, 5),
      'expected a whole zip archive, received a member format.npy without its header',
    ],
    [
      'with a damaged directory',
      patched(firstEntry, 0),
      'expected a whole zip archive, received a damaged directory',
    ],
    [
      'encrypted',
      patched(firstEntry + 6, 0x0001_0014),
      'expected a plain archive, received the encrypted member format.npy',
    ],
    [
      'with another compression',
      patched(firstEntry + 10, 12),
      'expected stored or deflated members, received the method 12',
    ],
    [
      'with a directory beyond its end',
      patched(directory + 46 + 16, 0xffffffff),
      'expected a whole zip archive, received a damaged directory',
    ],
    [
      'with a value beyond float32',
      npz({ data: list('<f8', Float64Array.of(1.5, 1e300, 3, -4)) }),
      "data.npy: expected a number within float32's range at row 0, column 3, received 1.0000000000000001e+300",
    ],
    [
      'with an integer beyond 2^53',
      npz({ data: list('<i8', BigInt64Array.of(1n, 2n ** 53n, 2n ** 53n + 1n, 4n)) }),
      'data.npy: expected an integer from -2^53 to 2^53 at row 2, column 0, received 9007199254740993',
    ],
    [
      'of coordinates with a row too far',
      npz({ ...coordinates, row: list('<i4', Int32Array.of(3, 0, 2, 2)) }),
      'row.npy: expected a row in 0..2 at entry 0, received 3',
    ],
    [
      'of coordinates that are fewer than the values',
      npz({ ...coordinates, row: list('<i4', Int32Array.of(0)) }),
      'expected as many rows, columns and values, received 1, 4 and 4',
    ],
    [
      'of coordinates with 2e9 empty rows',
      npz({ ...coordinates, shape: list('<i8', BigInt64Array.of(2_000_000_000n, 4n)) }),
      'expected at most 16777220 rows for 4 entries, received 2000000000',
    ],
    [
      'of columns with starts that fall',
      npz({ ...columns, indptr: list('<i4', Int32Array.of(0, 3, 2, 2, 4)) }),
      'indptr.npy: expected column starts that ascend from 0, received 2 at column 2',
    ],
  ])('%s', async (_, content, sentence) => {
    const told = (path: string) => `${path}: ${sentence}`.replace('PATH', path)
    await expectFileError(() => parseNpz(content, 'X.npz'), told('X.npz'))
    const path = folder.write('bad.npz', content)
    await expectFileError(() => readNpz(path), told(path))
  })

  it('with a limit that is none', async () => {
    expect(await errorOf(() => readNpz('X.npz', { limit: -1 }))).toMatchObject({
      message: 'Expected a number of bytes for limit, received -1',
    })
    expect(await errorOf(() => readNpz('X.npz', { max: 1 } as never))).toMatchObject({
      argument: 'max',
      expected: 'one of the options limit, name',
    })
  })
})

/** Throws unless the matrix is what the addon takes. */
function checkMatrix(matrix: SparseMatrix | DenseMatrix) {
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
