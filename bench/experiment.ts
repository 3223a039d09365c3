// The common part of the benches: a clean environment, a description of the machine, printed lines, and a
// JSON file for the README's table.
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { median, pairedRatios, type Spread, type Times } from './interleave'
import { describeMachine, machineLines, restartUnsteered, type Machine } from './machine'
import type { Rival, RivalDescription } from './rival'
import { Roofline } from './roofline'
import { isTrial, scale } from './shapes'

/** The folder of the results from which the README's table is made. */
export const keptResults = join(__dirname, 'results')

export const resultsFolder = isTrial
  ? join(__dirname, '..', 'build', 'bench', 'trial')
  : keptResults

/** A job compared with one other program, measured in turns. */
export interface Comparison {
  readonly job: string
  readonly against: string
  readonly unit: 'GFLOP/s' | 's'
  /** Medians over the rounds. */
  readonly gemmine: number
  readonly other: number
  /** The speed of gemmine relative to the other; from the paired rounds, not from the medians. */
  readonly speed: Spread
  /** The minimum speed required. */
  readonly target?: number | undefined
  readonly met?: boolean | undefined
}

/** A measurement or target that was missed, with the reason. */
export interface Shortcoming {
  readonly name: string
  readonly reason: string
}

export interface Results {
  readonly question: string
  readonly date: string
  readonly command: string
  readonly machine: Machine
  readonly rivals: readonly RivalDescription[]
  readonly notRun: readonly Shortcoming[]
  readonly missed: readonly Shortcoming[]
  readonly comparisons: readonly Comparison[]
  readonly notes: readonly string[]
}

const digits = (value: number) => value.toFixed(value < 10 ? 3 : 1)

/** Shares of a limit as percentages, speeds against a rival as multiples. */
export function speedText({ unit }: Pick<Comparison, 'unit'>, value: number): string {
  return unit === 'GFLOP/s'
    ? `${(100 * value).toFixed(1)} %`
    : `${value.toFixed(value < 10 ? 2 : 1)} ×`
}

export class Experiment {
  readonly machine = describeMachine()
  readonly roofline = new Roofline(this.machine.threads)
  readonly #rivals: Rival[] = []
  readonly #notRun: Shortcoming[] = []
  readonly #missed: Shortcoming[] = []
  readonly #comparisons: Comparison[] = []
  readonly #notes: string[] = []

  constructor(
    readonly name: string,
    readonly question: string,
  ) {
    console.log([question, ...machineLines(this.machine), ''].join('\n'))
    if (isTrial) console.log(`TRIAL at ${scale} of the rows: these figures mean nothing\n`)
  }

  /** Adds a rival, which is stopped when the experiment ends. */
  addRival(rival: Rival) {
    this.#rivals.push(rival)
    const { name, version, blas } = rival.description
    console.log(`rival: ${name} ${version} (${blas})`)
  }

  notRun(name: string, reason: string) {
    this.#notRun.push({ name, reason })
    console.log(`not run: ${name}: ${reason}`)
  }

  /** Notes a measurement that is not a comparison. */
  note(text: string) {
    this.#notes.push(text)
    console.log(`  ${text}`)
  }

  /**
   * Compares the rate of a job with the square sgemm of the same rounds.
   *
   * @param operations Floating-point operations of the job.
   * @param times Seconds of the job, one per round.
   * @param limits GFLOP/s of the square sgemm, one per round.
   */
  compareRate(
    job: string,
    operations: number,
    times: readonly number[],
    limits: readonly number[],
    target?: number,
  ) {
    const rates = times.map((time) => operations / time / 1e9)
    this.#compare(
      { job, against: 'square sgemm', unit: 'GFLOP/s', speed: pairedRatios(rates, limits), target },
      rates,
      limits,
    )
  }

  /** Compares the seconds of a job with those of a rival for the same job in the same rounds. */
  compareTime(
    job: string,
    against: string,
    ours: readonly number[],
    theirs: readonly number[],
    target?: number,
  ) {
    this.#compare(
      { job, against, unit: 's', speed: pairedRatios(theirs, ours), target },
      ours,
      theirs,
    )
  }

  /** Compares both the seconds and those of the CPU; the target holds for the seconds. */
  compareTimes(
    job: string,
    against: string,
    ours: readonly Times[],
    theirs: readonly Times[],
    target?: number,
  ) {
    const of = (name: keyof Times, times: readonly Times[]) => times.map((each) => each[name])
    this.compareTime(job, against, of('seconds', ours), of('seconds', theirs), target)
    this.compareTime(`${job}, CPU time`, against, of('cpu', ours), of('cpu', theirs))
  }

  /** Records a target that cannot be measured, such as a loss that is not reached. */
  missed(job: string, reason: string) {
    this.#missed.push({ name: job, reason })
    console.log(`${job}: MISSED: ${reason}`)
  }

  /** Stops the rivals. */
  async stop() {
    await Promise.all([this.roofline, ...this.#rivals].map((running) => running.stop()))
  }

  #compare(
    comparison: Omit<Comparison, 'gemmine' | 'other' | 'met'>,
    ours: readonly number[],
    theirs: readonly number[],
  ) {
    const { target, speed, unit } = comparison
    const complete: Comparison = {
      ...comparison,
      gemmine: median(ours),
      other: median(theirs),
      met: target === undefined ? undefined : speed.median >= target,
    }
    this.#comparisons.push(complete)
    const text = (value: number) => speedText(comparison, value)
    const verdict =
      target === undefined ? '' : `; target ${text(target)}: ${complete.met ? 'met' : 'MISSED'}`
    console.log(
      `${comparison.job}: ${digits(complete.gemmine)} ${unit}; ${comparison.against}: ${digits(complete.other)} ${unit}`,
    )
    console.log(
      `  speed ${text(speed.median)} (${text(speed.min)} to ${text(speed.max)}, ${speed.rounds} rounds)${verdict}`,
    )
  }

  save() {
    const results: Results = {
      question: this.question,
      date: new Date().toISOString().slice(0, 10),
      command: `npm run bench ${this.name}`,
      machine: this.machine,
      rivals: this.#rivals.map(({ description }) => description),
      notRun: this.#notRun,
      missed: this.#missed,
      comparisons: this.#comparisons,
      notes: this.#notes,
    }
    mkdirSync(resultsFolder, { recursive: true })
    const path = join(resultsFolder, `${this.name}.json`)
    writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`)
    console.log(`\nsaved: ${relative(process.cwd(), path)}`)
  }
}

/** Runs the experiment of a bench file. */
export function experiment(
  file: string,
  question: string,
  run: (experiment: Experiment) => Promise<void>,
) {
  restartUnsteered()
  const measure = async () => {
    const running = new Experiment(basename(file, '.bench.ts'), question)
    try {
      await run(running)
      running.save()
    } finally {
      await running.stop()
    }
  }
  measure().catch((error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
}
