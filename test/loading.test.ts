// Errors if the package, or its compiled part, cannot be loaded.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import manifest from '../package.json'

const root = fileURLToPath(new URL('..', import.meta.url))
const base = mkdtempSync(join(tmpdir(), 'gemmine-loading-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

/** What a program of one file says; flags come before it. */
function said(code: string, flags: readonly string[] = [], shell = '') {
  const args = [...flags, '-e', code]
  const quoted = args.map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(' ')
  const program = `${shell} exec '${process.execPath}' ${quoted}`
  const { stdout, stderr, status } = spawnSync('sh', ['-c', program], { encoding: 'utf8' })
  return { text: stdout + stderr, status }
}

const asks = (folder: string) =>
  `try { console.log(require(${JSON.stringify(folder)}).info().version) } ` +
  `catch (error) { console.log(error.code, error.message) }`

const noCompiler = /cmake|compiler/i

describe('an addon that may not be loaded', () => {
  it('is no reason to build one: the permission model of Node.js wants --allow-addons', () => {
    const flags = ['--experimental-permission', '--allow-fs-read=/']
    const { text } = said(asks(root), flags)
    expect(text).toMatch(/ERR_GEMMINE_NATIVE_LOAD .* start node with --allow-addons/)
    expect(text).not.toMatch(noCompiler)
    expect(said(asks(root), [...flags, '--allow-addons']).text).toContain(manifest.version)
  })

  it('is found where the permission model lets no other file be read, or the file is named', () => {
    const flags = ['--experimental-permission', `--allow-fs-read=${root}*`, '--allow-addons']
    const { text } = said(asks(root), flags)
    const flag = '--allow-fs-read=/etc/alpine-release'
    expect(text).toMatch(new RegExp(`ERR_GEMMINE_NATIVE_LOAD .*start node with ${flag} as well`))
    expect(said(asks(root), [...flags, flag]).text).toContain(manifest.version)
  })

  it('is no reason to build one: --no-addons', () => {
    const { text } = said(asks(root), ['--no-addons'])
    expect(text).toMatch(/ERR_GEMMINE_NATIVE_LOAD .*without --no-addons/)
    expect(text).not.toMatch(noCompiler)
  })

  it('is no reason to build one: a worker with --no-addons', () => {
    const options = '{ eval: true, execArgv: ["--no-addons"] }'
    const worker = `new (require('worker_threads').Worker)(${JSON.stringify(asks(root))}, ${options})`
    expect(said(worker).text).toMatch(
      /ERR_GEMMINE_NATIVE_LOAD .*or the worker, without --no-addons/,
    )
  })

  it.skipIf(process.platform !== 'linux')(
    'is no reason to build one: no address space is left',
    () => {
      const { text } = said(asks(root), [], 'ulimit -v 1000000;')
      expect(text).toMatch(/ERR_GEMMINE_NATIVE_LOAD .*no memory or address space .*ulimit -v/)
      expect(text).not.toMatch(noCompiler)
    },
  )
})

/** The package as it is installed, with this text in place of its compiled part, or without any. */
function installed(name: string, addon?: string) {
  const folder = join(base, name, 'node_modules', 'gemmine')
  mkdirSync(folder, { recursive: true })
  for (const part of ['dist', 'package.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  for (const dependency of Object.keys(manifest.dependencies))
    symlinkSync(join(root, 'node_modules', dependency), join(folder, '..', dependency))
  if (addon !== undefined) {
    mkdirSync(join(folder, 'build', 'Release'), { recursive: true })
    writeFileSync(join(folder, 'build', 'Release', 'gemmine.node'), addon)
  }
  return folder
}

describe('an installation', () => {
  it('with a damaged addon is told to install it again', () => {
    const { text } = said(asks(installed('damaged', 'version https://git-lfs…'.repeat(50))))
    expect(text).toMatch(
      /ERR_GEMMINE_NATIVE_LOAD .*damaged, or made for another system.*install it/,
    )
    expect(text).not.toMatch(noCompiler)
  })

  it('without an addon is told for what platforms it has one, and the command that builds it', () => {
    const folder = installed('foreign')
    const prebuild = join(folder, 'prebuilds', 'atari-m68k')
    mkdirSync(prebuild, { recursive: true })
    writeFileSync(join(prebuild, 'gemmine.glibc.node'), '')
    const { text } = said(asks(folder))
    expect(text).toContain(`no compiled part for ${process.platform} ${process.arch}`)
    expect(text).toContain('it brings one for atari-m68k (glibc)')
    expect(text).toContain(`npx cmake-js@8 build -d ${folder}`)
  })
})

/** esbuild, which comes with the development dependency tsx. */
const esbuild = () => {
  const require = createRequire(import.meta.url)
  const fromTsx = createRequire(require.resolve('tsx/package.json'))
  return fromTsx('esbuild') as { buildSync(options: object): void }
}

function bundle(name: string, options: object) {
  const folder = join(base, name)
  const outfile = join(folder, 'out', 'deep', `bundle.${'format' in options ? 'mjs' : 'cjs'}`)
  mkdirSync(dirname(outfile), { recursive: true })
  // An app with a version and an addon of its own.
  writeFileSync(join(folder, 'out', 'package.json'), '{ "name": "app", "version": "9.9.9" }')
  mkdirSync(join(folder, 'out', 'build', 'Release'), { recursive: true })
  writeFileSync(join(folder, 'out', 'build', 'Release', 'other.node'), '')
  const contents = `import { info } from ${JSON.stringify(root)}
    import { version } from ${JSON.stringify(join(root, 'dist', 'version.js'))}
    console.log('version', version)
    try { info() } catch (error) { console.log(error.code, error.message) }`
  const stdin = { contents, resolveDir: base }
  esbuild().buildSync({ stdin, bundle: true, platform: 'node', outfile, ...options })
  return spawnSync(process.execPath, [outfile], { encoding: 'utf8' })
}

describe('a program that was bundled together with the package', () => {
  it('is told to leave it out, not to build it; the version stays that of the package', () => {
    const { stdout, stderr } = bundle('cjs', {})
    expect(stderr).toBe('')
    expect(stdout).toContain(`version ${manifest.version}\n`)
    expect(stdout).toContain('ERR_GEMMINE_NATIVE_LOAD gemmine was bundled into a program')
    expect(stdout).toContain('--external:gemmine')
    expect(stdout).not.toMatch(noCompiler)
  })

  it('of ECMAScript modules is told so too, and not that Node.js has no modules', () => {
    const { stderr } = bundle('esm', { format: 'esm' })
    expect(stderr).toContain('GemmineError: gemmine was bundled into a program')
  })

  it('of ECMAScript modules with a require of its own is told so too', () => {
    const js = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`
    const { stdout } = bundle('banner', { format: 'esm', banner: { js } })
    expect(stdout).toContain('ERR_GEMMINE_NATIVE_LOAD gemmine was bundled into a program')
  })
})

describe('a Node.js that is too old', () => {
  const pretend = (version: string) =>
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`
  const needed = manifest.engines.node.replace('>=', '')

  it('is told which one is needed, and not "availableMemory is not a function"', () => {
    const { text } = said(pretend('18.20.8') + asks(root))
    const sentence = `gemmine needs Node.js ${needed} or later, and this is Node.js 18.20.8`
    expect(text).toBe(`ERR_GEMMINE_NODE_VERSION ${sentence}\n`)
  })

  it.each(['20.17.0', '22.0.0', '100.1.0'])('is not %s', (version) => {
    expect(said(pretend(version) + asks(root)).text).toBe(`${manifest.version}\n`)
  })

  it('is told so in one line by the command line', () => {
    const program = `process.argv.push('info'); require(${JSON.stringify(join(root, 'dist/cli/main.js'))})`
    const { text, status } = said(pretend('20.16.9') + program)
    expect(text).toBe(
      `gemmine: gemmine needs Node.js ${needed} or later, and this is Node.js 20.16.9\n`,
    )
    expect(status).toBe(3)
  })
})
