import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bytesInMemory } from '../../lib/data/byte-reader'
import type { DenseMatrix } from '../../lib/data/matrix'
import { loadMatrix, sidesInFile } from '../../lib/data/matrix-files'
import { openParquet } from '../../lib/data/parquet/footer'
import { loadParquet } from '../../lib/data/parquet/parquet-matrix'
import { parquetRows, type ParquetRow } from '../../lib/data/parquet/parquet-rows'
import { writeParquetMatrix } from '../../lib/data/parquet/write-matrix'
import { GemmineError } from '../../lib/errors'
import { errorOf, expectFileError, temporaryFolder } from './files'
import { expectSurvival } from './mutations'
import { numbers, parquetSample, type Sample } from './parquet-samples'

const folder = temporaryFolder()

const fileOf = (name: Sample) => folder.write(`${name}.parquet`, parquetSample(name))

const flat = numbers.flat()

/** The bits of some halves. */
const halves = Uint16Array.of(
  0x3e00,
  0xc000,
  0x3400,
  0x4200,
  0x4400,
  0x8000,
  0x7bff,
  0x0001,
  0x4700,
)

describe('a matrix in a Parquet file of pyarrow', () => {
  it.each<[Sample, string, ArrayLike<number>]>([
    ['float32', 'float32', Float32Array.from(flat)],
    ['float16', 'float16', halves],
    ['float64', 'float64', Float64Array.from(flat)],
    ['split', 'float32', Float32Array.from(flat)],
  ])('%s keeps its bits', async (name, type, data) => {
    const path = fileOf(name)
    expect(await loadMatrix(path)).toEqual({ data, rows: 3, cols: 3, type })
    expect(await sidesInFile(path)).toEqual({ rows: 3, cols: 3, isSparse: false })
    expect(await loadMatrix(`${path}:e`)).toMatchObject({ rows: 3 })
  })

  it.each<[Sample, string]>([
    ['nullList', 'expected numbers in column e, row 1, received null or an empty list'],
    ['nullNumber', 'expected numbers in column e, row 1, received null at position 1'],
    ['ragged', 'expected 2 numbers, as in row 0, in column e, row 1, received 1'],
    [
      'delta',
      'expected the column e.list.element in plain or dictionary encoding, received DELTA_BINARY_PACKED',
    ],
    [
      'lz4',
      'expected the column e.list.element unpacked, or packed by Snappy, gzip, Brotli or Zstandard, received LZ4_RAW',
    ],
    [
      'corpus',
      'expected one column of lists of numbers, the rows of a matrix, received _id (int64), title (text), text (text), when (TIMESTAMP)',
    ],
  ])('%s is refused in one sentence', async (name, sentence) => {
    const path = fileOf(name)
    await expectFileError(() => loadMatrix(path), `${path}: ${sentence}`)
  })

  it('that is cut off, or encrypted, is refused before anything is read', async () => {
    const whole = Buffer.from(parquetSample('float32'))
    const cut = folder.write('cut.parquet', whole.subarray(0, -9))
    await expectFileError(
      () => loadMatrix(cut),
      `${cut}: expected a whole Parquet file, received a damaged one: its last bytes are not those of a footer`,
    )
    const secret = folder.write(
      'secret.parquet',
      Buffer.concat([Buffer.from('PARE'), whole.subarray(4, -4), Buffer.from('PARE')]),
    )
    await expectFileError(
      () => loadMatrix(secret),
      `${secret}: expected a Parquet file without encryption, received an encrypted one`,
    )
  })

  it('whose footer claims lists of any length is refused without memory for them', async () => {
    const footer = Buffer.from([0x29, 0xfc, 0xff, 0xff, 0xff, 0x0f, 0x00])
    const length = Buffer.alloc(4)
    length.writeUInt32LE(footer.length)
    const magic = Buffer.from('PAR1')
    const path = folder.write('claims.parquet', Buffer.concat([magic, footer, length, magic]))
    const error = (await errorOf(() => loadMatrix(path))) as GemmineError
    expect(error.message).toMatch(/damaged one: \d+ entries are claimed/)
  })
})

