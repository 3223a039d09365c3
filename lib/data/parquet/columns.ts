// Finds the columns that are meant in a Parquet file.
import { fileError, printable } from '../file'
import type { Leaf, ParquetFile } from './footer'

function shown(leaf: Leaf): string {
  const within = isWhole(leaf) ? '' : 'records or maps with '
  const lists = leaf.maxRepetition > 0 ? 'lists of ' : ''
  return `${leaf.path[0]} (${within}${lists}${leaf.kind ?? leaf.told})`
}

/** The columns of a file, for messages. */
export const shownColumns = ({ leaves }: ParquetFile): string =>
  leaves.length === 0 ? 'no columns' : printable(leaves.map(shown).join(', '), 200)

/** @throws {GemmineError} `ERR_GEMMINE_FILE` if several columns have this name. */
export function checkUnique({ path, columns }: ParquetFile, name: string) {
  const count = columns.filter(({ element }) => element.name === name).length
  if (count > 1)
    throw fileError(
      path,
      `expected one column of the name ${printable(name)}, received ${count} of them`,
    )
}

/** Whether a leaf is all of its column: values, or the elements of lists, but no part of a record or map. */
function isWhole({ path, schemaPath, maxRepetition }: Leaf): boolean {
  if (path.length === 1) return true
  const top = schemaPath[1]!
  return (
    top.element.converted_type === 'LIST' &&
    maxRepetition === 1 &&
    path.length <= 3 &&
    schemaPath.slice(1, -1).every(({ children }) => children.length === 1)
  )
}

/**
 * The column of this name; without a name the first of the `usual` names that exists, else the only one that
 * fits.
 *
 * @param what What is needed, for messages.
 * @throws {GemmineError} `ERR_GEMMINE_FILE`, listing the columns.
 */
export function chosenLeaf(
  file: ParquetFile,
  name: string | undefined,
  what: string,
  fits: (leaf: Leaf) => boolean,
  usual: readonly string[] = [],
): Leaf {
  const all = file.leaves.filter((leaf) => fits(leaf) && isWhole(leaf))
  const named = (wanted: string) => all.find(({ path }) => path[0] === wanted)
  const found = name === undefined ? usual.map(named).find((each) => each) : named(name)
  if (found) {
    checkUnique(file, found.path[0]!)
    return found
  }
  if (name === undefined && all.length === 1) return all[0]!
  const { path } = file
  if (name !== undefined)
    throw fileError(
      path,
      `expected ${what} of the name ${printable(name)}, received ${shownColumns(file)}`,
    )
  const remedy =
    all.length === 0 ? '' : `, or its name after a colon (${path}:${printable(all[0]!.path[0]!)})`
  throw fileError(path, `expected ${what}${remedy}, received ${shownColumns(file)}`)
}
