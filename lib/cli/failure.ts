// Converts every error to one line and an exit code. The line names options and files as typed.
import { CommanderError } from 'commander'
import { systemFailure } from '../data/file'
import { GemmineError, invalidEntry, invalidText, isMistake } from '../errors'
import { Interruption } from './interruption'

const mistake = 2
const environment = 3

/** What a job complains of although it is done: exit code 1. */
export class Complaint extends Error {
  readonly exitCode = 1
}

export interface Failure {
  readonly sentence: string
  readonly exitCode: number
}

/** System errors that are independent of the arguments: exit code 3. */
const exhausted = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE', 'ENOMEM', 'EIO'])

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code ?? ''

/** V8 throws a plain RangeError for an array or string that does not fit in memory. */
const isOutOfMemory = (error: Error) =>
  error instanceof RangeError &&
  /allocation failed|Invalid (typed array|array buffer|array|string) length/.test(error.message)

/** The line for an error, and its exit code: 2 for the caller's mistake, 3 for the environment. */
export function failureOf(error: unknown): Failure {
  const { sentence, exitCode } = classified(error)
  return { sentence: sentence.replace(/\s*\n\s*/g, ' '), exitCode }
}

function classified(error: unknown): Failure {
  const { message } = error as Error
  if (error instanceof Interruption) return { sentence: error.sentence, exitCode: error.exitCode }
  if (error instanceof Complaint) return { sentence: message, exitCode: error.exitCode }
  if (error instanceof CommanderError)
    return { sentence: message.replace(/^error: /, ''), exitCode: mistake }
  if (isMistake(error)) return { sentence: message, exitCode: mistake }
  if (error instanceof GemmineError) {
    const isMistaken = error.code === 'ERR_GEMMINE_FILE' && !exhausted.has(codeOf(error.cause))
    return { sentence: message, exitCode: isMistaken ? mistake : environment }
  }
  const { path, syscall } = error as NodeJS.ErrnoException
  if (syscall !== undefined) return classified(systemFailure(path ?? syscall, error))
  const isMemory = error instanceof Error && isOutOfMemory(error)
  const what = isMemory ? 'the job needs more memory than there is' : 'unexpected failure'
  return { sentence: `${what}: ${message ?? String(error)}`, exitCode: environment }
}

/** The option of the command line for an argument of lib: `--num-negatives` for `numNegatives`. */
export const optionOf = (argument: string) =>
  argument.startsWith('--')
    ? argument
    : `--${argument.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** Replaces `in 0..11` by words for a sentence on the command line, and `beside upperW` or `without upperW` by the typed option. */
const worded = (expected: string) =>
  expected
    .replace(/\bin (-?\d+)\.\.(-?\d+)/, 'from $1 to $2')
    .replace(/\b(beside|without) ([a-z]\w*[A-Z]\w*)/, (_, word: string, name: string) => {
      return `${word} ${optionOf(name)}`
    })

/** The given files, by the name of their argument in lib: `X`, `init.W`. */
export type Files = Readonly<Record<string, string | undefined>>

/** The typed file or option for an argument such as `init.W.rows` or `exclude.indices[3]`. */
function typedName(argument: string, files: Files): string {
  const ends = [...argument.matchAll(/[.[]|$/g)].map(({ index }) => index).reverse()
  const parts = ends.map((end) => argument.slice(0, end))
  const given = parts.find((part) => files[part] !== undefined)
  return given === undefined ? optionOf(parts.at(-1)!) : files[given]!
}

/** The option in which a checkpoint differs, as it is typed. */
function differingOption(error: unknown): unknown {
  if (!(error instanceof GemmineError) || error.code !== 'ERR_GEMMINE_FILE') return error
  const { code, message, cause } = error
  const typed = message
    .replace(/: expected (\w+) (?=.*, as in this call)/, (_, name: string) => {
      return `: expected ${optionOf(name)} `
    })
    .replace(/(?<=a checkpoint of this )(mask|sampleWeight)/, optionOf)
  return typed === message ? error : new GemmineError(code, typed, { cause })
}

/** Replaces the argument in a mistake by the typed file or option. Returns other errors unchanged. */
export function inTypedWords(error: unknown, files: Files): unknown {
  if (!isMistake(error)) return differingOption(error)
  const name = typedName(error.argument, files)
  const { row, column, received } = error
  const expected = worded(error.expected)
  return row === undefined || column === undefined
    ? invalidText(name, expected, received)
    : invalidEntry(name, expected, received, row, column)
}
