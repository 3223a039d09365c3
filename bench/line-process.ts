// A program that keeps running and answers each line of input with one line.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

interface Waiting {
  readonly resolve: (line: string) => void
  readonly reject: (error: Error) => void
}

export class LineProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #waiting: Waiting[] = []
  #failure: Error | undefined
  #complaints = ''

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(program, args, { env })
    this.#child.stderr.on(
      'data',
      (text) => (this.#complaints = `${this.#complaints}${text}`.slice(-2000)),
    )
    this.#child.on('error', (error) => this.#fail(error))
    this.#child.on('close', (code, signal) =>
      this.#fail(
        new Error(
          `${program} ended (${signal ?? code})${this.#complaints && `:\n${this.#complaints}`}`,
        ),
      ),
    )
    // If the program has ended, its end is reported, not the failed write.
    this.#child.stdin.on('error', () => {})
    createInterface({ input: this.#child.stdout }).on('line', (line) =>
      this.#waiting.shift()?.resolve(line),
    )
  }

  /** Returns the next line of the program; sends `line` first if given. */
  ask(line?: string): Promise<string> {
    if (this.#failure) return Promise.reject(this.#failure)
    const answer = new Promise<string>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    if (line !== undefined) this.#child.stdin.write(`${line}\n`)
    return answer
  }

  /** Ends the program by closing its input. */
  async stop() {
    if (this.#failure) return
    this.#child.stdin.end()
    await once(this.#child, 'close')
  }

  #fail(error: Error) {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }
}
