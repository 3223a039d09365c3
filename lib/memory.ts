import { freemem } from 'node:os'
import { GemmineError } from './errors'
import { native } from './native'

/** In bytes. Smaller plans are not checked: the query takes about 0.1 ms, longer than the smallest jobs. */
const negligible = 2 ** 20

/** Bytes that the process may still allocate, within its own limits and those of its container. */
export const availableMemory = (): number => native().availableMemory() ?? freemem()

/**
 * Throws before work starts if the memory is insufficient.
 *
 * @param what The job and its sizes, for the message.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` with the bytes needed and available.
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
