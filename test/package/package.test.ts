// What a consumer gets: packed, installed into an empty folder without running a script, and used.
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Box, root, run, tool } from './box'

const minutes = 60_000
let box: Box
beforeAll(() => void (box = new Box()), 15 * minutes)
afterAll(() => box?.close())

interface Manifest {
  readonly scripts: Record<string, string>
  readonly gypfile: boolean
  readonly version: string
}

const manifest = () =>
  JSON.parse(readFileSync(join(box.installed, 'package.json'), 'utf8')) as Manifest
const prebuilds = () => join(box.installed, 'prebuilds', `${process.platform}-${process.arch}`)

describe('the tarball', () => {
  it('holds the prebuild, the sources, the types and the licences, and nothing that starts a build', () => {
    const files = run(box.folder, 'tar', ['-tzf', box.tarball]).trim().split('\n')
    const inside = (path: string) => files.includes(`package/${path}`)
    for (const path of [
      'dist/index.js',
      'dist/index.mjs',
      'dist/index.d.ts',
      'dist/index.d.mts',
      'dist/cli/main.js',
      'CMakeLists.txt',
      'native/napi.map',
      'LICENSE',
      'LICENSES/OpenBLAS.txt',
      'LICENSES/LAPACK.txt',
      'LICENSES/GCC-runtime-exception.txt',
      'LICENSES/GPL-3.txt',
      'LICENSES/node-addon-api.txt',
    ])
      expect(inside(path), path).toBe(true)
    expect(readdirSync(prebuilds())).toEqual([
      expect.stringMatching(/^gemmine(\.glibc|\.musl)?\.node$/),
    ])
    const foreign = /\.gyp$|^package\/(test|bench|lib|scripts|build|node_modules)\//
    expect(files.filter((path) => foreign.test(path))).toEqual([])
  })

  it('has no script that an install runs', () => {
    const { scripts, gypfile } = manifest()
    const hooks = [
      'preinstall',
      'install',
      'postinstall',
      'prepublish',
      'preprepare',
      'prepare',
      'postprepare',
    ]
    expect(Object.keys(scripts).filter((name) => hooks.includes(name))).toEqual([])
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

  it('is the same through require and import, and computes', () => {
    const required = box.evaluate(
      'commonjs',
      `const g = require('gemmine'); console.log(${described})`,
    )
    const imported = box.evaluate(
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

  it('gives a class one identity', () => {
    const code = `import { createRequire } from 'node:module'
      import { GemmineError } from 'gemmine'
      const required = createRequire(import.meta.url)('gemmine')
      console.log(required.GemmineError === GemmineError)`
    expect(box.evaluate('module', code)).toBe('true\n')
  })

  it('comes with the command line', () => {
    const bin = join(box.folder, 'node_modules', '.bin', 'gemmine')
    const info = JSON.parse(run(box.folder, bin, ['info', '--json'])) as { version: string }
    expect(info.version).toBe(manifest().version)
  })
})

describe('the types', () => {
  it(
    'satisfy publint and attw',
    () => {
      expect(tool(box.folder, 'publint/src/cli.js', 'run', box.tarball, '--strict')).toContain(
        'All good!',
      )
      tool(
        box.folder,
        '@arethetypeswrong/cli/dist/index.js',
        box.tarball,
        '--no-emoji',
        '--no-color',
      )
    },
    minutes,
  )

  const use = `
    const X = { data: new Float32Array(12), rows: 4, cols: 3 }
    export const version: string = info().version
    export const H: Promise<Float32Array> = semiNmf(X, { rank: 2 }).then((model) => model.H.data)
    export const code = (error: unknown) => (error instanceof GemmineError ? error.code : undefined)\n`
  const sources = {
    'consumer.mts': `import { GemmineError, info, semiNmf } from 'gemmine'\n${use}`,
    'consumer.cts': `import gemmine = require('gemmine')\nconst { GemmineError, info, semiNmf } = gemmine\n${use}`,
  }
  const compile = (...types: string[]) => {
    for (const [file, text] of Object.entries(sources)) box.write(file, text)
    const compilerOptions = {
      module: 'node16',
      target: 'es2022',
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      types,
    }
    box.write('tsconfig.json', JSON.stringify({ compilerOptions, files: Object.keys(sources) }))
    tool(box.folder, 'typescript/bin/tsc')
  }

  it(
    'compile without skipLibCheck, for a consumer without and with @types/node',
    () => {
      compile()
      mkdirSync(join(box.folder, 'node_modules', '@types'), { recursive: true })
      symlinkSync(
        join(root, 'node_modules/@types/node'),
        join(box.folder, 'node_modules/@types/node'),
      )
      compile('node')
    },
    minutes,
  )
})

describe.skipIf(process.platform !== 'linux')('the prebuild', () => {
  const addon = () => join(prebuilds(), readdirSync(prebuilds())[0]!)

  it('runs on the oldest C library that Node.js 20 runs on, and needs no other library', () => {
    expect(run(box.folder, 'sh', [join(root, 'scripts/check-floor.sh'), addon()])).toContain(
      'foreign libraries: none',
    )
  })

  it('shows nothing but its entry points, so another OpenBLAS in the process cannot reach its own', () => {
    const symbols = run(box.folder, 'nm', ['-D', '--defined-only', addon()]).trim().split('\n')
    const names = symbols.map((line) => line.split(' ').at(-1))
    expect(names).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1'])
  })

  it('has no shared inline function compiled for AVX, which an older CPU could be handed', () => {
    const objects = join(root, 'build/cmake/CMakeFiles/gemmine_core.dir/native/backend/cpu')
    const kernels = readdirSync(objects).filter((file) => /_avx(2|512)\.cc\.o$/.test(file))
    expect(kernels.length).toBeGreaterThan(0)
    for (const kernel of kernels) {
      const symbols = run(objects, 'nm', ['-C', '--defined-only', kernel]).trim().split('\n')
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
    () => {
      rmSync(join(box.installed, 'prebuilds'), { recursive: true })
      const report = `console.log(JSON.stringify([error.code, error.message]))`
      const code = `try { require('gemmine').info() } catch (error) { ${report} }`
      const [errorCode, message] = JSON.parse(box.evaluate('commonjs', code)) as [string, string]
      expect(errorCode).toBe('ERR_GEMMINE_NATIVE_LOAD')
      const command = /npx \S+ build -d \S+/.exec(message)?.[0]
      expect(command).toBeDefined()

      const [program, ...args] = command!.split(' ')
      run(box.folder, program!, args, { npm_config_yes: 'true', npm_config_prefer_offline: 'true' })
      expect(box.evaluate('commonjs', `console.log(require('gemmine').info().version)`)).toBe(
        `${manifest().version}\n`,
      )
    },
    15 * minutes,
  )
})
