// Small Parquet files that claim many values, or columns that no reader can tell apart.
import type { SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' }
import { describe, expect, it } from 'vitest'
import { readIds } from '../../lib/data/ids-and-texts'
import { loadMatrix } from '../../lib/data/matrix-files'
import { writeParquetFile, type OpenWriter } from '../../lib/data/parquet/file-writer'
import { readRows } from '../../lib/data/records'
import { auditMined } from '../../lib/mining/audit-mined'
import { expectFileError, temporaryFolder } from './files'

const folder = temporaryFolder()

const integer = { type: 'INT64', repetition_type: 'REQUIRED' } as const

/** Seven equal integers of a few bytes each, as pages with a dictionary. */
const runsOf = (counts: readonly number[], isList: boolean) =>
  async function* ({ library, bytes, parquet, drain }: OpenWriter): AsyncGenerator<Uint8Array> {
    const start = bytes.offset
    const append = (header: object, parts: readonly number[][]) => {
      const size = parts.flat().length
      const sizes = { uncompressed_page_size: size, compressed_page_size: size }
      library.writePageHeader(bytes, { ...sizes, ...header } as never)
      for (const part of parts) bytes.appendBytes(Uint8Array.from(part))
    }
    append(
      { type: 'DICTIONARY_PAGE', dictionary_page_header: { num_values: 1, encoding: 'PLAIN' } },
      [[7, 0, 0, 0, 0, 0, 0, 0]],
    )
    for (const [i, count] of counts.entries()) {
      const repetitions = !isList
        ? []
        : i > 0
          ? run(count, 1)
          : [...run(1, 0), ...run(count - 1, 1)]
      const definitions = isList ? run(count, 1) : []
      const page = {
        ...{ num_values: count, num_nulls: 0, num_rows: isList ? Number(i === 0) : count },
        ...{ encoding: 'RLE_DICTIONARY', is_compressed: false },
        repetition_levels_byte_length: repetitions.length,
        definition_levels_byte_length: definitions.length,
      }
      append({ type: 'DATA_PAGE_V2', data_page_header_v2: page }, [repetitions, definitions, [0]])
    }
    yield drain()
    const values = counts.reduce((sum, count) => sum + count, 0)
    const size = BigInt(bytes.offset - start)
    const told = {
      ...{ type: 'INT64', encodings: ['PLAIN', 'RLE'], codec: 'UNCOMPRESSED' },
      path_in_schema: isList ? ['id', 'list', 'element'] : ['id'],
      ...{ num_values: BigInt(values), data_page_offset: BigInt(start) },
      ...{ total_uncompressed_size: size, total_compressed_size: size },
    }
    const num_rows = BigInt(isList ? 1 : values)
    const columns = [{ meta_data: told, file_offset: BigInt(start) }]
    parquet.row_groups.push({ columns, total_byte_size: size, num_rows } as never)
    parquet.num_rows += num_rows
  }

/** A run of one level below 2. */
function run(count: number, level: number): number[] {
  const bytes: number[] = []
  for (let left = 2 * count; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left, level]
    bytes.push((left % 128) + 128)
  }
}

