// Selects a matrix in a file of several named arrays.
import type { ElementType } from './element-types'
import { isFloat } from './element-types'
import { fileError, printable } from './file'

/** The header of an array in a file. */
export interface NamedArray {
  readonly name: string
  readonly shape: readonly number[]
  /** Undefined if it is not an element type of matrices. */
  readonly type: ElementType | undefined
  /** What messages call the elements then. */
  readonly dtype: string
}

const shown = ({ name, shape, type, dtype }: NamedArray) =>
  `${name} [${shape.join(' × ')}]${type ? '' : ` of ${dtype}`}`

const listed = (arrays: readonly NamedArray[]) => printable(arrays.map(shown).join(', '), listLimit)

/** Characters of a list of names in a message. */
const listLimit = 200

/**
 * The array of this name; without a name the only matrix of floats, or if there is none, of other numbers.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE`, listing the arrays of the file.
 */
export function chosenMatrix<T extends NamedArray>(
  path: string,
  arrays: readonly T[],
  name: string | undefined,
): T {
  if (name !== undefined) {
    const named = arrays.find((array) => array.name === name)
    if (named) return named
    throw fileError(path, `expected one of ${listed(arrays)}, received ${printable(name)}`)
  }
  const matrices = arrays.filter(({ type, shape }) => type && shape.length === 2)
  const floats = matrices.filter(({ type }) => isFloat(type!))
  const meant = floats.length > 0 ? floats : matrices
  if (meant.length === 1) return meant[0]!
  if (meant.length === 0)
    throw fileError(
      path,
      `expected a matrix of real numbers, received ${arrays.length > 0 ? `only ${listed(arrays)}` : 'nothing'}`,
    )
  throw fileError(
    path,
    `expected one matrix, or the name of one after a colon (${path}:${printable(meant[0]!.name)}), received ${listed(meant)}`,
  )
}
