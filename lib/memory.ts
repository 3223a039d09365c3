import { freemem } from 'node:os'
import { GemmineError } from './errors'
import { native } from './native'

/** In bytes. Smaller plans are not checked: the query takes about 0.1 ms, longer than the smallest jobs. */
const negligible = 2 ** 20

/** What a job makes the process take beside its arrays: stacks, the heap of JavaScript, code that is read first. */
const besideArrays = 2 ** 23

/** Bytes that the process may still allocate, within its own limits and those of its container. */
export const availableMemory = (): number => native().availableMemory() ?? freemem()

/** Bytes that are left beside a plan that {@link planMemory} has accepted. */
export const memoryBeside = (arrays: number, memoryBudget = Infinity): number =>
  Math.max(0, Math.min(memoryBudget - besideArrays, availableMemory()) - arrays)

/**
 * Throws before work starts if the memory is insufficient.
 *
 * @param what The job and its sizes, for the message.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` with the bytes needed and available.
 */
export function planMemory(what: string, arrays: number, memoryBudget = Infinity) {
  const bytes = memoryBudget === Infinity ? arrays : arrays + besideArrays
  if (bytes <= negligible) return
  const free = Math.min(memoryBudget, availableMemory())
  if (bytes <= free) return
  const limit = free === memoryBudget ? `its budget is ${free}` : `${free} are available`
  throw new GemmineError(
    'ERR_GEMMINE_OUT_OF_MEMORY',
    `${what} needs about ${Math.ceil(bytes)} bytes of memory, and ${limit}`,
  )
}
