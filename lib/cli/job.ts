// Common part of the commands: quick checks first, then the job, staged results, and the summary last.
import { writeFile } from 'node:fs/promises'
import { systemFailure } from '../data/file'
import { partOf } from '../data/named-part'
import { resolveDevice } from '../device'
import { invalidText } from '../errors'
import { info, type Info } from '../info'
import { startFileThreads } from '../native'
import {
  checkInteger,
  checkJob,
  jobDefaults,
  type JobOptions,
  type MemoryOptions,
} from '../options'
import { version } from '../version'
import type { CommonOptions } from './common-options'
import { required } from './common-options'
import { inTypedWords, optionOf, type Complaint, type Files } from './failure'
import { ignoreInterruptions, interrupted } from './interruption'
import { checkInputs, Outputs, type ResultFile } from './outputs'
import { Progress } from './progress'

/** The context of a command's work. */
export interface Job {
  /** Options of the job, without its listener. */
  readonly options: JobOptions & MemoryOptions
  readonly device: string
  /** Compute threads that the job uses. */
  readonly threads: number
  readonly blas: Info['blas']
  /** Number format of the first scan of a search. */
  readonly precision: Info['cpu']['scan']
  readonly progress: Progress
  /** Writes one file of the results; with only `--json` there are none. */
  write(name: ResultFile, write: (path: string) => Promise<void>): Promise<void>
}

/** The fields of every summary. */
interface Summary {
  readonly command: string
  readonly seconds: number
  readonly gflops?: number
  readonly warnings: readonly string[]
}

/** The result of a command's work. */
export interface Finished {
  readonly summary: Summary
  /** The outcome in a few words, for a terminal. */
  readonly outcome: string
  /** What is printed on stdout, unless the summary is, or `--quiet` is given. */
  readonly printed?: string | undefined
  /** Ends the program when the results are in place, with an exit code of its own. */
  readonly complaint?: Complaint | undefined
}

/** The beginning of every summary. */
export const heading = <Command extends string>(command: Command) => ({ command, version })

/** The arithmetic operations that define a job, in 10⁹ per second. */
export const rateOf = (operations: number, seconds: number) =>
  seconds > 0 ? operations / seconds / 1e9 : 0

/** Minimum time of a job, in seconds, for a meaningful rate: a shorter job is mostly start-up. */
const shortest = 0.1

/** `1 query`, `2 queries`. */
export const counted = (count: number, one: string, many = `${one}s`) =>
  `${count} ${count === 1 ? one : many}`

/** Runs a command's work and writes its results. Errors name options and files as typed. */
export async function runCommand(
  given: CommonOptions,
  files: Files,
  work: (job: Job) => Promise<Finished>,
): Promise<void> {
  checkNames(files)
  try {
    checkCommon(given)
    const inputs = Object.values(files)
      .filter((path) => path !== undefined)
      .map((given) => partOf(given).path)
    if (given.out !== undefined && !given.dryRun) checkInputs(inputs, given.out)
    await staged(given, work)
  } catch (error) {
    throw inTypedWords(error, files)
  }
}

function checkCommon({ out, json, threads, seed, memoryBudget, dryRun }: CommonOptions) {
  if (!dryRun && (!json || out !== undefined))
    required(out, '--out', 'a folder for the results (or --json for the summary alone)')
  checkJob({ threads, memoryBudget })
  if (seed !== undefined) checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER)
}

/** The names of arguments without an option. */
const isCapital = (name: string) => /^[A-Z]+$/.test(name)

/** Refuses empty file names, which result from an unset variable of a shell. */
function checkNames(files: Files) {
  for (const [name, path] of Object.entries(files))
    if (path === '')
      throw invalidText(isCapital(name) ? name : optionOf(name), 'the path of a file', 'nothing')
}

/** Only of commands that have the option: functions of others refuse it. */
const budgetOf = ({ memoryBudget }: CommonOptions) =>
  memoryBudget === undefined ? {} : { memoryBudget }

async function staged(given: CommonOptions, work: (job: Job) => Promise<Finished>) {
  const device = resolveDevice(given.device ?? jobDefaults.device)
  const machine = info()
  startFileThreads()
  const progress = new Progress({ lines: given.progress, quiet: given.quiet })
  const outputs =
    given.out === undefined || given.dryRun
      ? undefined
      : Outputs.open(given.out, given.force ?? false)
  try {
    const finished = await work({
      options: { threads: given.threads, device, signal: interrupted, ...budgetOf(given) },
      device,
      threads: Math.min(given.threads ?? Infinity, machine.threads),
      blas: machine.blas,
      precision: machine.cpu.scan,
      progress,
      write: async (name, write) => outputs?.write(name, write),
    })
    await finish(finished, given, progress, outputs)
  } finally {
    outputs?.discard()
  }
}

async function finish(
  { summary, outcome, printed, complaint }: Finished,
  { json, quiet, dryRun }: CommonOptions,
  progress: Progress,
  outputs: Outputs | undefined,
) {
  const text = jsonOf(summary)
  await outputs?.write('summary.json', (path) => writeFile(path, text))
  interrupted.throwIfAborted()
  for (const warning of summary.warnings) progress.warn(warning)
  if (json) await print(text)
  else if (printed !== undefined && (dryRun || !quiet)) await print(printed)
  outputs?.commit()
  ignoreInterruptions()
  if (dryRun) return
  const { command, seconds, gflops } = summary
  const rate = seconds < shortest || gflops === undefined ? '' : `, ${gflops.toFixed(1)} GFLOP/s`
  const wrote = outputs ? `; wrote ${outputs}` : ''
  progress.say(`${command}: ${outcome}; ${seconds.toFixed(2)} s${rate}${wrote}`)
  if (complaint) throw complaint
}

/** Indented JSON with each list of numbers on one line. */
const jsonOf = (summary: Summary) =>
  `${JSON.stringify(summary, null, 2)}\n`.replace(
    /\[\n\s*([^"{}[\]]*?)\s*\]/g,
    (_, list: string) => {
      return `[${list.replace(/\s+/g, ' ')}]`
    },
  )

/** Writes to stdout and waits for the end of the write. A closed pipe is no failure. */
const print = (text: string) =>
  new Promise<void>((settle, fail) => {
    process.stdout.write(text, (error) => {
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE')
        fail(systemFailure('stdout', error))
      else settle()
    })
  })
