import { copyOf, marked } from '../copies'
import { GemmineError } from '../errors'
import { closeDescriptor, systemFailure } from './file'

/**
 * A descriptor that knows whether it is open: the system gives the number of a closed one to the next
 * file. Copies of an object that holds one share it, so that closing any of them closes all.
 */
export class Descriptor {
  #fd: number | undefined
  readonly #path: string

  constructor({ path, fd }: { readonly path: string; readonly fd: number }) {
    this.#path = path
    this.#fd = fd
  }

  /** @throws {GemmineError} `ERR_GEMMINE_DISPOSED` once it is closed. */
  get fd(): number {
    if (this.#fd !== undefined) return this.#fd
    const sentence = `${this.#path}: this file was closed; open it again to read it`
    throw new GemmineError('ERR_GEMMINE_DISPOSED', sentence)
  }

  /** Doing it twice is no error. */
  async close(): Promise<void> {
    const fd = this.#fd
    this.#fd = undefined
    try {
      if (fd !== undefined) await closeDescriptor(fd)
    } catch (error) {
      throw systemFailure(this.#path, error)
    }
  }
}

marked(Descriptor)

/** Also one that another copy of this package made: it does what this one's do. */
export const isDescriptor = (value: unknown): value is Descriptor =>
  typeof value === 'object' && value !== null && copyOf(value) !== undefined && 'fd' in value
