// Adds remedies to the messages of the parser.
import { CommanderError, type Command } from 'commander'

/** The quoted word in a message of the parser: the unknown one. */
const quoted = (message: string) => /'([^']*)'/.exec(message)?.[1] ?? ''

/** The only option whose value has the name of an unknown option: `--rank <K>` for `--k`. */
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

/** The message for no command, or `help` with an unknown one, for which the parser prints the whole help. */
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

/** Makes a command throw failures of the parser, with remedies. */
export const withRemedies = (command: Command): Command =>
  command.exitOverride((error) => {
    if (error.exitCode === 0) throw error
    throw new CommanderError(error.exitCode, error.code, remedied(command, error))
  })
