// New arrays from others, made in pieces so that the event loop can run in between. They are results, which
// stay transferable.
import { detached, handOut } from '../lending'
import type { DenseData } from './element-types'
import { inSlices, inTurns } from './slices'

export type Numbers = Int32Array | Float32Array | Float64Array | Uint8Array
type Kind<Array> = new (length: number) => Array

/** Writes all elements of `from`, or what `map` makes of them, to `to` from position `at` on. */
async function write(
  from: Numbers,
  to: Numbers,
  at: number,
  map?: (value: number) => number,
): Promise<void> {
  const { length } = from
  await inSlices(length, (begin, end) => {
    if (from.length !== length) throw detached('an array of the result')
    if (map) for (let i = begin; i < end; i++) to[at + i] = map(from[i]!)
    else to.set(from.subarray(begin, end), at + begin)
  })
}

/** Arrays one after the other. */
export async function joined<Array extends Numbers>(
  arrays: readonly Array[],
  Kind: Kind<Array>,
): Promise<Array> {
  const all = handOut(new Kind(arrays.reduce((length, array) => length + array.length, 0)))
  let at = 0
  for (const array of arrays) {
    await write(array, all, at)
    at += array.length
  }
  return all
}

/** The starts of consecutive lists, in one array. */
export async function joinedStarts(starts: readonly Int32Array[]): Promise<Int32Array> {
  const all = handOut(new Int32Array(starts.reduce((length, each) => length + each.length - 1, 1)))
  let last = 0
  for (const each of starts) {
    const base = all[last]!
    await write(each, all, last, (start) => base + start)
    last += each.length - 1
  }
  return all
}

/** What a function makes of each element. */
export async function mapped(
  from: Int32Array,
  map: (value: number) => number,
): Promise<Int32Array> {
  const all = handOut(new Int32Array(from.length))
  await write(from, all, 0, map)
  return all
}

/** An array of one number. */
export async function filled<Array extends Numbers>(
  Kind: Kind<Array>,
  length: number,
  value: number,
): Promise<Array> {
  const all = handOut(new Kind(length))
  await inSlices(length, (begin, end) => all.fill(value, begin, end))
  return all
}

/** Elements of a row that are copied at once. */
const copiedAtOnce = 1 << 16

/** Work for the call that copies a part of a row, in the units of a slice. */
const unitsOfCopy = 32

/** A dense matrix in memory. */
interface Strided<Data> {
  readonly data: Data
  readonly rows: number
  readonly cols: number
  readonly stride?: number | undefined
}

/** The elements of a matrix without gaps between rows; borrowed if there are none. */
export async function packed<Data extends DenseData>(
  name: string,
  { data, rows, cols, stride = cols }: Strided<Data>,
): Promise<Data> {
  if (stride === cols) return data.subarray(0, rows * cols) as Data
  // TypeScript has no array type with a set() for both numbers and bigints.
  const from = data as Float32Array
  const to = new (from.constructor as Float32ArrayConstructor)(rows * cols)
  const { length } = from
  await inTurns(function* (slice) {
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < cols; j += copiedAtOnce) {
        const end = Math.min(cols, j + copiedAtOnce)
        if (from.length !== length) throw detached(name)
        to.set(from.subarray(i * stride + j, i * stride + end), i * cols + j)
        if (slice.spend(end - j + unitsOfCopy)) yield
      }
  })
  return to as DenseData as Data
}
