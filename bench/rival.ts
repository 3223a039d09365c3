// A program of bench/competitors that keeps running, so that it can take turns with the library.
import { join } from 'node:path'
import type { Experiment } from './experiment'
import type { Times } from './interleave'
import { LineProcess } from './line-process'

type Values = Readonly<Record<string, unknown>>

export interface RivalDescription {
  readonly name: string
  readonly version: string
  /** Its linear algebra library, with core and threads. */
  readonly blas: string
}

interface Reply extends Values {
  readonly missing?: string
  readonly error?: string
}

/** Prevents compiled Python files beside the sources. */
const quiet = { PYTHONDONTWRITEBYTECODE: '1' }

const python = process.env['GEMMINE_PYTHON'] ?? 'python3'

async function reply(line: Promise<string>): Promise<Reply> {
  const answer = JSON.parse(await line) as Reply
  if (answer.error !== undefined) throw new Error(answer.error)
  return answer
}

export class Rival {
  readonly #process: LineProcess

  private constructor(
    running: LineProcess,
    readonly description: RivalDescription,
  ) {
    this.#process = running
  }

  get name(): string {
    return `${this.description.name} ${this.description.version}`
  }

  /**
   * Starts a script of bench/competitors. A script without its libraries is reported as not run.
   *
   * @param env Additional environment variables; they become part of the rival's name.
   */
  static async start(
    experiment: Experiment,
    script: string,
    env: Record<string, string> = {},
  ): Promise<Rival | undefined> {
    const path = join(__dirname, 'competitors', `${script}.py`)
    const running = new LineProcess(python, ['-u', path], { ...process.env, ...quiet, ...env })
    try {
      const { missing, ...description } = await reply(running.ask())
      if (missing !== undefined) throw new Error(missing)
      const rival = new Rival(running, named(description as unknown as RivalDescription, env))
      experiment.addRival(rival)
      return rival
    } catch (error) {
      experiment.notRun(script + variablesText(env), (error as Error).message.split('\n')[0]!)
      return undefined
    }
  }

  /** Calls a method of the rival. */
  call(method: string, values: Values = {}): Promise<Values> {
    return reply(this.#process.ask(JSON.stringify({ ...values, method })))
  }

  /** Seconds that a method measured around its own work. */
  async seconds(method: string, values: Values = {}): Promise<number> {
    return (await this.call(method, values))['seconds'] as number
  }

  /** The same, and the seconds of the CPU that it took. */
  async times(method: string, values: Values = {}): Promise<Times> {
    const { seconds, cpu } = await this.call(method, values)
    return { seconds: seconds as number, cpu: cpu as number }
  }

  stop(): Promise<void> {
    return this.#process.stop()
  }
}

const variablesText = (env: Record<string, string>) =>
  Object.entries(env)
    .map(([name, value]) => ` with ${name}=${value}`)
    .join('')

const named = (description: RivalDescription, env: Record<string, string>): RivalDescription => ({
  ...description,
  version: description.version + variablesText(env),
})
