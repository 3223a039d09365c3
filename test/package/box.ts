// An empty folder in which the packed tarball is installed, like `npm install gemmine`.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const root = join(__dirname, '..', '..')

const execute = promisify(execFile)

/** Runs a program to its end and returns its stdout; a failure throws all it said. */
export async function run(
  cwd: string,
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 28 }
  try {
    return (await execute(program, args, options)).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${program} ${args.join(' ')} failed\n${stdout}${stderr}`, { cause: error })
  }
}

/** Runs a tool from this project's node_modules. */
export const tool = (cwd: string, path: string, ...args: string[]) =>
  run(cwd, process.execPath, [join(root, 'node_modules', path), ...args])

export class Box {
  private constructor(
    readonly folder: string,
    readonly tarball: string,
  ) {}

  /** Packs, and installs what came out. */
  static async create(): Promise<Box> {
    const folder = mkdtempSync(join(tmpdir(), 'gemmine-box-'))
    await run(root, 'npm', ['pack', '--pack-destination', folder])
    const tarball = join(
      folder,
      readdirSync(folder).find((file) => file.endsWith('.tgz'))!,
    )
    const box = new Box(folder, tarball)
    box.write('package.json', '{ "name": "consumer", "private": true }')
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
    await run(folder, 'npm', ['install', ...quiet, tarball])
    return box
  }

  get installed(): string {
    return join(this.folder, 'node_modules', 'gemmine')
  }

  write(file: string, text: string) {
    writeFileSync(join(this.folder, file), text)
  }

  /** What a program prints to stdout, as CommonJS or as an ECMAScript module. */
  evaluate(type: 'commonjs' | 'module', code: string): Promise<string> {
    return run(this.folder, process.execPath, [`--input-type=${type}`, '--eval', code])
  }

  close() {
    rmSync(this.folder, { recursive: true })
  }
}
