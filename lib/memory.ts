import { freemem } from 'node:os'
import { GemmineError } from './errors'
import { native } from './native'

/** Asking takes some 0.1 ms: longer than the smallest jobs themselves. */
const negligible = 2 ** 20

/** Bytes that the process may still take, within its own limits and those of its container. */
export const availableMemory = (): number => native().availableMemory() ?? freemem()

/**
 * Fails before work starts where a job cannot fit.
 *
 * @param what The job and its sizes, as the message calls them.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` with the bytes that are needed and there.
 */
export function planMemory(what: string, bytes: number) {
  if (bytes <= negligible) return
  const free = availableMemory()
  if (bytes <= free) return
  throw new GemmineError(
    'ERR_GEMMINE_OUT_OF_MEMORY',
    `${what} needs about ${Math.ceil(bytes)} bytes of memory, and ${free} are available`,
  )
}
