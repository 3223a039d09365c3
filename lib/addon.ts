// Finds the compiled part of this package and loads it. On failure it reports the reason and a remedy.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { bundledMessage } from './bundled'
import { GemmineError } from './errors'
import { packageName } from './version'

interface Loader {
  (root: string): unknown
  /** The file that the loader would load. */
  path(root: string): string
}

/** Where package.json and prebuilds/ are. A bundle of ECMAScript modules has no `__dirname`. */
const root = typeof __dirname === 'string' ? join(__dirname, '..') : undefined

/**
 * Returns whether this file is in its installed folder, not in the bundle of another program. A bundler may
 * keep the folder of the source as `__dirname` (Parcel, Bun), but has a `module` without a file.
 */
function isInstalled(): boolean {
  const file = typeof module === 'object' ? module.filename : undefined
  if (root === undefined || !file || dirname(file) !== __dirname) return false
  try {
    const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Error
    return name === packageName
  } catch (cause) {
    checkAccess(cause as LoadError)
    return false
  }
}

/** The stack of the error begins at the caller, without the frames of this file. */
function loadFailure(message: string, cause?: unknown): GemmineError {
  const error = new GemmineError('ERR_GEMMINE_NATIVE_LOAD', message, { cause })
  Error.captureStackTrace(error, loadAddon)
  return error
}

/**
 * The compiled part of this package.
 *
 * @throws {GemmineError} `ERR_GEMMINE_NATIVE_LOAD` with the reason and a remedy.
 */
export function loadAddon(): unknown {
  if (root === undefined) throw loadFailure(bundledMessage)
  const file = fileIn(root, loader())
  try {
    // Tools that copy the files of a program, such as Next.js and Nitro, find the addon by this expression.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return (require('node-gyp-build') as Loader)(join(__dirname, '..'))
  } catch (cause) {
    checkAccess(cause as LoadError)
    throw loadFailure(`${file} could not be loaded: ${whyNot(cause as LoadError, root)}`, cause)
  }
}

function loader(): Loader {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require('node-gyp-build') as Loader
  } catch (cause) {
    // node-gyp-build reads /etc/alpine-release, to distinguish musl from glibc.
    checkAccess(cause as LoadError)
    const [said] = (cause as LoadError).message.split('\n')
    throw loadFailure(
      isInstalled() ? `gemmine needs node-gyp-build: ${said}` : bundledMessage,
      cause,
    )
  }
}

function fileIn(folder: string, load: Loader): string {
  try {
    const file = load.path(folder)
    // A program that bundles this package may have its own addon at the same path.
    if (basename(file).startsWith(packageName) || isInstalled()) return file
  } catch (cause) {
    checkAccess(cause as LoadError)
    if (isInstalled()) throw loadFailure(noAddon(folder), cause)
  }
  throw loadFailure(bundledMessage)
}

// ---- Errors for a missing file.

/** On Linux ` with glibc` or ` with musl`. Only some systems with musl have /etc/alpine-release. */
function cLibrary(): string {
  if (process.platform !== 'linux') return ''
  const report = process.report as
    { excludeNetwork?: boolean | undefined; getReport?(): object } | undefined
  if (!report?.getReport) return existsSync('/etc/alpine-release') ? ' with musl' : ' with glibc'
  const { excludeNetwork } = report
  report.excludeNetwork = true // looks up no name of a connected host
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } }
  report.excludeNetwork = excludeNetwork
  return header.glibcVersionRuntime === undefined ? ' with musl' : ' with glibc'
}

/** The platforms for which this installation has a compiled part, as `linux-x64 (glibc)`. */
function prebuilt(folder: string): string[] {
  try {
    return readdirSync(join(folder, 'prebuilds')).flatMap((platform) =>
      readdirSync(join(folder, 'prebuilds', platform))
        .filter((file) => file.endsWith('.node'))
        .map((file) => `${platform} (${file.split('.')[1]})`),
    )
  } catch {
    return []
  }
}

