// Finds the compiled part of this package and loads it. On failure it reports the reason and a remedy.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
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

/** Returns whether this file is in its installed folder, not in the bundle of another program. */
function isInstalled(): boolean {
  if (root === undefined) return false
  try {
    const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Error
    return name === packageName
  } catch {
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
  const load = loader()
  const file = fileIn(root, load)
  try {
    return load(root)
  } catch (cause) {
    throw loadFailure(`${file} could not be loaded: ${whyNot(cause as LoadError, root)}`, cause)
  }
}

function loader(): Loader {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require('node-gyp-build') as Loader
  } catch (cause) {
    const { code, resource, message } = cause as LoadError
    // node-gyp-build reads /etc/alpine-release, to distinguish musl from glibc.
    if (code === 'ERR_ACCESS_DENIED' && resource !== undefined)
      throw loadFailure(`${hidden}: start node with ${readFlag(resource)} as well`, cause)
    const [said] = message.split('\n')
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
    if (isInstalled()) throw loadFailure(noAddon(folder), cause)
  }
  throw loadFailure(bundledMessage)
}

// ---- Errors for a missing file.

const cLibrary = () =>
  process.platform === 'linux'
    ? ` with ${existsSync('/etc/alpine-release') ? 'musl' : 'glibc'}`
    : ''

/** The platforms for which this installation has a compiled part, as `linux-x64 (glibc)`. */
function prebuilt(folder: string): string[] {
  try {
    return readdirSync(join(folder, 'prebuilds')).flatMap((platform) =>
      readdirSync(join(folder, 'prebuilds', platform)).map(
        (file) => `${platform} (${file.split('.')[1]})`,
      ),
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
  'Build it, with CMake, a C++20 compiler and a static, thread-safe OpenBLAS installed, by: ' +
  `npx cmake-js@8 build -d ${typed(folder)}`

function noAddon(folder: string): string {
  if (isUnreadable(folder))
    return `${hidden}: start node with ${readFlag(join(folder, '*'))} as well`
  const there = prebuilt(folder)
  const list = there.length > 0 ? `it brings one for ${there.join(', ')}` : 'it brings none'
  return `This installation of gemmine has no compiled part for ${process.platform} ${process.arch}${cLibrary()}: ${list}. ${build(folder)}`
}

// ---- Errors for a file that cannot be loaded.

type LoadError = Error & { readonly code?: string; readonly resource?: string }

/** Undefined without the permission model; missing in the types of Node.js 20. */
const permission = () =>
  (process as { permission?: { has(scope: string, path?: string): boolean } }).permission

const hidden = 'The permission model of Node.js keeps gemmine from finding its compiled part'

const readFlag = (path: string) => `--allow-fs-read=${path}`

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
    /ld-(linux|musl)|Error loading shared library|symbol not found|undefined symbol/,
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
