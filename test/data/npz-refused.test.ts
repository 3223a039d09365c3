import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { parseNpz, readNpz } from '../../lib/data/npz'
import { bytes, errorOf, expectFileError } from './files'
import { folder, member, list, npz, six, matrixOf, coordinates, columns } from './npz-samples'

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
      'expected a matrix of real numbers, received only ids [1], t [1 × 1] of strings',
    ],
    [
      'of one matrix of complex numbers',
      zipSync({ 'X.npy': matrixOf('<c8', new Float32Array(12)) }),
      'expected a matrix of real numbers, received only X [3 × 2] of complex numbers',
    ],
    [
      'of one matrix of an unknown type',
      zipSync({ 'X.npy': matrixOf('<q9', six) }),
      'expected a matrix of real numbers, received only X [3 × 2] of <q9',
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
