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

/** A time in words: `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Shortest time from the first report of a phase after which its rate is told, in milliseconds. */
const settled = 200

/** The rate of the current phase, from its first report on, and the time that is left. */
export class Pace {
  #phase: string | undefined
  #began = 0
  #first = 0

  /**
   * Some words, such as `3.1/s, 9 s left`; nothing while they are unknown, and at the end.
   *
   * @param now In milliseconds.
   */
  of({ phase, done, total }: JobProgress, now: number): string {
    if (phase !== this.#phase) {
      this.#phase = phase
      this.#began = now
      this.#first = done
    }
    const [taken, units] = [now - this.#began, done - this.#first]
    if (taken < settled || units <= 0 || done >= total) return ''
    const rate = (1000 * units) / taken
    return `${Number(rate.toPrecision(3))}/s, ${duration((total - done) / rate)} left`
  }
}

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
    format: `${label}: {phase} |{bar}| {value} of {total} {pace} {objective}`,
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
  const pace = new Pace()
  let current: string | undefined
  return (progress) => {
    const { phase, done, total } = progress
    const shown = {
      phase,
      pace: pace.of(progress, performance.now()),
      objective: objectiveOf(progress),
    }
    if (phase !== current) bar.start(total, done, shown)
    else {
      bar.setTotal(total)
      bar.update(done, shown)
    }
    current = phase
  }
}

function lineWriter(label: string): Listener {
  const pace = new Pace()
  let current: string | undefined
  let last = -Infinity
  return (progress) => {
    const { phase, done, total } = progress
    const now = performance.now()
    const known = [pace.of(progress, now), objectiveOf(progress)].filter((text) => text !== '')
    if (phase === current && done < total && now - last < pause) return
    current = phase
    last = now
    const line = [`${phase} ${done} of ${total}`, ...known].join(', ')
    process.stderr.write(`gemmine: ${label}: ${line}\n`)
  }
}
