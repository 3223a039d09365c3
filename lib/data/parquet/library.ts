// The parts of hyparquet that are used. It is an ES module, and is loaded with the first Parquet file.
import type {
  ColumnMetaData,
  FileMetaData,
  PageHeader,
  RowGroup,
  SchemaElement,
  SchemaTree,
} from 'hyparquet' with { 'resolution-mode': 'import' }

export type { ColumnMetaData, FileMetaData, PageHeader, RowGroup, SchemaElement, SchemaTree }

async function load() {
  const [whole, column, assembly, conversion] = await Promise.all([
    import('hyparquet'),
    import('hyparquet/src/column.js'),
    import('hyparquet/src/assemble.js'),
    import('hyparquet/src/convert.js'),
  ])
  const { parquetMetadata, parquetSchema } = whole
  const { parquetHeader } = column
  const { assembleLists, assembleNested } = assembly
  const { DEFAULT_PARSERS: parsers } = conversion
  return {
    parquetMetadata,
    parquetSchema,
    parquetHeader,
    assembleLists,
    assembleNested,
    parsers,
  }
}

export type Library = Awaited<ReturnType<typeof load>>

let loaded: Promise<Library> | undefined

export const library = (): Promise<Library> => (loaded ??= load())
