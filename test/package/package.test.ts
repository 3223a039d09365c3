// The package of a user: packed, installed in an empty folder without scripts, and used.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Box, root, run, tool } from './box'

const minutes = 60_000
let box: Box
beforeAll(async () => void (box = await Box.create()), 15 * minutes)
afterAll(() => box?.close())

interface Manifest {
  readonly scripts: Record<string, string>
  readonly gypfile: boolean
  readonly version: string
}

const manifest = () =>
  JSON.parse(readFileSync(join(box.installed, 'package.json'), 'utf8')) as Manifest
const prebuilds = () => join(box.installed, 'prebuilds', `${process.platform}-${process.arch}`)
const hasNvcc =
  process.platform === 'linux' &&
  [...(process.env.PATH ?? '').split(':'), '/usr/local/cuda/bin'].some((folder) =>
    existsSync(join(folder, 'nvcc')),
  )
const linesOf = (text: string) => text.trim().split('\n')

const published = [
  'dist/index.js',
  'dist/index.mjs',
  'dist/index.d.ts',
  'dist/index.d.mts',
  'dist/cli/main.js',
  'CMakeLists.txt',
  'native/napi.map',
  'cmake/cuda.cmake',
  'LICENSE',
  'CHANGELOG.md',
  'LICENSES/OpenBLAS.txt',
  'LICENSES/LAPACK.txt',
  'LICENSES/GCC-runtime-exception.txt',
  'LICENSES/GPL-3.txt',
  'LICENSES/node-addon-api.txt',
]

describe('the tarball', () => {
  it('holds the prebuild, the sources, the types and the licences, and nothing that starts a build', async () => {
    const files = linesOf(await run(box.folder, 'tar', ['-tzf', box.tarball]))
    expect(files).toEqual(expect.arrayContaining(published.map((path) => `package/${path}`)))
    const [addon, ...sidecar] = readdirSync(prebuilds())
    expect(addon).toMatch(/^gemmine\.(glibc|musl)\.node$/)
    expect(sidecar).toEqual(hasNvcc ? ['gemmine_cuda.so'] : [])
    const foreign = /\.gyp$|^package\/(test|bench|lib|scripts|build|node_modules)\//
    expect(files.filter((path) => foreign.test(path))).toEqual([])
  })

  it('holds whatever its README and its documents link to', () => {
    const pages = readdirSync(box.installed, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md'))
      .map((path) => join(box.installed, path))
    const dead = pages.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)]
        .map(([, target]) => join(dirname(page), target!))
        .filter((target) => !existsSync(target)),
    )
    expect(pages.length).toBeGreaterThan(10)
    expect(dead).toEqual([])
  })

  it('has no script that an install runs', () => {
    const { scripts, gypfile } = manifest()
    const hooks = /^(pre|post)?(install|prepare)$|^prepublish$/
    expect(Object.keys(scripts).filter((name) => hooks.test(name))).toEqual([])
    expect(gypfile).toBe(false)
  })

  it('carries the licence texts in full', () => {
    const licence = (name: string) => readFileSync(join(box.installed, 'LICENSES', name), 'utf8')
    expect(licence('OpenBLAS.txt')).toContain('Neither the name of the OpenBLAS project')
    expect(licence('GCC-runtime-exception.txt')).toContain('1. Grant of Additional Permission.')
    expect(licence('GPL-3.txt')).toContain('Version 3, 29 June 2007')
  })
})

describe('the API', () => {
  const described = `JSON.stringify([Object.keys(g).filter((name) => name !== 'default').sort(), g.info()])`

  it('is the same through require and import', async () => {
    const required = await box.evaluate(
      'commonjs',
      `const g = require('gemmine'); console.log(${described})`,
    )
    const imported = await box.evaluate(
      'module',
      `import * as g from 'gemmine'; console.log(${described})`,
    )
    expect(imported).toBe(required)
    const [names, info] = JSON.parse(required) as [string[], { version: string }]
    expect(names).toEqual(
      expect.arrayContaining(['semiNmf', 'nmf', 'topK', 'mineHardNegatives', 'info']),
    )
    expect(info.version).toBe(manifest().version)
  })

  it('computes', async () => {
    const code = `import { semiNmf } from 'gemmine'
      const X = { data: Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)), rows: 12, cols: 5 }
      const { W, H } = await semiNmf(X, { rank: 2 })
      console.log(W.data.length, H.data.length, W.data.every((w) => w >= 0))`
    expect(await box.evaluate('module', code)).toBe('24 10 true\n')
  })

  it('gives a class one identity', async () => {
    const code = `import { createRequire } from 'node:module'
      import { GemmineError } from 'gemmine'
      const required = createRequire(import.meta.url)('gemmine')
      console.log(required.GemmineError === GemmineError)`
    expect(await box.evaluate('module', code)).toBe('true\n')
  })

  it('comes with the command line', async () => {
    const bin = join(box.folder, 'node_modules', '.bin', 'gemmine')
    const info = JSON.parse(await run(box.folder, bin, ['info', '--json'])) as { version: string }
    expect(info.version).toBe(manifest().version)
  })
})

const use = `
  const X = { data: new Float32Array(12), rows: 4, cols: 3 }
  export const version: string = info().version
  export const H: Promise<Float32Array> = semiNmf(X, { rank: 2 }).then((model) => model.H.data)
  export const code = (error: unknown) => (error instanceof GemmineError ? error.code : undefined)\n`

const consumers = {
  'consumer.mts': `import { GemmineError, info, semiNmf } from 'gemmine'\n${use}`,
  'consumer.cts': `import gemmine = require('gemmine')\nconst { GemmineError, info, semiNmf } = gemmine\n${use}`,
}

