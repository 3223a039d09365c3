// Options of several commands, and functions that declare options.
import { Command, Option } from 'commander'
import { deviceKinds } from '../device'
import { nmfDefaults } from '../factorization/nmf'
import { checkOneOf, jobDefaults, leastBudget } from '../options'
import { invalid } from '../errors'
import { bytesOf, integer, real } from './numbers'
import { resultFiles } from './outputs'

/** Parsed options of every job. */
export interface CommonOptions {
  readonly out?: string
  readonly force?: boolean
  readonly json?: boolean
  readonly threads?: number
  readonly seed?: number
  readonly device?: string
  readonly progress?: boolean
  /** Of the commands with {@link budgetOption}. */
  readonly memoryBudget?: number
  readonly quiet?: boolean
  /** Of the commands with the option of dry-run.ts. */
  readonly dryRun?: boolean
}

const nameOf = (flags: string) => flags.split(' ')[0]!

/** A default as shown in the help; `undefined` shows none. */
type Shown = string | number | undefined

const described = (description: string, standard: Shown) =>
  standard === undefined ? description : `${description} (default: ${standard})`

/** An option whose value is a whole number. */
export const countOption = (flags: string, description: string, standard?: Shown) =>
  new Option(flags, described(description, standard)).argParser(integer(nameOf(flags)))

/** An option whose value is a number. */
export const numberOption = (flags: string, description: string, standard?: Shown) =>
  new Option(flags, described(description, standard)).argParser(real(nameOf(flags)))

/** An option whose value is one of a few names. */
export const choiceOption = (
  flags: string,
  description: string,
  choices: readonly string[],
  standard?: Shown,
) =>
  new Option(flags, described(`${description}: ${choices.join(', ')}`, standard)).argParser(
    (text: string) => {
      checkOneOf(nameOf(flags), text, choices)
      return text
    },
  )

export const pathOption = (flags: string, description: string) => new Option(flags, description)

/** An option without a value. */
export const flagOption = pathOption

/** The help option of every command. */
export const helpOption = () => flagOption('-h, --help', 'show this help')

/** Columns of a line in a help, at most. */
const helpWidth = 104

/** A list in a help: each name, and its text in a column beside it. */
export function helpList(texts: readonly (readonly [name: string, text: string])[]): string {
  const indent = Math.max(...texts.map(([name]) => name.length)) + 4
  const line = new RegExp(`(.{1,${helpWidth - indent}})(?: |$)`, 'g')
  return texts
    .map(([name, text]) => {
      const lines = text.match(line)!.map((each) => each.trimEnd())
      return `  ${name.padEnd(indent - 2)}${lines.join(`\n${' '.repeat(indent)}`)}`
    })
    .join('\n')
}

const commonGroup = 'Common options:'

/** An option of commands that bound their memory. */
export const budgetOption = () =>
  new Option(
    '--memory-budget <BYTES>',
    described(
      `memory beside the inputs, such as 512MiB, at least ${leastBudget / 2 ** 20}MiB; files of more than a quarter of it are read in blocks`,
      'what the process may use',
    ),
  )
    .argParser(bytesOf('--memory-budget'))
    .helpGroup(commonGroup)

/** Common options without effect on a command, each with the reason. */
export type Idle = { readonly [Name in 'seed' | 'threads' | 'device']?: string }

/** For commands without random numbers. */
export const drawsNothing: Idle = { seed: 'draws nothing' }

/** A command that reads and writes files. */
export const computesNothing: Idle = {
  ...drawsNothing,
  threads: 'computes nothing',
  device: 'computes nothing',
}

/**
 * Adds the options of every job. Every command accepts all of them, so that a script can pass them to each;
 * the list in the help leaves out those without effect.
 */
export function withCommonOptions(command: Command, idle: Idle = {}): Command {
  const options = [
    pathOption(
      '--out <DIR>',
      'folder for the results, made when absent; required unless --json is given',
    ),
    flagOption(
      '--force',
      'replace or remove every result of any gemmine command that --out already holds, a model too: ' +
        resultFiles.join(', '),
    ),
    flagOption('--json', 'print the summary on stdout, and nothing else there'),
    countOption(
      '--threads <N>',
      'compute threads at most (default: all that the process may use; see gemmine info)',
    ),
    countOption('--seed <S>', 'seed of everything random', nmfDefaults.seed),
    new Option(
      '--device <NAME>',
      described(
        `where to compute: ${['auto', ...deviceKinds, 'cuda:N'].join(', ')}`,
        jobDefaults.device,
      ),
    ),
    flagOption(
      '--progress',
      'report progress as lines on stderr (on a terminal: instead of a bar)',
    ),
    flagOption('--quiet', 'no progress and no warnings on stderr; summary.json has the warnings'),
  ]
  for (const option of options)
    command.addOption(option.helpGroup(commonGroup).hideHelp(option.attributeName() in idle))
  return command.addHelpOption(helpOption().helpGroup(commonGroup))
}

/** Warnings about given options without effect on a command. */
export const idleWarnings = (
  command: string,
  given: CommonOptions,
  idle: Idle = drawsNothing,
): string[] =>
  (Object.keys(idle) as (keyof Idle)[])
    .filter((name) => given[name] !== undefined)
    .map((name) => `--${name} ${given[name]} has no effect on ${command}, which ${idle[name]}`)

/** The value of an option that must be given. */
export function required<T>(value: T | undefined, option: string, expected: string): T {
  if (value !== undefined && value !== '') return value
  throw invalid(option, expected, 'nothing')
}
