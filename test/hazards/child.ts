import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  /** When the process had ended, as Date.now() counts. */
  readonly at: number
}

const program = (name: string) => fileURLToPath(new URL(`programs/${name}.cjs`, import.meta.url))

/** What a process is started with besides its arguments. */
interface Surroundings {
  /** Of Node.js. */
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A program that limits itself and then runs the rest of its arguments. */
  readonly within?: readonly string[]
}

/** Runs one of programs/ in a process of its own; one that hangs is killed after a minute. */
export function runProgram(
  name: string,
  args: readonly (string | number)[] = [],
  { flags = [], env = {}, within = [] }: Surroundings = {},
): Promise<Ended> {
  return runNode([...flags, program(name), ...args.map(String)], { env, within })
}

/** Runs Node.js with any arguments. */
export function runNode(
  args: readonly string[],
  { env = {}, within = [] }: Surroundings = {},
): Promise<Ended> {
  const [file, ...rest] = [...within, process.execPath, ...args]
  const child = spawn(file!, rest, {
    timeout: 60_000,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr, at: Date.now() }))
  })
}

/** Runs it so often, two at a time. */
export async function runOften(
  times: number,
  name: string,
  args: readonly (string | number)[] = [],
): Promise<Ended[]> {
  const ended: Ended[] = []
  for (let i = 0; i < times; i += 2)
    ended.push(...(await Promise.all([runProgram(name, args), runProgram(name, args)])))
  return ended
}

/** What went wrong, for a comparison with []. */
export const failures = (ended: readonly Ended[], code: number) =>
  ended
    .filter((child) => child.code !== code)
    .map(({ code, signal, stderr }) => ({ code, signal, stderr: stderr.slice(-500) }))

/** The value below which a share of the sorted values lies. */
export const quantile = (values: readonly number[], share: number) =>
  values[Math.min(values.length - 1, Math.floor(share * values.length))]!