const root = (num_children: number): SchemaElement => ({ name: 'schema', num_children })
const flat = [root(1), { name: 'id', ...integer }]
const lists: SchemaElement[] = [
  root(1),
  { name: 'id', repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', ...integer },
]

async function fileOf(name: string, schema: SchemaElement[], counts: readonly number[]) {
  const path = folder.path(name)
  const body = runsOf(counts, schema === lists)
  await writeParquetFile(path, { schema, statistics: false }, body)
  return path
}

/** A file of columns with one row. */
async function columnsOf(
  name: string,
  schema: SchemaElement[],
  columns: Record<string, unknown>[],
) {
  const path = folder.path(name)
  await writeParquetFile(path, { schema, statistics: false }, async function* (writer) {
    const columnData = columns.map((column) => ({ encoding: 'PLAIN', ...column }))
    await writer.parquet.write({ columnData, rowGroupSize: 1 } as never)
    yield writer.drain()
  })
  return path
}

describe('a small Parquet file', () => {
  it('that claims millions of values in a page is refused, and the limit is named', async () => {
    const path = await fileOf('page.parquet', flat, [16_000_000])
    await expectFileError(
      () => readRows(path, () => {}),
      `${path}: expected pages of at most 1073741824 bytes and 4194304 values in the column id, received 1 bytes and 16000000 values`,
    )
  })

  it('that claims millions of values in one list is refused, and the limit is named', async () => {
    const path = await fileOf('list.parquet', lists, [1 << 22, 1])
    await expectFileError(
      () => readRows(path, () => {}),
      `${path}: expected lists of at most 4194304 values in column id, received a longer one`,
    )
  })

  it('has all its rows, in lists that go on over slices and pages', async () => {
    let count = 0
    await readRows(await fileOf('rows.parquet', flat, [40_000, 3]), ({ id }) => {
      expect(id).toBe(7)
      count++
    })
    expect(count).toBe(40_003)
    await readRows(await fileOf('long.parquet', lists, [40_000, 3]), ({ id }) =>
      expect(id).toEqual(Array(40_003).fill(7)),
    )
  })
})

describe('a Parquet file with columns that no reader can tell apart', () => {
  it('of one name is refused', async () => {
    const schema = [root(2), { name: '_id', ...integer }, { name: '_id', ...integer }]
    const columns = [5n, 6n].map((id) => ({ name: '_id', data: [id] }))
    const path = await columnsOf('twice.parquet', schema, columns)
    const sentence = `${path}: expected one column of the name _id, received 2 of them`
    await expectFileError(() => readIds(path, 'any', 'corpus'), sentence)
    await expectFileError(() => readRows(path, () => {}), sentence)
  })

  it('of records is no column of ids', async () => {
    const schema: SchemaElement[] = [
      root(1),
      { name: 'id', repetition_type: 'REQUIRED', num_children: 1 },
      { name: 'inner', ...integer },
    ]
    const path = await columnsOf('record.parquet', schema, [{ name: 'id', data: [{ inner: 5n }] }])
    await expectFileError(
      () => readIds(path, 'any', 'corpus'),
      `${path}: expected one column of ids, texts or integers, received id (records or maps with int64)`,
    )
    await expectFileError(
      () => loadMatrix(path),
      `${path}: expected one column of lists of numbers, the rows of a matrix, received id (records or maps with int64)`,
    )
  })
})

it('a pair whose label is NaN is neither a positive nor a negative, and is refused', async () => {
  const schema: SchemaElement[] = [
    root(3),
    { name: 'query', ...integer },
    { name: 'passage', ...integer },
    { name: 'label', type: 'DOUBLE', repetition_type: 'REQUIRED' },
  ]
  const columns = Object.entries({ query: 0n, passage: 1n, label: NaN })
  const path = await columnsOf(
    'label.parquet',
    schema,
    columns.map(([name, value]) => ({ name, data: [value] })),
  )
  const positives = { indptr: Int32Array.of(0, 1), indices: Int32Array.of(0) }
  await expectFileError(
    () => auditMined(path, { queries: 1, corpus: 2, positives }),
    `${path}: row 0: expected a number as label, received NaN`,
  )
})

it('a Parquet file whose column begins before the file is refused as damaged', async () => {
  const path = await fileOf('before.parquet', flat, [3])
  const negative = folder.path('negative.parquet')
  await writeParquetFile(negative, { schema: flat, statistics: false }, async function* (writer) {
    yield* runsOf([3], false)(writer)
    const told = writer.parquet.row_groups[0]!.columns[0]!.meta_data!
    told.data_page_offset = -4n
  })
  await readRows(path, () => {})
  await expectFileError(
    () => readRows(negative, () => {}),
    `${negative}: expected a whole Parquet file, received a damaged one: a column begins at byte -4`,
  )
})
