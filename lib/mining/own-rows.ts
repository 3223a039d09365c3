// Searches of the rows of one matrix among themselves.
import type { MatrixInput } from '../data/matrix'
import { toDenseSource } from '../data/source'
import { isMistake, renamedMistake } from '../errors'

/** Runs a search with `X` on both sides. Its errors name X, not the sides. */
export async function amongOwnRows<Result>(
  X: MatrixInput,
  search: () => Promise<Result>,
): Promise<Result> {
  toDenseSource('X', X)
  return withNames({ queries: 'X', corpus: 'X' }, search)
}

/** Runs a search whose errors name its sides as the caller does. */
export async function withNames<Result>(
  names: { readonly queries: string; readonly corpus: string },
  search: () => Promise<Result>,
): Promise<Result> {
  try {
    return await search()
  } catch (error) {
    throw renamed(error, names)
  }
}

function renamed(error: unknown, names: Readonly<Record<string, string>>): unknown {
  if (!isMistake(error)) return error
  const argument = error.argument.replace(/^(queries|corpus)\b/, (side) => names[side]!)
  return argument === error.argument ? error : renamedMistake(error, argument)
}
