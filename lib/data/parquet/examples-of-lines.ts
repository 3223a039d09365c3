// Mined examples whose words stand in lines, as cells of a Parquet file.
import { shownJson } from '../file'
import { FieldMistake, parseObjectLine, type Fields } from '../json-line'
import type { ColumnKind, Field } from '../mined-layouts'
import type { Cell, Columns, WordType, WordTypes } from './mined-schema'

type Value = Field<Cell>[1]

function wordIn(value: unknown, type: WordType): Cell {
  if (type === 'text' && typeof value === 'string') return value
  if (type === 'integer' && Number.isSafeInteger(value)) return BigInt(value as number)
  // Ids that are 64-bit integers stand in lines as texts.
  if (type === 'integer' && typeof value === 'string' && /^-?\d{1,19}$/.test(value)) {
    const integer = BigInt(value)
    if (BigInt.asIntN(64, integer) === integer) return integer
  }
  throw new FieldMistake(type === 'text' ? 'a text' : 'an integer of 64 bits', shownJson(value))
}

function passageIn(value: unknown, type: WordType): Cell {
  if (typeof value !== 'object' || value === null)
    throw new FieldMistake('an object with docid and text', shownJson(value))
  const { docid, text } = value as Fields
  return { docid: wordIn(docid, 'text'), text: wordIn(text, type) }
}

/** As many values as `wanted` has. */
function listIn(value: unknown, wanted: Value, read: (each: unknown) => Cell): Value {
  const { length } = wanted as readonly Cell[]
  if (!Array.isArray(value) || value.length !== length)
    throw new FieldMistake(`a list of ${length}`, shownJson(value))
  return value.map(read)
}

/** Columns without words are those of the example. */
function valueOf(kind: ColumnKind, value: unknown, wanted: Value, types: WordTypes): Value {
  if (kind === 'query') return wordIn(value, types.query)
  if (kind === 'document') return wordIn(value, types.document)
  if (kind === 'id') return wordIn(value, 'text')
  if (kind === 'documents') return listIn(value, wanted, (each) => wordIn(each, types.document))
  if (kind === 'passages') return listIn(value, wanted, (each) => passageIn(each, types.document))
  return wanted
}

/**
 * An example with the words that stand in its line.
 *
 * @param example The example with any words: its scores, its labels and the lengths of its lists are taken.
 * @throws {FieldMistake} if the line is not that of such an example.
 */
export function exampleOfLine(
  text: string,
  example: readonly Field<Cell>[],
  columns: Columns,
  types: WordTypes,
): readonly Field<Cell>[] {
  const fields = parseObjectLine(text)
  return columns.map(([name, kind], i) => {
    const value = fields[name]
    if (value === undefined) throw new FieldMistake(`the field ${name}`, 'none')
    return [name, valueOf(kind, value, example[i]![1], types)]
  })
}
