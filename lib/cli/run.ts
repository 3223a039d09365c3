// Runs the command line and converts every failure to one line and an exit code.
import { systemFailure } from '../data/file'
import { failureOf } from './failure'
import { gemmine } from './program'

/** The parser throws an exception with exit code 0 after the help or the version. */
const isDone = (error: unknown) => (error as { exitCode?: number }).exitCode === 0

function fail(error: unknown): never {
  if (isDone(error)) process.exit(0)
  const { sentence, exitCode } = failureOf(error)
  process.stderr.write(`gemmine: ${sentence}\n`)
  process.exit(exitCode)
}

/** The reader of stdout may close it early, as `head` does; that is no failure. */
function onStdoutError(error: NodeJS.ErrnoException) {
  if (error.code !== 'EPIPE') fail(systemFailure('stdout', error))
}

/** Reads the arguments of the process and runs their command. */
export function run() {
  process.on('uncaughtException', fail)
  process.stdout.on('error', onStdoutError)
  gemmine().parseAsync().catch(fail)
}
