// Errors if the package, or its compiled part, cannot be loaded.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
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
function said(code: string, flags: readonly string[] = []) {
  const args = [...flags, '-e', code]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
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

  it('is no sign of a bundle under Deno, which wants three flags', () => {
    // node-gyp-build asks for this file first; Deno names its errors so.
    const refusal = `Object.assign(new Error('Requires read access to "x"'), { name: 'NotCapable' })`
    const { text } = said(`require('fs').existsSync = () => { throw ${refusal} }; ${asks(root)}`)
    expect(text).toMatch(
      /ERR_GEMMINE_NATIVE_LOAD Deno .* --allow-read, --allow-env and --allow-ffi/,
    )
    expect(text).not.toMatch(/bundle|cmake|node-gyp-build/)
  })

  it('is no reason to build one: no address space is left', () => {
    const sentence = 'gemmine.node: failed to map segment from shared object'
    const full = `process.dlopen = () => { throw new Error('${sentence}') };`
    const { text } = said(full + asks(root))
    expect(text).toMatch(/ERR_GEMMINE_NATIVE_LOAD .*no memory or address space .*ulimit -v/)
    expect(text).not.toMatch(noCompiler)
  })
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

  // One prebuild, for a platform that no test runs on.
  const foreign = installed('foreign')
  const prebuild = join(foreign, 'prebuilds', 'atari-m68k')
  mkdirSync(prebuild, { recursive: true })
  writeFileSync(join(prebuild, 'gemmine.glibc.node'), '')

  const pretend = (platform: string, arch: string) =>
    Object.entries({ platform, arch })
      .map(([name, value]) => `Object.defineProperty(process, '${name}', { value: '${value}' });`)
      .join(' ')

  it('without an addon is told for what platforms it has one, and the command that builds it', () => {
    const { text } = said(asks(foreign))
    expect(text).toContain(`no compiled part for ${process.platform} ${process.arch}`)
    expect(text).toContain('it brings one for atari-m68k (glibc)')
    expect(text).toContain(`npx cmake-js@8 build -d ${foreign}`)
  })

  it.each([
    ['darwin', 'arm64'],
    ['linux', 'arm64'],
    ['freebsd', 'x64'],
  ])('on %s %s is told the command that builds it', (platform, arch) => {
    const { text } = said(pretend(platform, arch) + asks(foreign))
    expect(text).toContain(`no compiled part for ${platform} ${arch}`)
    expect(text).toContain('npx cmake-js@8 build')
  })

  it('on Windows, where it cannot be built, is told to use WSL or a container', () => {
    const { text } = said(pretend('win32', 'x64') + asks(foreign))
    expect(text).toContain('no compiled part for win32 x64: it brings one for atari-m68k (glibc)')
    expect(text).toMatch(/WSL .* or a Linux container/)
    expect(text).not.toMatch(noCompiler)
  })

  it('on a system with musl, but without /etc/alpine-release, is not told that it has glibc', () => {
    const musl = `process.report.getReport = () => ({ header: {} });`
    const { text } = said(musl + pretend('linux', 'arm64') + asks(foreign))
    expect(text).toContain('no compiled part for linux arm64 with musl')
  })

  it('with an addon for glibc, on a system with musl, is told that the system has musl', () => {
    const sentence = 'Error loading shared library ld-linux-x86-64.so.2: No such file or directory'
    const musl = `process.dlopen = () => { throw new Error('${sentence}') };`
    const { text } = said(musl + asks(installed('glibc', '')))
    expect(text).toMatch(/ERR_GEMMINE_NATIVE_LOAD .*another C library than musl/)
    expect(text).toContain('npx cmake-js@8 build')
  })

  it('that a tool has copied without its addon is told to copy all of it', () => {
    const { text } = said(asks(installed('partial')))
    expect(text).toMatch(/its folder prebuilds is missing.* copy the whole package/)
  })

  it('shows its addon to the tools that copy what a program needs (Next.js, Nitro)', () => {
    // They search for this call and evaluate its argument.
    const text = readFileSync(join(root, 'dist', 'addon.js'), 'utf8')
    expect(text).toContain(`require('node-gyp-build')((0, node_path_1.join)(__dirname, '..'))`)
  })

  it('works under tsx in a CommonJS program of TypeScript, where require loads no JSON', () => {
    const program = join(base, 'program.cts')
    const path = JSON.stringify(join(root, 'dist', 'index.js'))
    writeFileSync(program, `import { info } from ${path}\nconsole.log(info().version as string)`)
    const tsx = join(root, 'node_modules/tsx/dist/cli.mjs')
    const { stdout, stderr } = spawnSync(process.execPath, [tsx, program], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(stdout).toBe(`${manifest.version}\n`)
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

  it('by a bundler that keeps the folders of the sources is told so too, not of node-gyp-build', () => {
    // Parcel: `require` is undefined in node-gyp-build.
    const broken = join(base, 'broken.cjs')
    writeFileSync(broken, `undefined.addon`)
    const define = { __dirname: JSON.stringify(join(root, 'dist')) }
    const { stdout } = bundle('folders', { define, alias: { 'node-gyp-build': broken } })
    expect(stdout).toContain('ERR_GEMMINE_NATIVE_LOAD gemmine was bundled into a program')
    expect(stdout).not.toContain('node-gyp-build')
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
