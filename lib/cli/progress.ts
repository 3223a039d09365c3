// Progress and messages on stderr: a bar on a terminal, lines if requested, otherwise nothing.
import type { SingleBar } from 'cli-progress'
import type { Progress as JobProgress } from '../options'

export interface ProgressOptions {
  /** Lines instead of a bar, even if stderr is no terminal. */
  readonly lines?: boolean | undefined
  readonly quiet?: boolean | undefined
}

/** Time between two lines of a phase, in milliseconds. */
const pause = 1000

type Listener = (progress: JobProgress) => void

const objectiveOf = ({ objective }: JobProgress) =>
  objective === undefined ? '' : `objective ${objective.toExponential(4)}`

export class Progress {
  readonly #mode: 'bar' | 'lines' | 'none'
  readonly #isQuiet: boolean

  constructor({ lines = false, quiet = false }: ProgressOptions = {}) {
    const unasked = process.stderr.isTTY ? 'bar' : 'none'
    this.#mode = quiet ? 'none' : lines ? 'lines' : unasked
    this.#isQuiet = quiet
  }

  /** Runs a job and shows its progress. */
  async during<T>(label: string, run: (onProgress: Listener) => Promise<T>): Promise<T> {
    if (this.#mode === 'bar') return withBar(label, run)
    return run(this.#mode === 'lines' ? lineWriter(label) : () => {})
  }

  /** Prints a message beside the progress, if progress is shown. */
  say(sentence: string) {
    if (this.#mode !== 'none') process.stderr.write(`gemmine: ${sentence}\n`)
  }

  warn(sentence: string) {
    this.tell(`warning: ${sentence}`)
  }

  /** Prints a part of the answer, unless nothing is to be printed. */
  tell(sentence: string) {
    if (!this.#isQuiet) process.stderr.write(`gemmine: ${sentence}\n`)
  }
}

async function withBar<T>(label: string, run: (onProgress: Listener) => Promise<T>): Promise<T> {
  const { SingleBar } = await import('cli-progress')
  const bar = new SingleBar({
    stream: process.stderr,
    format: `${label}: {phase} |{bar}| {value} of {total} {objective}`,
    clearOnComplete: true,
    barsize: 24,
  })
  // The bar disables line wrapping, which must be restored if the process ends early.
  const stop = () => bar.stop()
  process.once('exit', stop)
  try {
    return await run(barDrawer(bar))
  } finally {
    process.off('exit', stop)
    stop()
  }
}

function barDrawer(bar: SingleBar): Listener {
  let current: string | undefined
  return (progress) => {
    const { phase, done, total } = progress
    const shown = { phase, objective: objectiveOf(progress) }
    if (phase !== current) bar.start(total, done, shown)
    else {
      bar.setTotal(total)
      bar.update(done, shown)
    }
    current = phase
  }
}

function lineWriter(label: string): Listener {
  let current: string | undefined
  let last = -Infinity
  return (progress) => {
    const { phase, done, total } = progress
    const now = performance.now()
    if (phase === current && done < total && now - last < pause) return
    current = phase
    last = now
    const objective = objectiveOf(progress)
    process.stderr.write(
      `gemmine: ${label}: ${phase} ${done} of ${total}${objective && `, ${objective}`}\n`,
    )
  }
}
