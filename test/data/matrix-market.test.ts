import { describe, expect, it } from 'vitest'
import { parseMatrixMarket, readMatrixMarket } from '../../lib/data/matrix-market'
import { bytes, expectFileError, temporaryFolder } from './files'
import { expectSurvival } from './mutations'
import { checkSparse } from './well-formed'

const folder = temporaryFolder()
const parse = (...lines: string[]) => parseMatrixMarket(bytes(lines.join('\n')), 'X.mtx')

const real = '%%MatrixMarket matrix coordinate real general'
const pattern = '%%MatrixMarket matrix coordinate pattern general'
const symmetric = '%%MatrixMarket matrix coordinate integer symmetric'

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
    expect(parse(...lines)).toEqual(expected)
    const windows = folder.write('X.mtx', `\ufeff${lines.join('\r\n')}`)
    expect(await readMatrixMarket(windows)).toEqual(expected)
  })

  it('has its repeats summed in float64', () => {
    const repeated = ['2 2 3', '1 1 1.00000005960464477539', '2 2 7', '1 1 5.960464477539063e-8']
    expect(parse(real, ...repeated)).toEqual(matrix(2, 2, [0, 1, 2], [0, 1], [1 + 2 ** -23, 7]))
  })

  it('may be a pattern, of ones', () => {
    expect(parse(pattern, '2 3 2', '2 3', '1 1')).toEqual(matrix(2, 3, [0, 1, 2], [0, 2], [1, 1]))
  })

  it('may be symmetric, with both halves', () => {
    const expected = matrix(3, 3, [0, 2, 3, 5], [0, 2, 0, 0, 2], [5, 7, 0, 7, 9])
    expect(parse(symmetric, '3 3 3', '1 1 5', '3 1 7', '3 3 9')).toEqual({
      ...expected,
      indptr: Int32Array.of(0, 2, 2, 4),
      indices: Int32Array.of(0, 2, 0, 2),
      values: Float32Array.of(5, 7, 7, 9),
    })
  })

  it('may have no entries and its banner in capitals', () => {
    expect(parse(real.toUpperCase(), '2 3 0')).toEqual(matrix(2, 3, [0, 0, 0], [], []))
  })

  it.each<[string, string[], string]>([
    ['empty', [], 'expected a Matrix Market file, received an empty file'],
    [
      'without a banner',
      ['3 4 4'],
      'line 1: expected %%MatrixMarket matrix coordinate …, received 3 4 4',
    ],
    [
      'of an array',
      ['%%MatrixMarket matrix array real general'],
      'line 1: expected the format coordinate, received array',
    ],
    [
      'of complex entries',
      ['%%MatrixMarket matrix coordinate complex general'],
      'line 1: expected real, integer or pattern entries, received complex',
    ],
    [
      'of another symmetry',
      ['%%MatrixMarket matrix coordinate real skew-symmetric'],
      'line 1: expected a general or symmetric matrix, received skew-symmetric',
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
      'symmetric with an upper entry',
      [symmetric, '3 3 1', '1 2 5'],
      'line 3: expected an entry on or below the diagonal, received 1 2 5',
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

it('the parser of Matrix Market files survives damage', () => {
  const originals = [
    [real, '% comment', '3 4 4', '3 4 -4e0', '1 4 2', '1 2 1.5', '3 1 3', ''],
    [symmetric, '12 12 3', '1 1 5', '3 1 7', '12 11 9'],
    [pattern, '2 3 2', '2 3', '1 1', ''],
  ].map((lines) => bytes(lines.join('\n')))
  const run = (content: Uint8Array) => parseMatrixMarket(content, 'X.mtx')
  expectSurvival('X.mtx', originals, run, checkSparse)
})
