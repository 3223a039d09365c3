import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { parseNpz, readNpz } from '../../lib/data/npz'
import type { SparseMatrix } from '../../lib/data/sparse'
import { bytes, expectFileError, misaligned } from './files'
import {
  folder,
  fromScipy,
  expected,
  member,
  list,
  npz,
  parseSparse,
  six,
  dense,
  coordinates,
  columns,
  inWideFields,
} from './npz-samples'

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
