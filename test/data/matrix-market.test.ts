import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../../lib/data/matrix'
import type { SparseMatrix } from '../../lib/data/sparse'
import { parseMatrixMarket, readMatrixMarket } from '../../lib/data/matrix-market'
import { bytes, expectFileError, temporaryFolder } from './files'
import { expectSurvival } from './mutations'
import { checkSparse } from './well-formed'

const folder = temporaryFolder()
const parse = (...lines: string[]) => parseMatrixMarket(bytes(lines.join('\n')), 'X.mtx')

const real = '%%MatrixMarket matrix coordinate real general'
const pattern = '%%MatrixMarket matrix coordinate pattern general'
const symmetric = '%%MatrixMarket matrix coordinate integer symmetric'
const skew = '%%MatrixMarket matrix coordinate real skew-symmetric'
const unsigned = '%%MatrixMarket matrix coordinate unsigned-integer general'
const array = '%%MatrixMarket matrix array real general'

const matrix = (
  rows: number,
  cols: number,
  indptr: number[],
  indices: number[],
  values: number[],
) => ({
  rows,
  cols,
  indptr: Int32Array.from(indptr),
  indices: Int32Array.from(indices),
  values: Float32Array.from(values),
})

describe('a Matrix Market file', () => {
  it('is read, entries in any order', async () => {
    const lines = [
      real,
      '% a comment',
      '',
      '3 4 4',
      '3 4 -4e0',
      '1 4 2',
      ' 1\t2 1.5 ',
      '3 1 +.3E1',
      '',
    ]
    const expected = matrix(3, 4, [0, 2, 2, 4], [1, 3, 0, 3], [1.5, 2, 3, -4])
    expect(await parse(...lines)).toEqual(expected)
    const windows = folder.write('X.mtx', `\ufeff${lines.join('\r\n')}`)
    expect(await readMatrixMarket(windows)).toEqual(expected)
  })

  it('has its repeats summed in float64', async () => {
    const repeated = ['2 2 3', '1 1 1.00000005960464477539', '2 2 7', '1 1 5.960464477539063e-8']
    expect(await parse(real, ...repeated)).toEqual(
      matrix(2, 2, [0, 1, 2], [0, 1], [1 + 2 ** -23, 7]),
    )
  })

  it('may be a pattern, of ones', async () => {
    expect(await parse(pattern, '2 3 2', '2 3', '1 1')).toEqual(
      matrix(2, 3, [0, 1, 2], [0, 2], [1, 1]),
    )
  })

  it('may be symmetric, with both halves', async () => {
    const expected = matrix(3, 3, [0, 2, 3, 5], [0, 2, 0, 0, 2], [5, 7, 0, 7, 9])
    expect(await parse(symmetric, '3 3 3', '1 1 5', '3 1 7', '3 3 9')).toEqual({
      ...expected,
      indptr: Int32Array.of(0, 2, 2, 4),
      indices: Int32Array.of(0, 2, 0, 2),
      values: Float32Array.of(5, 7, 7, 9),
    })
  })

  it('may be symmetric with its upper half', async () => {
    const expected = matrix(3, 3, [0, 2, 3, 4], [1, 2, 0, 0], [5, 1, 5, 1])
    expect(await parse(symmetric, '3 3 2', '1 2 5', '1 3 1')).toEqual(expected)
    expect(await parse(symmetric, '3 3 2', '1 2 5', '3 1 1')).toEqual(expected)
  })

  it('may be skew-symmetric', async () => {
    expect(await parse(skew, '3 3 3', '2 1 5', '1 3 2', '2 2 0')).toEqual(
      matrix(3, 3, [0, 2, 4, 5], [1, 2, 0, 1, 0], [-5, 2, 5, 0, -2]),
    )
  })

  it('may hold unsigned integers up to 2^53', async () => {
    expect(await parse(unsigned, '1 2 2', '1 1 9007199254740992', '1 2 7')).toEqual(
      matrix(1, 2, [0, 2], [0, 1], [2 ** 53, 7]),
    )
  })

  const rowsOf = (cols: number, data: number[]) => ({
    data: Float64Array.from(data),
    rows: data.length / cols,
    cols,
    type: 'float64',
  })

  it('may be an array, column after column', async () => {
    expect(await parse(array, '% 3 rows', '3 2', '1', '2', '3e0', '4', '.5', '6')).toEqual(
      rowsOf(2, [1, 4, 2, 0.5, 3, 6]),
    )
    const lower = array.replace('general', 'symmetric')
    expect(await parse(lower, '3 3', '1', '2', '3', '4', '5', '6')).toEqual(
      rowsOf(3, [1, 2, 3, 2, 4, 5, 3, 5, 6]),
    )
    const strictlyLower = array.replace('general', 'skew-symmetric')
    expect(await parse(strictlyLower, '3 3', '2', '3', '5')).toEqual(
      rowsOf(3, [0, -2, -3, 2, 0, -5, 3, 5, 0]),
    )
  })

  it('may be packed', async () => {
    const lines = `${real}\n3 4 1\n2 3 1.5\n`
    const expected = matrix(3, 4, [0, 0, 1, 1], [2], [1.5])
    const whole = gzipSync(lines)
    expect(await readMatrixMarket(folder.write('X.mtx.gz', whole))).toEqual(expected)
    const members = Buffer.concat([gzipSync(lines.slice(0, 50)), gzipSync(lines.slice(50))])
    expect(await readMatrixMarket(folder.write('two.mtx.gz', members))).toEqual(expected)
    const cut = folder.write('cut.mtx.gz', whole.subarray(0, -12))
    await expectFileError(
      () => readMatrixMarket(cut),
      `${cut}: expected whole gzip data, received data that is cut short`,
    )
    const damaged = folder.write('damaged.mtx.gz', Buffer.from(whole).fill(0, 20, 40))
    await expectFileError(
      () => readMatrixMarket(damaged),
      `${damaged}: expected whole gzip data, received damaged data`,
    )
  })

  it('may have no entries and its banner in capitals', async () => {
    expect(await parse(real.toUpperCase(), '2 3 0')).toEqual(matrix(2, 3, [0, 0, 0], [], []))
  })

  it.each<[string, string[], string]>([
    ['empty', [], 'expected a Matrix Market file, received an empty file'],
    [
      'without a banner',
      ['3 4 4'],
      'line 1: expected %%MatrixMarket matrix coordinate … or array …, received 3 4 4',
    ],
    [
      'of another format',
      ['%%MatrixMarket matrix vector real general'],
      'line 1: expected the format coordinate or array, received vector',
    ],
    [
      'of an array without values',
      ['%%MatrixMarket matrix array pattern general'],
      'line 1: expected real, integer or unsigned-integer entries, received pattern',
    ],
    [
      'of an array with too few values',
      [array, '2 2', '1', '2', '3'],
      'expected 4 entries, received 3',
    ],
    ['of an array with places', [array, '2 2', '1 1 5'], 'line 3: expected value, received 1 1 5'],
    [
      'of complex entries',
      ['%%MatrixMarket matrix coordinate complex general'],
      'line 1: expected real, integer, unsigned-integer or pattern entries, received complex',
    ],
    [
      'of another symmetry',
      ['%%MatrixMarket matrix coordinate real hermitian'],
      'line 1: expected a general, symmetric or skew-symmetric matrix, received hermitian',
    ],
    [
      'skew-symmetric without signs',
      ['%%MatrixMarket matrix coordinate pattern skew-symmetric'],
      'line 1: expected real or integer entries of a skew-symmetric matrix, received pattern',
    ],
    [
      'skew-symmetric with a diagonal',
      [skew, '2 2 1', '2 2 3'],
      'line 3: expected nothing but 0 on the diagonal of a skew-symmetric matrix, received 2 2 3',
    ],
    [
      'of unsigned integers below 0',
      [unsigned, '2 2 1', '2 2 -3'],
      'line 3: expected an integer of at least 0, received -3',
    ],
    [
      'of integers beyond 2^53',
      [unsigned, '2 2 1', '2 2 9007199254740993'],
      'line 3: expected an integer from -2^53 to 2^53, received 9007199254740993',
    ],
    [
      'with a number beyond float32',
      [real, '2 2 1', '2 1 1e300'],
      "expected a number within float32's range at row 1, column 0, received 1.0000000000000001e+300",
    ],
    [
      'with a number beyond float64',
      [real, '2 2 1', '2 1 1e999'],
      'line 3: expected a finite number, received 1e999',
    ],
    ['without sizes', [real, '%'], 'expected a line of rows, columns and entries, received none'],
    [
      'with two sizes',
      [real, '3 4'],
      'line 2: expected the numbers of rows, columns and entries, received 3 4',
    ],
    [
      'without rows',
      [real, '0 4 0'],
      'line 2: expected at least one row and one column, received 0 4 0',
    ],
    [
      'with 1e12 rows claimed',
      [real, '1000000000000 4 1'],
      'line 2: expected at most 16777217 rows for 1 entries, received 1000000000000 4 1',
    ],
    [
      'with 1e12 columns claimed',
      [real, '4 1000000000000 1'],
      'line 2: expected at most 2147483647 columns, received 4 1000000000000 1',
    ],
    [
      'symmetric and not square',
      [symmetric, '3 4 0'],
      'line 2: expected as many rows as columns in a symmetric matrix, received 3 4 0',
    ],
    ['with too few entries', [real, '3 4 2', '1 1 1'], 'expected 2 entries, received 1'],
    [
      'with too many entries',
      [real, '3 4 1', '1 1 1', '1 2 1'],
      'line 4: expected no line after 1 entries, received 1 2 1',
    ],
    ['with a row too far', [real, '3 4 1', '4 1 1'], 'line 3: expected a row in 1..3, received 4'],
    ['with a column 0', [real, '3 4 1', '1 0 1'], 'line 3: expected a column in 1..4, received 0'],
    [
      'with an entry without value',
      [real, '3 4 1', '1 1'],
      'line 3: expected row, column and value, received 1 1',
    ],
    [
      'of a pattern with values',
      [pattern, '3 4 1', '1 1 1'],
      'line 3: expected row and column, received 1 1 1',
    ],
    ['with a NaN', [real, '3 4 1', '1 1 nan'], 'line 3: expected a finite number, received nan'],
    [
      'with a hexadecimal',
      [real, '3 4 1', '1 1 0x1'],
      'line 3: expected a finite number, received 0x1',
    ],
    [
      'of integers with a half',
      [symmetric, '3 3 1', '1 1 .5'],
      'line 3: expected an integer, received .5',
    ],
    [
      'symmetric with a pair in both halves',
      [symmetric, '3 3 2', '1 2 5', '2 1 5'],
      'expected every pair of a row and a column once, in one of the two halves, received row 1, column 2 in both',
    ],
  ])('%s is refused', async (_, lines, sentence) => {
    await expectFileError(() => parse(...lines), `X.mtx: ${sentence}`)
    const path = folder.write('bad.mtx', lines.join('\n'))
    await expectFileError(() => readMatrixMarket(path), `${path}: ${sentence}`)
  })

  it('in another encoding is refused', async () => {
    const latin = Buffer.from(`${real}\n% f\xfcr alle\n1 1 0\n`, 'latin1')
    await expectFileError(
      () => parseMatrixMarket(latin, 'X.mtx'),
      'X.mtx: line 2: expected UTF-8 text, received other bytes',
    )
  })

  it('that is a folder is refused', async () => {
    const path = folder.path('')
    await expectFileError(
      () => readMatrixMarket(path),
      `${path}: expected a file, received a folder`,
    )
  })
})

it('the parser of Matrix Market files survives damage', async () => {
  const originals = [
    [real, '% comment', '3 4 4', '3 4 -4e0', '1 4 2', '1 2 1.5', '3 1 3', ''],
    [symmetric, '12 12 3', '1 1 5', '3 1 7', '12 11 9'],
    [pattern, '2 3 2', '2 3', '1 1', ''],
    [skew, '4 4 2', '2 1 5', '1 3 2'],
    [array, '3 2', '1', '2', '3', '4', '5', '6'],
  ].map((lines) => bytes(lines.join('\n')))
  const run = (content: Uint8Array) => parseMatrixMarket(content, 'X.mtx')
  const check = (matrix: SparseMatrix | DenseMatrix) => {
    if ('indptr' in matrix) return checkSparse(matrix)
    if (matrix.data.length !== matrix.rows * matrix.cols) throw new Error('ill-formed matrix')
  }
  await expectSurvival('X.mtx', originals, run, check)
})
