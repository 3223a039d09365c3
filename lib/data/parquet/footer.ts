// The footer of a Parquet file: its columns, and where their pages are.
import { readAt, type Bytes } from '../byte-reader'
import { GemmineError } from '../../errors'
import { fileError, printable } from '../file'
import type { ElementType } from '../element-types'
import {
  library,
  type ColumnMetaData,
  type FileMetaData,
  type Library,
  type RowGroup,
  type SchemaElement,
  type SchemaTree,
} from './library'
import { afterStructure } from './thrift-bounds'

/** Of a footer at most: some hundred thousand pages. It is parsed at once. */
const footerLimit = 1 << 26

/** Of records and lists within each other. */
const deepestSchema = 16

/** What the values of a column are; undefined for types that are not read. */
export type Kind =
  | Extract<
      ElementType,
      'float16' | 'float32' | 'float64' | 'int32' | 'uint32' | 'int64' | 'uint64'
    >
  | 'bool'
  | 'text'

/** A column without columns of its own. */
export interface Leaf {
  /** Position among the columns of each row group. */
  readonly index: number
  readonly path: readonly string[]
  readonly schemaPath: SchemaTree[]
  readonly element: SchemaElement
  readonly kind: Kind | undefined
  /** Its type in messages. */
  readonly told: string
  /** Levels of lists. */
  readonly maxRepetition: number
  /** Levels of lists and of values that may be null. */
  readonly maxDefinition: number
}

export interface ParquetFile {
  readonly path: string
  readonly bytes: Bytes
  readonly library: Library
  readonly rows: number
  /** The columns of a row, each of one leaf or of several. */
  readonly columns: readonly SchemaTree[]
  readonly leaves: readonly Leaf[]
  readonly groups: readonly RowGroup[]
}

/** The error for a file that is no longer what its writer wrote. */
export const damaged = (path: string, expected: string, cause?: unknown) =>
  fileError(
    path,
    `expected a whole Parquet file, received a damaged one: ${printable(expected, 160)}`,
    {
      cause,
    },
  )

/** Runs code of the library, whose exceptions mean that the file is damaged. */
export function undamaged<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof GemmineError) throw error
    throw damaged(path, (error as Error).message, error)
  }
}

const integerKind = (width: number, isSigned: boolean): Kind =>
  width === 64 ? (isSigned ? 'int64' : 'uint64') : isSigned ? 'int32' : 'uint32'

/** Integers, unless they stand for times or decimals. */
function integersOf({ type, converted_type: converted, logical_type: logical }: SchemaElement) {
  const width = type === 'INT64' ? 64 : 32
  if (logical && logical.type !== 'INTEGER') return undefined
  if (logical?.type === 'INTEGER') return integerKind(width, logical.isSigned)
  if (converted === undefined) return integerKind(width, true)
  const [, sign] = /^(U?)INT_/.exec(converted) ?? []
  return sign === undefined ? undefined : integerKind(width, sign === '')
}

function kindOf(element: SchemaElement): Kind | undefined {
  const { type, type_length: length, converted_type: converted, logical_type: logical } = element
  if (type === 'INT32' || type === 'INT64') return integersOf(element)
  if (logical?.type === 'FLOAT16')
    return type === 'FIXED_LEN_BYTE_ARRAY' && length === 2 ? 'float16' : undefined
  const named = logical?.type ?? converted
  if (type === 'BYTE_ARRAY')
    return named === undefined || named === 'STRING' || named === 'UTF8' || named === 'ENUM'
      ? 'text'
      : undefined
  if (named !== undefined) return undefined
  if (type === 'FLOAT') return 'float32'
  if (type === 'DOUBLE') return 'float64'
  return type === 'BOOLEAN' ? 'bool' : undefined
}

function leavesOf(root: SchemaTree): Leaf[] {
  const leaves: Leaf[] = []
  const visit = (path: SchemaTree[]) => {
    const node = path.at(-1)!
    for (const child of node.children) visit([...path, child])
    if (node.children.length > 0) return
    const { element } = node
    const levels = path.slice(1).map(({ element: { repetition_type: each } }) => each)
    leaves.push({
      index: leaves.length,
      path: node.path,
      schemaPath: path,
      element,
      kind: kindOf(element),
      told: printable(
        element.logical_type?.type ?? element.converted_type ?? element.type ?? 'no type',
      ),
      maxRepetition: levels.filter((each) => each === 'REPEATED').length,
      maxDefinition: levels.filter((each) => each !== 'REQUIRED').length,
    })
  }
  if (root.children.length > 0) visit([root])
  return leaves
}

