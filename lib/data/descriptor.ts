import { copyOf, marked } from '../copies'
import { GemmineError } from '../errors'
import { closeDescriptor, systemFailure } from './file'

/**
 * A descriptor with the state whether it is open, because the system reuses the number of a closed one.
 * Copies of an object share its descriptor, so closing one of them closes all.
 */
export class Descriptor {
  #fd: number | undefined
  readonly #path: string

  constructor({ path, fd }: { readonly path: string; readonly fd: number }) {
    this.#path = path
    this.#fd = fd
  }

  /** @throws {GemmineError} `ERR_GEMMINE_DISPOSED` after it is closed. */
  get fd(): number {
    if (this.#fd !== undefined) return this.#fd
    const sentence = `${this.#path}: this file was closed; open it again to read it`
    throw new GemmineError('ERR_GEMMINE_DISPOSED', sentence)
  }

  /** Closing twice is no error. */
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

/** Also true for a descriptor of another copy of this package, which behaves in the same way. */
export const isDescriptor = (value: unknown): value is Descriptor =>
  typeof value === 'object' && value !== null && copyOf(value) !== undefined && 'fd' in value