/** The folder as typed in a shell, relative to the current folder. */
function typed(folder: string): string {
  const path = relative('', folder)
  const short = path.startsWith('..') ? folder : path || '.'
  return /\s/.test(short) ? `"${short}"` : short
}

const build = (folder: string) =>
  process.platform === 'win32'
    ? 'It cannot be built on Windows: use WSL (Windows Subsystem for Linux) or a Linux container'
    : 'To build it, with CMake, a C++20 compiler and a static, thread-safe OpenBLAS installed, run: ' +
      `npx cmake-js@8 build -d ${typed(folder)}`

function noAddon(folder: string): string {
  if (isUnreadable(folder))
    return `${hidden}: start node with ${readFlag(join(folder, '*'))} as well`
  const missing = `This installation of gemmine has no compiled part for ${process.platform} ${process.arch}${cLibrary()}`
  const there = prebuilt(folder)
  return there.length > 0
    ? `${missing}: it brings one for ${there.join(', ')}. ${build(folder)}`
    : `${missing}: its folder prebuilds is missing, as when a tool copies only some files. Install or copy the whole package. ${build(folder)}`
}

// ---- Errors for a file that cannot be loaded.

type LoadError = Error & { readonly code?: string; readonly resource?: string }

/** Undefined without the permission model; missing in the types of Node.js 20. */
const permission = () =>
  (process as { permission?: { has(scope: string, path?: string): boolean } }).permission

const hidden = 'The permission model of Node.js keeps gemmine from finding its compiled part'

const readFlag = (path: string) => `--allow-fs-read=${path}`

/** Throws the remedy if Node.js or Deno refused an access. */
function checkAccess(cause: LoadError): void {
  const { code, name, resource, message } = cause
  // Deno names one missing flag at a time.
  if (name === 'NotCapable')
    throw loadFailure(
      `Deno keeps gemmine from its compiled part: start it with --allow-read, --allow-env and --allow-ffi as well (${message})`,
      cause,
    )
  if (code === 'ERR_ACCESS_DENIED' && resource !== undefined)
    throw loadFailure(`${hidden}: start node with ${readFlag(resource)} as well`, cause)
}

const isUnreadable = (folder: string) => permission()?.has('fs.read', folder) === false

const forbidden = () =>
  permission()
    ? 'the permission model of Node.js forbids addons; start node with --allow-addons as well'
    : 'Node.js was told to load no addons; start it, or the worker, without --no-addons, also in NODE_OPTIONS'

/** Messages of the system's loader with their explanations; the first match is used. */
const causes: readonly (readonly [RegExp, (folder: string) => string])[] = [
  [
    /static TLS|failed to map segment|[Cc]annot allocate memory|ENOMEM|not enough (memory|space)/,
    () =>
      'no memory or address space is left for it (a limit of the container, ulimit -v), or its file system is mounted noexec',
  ],
  [
    /version [`'].*not found|GLIBC|CXXABI/,
    (folder) => `it needs a newer C library than this system has. ${build(folder)}`,
  ],
  [
    /invalid ELF header|wrong ELF class|file too short|Exec format|mach-o|incompatible architecture|not a valid Win32/i,
    (folder) =>
      `the file is damaged, or made for another system, as when node_modules was copied. Remove ${typed(folder)} and install it on this machine`,
  ],
  [
    /Permission denied|Operation not permitted|EACCES|EPERM/,
    () => 'this user may not read it, or its file system is mounted noexec',
  ],
  [
    /Error (loading shared library|relocating)/, // the words of musl
    (folder) =>
      `it was made for another C library than musl, which this system has. ${build(folder)}`,
  ],
  [
    /ld-(linux|musl)|undefined symbol/,
    (folder) => `it was made for another C library than this system has. ${build(folder)}`,
  ],
]

/** One sentence without its full stop; the system's message follows in parentheses. */
function whyNot({ code, message }: LoadError, folder: string): string {
  if (code === 'ERR_DLOPEN_DISABLED') return forbidden()
  const [said] = message.split('\n')
  const [, meaning] = causes.find(([pattern]) => pattern.test(message)) ?? []
  return meaning ? `${meaning(folder)} (${said})` : said!
}
