// Programs in C++ beside the benches, for what the addon does not offer: they link the OpenBLAS that CMake
// found for the addon, and its core.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..')
const folder = join(root, 'build', 'bench')
const cmake = join(root, 'build', 'cmake')
const core = join(cmake, 'libgemmine_core.a')
const cache = join(cmake, 'CMakeCache.txt')

/** What CMake found when it configured the addon. */
function cached(name: string): string {
  const value =
    existsSync(cache) &&
    new RegExp(`^${name}:[A-Z]+=(.+)$`, 'm').exec(readFileSync(cache, 'utf8'))?.[1]
  if (value) return value
  throw new Error(`Expected ${name} in ${cache}: build the addon first, by npm run build`)
}

const changed = (path: string) => statSync(path).mtimeMs

/** The path of bench/<name>.cc as a program. */
export function compiled(name: string): string {
  const source = join(__dirname, `${name}.cc`)
  const program = join(folder, name)
  if (existsSync(program) && changed(program) > Math.max(changed(source), changed(core)))
    return program
  mkdirSync(folder, { recursive: true })
  const args = [
    '-std=c++20',
    '-O2',
    `-I${join(root, 'native')}`,
    `-I${cached('OPENBLAS_INCLUDE')}`,
    source,
    core,
    cached('OPENBLAS_ARCHIVE'),
    '-pthread',
    '-lm',
    '-o',
    program,
  ]
  const { status, stderr, error } = spawnSync(cached('CMAKE_CXX_COMPILER'), args, {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${source} did not compile: ${error?.message ?? stderr}`)
  return program
}

/** The lines that bench/<name>.cc prints. */
export function linesOf(name: string, args: readonly (string | number)[] = []): string[] {
  const { status, stdout, stderr, error } = spawnSync(compiled(name), args.map(String), {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${name} failed: ${error?.message ?? stderr}`)
  return stdout.trimEnd().split('\n')
}
