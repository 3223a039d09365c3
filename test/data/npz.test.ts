import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { npyHeader } from '../../lib/data/npy-header'
import { parseNpz, readNpz } from '../../lib/data/npz'
import type { SparseMatrix } from '../../lib/data/sparse'
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
  member(descr, [data.length], data)

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

describe('a sparse .npz file', () => {
  it('of SciPy is read', async () => {
    expect(parseNpz(fromScipy, 'X.npz')).toEqual(expected)
    expect(parseNpz(misaligned(fromScipy), 'X.npz')).toEqual(expected)
    expect(await readNpz(folder.write('X.npz', fromScipy))).toEqual(expected)
  })

  it('is read stored as well as deflated', () => {
    expect(parseNpz(npz({}, 0), 'X.npz')).toEqual(expected)
    expect(parseNpz(npz({}, 6), 'X.npz')).toEqual(expected)
  })

  it('leaves the bytes it is read from as they are', () => {
    const stored = npz({ indices: list('<i4', Int32Array.of(3, 1, 3, 0)) }, 0)
    const before = stored.slice()
    parseNpz(stored, 'X.npz')
    expect(stored).toEqual(before)
  })

  it('may use int64 and any real values', () => {
    const wide = {
      indptr: list('<i8', BigInt64Array.of(0n, 2n, 2n, 4n)),
      indices: list('<i8', BigInt64Array.of(1n, 3n, 0n, 3n)),
    }
    expect(parseNpz(npz(wide), 'X.npz')).toEqual(expected)
    const whole = Float32Array.of(1, 2, 3, 4)
    for (const data of [
      list('<f8', Float64Array.from(whole)),
      list('<i8', BigInt64Array.from(whole, BigInt)),
      list('|u1', Uint8Array.from(whole)),
      list('<i2', Int16Array.from(whole)),
    ])
      expect(parseNpz(npz({ data }), 'X.npz')).toEqual({ ...expected, values: whole })
  })

  it('may name its format in UTF-32, and hold more members', () => {
    const others = {
      format: member('<U3', [], Uint32Array.from(Buffer.from('csr'))),
      _is_array: bytes(''),
    }
    expect(parseNpz(npz(others), 'X.npz')).toEqual(expected)
  })

  it('may have columns out of order and repeats, which are summed', () => {
    const indices = list('<i4', Int32Array.of(3, 1, 2, 2))
    const data = list('<f4', Float32Array.of(2, 1.5, 3, -7))
    const matrix = parseNpz(npz({ indices, data }), 'X.npz')
    expect(matrix).toEqual({
      ...expected,
      indptr: Int32Array.of(0, 2, 2, 3),
      indices: Int32Array.of(1, 3, 2),
      values: Float32Array.of(1.5, 2, -4),
    })
  })

  it('sums repeats in float64', () => {
    const others = {
      indices: list('<i4', Int32Array.of(1, 1, 0, 3)),
      data: list('<f8', Float64Array.of(1 + 2 ** -24, 2 ** -24, 3, 4)),
    }
    expect(parseNpz(npz(others), 'X.npz').values[0]).toBe(1 + 2 ** -23)
  })

  it('may have room after its last row', () => {
    const others = {
      indices: list('<i4', Int32Array.of(1, 3, 0, 3, 0)),
      data: list('<f4', Float32Array.of(1.5, 2, 3, -4, 9)),
    }
    expect(parseNpz(npz(others), 'X.npz')).toEqual(expected)
  })

  it('that is large is unpacked on another thread', async () => {
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
    expect((await readNpz(path)).values).toEqual(new Float32Array(entries).fill(2))
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
      'of the format csc',
      npz({ format: member('|S3', [], bytes('csc')) }),
      'expected the sparse format csr (.tocsr() makes it), received csc',
    ],
    [
      'without indices',
      npz({ indices: undefined }),
      `expected a SciPy sparse matrix of ${names} (.tocsr() makes it), received format, shape, indptr, data`,
    ],
    [
      'of dense arrays',
      zipSync({ 'X.npy': bytes('') }),
      `expected a SciPy sparse matrix of ${names} (.tocsr() makes it), received X`,
    ],
    [
      'with float indices',
      npz({ indices: list('<f4', Float32Array.of(1, 3, 0, 3)) }),
      'indices.npy: expected int32 or int64 indices, received <f4',
    ],
    [
      'of complex values',
      npz({ data: list('<c8', new Float32Array(8)) }),
      'data.npy: expected real values, received <c8',
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
      'beyond 4 GiB',
      patched(directory + 46 + 16, 0xffffffff),
      'expected a zip archive below 4 GiB',
    ],
  ])('%s', async (_, content, sentence) => {
    await expectFileError(() => parseNpz(content, 'X.npz'), `X.npz: ${sentence}`)
    const path = folder.write('bad.npz', content)
    await expectFileError(() => readNpz(path), `${path}: ${sentence}`)
  })

  it('with a limit that is none', async () => {
    expect(await errorOf(() => readNpz('X.npz', { limit: -1 }))).toMatchObject({
      message: 'Expected a number of bytes for limit, received -1',
    })
    expect(await errorOf(() => readNpz('X.npz', { max: 1 } as never))).toMatchObject({
      argument: 'max',
      expected: 'one of the options limit',
    })
  })
})

/** Throws unless the matrix is what the addon takes. */
it('the parser of .npz archives survives damage', () => {
  expectSurvival(
    'X.npz',
    [fromScipy, npz({}, 0)],
    (content) => parseNpz(content, 'X.npz'),
    checkSparse,
  )
})

it('the parser of .npz members survives damage', () => {
  const names = Object.keys(members())
  let turn = 0
  const others = { indices: list('<i8', BigInt64Array.of(3n, 1n, 0n, 3n)) }
  const originals = names.map((name) => members(others)[name]!)
  const damagedOne = (content: Uint8Array) => {
    const name = names[turn++ % names.length]!
    return zipSync({ ...members(others), [name]: new Uint8Array(content) }, { level: 0 })
  }
  expectSurvival(
    'X.npz',
    originals,
    (content) => parseNpz(damagedOne(content), 'X.npz'),
    checkSparse,
  )
})
