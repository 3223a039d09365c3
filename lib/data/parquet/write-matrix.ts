// Writes matrices as Parquet files: one column of lists of one size.
import type { ColumnMetaData, SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' }
import { throwIfAborted, type AbortSignalLike } from '../../cancellation'
import { invalid, invalidText } from '../../errors'
import { pause } from '../../jobs'
import { detached } from '../../lending'
import { checkJob, frozen, withDefaults, type Overrides } from '../../options'
import { sizeOf, type DenseData } from '../element-types'
import { bytesOf } from '../file'
import { toDenseView, type DenseMatrix, type DenseView } from '../matrix'
import { arrowSchema, type FloatType } from './arrow-schema'
import { writeParquetFile, type OpenWriter } from './file-writer'
import { matrixPageValues } from './pages'

/** Bytes of the elements of a page: about a millisecond of work. */
const pageBytes = 1 << 20

/** Bytes of the elements of a row group. */
const groupBytes = 1 << 26

const physical = {
  float16: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } },
  float32: { type: 'FLOAT' },
  float64: { type: 'DOUBLE' },
} as const

/** The only place where the defaults of {@link writeParquetMatrix} are written. */
export const writeParquetMatrixDefaults = frozen({
  /** The name of the column; `embedding` unless given. */
  column: 'embedding' as string,
  /** Aborts the writing; none unless given. */
  signal: undefined as AbortSignalLike | undefined,
})

export type WriteParquetMatrixOptions = Overrides<typeof writeParquetMatrixDefaults>

const schemaOf = (column: string, type: FloatType): SchemaElement[] => [
  { name: 'schema', num_children: 1 },
  {
    name: column,
    repetition_type: 'REQUIRED',
    num_children: 1,
    converted_type: 'LIST',
    logical_type: { type: 'LIST' },
  },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'REQUIRED', ...physical[type] },
]

/** A number of 7 bits in each byte. */
function varInt(value: number): number[] {
  const bytes: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left]
    bytes.push((left % 128) + 128)
  }
}

/** One bit for each number, 0 for the first of a row. */
function repetitionLevels(rows: number, cols: number): Buffer {
  const groups = Math.ceil((rows * cols) / 8)
  const levels = Buffer.alloc(groups, 0xff)
  for (let row = 0, at = 0; row < rows; row++, at += cols) levels[at >>> 3]! &= ~(1 << (at & 7))
  return Buffer.concat([Uint8Array.from(varInt(2 * groups + 1)), levels])
}

/** No number is null: a run of ones. */
const definitionLevels = (count: number) => Buffer.from([...varInt(2 * count), 1])

interface FloatMatrix extends Omit<DenseView, 'data'> {
  readonly data: DenseData
  readonly type: FloatType
}

/** The elements of some rows, borrowed if no gaps are between the rows. */
function elementsOf({ data, cols, stride }: FloatMatrix, begin: number, end: number): Uint8Array {
  if (stride === cols) return bytesOf(data.subarray(begin * cols, end * cols))
  const rows = Array.from({ length: end - begin }, (_, i) => {
    const at = (begin + i) * stride
    return bytesOf(data.subarray(at, at + cols))
  })
  return Buffer.concat(rows)
}

async function* groupOf(
  { library, bytes, parquet, drain }: OpenWriter,
  matrix: FloatMatrix,
  { begin, end }: { readonly begin: number; readonly end: number },
  { column, signal }: { column: string; signal: AbortSignalLike | undefined },
): AsyncGenerator<Uint8Array> {
  const { cols, type } = matrix
  const rowsOfPage = Math.max(1, Math.floor(pageBytes / (cols * sizeOf(type))))
  const start = bytes.offset
  for (let row = begin; row < end; row += rowsOfPage) {
    throwIfAborted(signal)
    const rows = Math.min(rowsOfPage, end - row)
    const levels = [repetitionLevels(rows, cols), definitionLevels(rows * cols)] as const
    const elements = elementsOf(matrix, row, row + rows)
    if (elements.length !== rows * cols * sizeOf(type)) throw detached('matrix.data')
    const size = levels[0].length + levels[1].length + elements.length
    library.writePageHeader(bytes, {
      type: 'DATA_PAGE_V2',
      uncompressed_page_size: size,
      compressed_page_size: size,
      data_page_header_v2: {
        num_values: rows * cols,
        num_nulls: 0,
        num_rows: rows,
        encoding: 'PLAIN',
        definition_levels_byte_length: levels[1].length,
        repetition_levels_byte_length: levels[0].length,
        is_compressed: false,
      },
    })
    for (const each of levels) bytes.appendBytes(each)
    yield drain()
    bytes.offset += elements.length
    yield elements
    await pause()
  }
  const size = BigInt(bytes.offset - start)
  const told: ColumnMetaData = {
    type: physical[type].type,
    encodings: ['PLAIN', 'RLE'],
    path_in_schema: [column, 'list', 'element'],
    codec: 'UNCOMPRESSED',
    num_values: BigInt((end - begin) * cols),
    total_uncompressed_size: size,
    total_compressed_size: size,
    data_page_offset: BigInt(start),
  }
  const num_rows = BigInt(end - begin)
  const columns = [{ meta_data: told, file_offset: BigInt(start) }]
  parquet.row_groups.push({ columns, total_byte_size: size, total_compressed_size: size, num_rows })
  parquet.num_rows += num_rows
}

function checkedMatrix(matrix: DenseMatrix): FloatMatrix {
  const { data, type, ...rest } = toDenseView('matrix', matrix)
  if (!data) throw invalidText('matrix', 'a matrix in memory', 'one that lies in a file')
  if (!(type in physical))
    throw invalidText('matrix.type', Object.keys(physical).join(', '), `${type}`)
  if (rest.cols > matrixPageValues)
    throw invalid(
      'matrix.cols',
      `at most ${matrixPageValues} columns, as a row is in one page`,
      rest.cols,
    )
  return { ...rest, data, type: type as FloatType }
}

/**
 * Writes a matrix as a Parquet file with one column of lists of one size, in the element type of the matrix.
 * Arrow, pandas, datasets and {@link loadMatrix} read the same bits back. The file appears when it is complete,
 * and replaces one that is there.
 *
 * @param matrix [rows × cols] of float32, float64 or float16. Borrowed: do not write to it or transfer it
 *   before the promise settles.
 * @throws {TypeError | RangeError} if it has another type of elements, or the name of the column is empty.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if the file cannot be written; or the signal's reason.
 *
 * @example
 * await writeParquetMatrix('embeddings.parquet', { data, rows: 1000, cols: 384 })
 */
export async function writeParquetMatrix(
  path: string,
  matrix: DenseMatrix,
  given: WriteParquetMatrixOptions = {},
): Promise<void> {
  const options = withDefaults(writeParquetMatrixDefaults, given)
  const { column, signal } = options
  if (typeof column !== 'string' || column === '') throw invalid('column', 'a name', column)
  checkJob({ signal })
  const floats = checkedMatrix(matrix)
  const { rows, cols, type } = floats
  const rowsOfGroup = Math.max(1, Math.floor(groupBytes / (cols * sizeOf(type))))
  const contents = {
    schema: schemaOf(column, type),
    metadata: { 'ARROW:schema': arrowSchema(column, type, cols) },
    statistics: false,
  }
  await writeParquetFile(path, contents, async function* (writer) {
    for (let begin = 0; begin < rows; begin += rowsOfGroup) {
      const end = Math.min(rows, begin + rowsOfGroup)
      yield* groupOf(writer, floats, { begin, end }, options)
    }
  })
}
