import { invalid, invalidText } from '../errors'
import { canLend, detached, handOut } from '../lending'
import { planMemory } from '../memory'
import { inSlices } from './slices'

/** The typed-array type of a value of any realm; `DataView` for a view of one, '' for any other value. */
export const kindOf = (value: unknown): string =>
  ArrayBuffer.isView(value) ? (value as unknown as Uint8Array)[Symbol.toStringTag] : ''

/** Whether a value is an array, or a typed array. Its elements may be anything. */
export const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)

/** Checks that a value is a typed array of one of `kinds`; `expected` describes them. */
export function checkKind(
  name: string,
  value: unknown,
  kinds: readonly string[],
  expected: string,
) {
  if (!kinds.includes(kindOf(value))) throw invalid(name, expected, value)
}

/** Whether the memory may shrink; a shared buffer can only grow. */
const isResizable = ({ buffer }: ArrayBufferView) =>
  (buffer as { readonly resizable?: boolean }).resizable === true

/** A typed array of any kind. */
export interface Elements extends ArrayBufferView {
  readonly length: number
  set(from: Elements, at: number): void
  subarray(begin: number, end: number): Elements
}

/** A zero array of the same type and length. Not slice(), which does not copy a Buffer. */
function emptyLike<Kind extends Elements>(array: Kind): Kind {
  const name = kindOf(array) as 'Float32Array'
  return new globalThis[name](array.length) as ArrayBufferView as Kind
}

/** Bytes that may be copied at once before a job starts. */
const pieceBytes = 1 << 22

/** Bytes between two pauses for the event loop. */
const strideBytes = 1 << 20

/**
 * An input in a form that can be read safely. A buffer that shrinks during a job would end the process, so an
 * array over a resizable buffer is copied: here, before the caller can shrink it, or by {@link lendable} if
 * the copy takes long.
 */
export function borrowable<Kind extends ArrayBufferView>(given: Kind): Kind {
  if (!isResizable(given) || given.byteLength > pieceBytes) return given
  const array = given as ArrayBufferView as Elements
  const copy = emptyLike(array)
  copy.set(array, 0)
  return copy as ArrayBufferView as Kind
}

function copyPiece(name: string, from: Elements, to: Elements, at: number, end: number) {
  if (from.length < end || to.length < end) throw detached(name)
  to.set(from.subarray(at, end), at)
}

/** Copies elements without blocking the event loop; synchronously if they are few and come first. */
function copyInto(
  name: string,
  from: Elements,
  to: Elements,
  before?: Promise<unknown>,
): Promise<void> | undefined {
  const { length, byteLength } = from
  if (before) return before.then(() => copyInto(name, from, to))
  const copy = (begin: number, end: number) => copyPiece(name, from, to, begin, end)
  if (byteLength > pieceBytes)
    return inSlices(length, copy, Math.floor((strideBytes * length) / byteLength))
  if (length > 0) copy(0, length)
  return undefined
}

/**
 * An input in a form that a job may borrow: itself, or a copy if its memory could be detached or shrink
 * during the job, is small, or is a result of an earlier job, which stays transferable. A large copy is
 * returned as a promise.
 *
 * @param before Another copy, which is made first: several at once would block the event loop.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` if there is no memory for a copy.
 */
export function lendable(
  name: string,
  array: Elements,
  before?: Promise<unknown>,
): Elements | Promise<Elements> {
  if (canLend(array)) return array
  if (array.byteLength > pieceBytes) planMemory(`A copy of ${name}`, array.byteLength)
  const copy = emptyLike(array)
  const copying = copyInto(name, array, copy, before)
  return copying ? copying.then(() => copy) : copy
}

export interface Sized {
  readonly length: number
  readonly buffer: ArrayBufferLike
}

/** The error for an array of a wrong length; mentions a detached array, whose length is 0. */
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
 * Checks that no output overlaps another array: a job reads its inputs and earlier outputs while it writes.
 *
 * @throws {RangeError} naming the output and the overlapping array.
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

/** A new array for a result; it stays transferable whatever it is used for. */
export const resultArray = <Kind extends ArrayBufferView>(Kind: ArrayKind<Kind>, length: number) =>
  handOut(new Kind(length))

/** An array that a job fills, and the way back to the caller. */
export interface Output<Kind> {
  /** The caller's array, or a new one; checks use this one. */
  readonly own: Kind
  /** The array that the job fills: `own`, or a temporary one if `own` cannot be lent. */
  readonly array: Kind
  /** Copies the result to `own` if needed, and resolves to it. */
  settle(): Promise<Kind>
}

/**
 * The caller's array for a result, or a new one.
 *
 * @throws {TypeError | RangeError} if the array has a wrong type or length, or its buffer could shrink during
 *   the job.
 */
export function outputArray<Kind extends Float32Array | Int32Array>(
  name: string,
  given: Kind | undefined,
  Kind: ArrayKind<Kind>,
  length: number,
): Output<Kind> {
  if (given !== undefined) checkOutput(name, given, Kind.name, length)
  const own = given ?? resultArray(Kind, length)
  const array = given === undefined || canLend(given) ? own : new Kind(length)
  const settle = async () => {
    if (array !== own)
      await copyInto(name, array as ArrayBufferView as Elements, own as ArrayBufferView as Elements)
    return own
  }
  return { own, array, settle }
}

function checkOutput(name: string, given: Sized & ArrayBufferView, kind: string, length: number) {
  const article = kind.startsWith('I') ? 'an' : 'a'
  const expected = `${article} ${kind} of ${length} elements`
  checkKind(name, given, [kind], expected)
  if (given.length !== length) throw invalidLength(name, expected, given)
  if (isResizable(given))
    throw invalidText(name, `${expected} of fixed size`, 'one over a resizable buffer')
}
