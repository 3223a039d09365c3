import { setImmediate } from 'node:timers/promises'

/** Elements between two looks at the event loop: about a millisecond of plain work. */
const stride = 1 << 18

/** Does work in slices begin..end - 1 of 0..length - 1, and lets the event loop turn between them. */
export async function inSlices(
  length: number,
  work: (begin: number, end: number) => void,
  step = stride,
): Promise<void> {
  for (let begin = 0; begin < length; begin += step) {
    if (begin > 0) await setImmediate()
    work(begin, Math.min(length, begin + step))
  }
}
