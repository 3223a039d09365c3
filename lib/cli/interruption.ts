// SIGINT, SIGTERM and SIGHUP: jobs stop within a block, staged files are removed, the exit code contains the
// signal.

import { statSync } from 'node:fs'

/** Exit codes are 128 + the signal's number. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

type Stopping = keyof typeof exitCodes

/** Limit of the time in which a job must stop, in milliseconds. */
const patience = 1000

export class Interruption extends Error {
  readonly exitCode: number

  constructor(private readonly signal: Stopping) {
    super(`stopped by ${signal}`)
    this.exitCode = exitCodes[signal]
  }

  /** What was written until now. */
  get sentence(): string {
    const written = hasNewCheckpoint()
      ? `the checkpoint ${checkpoint!.path} was written, and no results`
      : 'nothing was written'
    return `stopped by ${this.signal}; ${written}`
  }
}

/** The checkpoint of the run, and the file that was there before. */
let checkpoint: { readonly path: string; readonly before: string } | undefined

/** Names the file that is there: a checkpoint replaces it by another one. */
function fileAt(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? `${found.ino} ${found.mtimeMs}` : 'none'
}

const hasNewCheckpoint = () =>
  checkpoint !== undefined && fileAt(checkpoint.path) !== checkpoint.before

/** Lets an interruption tell whether a checkpoint was written; called before the run writes one. */
export function tellOfCheckpoint(path: string) {
  checkpoint = { path, before: fileAt(path) }
}

const controller = new AbortController()

/** Aborted, with an {@link Interruption} as its reason, when the process receives one of these signals. */
export const interrupted: AbortSignal = controller.signal

const listeners = new Map<Stopping, () => void>()

/** @param giveUp Ends the process; called if a job does not stop, or at the second signal. */
export function listenForSignals(giveUp: (reason: unknown) => void) {
  for (const signal of Object.keys(exitCodes) as Stopping[]) {
    const stop = () => {
      if (interrupted.aborted) return giveUp(interrupted.reason)
      controller.abort(new Interruption(signal))
      setTimeout(() => giveUp(interrupted.reason), patience).unref()
    }
    listeners.set(signal, stop)
    process.on(signal, stop)
  }
}

/**
 * Restores the usual effect of signals. Called when the results are in place: a message that nothing was
 * written would then be wrong.
 */
export function ignoreInterruptions() {
  for (const [signal, stop] of listeners) process.off(signal, stop)
  listeners.clear()
}
