// The limit that every rate is held against: a square sgemm over the same threads. It is measured by a
// small program that links the OpenBLAS of the addon, because the addon has no product of its own to offer.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LineProcess } from './line-process'
import { rooflineShape } from './shapes'

const root = join(__dirname, '..')
const source = join(__dirname, 'roofline.cc')
const program = join(root, 'build', 'bench', 'roofline')
const cache = join(root, 'build', 'cmake', 'CMakeCache.txt')

/** What CMake found when it configured the addon. */
function cached(name: string): string {
  const value =
    existsSync(cache) &&
    new RegExp(`^${name}:[A-Z]+=(.+)$`, 'm').exec(readFileSync(cache, 'utf8'))?.[1]
  if (value) return value
  throw new Error(`Expected ${name} in ${cache}: build the addon first, by npm run build`)
}

function compile() {
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return
  mkdirSync(join(root, 'build', 'bench'), { recursive: true })
  const args = [
    '-std=c++20',
    '-O2',
    `-I${cached('OPENBLAS_INCLUDE')}`,
    source,
    cached('OPENBLAS_ARCHIVE'),
    '-pthread',
    '-lm',
    '-o',
    program,
  ]
  const { status, stderr, error } = spawnSync(cached('CMAKE_CXX_COMPILER'), args, {
    encoding: 'utf8',
  })
  if (status !== 0)
    throw new Error(`The roofline program did not compile: ${error?.message ?? stderr}`)
}

export class Roofline {
  readonly #process: LineProcess

  constructor(threads: number) {
    compile()
    const { size, repeats } = rooflineShape
    this.#process = new LineProcess(program, [threads, size, repeats].map(String))
  }

  /** GFLOP/s of the best of a few products, now. */
  readonly sample = async (): Promise<number> => Number(await this.#process.ask('sample'))

  stop(): Promise<void> {
    return this.#process.stop()
  }
}
