import { pause } from '../jobs'

/** Elements per slice: about a millisecond of simple work. */
const stride = 1 << 18

/** The same for elements that are bigints, which take four times as long. */
export const bigintStride = stride >> 2

/** Works in slices begin..end - 1 of 0..length - 1 and lets the event loop run between them. */
export async function inSlices(
  length: number,
  work: (begin: number, end: number) => void,
  step = stride,
): Promise<void> {
  for (let begin = 0; begin < length; begin += step) {
    if (begin > 0) await pause()
    work(begin, Math.min(length, begin + step))
  }
}

/** Units of simple work, such as elements that are copied, in a slice of {@link inTurns}. */
const unitsAtOnce = 1 << 16

/** Counts units of work. */
export class Slice {
  #left = unitsAtOnce

  /** Returns whether it is time for the event loop to run. */
  spend(units: number): boolean {
    this.#left -= units
    if (this.#left > 0) return false
    this.#left = unitsAtOnce
    return true
  }
}

/** Runs work that yields when it is time for the event loop to run. */
export async function inTurns<Result>(
  work: (slice: Slice) => Generator<void, Result>,
): Promise<Result> {
  const steps = work(new Slice())
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    await pause()
  }
}

/** Units of work in a part of {@link inParts}. */
const unitsOfPart = 1 << 13

/** Units of work for a byte or a number that is copied with others at once. */
export const unitsOfCopied = 1 / 8

/**
 * Works in parts begin..end - 1 of 0..length - 1, within {@link inTurns}.
 *
 * @param units Units of work for an element, a power of two.
 */
export function* inParts(
  length: number,
  slice: Slice,
  work: (begin: number, end: number) => void,
  units = 1,
): Generator<void, void> {
  const step = unitsOfPart / units
  for (let begin = 0; begin < length; begin += step) {
    const end = Math.min(length, begin + step)
    work(begin, end)
    if (slice.spend(units * (end - begin))) yield
  }
}

/** Items that are sorted at once. */
const sortedAtOnce = 1 << 12

/** Work for a comparison, in the units of a slice. */
const unitsOfComparison = 16

type Compare<Item> = (a: Item, b: Item) => number

function* merged<Item>(
  a: readonly Item[],
  b: readonly Item[],
  compare: Compare<Item>,
  slice: Slice,
): Generator<void, Item[]> {
  const all: Item[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const isFirst = j === b.length || (i < a.length && compare(a[i]!, b[j]!) <= 0)
    all.push(isFirst ? a[i++]! : b[j++]!)
    if (slice.spend(unitsOfComparison)) yield
  }
  return all
}

/** Sorts like `Array.prototype.sort`, into a new array. */
export const sortedInTurns = <Item>(items: readonly Item[], compare: Compare<Item>) =>
  inTurns<Item[]>(function* (slice) {
    let runs: Item[][] = []
    for (let at = 0; at < items.length; at += sortedAtOnce) {
      runs.push(items.slice(at, at + sortedAtOnce).sort(compare))
      yield
    }
    while (runs.length > 1) {
      const next: Item[][] = []
      for (let i = 0; i < runs.length; i += 2)
        next.push(yield* merged(runs[i]!, runs[i + 1] ?? [], compare, slice))
      runs = next
    }
    return runs[0] ?? []
  })
