// The reference of every rate: a square sgemm over the same threads. It is measured by a small program that
// links the OpenBLAS of the addon, because the addon exports no product.
import { LineProcess } from './line-process'
import { compiled } from './native-program'
import { rooflineShape } from './shapes'

export class Roofline {
  readonly #process: LineProcess

  constructor(threads: number) {
    const { size, repeats } = rooflineShape
    this.#process = new LineProcess(compiled('roofline'), [threads, size, repeats].map(String))
  }

  /** Measures GFLOP/s of the best of a few products. */
  readonly sample = async (): Promise<number> => Number(await this.#process.ask('sample'))

  stop(): Promise<void> {
    return this.#process.stop()
  }
}
