import { setImmediate } from 'node:timers/promises'

/** Elements per slice: about a millisecond of simple work. */
const stride = 1 << 18

/** Works in slices begin..end - 1 of 0..length - 1 and lets the event loop run between them. */
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
