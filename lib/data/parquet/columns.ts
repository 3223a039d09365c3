// Finds the columns that are meant in a Parquet file.
import { fileError, printable } from '../file'
import type { Leaf, ParquetFile } from './footer'

const shown = (leaf: Leaf) =>
  `${leaf.path[0]} (${leaf.maxRepetition > 0 ? 'lists of ' : ''}${leaf.kind ?? leaf.told})`

/** The columns of a file, for messages. */
export const shownColumns = ({ leaves }: ParquetFile): string =>
  leaves.length === 0 ? 'no columns' : printable(leaves.map(shown).join(', '), 200)

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
  const all = file.leaves.filter(fits)
  const named = (wanted: string) => all.find(({ path }) => path[0] === wanted)
  const found = name === undefined ? usual.map(named).find((each) => each) : named(name)
  if (found) return found
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
