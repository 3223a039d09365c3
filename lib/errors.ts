/**
 * Codes of failures with causes outside the caller's code. A caller's mistake is a `TypeError` or a
 * `RangeError` instead (see {@link Mistake}); an abort rejects with the signal's reason.
 */
export type GemmineErrorCode =
  /** A file is missing, unreadable, damaged, or of the wrong format. */
  | 'ERR_GEMMINE_FILE'
  /** The compiled addon is missing, does not fit this machine, or may not be loaded. */
  | 'ERR_GEMMINE_NATIVE_LOAD'
  /** Node.js is too old; thrown while the package is loaded. */
  | 'ERR_GEMMINE_NODE_VERSION'
  /** A device requested by name is absent. */
  | 'ERR_GEMMINE_DEVICE_UNAVAILABLE'
  /** A scorer of the caller failed after all retries, or gave an answer of a wrong form. */
  | 'ERR_GEMMINE_SCORER'
  /** A device failed in the middle of a job. */
  | 'ERR_GEMMINE_DEVICE_FAILURE'
  /**
   * A job needs more memory than available; the message contains the number of bytes, if known in advance.
   */
  | 'ERR_GEMMINE_OUT_OF_MEMORY'
  /**
   * As many calls wait as `maxQueue` allows (see `configureQueue`), or the system allows no thread for a job: a
   * limit on threads (ulimit -u, the pids limit of a container).
   */
  | 'ERR_GEMMINE_BUSY'
  /** A handle was used after its `dispose()`, or a file after `closeMatrix()`. */
  | 'ERR_GEMMINE_DISPOSED'
  /** Rows that a prepared corpus borrows have changed; see `verify` of `prepareCorpus`. */
  | 'ERR_GEMMINE_CHANGED'

export class GemmineError extends Error {
  override readonly name = 'GemmineError'

  constructor(
    readonly code: GemmineErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options)
  }
}

/** The fields of a `TypeError` or `RangeError` of this package, besides its message. */
export interface Mistake {
  /** The wrong argument or option, in the caller's notation: `rank`, `X`, `queries.data`. */
  readonly argument: string
  /** A description of correct values. */
  readonly expected: string
  /** The received value as text; without the quotes that a string has in the message. */
  readonly received: string
  /** The row of the wrong entry, if any. */
  readonly row?: number
  /** The column of the wrong entry, if any. */
  readonly column?: number
}

/** A caller's mistake, as it is thrown. */
export type MistakeError = (TypeError | RangeError) & Mistake

/** Formats a received value on one short line. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'an empty string' : `'${shortened(value)}'`
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? `an array of ${value.length}` : className(value)
  if (typeof value === 'bigint') return `${value}n`
  return typeof value === 'function' ? 'a function' : String(value)
}

function className({ constructor }: object): string {
  const name = constructor?.name
  return !name || name === 'Object' ? 'an object' : name
}

const shortened = (text: string) => text.slice(0, 80)

/**
 * The error for a caller's mistake, with a description of the received value: "Expected two dimensions, rows
 * and columns for X.shape, received 3 dimensions".
 */
export function invalidText(
  argument: string,
  expected: string,
  received: string,
  Kind: typeof TypeError | typeof RangeError = TypeError,
): MistakeError {
  const error = new Kind(`Expected ${expected} for ${argument}, received ${received}`)
  return Object.assign(error, { argument, expected, received })
}

/**
 * The error for a caller's mistake: "Expected an integer in 1..20 for rank, received 21". A number out of
 * bounds is a `RangeError`, anything else a `TypeError`. A string is quoted, unless it is an argument of the
 * command line.
 */
export function invalid(argument: string, expected: string, received: unknown): MistakeError {
  if (typeof received === 'string' && received !== '') {
    const text = shortened(received)
    const told = argument.startsWith('--') ? text : shown(received)
    return Object.assign(invalidText(argument, expected, told), { received: text })
  }
  const Kind = typeof received === 'number' && !Number.isNaN(received) ? RangeError : TypeError
  return invalidText(argument, expected, shown(received), Kind)
}

/** The error for an entry of a matrix: "Expected a finite number at row 7, column 3 of X, received NaN". */
export function invalidEntry(
  argument: string,
  expected: string,
  received: number | string,
  row: number,
  column: number,
): MistakeError {
  const text = String(received)
  const error = new RangeError(
    `Expected ${expected} at row ${row}, column ${column} of ${argument}, received ${text}`,
  )
  return Object.assign(error, { argument, expected, received: text, row, column })
}

/** The same error for an argument of another name. */
export function renamedMistake(error: MistakeError, argument: string): MistakeError {
  const { expected, received, row, column } = error
  if (row !== undefined && column !== undefined)
    return invalidEntry(argument, expected, received, row, column)
  const Kind = error instanceof RangeError ? RangeError : TypeError
  return invalidText(argument, expected, received, Kind)
}

/** Returns whether an error is a caller's mistake, reported by this package. */
export const isMistake = (error: unknown): error is MistakeError =>
  (error instanceof TypeError || error instanceof RangeError) && 'argument' in error
