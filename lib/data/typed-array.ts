import { invalid, invalidText } from '../errors'

/** Which kind of typed array a value is, of this realm or another; nothing for any other value. */
export const kindOf = (value: unknown): string =>
  ArrayBuffer.isView(value) ? Object.prototype.toString.call(value).slice(8, -1) : ''

/** Checks that a value is a typed array of one of `kinds`, which `expected` describes. */
export function checkKind(
  name: string,
  value: unknown,
  kinds: readonly string[],
  expected: string,
) {
  if (!kinds.includes(kindOf(value))) throw invalid(name, expected, value)
}

/** Whether the memory may shrink: a shared buffer only grows. */
const isResizable = ({ buffer }: ArrayBufferView) =>
  Object.prototype.toString.call(buffer) === '[object ArrayBuffer]' &&
  (buffer as { resizable?: boolean }).resizable === true

interface Copyable extends ArrayBufferView {
  slice(): ArrayBufferView
}

/**
 * An input as a job borrows it. Shrinking a borrowed buffer in the middle of a job would end the
 * process, so an array over a resizable one is copied.
 */
export const borrowable = <Elements extends Copyable>(array: Elements): Elements =>
  isResizable(array) ? (array.slice() as Elements) : array

export interface Sized {
  readonly length: number
  readonly buffer: ArrayBufferLike
}

/** The error for an array of another length; a detached array has none, which explains itself to few. */
export const invalidLength = (name: string, expected: string, { length, buffer }: Sized) =>
  buffer.byteLength === 0
    ? invalidText(name, expected, `${length}: its buffer may be detached (transferred)`, RangeError)
    : invalid(name, expected, length)

/** Arrays by the names of their arguments. */
export type NamedArrays = Readonly<Record<string, ArrayBufferView | undefined>>

function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const begin = Math.max(a.byteOffset, b.byteOffset)
  const end = Math.min(a.byteOffset + a.byteLength, b.byteOffset + b.byteLength)
  return a.buffer === b.buffer && begin < end
}

/**
 * Checks that no output lies in the memory of another array: a job reads its inputs, and what it has
 * written, while it writes.
 *
 * @throws {RangeError} naming the output and the array that it overlaps.
 */
export function checkApart(outputs: NamedArrays, inputs: NamedArrays) {
  const arrays = Object.entries({ ...inputs, ...outputs })
  for (const [name, output] of Object.entries(outputs))
    for (const [other, array] of arrays)
      if (other !== name && output && array && overlap(output, array))
        throw invalidText(
          name,
          `memory apart from that of ${other}`,
          'an array that overlaps it',
          RangeError,
        )
}

interface ArrayKind<Elements> {
  new (length: number): Elements
  readonly name: string
}

/**
 * The caller's array for a result, or a new one.
 *
 * @throws {TypeError | RangeError} if the array is of another type or length, or its buffer could
 *   shrink in the middle of the job that fills it.
 */
export function outputArray<Elements extends Float32Array | Int32Array>(
  name: string,
  given: Elements | undefined,
  Kind: ArrayKind<Elements>,
  length: number,
): Elements {
  if (given === undefined) return new Kind(length)
  const article = Kind.name.startsWith('I') ? 'an' : 'a'
  const expected = `${article} ${Kind.name} of ${length} elements`
  checkKind(name, given, [Kind.name], expected)
  if (given.length !== length) throw invalidLength(name, expected, given)
  if (isResizable(given))
    throw invalidText(name, `${expected} of fixed size`, 'one over a resizable buffer')
  return given
}
