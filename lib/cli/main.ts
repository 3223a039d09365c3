#!/usr/bin/env node
// The program. It listens for signals before it loads the commands, which takes most of its start.
import './requirements'
import { setImmediate } from 'node:timers/promises'
import { interrupted, listenForSignals, type Interruption } from './interruption'

function stop(reason: unknown): never {
  const { sentence, exitCode } = reason as Interruption
  process.stderr.write(`gemmine: ${sentence}\n`)
  process.exit(exitCode)
}

async function start() {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { run } = require('./run') as typeof import('./run')
  // A signal that arrived while modules were loaded is heard in the next turn of the event loop.
  await setImmediate()
  if (interrupted.aborted) stop(interrupted.reason)
  run()
}

listenForSignals(stop)
void start()