describe('writeParquetMatrix', () => {
  const rows = 700
  const cols = 5
  const values = Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i))

  it.each<[string, DenseMatrix]>([
    ['float32', { data: values, rows, cols }],
    ['float64', { data: Float64Array.from(values), rows, cols }],
    ['float16', { data: Uint16Array.from(values, (_, i) => i), rows, cols, type: 'float16' }],
  ])('writes the bits of %s', async (type, matrix) => {
    const path = folder.path(`${type}.parquet`)
    await writeParquetMatrix(path, matrix, { column: 'weights' })
    expect(await loadMatrix(`${path}:weights`)).toEqual({ ...matrix, type })
  })

  it('leaves the gaps between rows out', async () => {
    const path = folder.path('gaps.parquet')
    await writeParquetMatrix(path, { data: values, rows: 3, cols: 2, stride: 5 })
    const { data } = (await loadMatrix(path)) as DenseMatrix
    expect(data).toEqual(Float32Array.from([0, 1, 5, 6, 10, 11], Math.sin))
  })

  it('leaves the old file and nothing else if it is aborted', async () => {
    const path = folder.write('old.parquet', 'old')
    const signal = AbortSignal.abort(new Error('enough'))
    const before = readdirSync(folder.path('.'))
    await expect(
      writeParquetMatrix(path, { data: values, rows, cols }, { signal }),
    ).rejects.toThrow('enough')
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder.path('.'))).toEqual(before)
  })

  it('refuses a row that loadMatrix does not read, before a file is written', async () => {
    const cols = 2 ** 24 + 1
    const path = folder.path('wide.parquet')
    const matrix: DenseMatrix = { data: new Uint16Array(cols), rows: 1, cols, type: 'float16' }
    await expect(writeParquetMatrix(path, matrix)).rejects.toThrow(
      'Expected at most 16777216 columns, as a row is in one page for matrix.cols, received 16777217',
    )
    expect(() => readFileSync(path)).toThrow('ENOENT')
  })

  it('names a folder that is not there, and elements that it does not write', async () => {
    const path = folder.path('nowhere/X.parquet')
    await expectFileError(
      () => writeParquetMatrix(path, { data: values, rows, cols }),
      `${path}: there is no such file or folder`,
    )
    await expect(
      writeParquetMatrix(path, { data: new Int32Array(4), rows: 2, cols: 2 }),
    ).rejects.toThrow('Expected float16, float32, float64 for matrix.type, received int32')
  })
})

async function rowsOf(bytes: Uint8Array): Promise<ParquetRow[]> {
  const all: ParquetRow[] = []
  const file = await openParquet(bytesInMemory(bytes, 'X'))
  for await (const rows of parquetRows(file)) all.push(...rows)
  return all
}

it('rows have integers of 64 bits as digits, and lists of records', async () => {
  expect(await rowsOf(parquetSample('corpus'))).toEqual([
    { _id: '4611686018427387905', title: 'T', text: 'one' },
    { _id: 5, title: '', text: 'two é' },
    { _id: -7, title: null, text: 'three' },
  ])
  const negative = { docid: '-7', title: '', text: 'three' }
  expect(await rowsOf(parquetSample('tevatron'))).toMatchObject([
    { query_id: 'q1', negative_passages: [negative, negative] },
  ])
})

/** Of each reader: a file is opened and its pages are read in turns of the event loop. */
const mutations = 4_000

it('matrices survive damage', async () => {
  const originals = (['float32', 'float64', 'split', 'float16'] as const).map(parquetSample)
  await expectSurvival(
    'X',
    originals,
    (bytes) => loadParquet(bytesInMemory(bytes, 'X'), undefined, {}),
    ({ data, rows, cols }) => expect(data.length).toBe(rows * cols),
    mutations,
  )
})

it('rows survive damage', async () => {
  const originals = (['corpus', 'tevatron', 'qrels'] as const).map(parquetSample)
  const check = (rows: unknown) => expect(rows).toBeInstanceOf(Array)
  await expectSurvival('X', originals, rowsOf, check, mutations)
})
