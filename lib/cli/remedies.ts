// Adds to the messages of the parser what would be right.
import { CommanderError, type Command } from 'commander'

/** The word in quotes in a message of the parser: the one that it does not understand. */
const quoted = (message: string) => /'([^']*)'/.exec(message)?.[1] ?? ''

/** The one option whose value goes by the name of an unknown option: `--rank <K>` for `--k`. */
function namesake({ options }: Command, flag: string): string | undefined {
  const name = flag.replace(/^-+|=.*$/g, '').toUpperCase()
  const found = options.filter(({ flags }) => flags.endsWith(`<${name}>`))
  return found.length === 1 ? found[0]!.long : undefined
}

function ofUnknownOption(command: Command, message: string): string {
  const meant = namesake(command, quoted(message))
  if (meant !== undefined) return `${message} (Did you mean ${meant}?)`
  const name = command.parent ? `gemmine ${command.name()}` : 'gemmine'
  return `${message}; ${name} --help lists its options`
}

const ofUnknownCommand = ({ commands }: Command, message: string) =>
  `${message}; expected one of ${commands.map((each) => each.name()).join(', ')}`

/** For what the parser answers with the whole help: no command, or `help` with an unknown one. */
function ofNoCommand(program: Command): string {
  const [, name] = program.args
  return name === undefined
    ? 'expected a command; gemmine --help lists them all'
    : ofUnknownCommand(program, `unknown command '${name}'`)
}

function remedied(command: Command, { code, message }: CommanderError): string {
  if (code === 'commander.help') return ofNoCommand(command)
  if (message.includes('Did you mean')) return message
  if (code === 'commander.unknownOption') return ofUnknownOption(command, message)
  if (code === 'commander.unknownCommand') return ofUnknownCommand(command, message)
  return message
}

/** Makes a command throw a failure of the parser, with what would be right. */
export const withRemedies = (command: Command): Command =>
  command.exitOverride((error) => {
    if (error.exitCode === 0) throw error
    throw new CommanderError(error.exitCode, error.code, remedied(command, error))
  })
