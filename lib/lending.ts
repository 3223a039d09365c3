// Memory of the caller that native code uses while a job runs. Node-API protects it from the garbage
// collector, but not from being detached: if a buffer is transferred, native code would access freed memory
// and end the process. Memory that can be lent safely is lent; all other memory is copied.
import { isSharedArrayBuffer } from 'node:util/types'
import { markAsUntransferable } from 'node:worker_threads'
import type { NamedArrays } from './data/typed-array'
import { invalidText } from './errors'

/** In bytes. A smaller array is copied, because a mark on its buffer is permanent. */
export const smallestLent = 1 << 16

/** The memory of a WebAssembly module has whole pages, and is detached when it grows. */
const wasmPage = 1 << 16

/** Buffers of results that are large enough to be lent: they stay transferable, whatever they are used for. */
const results = new WeakSet<object>()

/** Buffers that were lent once. */
const lent = new WeakSet<object>()

/** Excludes the memory of a result from being lent to a later job, which would forbid its transfer. */
export function handOut<Elements extends ArrayBufferView>(array: Elements): Elements {
  if (array.buffer.byteLength > smallestLent) results.add(array.buffer)
  return array
}

type Transferring = ArrayBuffer & { transfer?(length: number): ArrayBuffer }

/**
 * Frees the memory of results that were only needed in between; they have no elements afterwards. V8 would
 * keep up to 64 MiB of them, because the arrays themselves are small.
 */
export function release(...arrays: readonly ArrayBufferView[]) {
  for (const { buffer } of arrays) {
    const own = buffer as Transferring
    if (own.transfer) own.transfer(0)
    else structuredClone(0, { transfer: [own] })
  }
}

/**
 * Returns whether a buffer can be transferred, without a transfer: a list that names it twice is refused only
 * after its entries were checked. Only such buffers may be marked: Node.js 24 ends the process when a marked
 * WebAssembly memory grows.
 */
function isTransferable(buffer: ArrayBufferLike): boolean {
  try {
    structuredClone(0, { transfer: [buffer as ArrayBuffer, buffer as ArrayBuffer] })
    return false
  } catch (error) {
    return /duplicate/.test((error as Error).message)
  }
}

interface Movable {
  transfer?(): unknown
}

const methods = ['transfer', 'transferToFixedLength'] as const

function refuse(): never {
  throw new TypeError('Expected a buffer that no gemmine job has borrowed, for transfer()')
}

const attempt = (move: () => unknown) => {
  try {
    move()
  } catch {
    // A refusal is correct too.
  }
}

/**
 * Behaviour of this runtime with a marked buffer, tried on small ones. Node.js and Bun do not detach it,
 * except by `transfer()`, which Node.js 24 refuses, but 22 and Bun do not. Deno detaches a buffer that was
 * only tested.
 */
function tried(): { readonly holds: boolean; readonly transferHolds: boolean } {
  const [plain, marked, moved] = [new ArrayBuffer(8), new ArrayBuffer(8), new ArrayBuffer(8)]
  attempt(() => {
    markAsUntransferable(marked)
    markAsUntransferable(moved)
  })
  const isTold = isTransferable(plain) && !isTransferable(marked)
  attempt(() => structuredClone(marked, { transfer: [marked] }))
  attempt(() => (moved as Movable).transfer?.())
  return {
    holds: isTold && plain.byteLength === 8 && marked.byteLength === 8,
    transferHolds: moved.byteLength === 8,
  }
}

let known: ReturnType<typeof tried> | undefined
const runtime = () => (known ??= tried())

/** Returns whether a job may use this memory in place: no accident of a program can detach it. */
export function canLend({ buffer, byteLength }: ArrayBufferView): boolean {
  if (isSharedArrayBuffer(buffer)) return true
  if ((buffer as { readonly resizable?: boolean }).resizable) return false
  if (byteLength <= smallestLent || results.has(buffer) || !runtime().holds) return false
  if (lent.has(buffer)) return true
  if (!runtime().transferHolds && !Object.isExtensible(buffer)) return false
  return isTransferable(buffer) || buffer.byteLength % wasmPage !== 0
}

/** Marks the buffers of arrays that can be lent. This cannot be undone. */
export function lend(arrays: NamedArrays) {
  for (const array of Object.values(arrays)) {
    if (!array || isSharedArrayBuffer(array.buffer) || lent.has(array.buffer)) continue
    if (!canLend(array)) continue
    if (isTransferable(array.buffer)) markAsUntransferable(array.buffer)
    if (!runtime().transferHolds)
      for (const name of methods)
        Object.defineProperty(array.buffer, name, { value: refuse, configurable: true })
    lent.add(array.buffer)
  }
}

/** The error for an array that was detached after the job began. */
export const detached = (name: string) =>
  invalidText(
    name,
    'an array that stays where it is until the promise has settled',
    'one whose buffer was detached (transferred) in the meantime',
  )

/** The arrays that have elements, to be checked later. */
export function filled(arrays: NamedArrays): NamedArrays {
  const found: Record<string, ArrayBufferView> = {}
  for (const name of Object.keys(arrays)) {
    const array = arrays[name]
    if (array && array.byteLength > 0) found[name] = array
  }
  return found
}

/** @throws {TypeError} naming the first array that has lost its elements. */
export function checkReturned(arrays: NamedArrays) {
  for (const [name, array] of Object.entries(arrays))
    if (array?.byteLength === 0) throw detached(name)
}
