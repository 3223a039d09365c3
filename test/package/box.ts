// A consumer's empty folder with the packed tarball installed, as `npm install gemmine` would.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const root = join(__dirname, '..', '..')

/** Runs a program to its end and returns its stdout; a failure throws all it said. */
export function run(
  cwd: string,
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (error) throw error
  if (status !== 0)
    throw new Error(`${program} ${args.join(' ')}: exit code ${status}\n${stdout}${stderr}`)
  return stdout
}

/** Runs a tool from this project's node_modules. */
export const tool = (cwd: string, path: string, ...args: string[]) =>
  run(cwd, process.execPath, [join(root, 'node_modules', path), ...args])

export class Box {
  readonly folder = mkdtempSync(join(tmpdir(), 'gemmine-box-'))
  readonly tarball: string
  readonly installed = join(this.folder, 'node_modules', 'gemmine')

  constructor() {
    run(root, 'npm', ['pack', '--pack-destination', this.folder])
    this.tarball = join(
      this.folder,
      readdirSync(this.folder).find((file) => file.endsWith('.tgz'))!,
    )
    this.write('package.json', '{ "name": "consumer", "private": true }')
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
    run(this.folder, 'npm', ['install', ...quiet, this.tarball])
  }

  write(file: string, text: string) {
    writeFileSync(join(this.folder, file), text)
  }

  /** What a program prints to stdout, as CommonJS or as an ECMAScript module. */
  evaluate(type: 'commonjs' | 'module', code: string): string {
    return run(this.folder, process.execPath, [`--input-type=${type}`, '--eval', code])
  }

  close() {
    rmSync(this.folder, { recursive: true })
  }
}
