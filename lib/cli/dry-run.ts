// --dry-run: what a command would take, without running it.
import type { Estimate } from '../estimate'
import { availableMemory } from '../memory'
import { flagOption } from './common-options'
import { heading, type Finished, type Job } from './job'

/** The option of commands that can be estimated; `except` tells what of a command cannot. */
export const dryRunOption = (except = '') =>
  flagOption(
    '--dry-run',
    'print the memory, the operations and the seconds that the job would take, from short trials with made-up ' +
      `rows, and write nothing; needs no --out${except}`,
  )

/** Options of trials, without the listener and the budget of the job itself. */
export const trialOptions = ({ options: { threads, device, signal } }: Job) => ({
  threads,
  device,
  signal,
})

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`

/** What is printed in place of results; `unit` is an iteration or a scan. */
export function estimated(
  command: string,
  { bytes, operations, seconds }: Estimate,
  unit: string,
): Finished {
  const available = availableMemory()
  return {
    summary: {
      ...heading(command),
      dryRun: true,
      bytes,
      available,
      operations,
      seconds,
      warnings: [],
    } as Finished['summary'],
    outcome: 'not run, because of --dry-run',
    printed:
      `memory: ${mebibytes(bytes)} beside the inputs; ${mebibytes(available)} are available\n` +
      `${unit}: ${seconds.toPrecision(3)} s, ${operations.toPrecision(4)} operations\n`,
  }
}
