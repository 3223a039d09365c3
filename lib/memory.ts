import { GemmineError } from './errors'

/** `process.availableMemory` knows cgroup limits; the types of Node 20 do not know it. */
const available = () => (process as unknown as { availableMemory(): number }).availableMemory()

/**
 * Fails before work starts where a job cannot fit.
 *
 * @param what The job and its sizes, as the message calls them.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` with the bytes that are needed and there.
 */
export function planMemory(what: string, bytes: number) {
  const free = available()
  if (bytes <= free) return
  throw new GemmineError(
    'ERR_GEMMINE_OUT_OF_MEMORY',
    `${what} needs about ${Math.ceil(bytes)} bytes of memory, and ${free} are available`,
  )
}
