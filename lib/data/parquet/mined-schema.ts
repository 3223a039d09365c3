// The columns of mined examples in a Parquet file, and the notation of their cells.
import type { SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' }
import { columnsOf, type ColumnKind, type Notation } from '../mined-layouts'

export type WordType = 'text' | 'integer'

/** A cell: a word, a score, a label, or a passage. */
export type Cell = unknown

/** Integers are bigints, as those of 64 bits must be. */
export const plain: Notation<Cell> = {
  word: (word) => (typeof word === 'number' ? BigInt(word) : word),
  id: String,
  score: Math.fround,
  label: BigInt,
}

const text = {
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
} as const
const integer = { type: 'INT64' } as const

/** The columns below a name. */
type Leaf = Pick<SchemaElement, 'type' | 'converted_type' | 'logical_type'>

const required = (name: string, leaf: Leaf): SchemaElement => ({
  name,
  repetition_type: 'REQUIRED',
  ...leaf,
})

const list = (name: string, element: readonly SchemaElement[]): SchemaElement[] => [
  {
    name,
    repetition_type: 'REQUIRED',
    num_children: 1,
    converted_type: 'LIST',
    logical_type: { type: 'LIST' },
  },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...element,
]

const passage: readonly SchemaElement[] = [
  { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
  required('docid', text),
]

/** The types of words on both sides. */
export interface WordTypes {
  readonly query: WordType
  readonly document: WordType
}

function elementsOf(name: string, kind: ColumnKind, types: WordTypes): SchemaElement[] {
  const leafOf = (type: WordType) => (type === 'text' ? text : integer)
  const document = leafOf(types.document)
  if (kind === 'query') return [required(name, leafOf(types.query))]
  if (kind === 'document') return [required(name, document)]
  if (kind === 'documents') return list(name, [required('element', document)])
  if (kind === 'id') return [required(name, text)]
  if (kind === 'label') return [required(name, integer)]
  if (kind === 'labels') return list(name, [required('element', integer)])
  if (kind === 'scores') return list(name, [required('element', { type: 'FLOAT' })])
  return list(name, [...passage, required('text', document)])
}

export type Columns = ReturnType<typeof columnsOf>

export const schemaOf = (columns: Columns, types: WordTypes): SchemaElement[] => [
  { name: 'schema', num_children: columns.length },
  ...columns.flatMap(([name, kind]) => elementsOf(name, kind, types)),
]
