// Runs the command line: in this process to test its output, in a separate process to test its files.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { failureOf, type Failure } from '../../lib/cli/failure'
import { gemmine } from '../../lib/cli/program'

/** The failure with which a command line ends. */
export async function failureFrom(...args: string[]): Promise<Failure> {
  try {
    await gemmine().parseAsync(args, { from: 'user' })
  } catch (error) {
    return failureOf(error)
  }
  throw new Error(`expected gemmine ${args.join(' ')} to fail, but it ended well`)
}

/** What a command says about itself to a terminal of so many columns. */
export function helpOf(name: string, columns = 200): string {
  const program = gemmine()
  const command = program.commands.find((each) => each.name() === name) ?? program
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => columns })
  command.outputHelp()
  return text
}

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** Starts the built program in a folder, with neither a terminal nor stdin. */
export function launch(cwd: string, ...args: string[]) {
  if (!existsSync(main)) throw new Error('expected dist/cli/main.js; npm run build makes it')
  return spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export function ended(child: ReturnType<typeof launch>): Promise<Ended> {
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text))
  return new Promise((settle, fail) => {
    child.once('error', fail)
    child.once('close', (code) => settle({ code, ...output }))
  })
}

export const run = (cwd: string, ...args: string[]) => ended(launch(cwd, ...args))