/** Needs the global type of a signal, from the DOM or from @types/node. */
const aborting = {
  'aborting.mts': `import { semiNmf } from 'gemmine'
    const X = { data: new Float32Array(12), rows: 4, cols: 3 }
    export const { signal } = new AbortController()
    export const model = semiNmf(X, { rank: 2, signal })\n`,
}

describe('the types', () => {
  const compile = async (types: string[], programs: Record<string, string>, options = {}) => {
    for (const [file, text] of Object.entries(programs)) box.write(file, text)
    const strict = { strict: true, skipLibCheck: false, noEmit: true }
    const compilerOptions = { module: 'node16', target: 'es2022', ...strict, types, ...options }
    const files = Object.keys(programs)
    box.write('tsconfig.json', JSON.stringify({ compilerOptions, files }))
    await tool(box.folder, 'typescript/bin/tsc')
  }

  it(
    'compile without skipLibCheck, for a consumer without @types/node',
    async () => {
      await compile([], { ...consumers, ...aborting })
    },
    5 * minutes,
  )

  it(
    'name no AbortSignal to a consumer without the DOM and without @types/node',
    async () => {
      await compile([], consumers, { lib: ['es2022'] })
    },
    5 * minutes,
  )

  it(
    'compile without skipLibCheck, for a consumer with @types/node',
    async () => {
      const types = join(box.folder, 'node_modules', '@types')
      mkdirSync(types, { recursive: true })
      symlinkSync(join(root, 'node_modules', '@types', 'node'), join(types, 'node'))
      await compile(['node'], { ...consumers, ...aborting }, { lib: ['es2022'] })
    },
    5 * minutes,
  )

  it(
    'satisfy publint and attw',
    async () => {
      const publint = await tool(box.folder, 'publint/src/cli.js', 'run', box.tarball, '--strict')
      expect(publint).toContain('All good!')
      await tool(box.folder, '@arethetypeswrong/cli/dist/index.js', box.tarball)
    },
    5 * minutes,
  )
})

describe.skipIf(!hasNvcc)('the CUDA backend beside the addon', () => {
  const sidecar = () => join(prebuilds(), 'gemmine_cuda.so')

  it('is small, and runs on the C library of the addon without a driver or cuBLAS to load', async () => {
    expect(statSync(sidecar()).size).toBeLessThan(8 << 20)
    const report = await run(box.folder, 'sh', [join(root, 'scripts', 'check-floor.sh'), sidecar()])
    expect(report).toContain('foreign libraries: none')
  })

  it('shows nothing but its table, and nothing of the emulation that tests use', async () => {
    const symbols = linesOf(await run(box.folder, 'nm', ['-D', '--defined-only', sidecar()]))
    expect(symbols.map((line) => line.split(' ').at(-1))).toEqual(['gemmine_cuda_table'])
    const files = linesOf(await run(box.folder, 'tar', ['-tzf', box.tarball]))
    expect(files.filter((path) => path.includes('emulation'))).toEqual([])
  })
})

describe.skipIf(process.platform !== 'linux')('the prebuild', () => {
  const addon = () => join(prebuilds(), readdirSync(prebuilds())[0]!)

  it('runs on the oldest C library that Node.js 20 runs on, and needs no other library', async () => {
    const report = await run(box.folder, 'sh', [join(root, 'scripts', 'check-floor.sh'), addon()])
    expect(report).toContain('foreign libraries: none')
  })

  it('shows nothing but its entry points, so another OpenBLAS in the process cannot reach its own', async () => {
    const symbols = linesOf(await run(box.folder, 'nm', ['-D', '--defined-only', addon()]))
    const names = symbols.map((line) => line.split(' ').at(-1))
    expect(names).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1'])
  })

  it('has no shared inline function compiled for AVX, which an older CPU could be handed', async () => {
    const objects = join(root, 'build/cmake/CMakeFiles/gemmine_core.dir/native/backend/cpu')
    const kernels = readdirSync(objects).filter((file) => /_avx(2|512)\.cc\.o$/.test(file))
    if (process.arch === 'x64') expect(kernels).not.toEqual([])
    for (const kernel of kernels) {
      const symbols = linesOf(await run(objects, 'nm', ['-C', '--defined-only', kernel]))
      expect(
        symbols.filter((line) => / [WVu] /.test(line)),
        kernel,
      ).toEqual([])
    }
  })
})

describe('a platform without a prebuild', () => {
  it(
    'is told the one command that builds it, and that command works',
    async () => {
      rmSync(join(box.installed, 'prebuilds'), { recursive: true })
      const report = `console.log(JSON.stringify([error.code, error.message]))`
      const load = `try { require('gemmine').info() } catch (error) { ${report} }`
      const [code, message] = JSON.parse(await box.evaluate('commonjs', load)) as [string, string]
      expect(code).toBe('ERR_GEMMINE_NATIVE_LOAD')
      const command = /npx \S+ build -d \S+/.exec(message)?.[0]
      expect(command, message).toBeDefined()

      const [program, ...args] = command!.split(' ')
      const answers = { npm_config_yes: 'true', npm_config_prefer_offline: 'true' }
      // The sidecar for four GPU architectures takes minutes where nvcc is; another test has the prebuilt one.
      const without = { GEMMINE_CUDA: 'OFF' }
      await run(box.folder, program!, args, { ...answers, ...without })
      expect(readdirSync(join(box.installed, 'build', 'Release'))).not.toContain('gemmine_cuda.so')
      const version = await box.evaluate(
        'commonjs',
        `console.log(require('gemmine').info().version)`,
      )
      expect(version).toBe(`${manifest().version}\n`)
    },
    15 * minutes,
  )
})
