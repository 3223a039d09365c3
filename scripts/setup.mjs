// Sets up a checkout: npm packages, system packages, the addon, dist/. Skips every part that is up to date.
//   node scripts/setup.mjs [--tests] [--prebuild]
//   --tests also compiles the suites of test/native; --prebuild also makes this platform's prebuild.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { Failure, root, step, succeedOrExplain } from './steps.mjs'

const at = (...path) => join(root, ...path)
const node = process.execPath

// ---- npm packages

/** Whether node_modules contains the versions of package-lock.json (optional ones may be absent). */
function packagesMatch() {
  if (!existsSync(at('node_modules', '.package-lock.json'))) return false
  const packages = (path) => JSON.parse(readFileSync(path, 'utf8')).packages
  const installed = packages(at('node_modules', '.package-lock.json'))
  return Object.entries(packages(at('package-lock.json'))).every(
    ([path, { version, optional }]) =>
      path === '' || optional || installed[path]?.version === version,
  )
}

async function installPackages() {
  if (packagesMatch()) return
  await step('npm packages', 'npm', [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--no-audit',
    '--no-fund',
  ])
}

// ---- system packages

const onPath = (...programs) =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => programs.some((name) => existsSync(join(folder, name))))

/** Checks Debian's path of the thread-safe archive; for other systems only CMakeLists.txt has the paths. */
const hasOpenblas = () =>
  Boolean(process.env.OPENBLAS_ROOT) ||
  !onPath('apt-get') ||
  readdirSync('/usr/lib').some((folder) =>
    existsSync(join('/usr/lib', folder, 'openblas-pthread', 'libopenblas.a')),
  )

const requirements = [
  {
    present: () => onPath('c++', 'g++', 'clang++'),
    debian: 'g++',
    fedora: 'gcc-c++',
    macos: 'gcc',
  },
  { present: () => onPath('ninja', 'make'), debian: 'make', fedora: 'make', macos: 'ninja' },
  { present: () => onPath('cmake'), debian: 'cmake', fedora: 'cmake', macos: 'cmake' },
  {
    present: hasOpenblas,
    debian: 'libopenblas-pthread-dev',
    fedora: 'openblas-devel openblas-static',
    macos: 'openblas',
  },
]

/** The prefix of an apt-get command, or undefined without the right to install. */
function privilege() {
  if (!onPath('apt-get')) return
  if (process.getuid?.() === 0) return []
  const sudo = onPath('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
  return sudo ? ['sudo', '-n'] : undefined
}

async function installSystemPackages() {
  const missing = requirements.filter(({ present }) => !present())
  if (missing.length === 0) return
  const names = (system) => missing.map((requirement) => requirement[system]).join(' ')
  const prefix = privilege()
  if (!prefix)
    throw new Failure(
      `Building needs packages that are not installed: on Debian and Ubuntu run "sudo apt-get install ${names('debian')}", ` +
        `on Fedora "sudo dnf install ${names('fedora')}", on macOS "brew install ${names('macos')}", then try again.`,
    )
  const aptGet = async (label, ...args) => {
    const [program, ...rest] = [
      ...prefix,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-q',
      ...args,
    ]
    await step(label, program, rest)
  }
  await aptGet('apt-get update', 'update')
  await aptGet(
    `apt-get install ${names('debian')}`,
    'install',
    '-y',
    '--no-install-recommends',
    ...names('debian').split(' '),
  )
}

// ---- builds

const filesUnder = (path) =>
  statSync(at(path)).isFile()
    ? [path]
    : readdirSync(at(path), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))

/** A hash of all inputs of a result: these files and folders, Node.js, the packages, OpenBLAS's path. */
function contentHash(paths) {
  const hash = createHash('sha256')
  hash.update(`${process.version}\n${process.env.OPENBLAS_ROOT ?? ''}\n`)
  const files = ['package.json', 'package-lock.json', ...paths].flatMap(filesUnder).sort()
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(at(file)))
  return hash.digest('hex')
}

const stampOf = (name) => at('build', 'stamp', name)

function stamp(name, hash) {
  mkdirSync(at('build', 'stamp'), { recursive: true })
  writeFileSync(stampOf(name), hash)
}

/** Runs `build` unless the result exists and its stamp equals the hash of its inputs. */
async function upToDate(name, result, sources, build) {
  const hash = contentHash(sources)
  const stamped = existsSync(stampOf(name)) && readFileSync(stampOf(name), 'utf8')
  if (existsSync(at(result)) && stamped === hash) return
  await build()
  stamp(name, hash)
}

const addon = 'build/Release/gemmine.node'
const nativeSources = ['native', 'CMakeLists.txt', 'cmake', 'scripts/native.cjs']
const buildNative = ['scripts/native.cjs', 'build']

const buildAddon = () =>
  upToDate('addon', addon, nativeSources, () => step('compile the addon', node, buildNative))

const buildAddonAndSuites = () =>
  upToDate('suites', addon, [...nativeSources, 'test/native'], async () => {
    const hash = contentHash(nativeSources)
    await step('compile the addon and its tests', node, [...buildNative, '--tests'])
    stamp('addon', hash)
  })

const buildDist = () =>
  upToDate(
    'dist',
    'dist/index.mjs',
    ['lib', 'tsconfig.json', 'scripts/entry-points.cjs'],
    async () => {
      rmSync(at('dist'), { recursive: true, force: true })
      await step('compile lib to dist', 'npm', ['run', 'build:ts'])
    },
  )

const { values: options } = parseArgs({
  options: { tests: { type: 'boolean' }, prebuild: { type: 'boolean' } },
})

await succeedOrExplain(async () => {
  await installPackages()
  await installSystemPackages()
  await (options.tests ? buildAddonAndSuites() : buildAddon())
  await buildDist()
  if (options.prebuild) await step('make the prebuild', node, ['scripts/native.cjs', 'prebuild'])
})
