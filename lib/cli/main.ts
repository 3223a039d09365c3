#!/usr/bin/env node
// Runs the command line and turns whatever goes wrong into one line and an exit code.
import { systemFailure } from '../data/file'
import { failureOf } from './failure'
import { listenForSignals } from './interruption'
import { gemmine } from './program'

/** Help and version end the parser by an exception that is none. */
const isDone = (error: unknown) => (error as { exitCode?: number }).exitCode === 0

function fail(error: unknown): never {
  if (isDone(error)) process.exit(0)
  const { sentence, exitCode } = failureOf(error)
  process.stderr.write(`gemmine: ${sentence}\n`)
  process.exit(exitCode)
}

/** Whoever reads stdout may stop reading. */
function onStdoutError(error: NodeJS.ErrnoException) {
  if (error.code !== 'EPIPE') fail(systemFailure('stdout', error))
}

listenForSignals(fail)
process.on('uncaughtException', fail)
process.stdout.on('error', onStdoutError)
gemmine().parseAsync().catch(fail)