/** The library walks the schema by recursion: its depth is checked before. */
function checkSchema(path: string, schema: readonly SchemaElement[]) {
  const open: number[] = []
  for (const { num_children: count = 0 } of schema) {
    while (open.length > 0 && open.at(-1) === 0) open.pop()
    if (open.length > 0) open[open.length - 1]!--
    if (count < 0 || count > schema.length) throw damaged(path, `a column has ${count} columns`)
    if (count > 0) open.push(count)
    if (open.length > deepestSchema)
      throw fileError(
        path,
        `expected columns nested at most ${deepestSchema} deep, received deeper ones`,
      )
  }
}

/** Newer writers mark lists only by their logical type, of which the library does not read all. */
function markLists(schema: readonly SchemaElement[]) {
  for (const element of schema)
    if (element.logical_type?.type === 'LIST') element.converted_type = 'LIST'
}

const isSize = (value: unknown): boolean =>
  typeof value === 'bigint' && value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)

function checkGroups({ path, size }: Bytes, metadata: FileMetaData, leaves: readonly Leaf[]) {
  let rows = 0n
  for (const { columns, num_rows: groupRows } of metadata.row_groups) {
    if (columns.length !== leaves.length || !isSize(groupRows))
      throw damaged(path, `a group has ${columns.length} columns and ${groupRows} rows`)
    rows += groupRows
    for (const [
      i,
      { meta_data: told, crypto_metadata: secret, file_path: other },
    ] of columns.entries()) {
      if (secret !== undefined || told === undefined) throw encrypted(path)
      if (other)
        throw fileError(path, 'expected all columns in one file, received references to others')
      const length = told.total_compressed_size
      const start = startOf(told)
      if (!Number.isSafeInteger(start) || start < 0)
        throw damaged(path, `a column begins at byte ${start}`)
      const end = BigInt(start) + length
      if (!isSize(length) || !isSize(told.num_values) || end > BigInt(size))
        throw damaged(path, `a column takes ${length} bytes for ${told.num_values} values`)
      if (told.type !== leaves[i]!.element.type)
        throw damaged(path, `a column has the type ${told.type}`)
    }
  }
  if (rows !== metadata.num_rows)
    throw damaged(path, `${metadata.num_rows} rows are claimed, and groups have ${rows}`)
}

/** The position of a column's first page. */
export function startOf({
  dictionary_page_offset: dictionary,
  data_page_offset: data,
}: ColumnMetaData): number {
  return Number(
    dictionary !== undefined && dictionary > 0n && dictionary < data ? dictionary : data,
  )
}

const encrypted = (path: string) =>
  fileError(path, 'expected a Parquet file without encryption, received an encrypted one')

/** The bytes of the footer, with the eight that follow it. */
async function footerBytes(bytes: Bytes): Promise<Uint8Array> {
  const { path, size } = bytes
  const tail = Buffer.from(await readAt(bytes, Math.max(0, size - 8), 8))
  const magic = tail.toString('latin1', 4)
  if (magic === 'PARE') throw encrypted(path)
  if (size < 12 || magic !== 'PAR1') throw damaged(path, 'its last bytes are not those of a footer')
  const length = tail.readUInt32LE(0)
  if (length > size - 12) throw damaged(path, `its footer claims ${length} of ${size} bytes`)
  if (length > footerLimit)
    throw fileError(path, `expected a footer of at most ${footerLimit} bytes, received ${length}`)
  return readAt(bytes, size - 8 - length, length + 8)
}

/**
 * Reads and checks the footer.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if it is damaged, encrypted or too large.
 */
export async function openParquet(bytes: Bytes): Promise<ParquetFile> {
  const { path } = bytes
  const footer = await footerBytes(bytes)
  const loaded = await library()
  const metadata = undamaged(path, () => {
    afterStructure(footer)
    return loaded.parquetMetadata(footer, { geoparquet: false })
  })
  return undamaged(path, () => {
    checkSchema(path, metadata.schema)
    markLists(metadata.schema)
    const root = loaded.parquetSchema(metadata)
    const leaves = leavesOf(root)
    if (!isSize(metadata.num_rows)) throw damaged(path, `${metadata.num_rows} rows are claimed`)
    checkGroups(bytes, metadata, leaves)
    return {
      path,
      bytes,
      library: loaded,
      rows: Number(metadata.num_rows),
      columns: root.children,
      leaves,
      groups: metadata.row_groups,
    }
  })
}
