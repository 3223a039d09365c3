'use strict'
// The one place that knows how cmake-js, prebuildify and the folders they write fit together.
//   build [--into DIR] [--tests]   compiles the addon (and the suites of test/native)
//   prebuild                       makes prebuilds/<platform>-<arch>/gemmine.<libc>.node, and gemmine_cuda.so
//                                  beside it where nvcc is
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')

const root = path.resolve(__dirname, '..')
// Never build/ itself: cmake-js empties its output folder, and node-gyp-build looks into build/Release.
const output = path.join(root, 'build', 'cmake')

function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

const isLibrary = (file) => /\.(node|so|dylib|dll)$/.test(file)

function build(into, tests) {
  const cmakeJs = require.resolve('cmake-js/bin/cmake-js', { paths: [root] })
  const options = ['-d', root, '-O', output, '-B', 'Release']
  const jobs = ['-p', String(os.availableParallelism())]
  // Without --tests an earlier GEMMINE_TESTS stays as it is: the suites keep their place in ctest's list.
  run(process.execPath, [
    cmakeJs,
    'configure',
    ...options,
    ...(tests ? ['--CDGEMMINE_TESTS=ON'] : []),
  ])
  run(process.execPath, [
    cmakeJs,
    'build',
    ...options,
    ...jobs,
    ...(tests ? [] : ['-T', 'gemmine']),
  ])
  fs.mkdirSync(into, { recursive: true })
  for (const file of fs.readdirSync(path.join(output, 'Release')).filter(isLibrary)) {
    // A new file under the same name: overwriting one that a process has loaded would crash it.
    fs.copyFileSync(path.join(output, 'Release', file), path.join(into, `${file}.new`))
    fs.renameSync(path.join(into, `${file}.new`), path.join(into, file))
  }
}

/** Builds in a folder of its own, because prebuildify moves the addon out of build/Release. */
function prebuild() {
  const staging = path.join(root, 'build', 'prebuild')
  fs.mkdirSync(staging, { recursive: true })
  const prebuildify = require.resolve('prebuildify/bin.js', { paths: [root] })
  const shim = path.join(__dirname, 'gyp-shim.cjs')
  const options = ['--napi', '--strip', '--tag-libc', '--name', 'gemmine', '--node-gyp', shim]
  run(process.execPath, [prebuildify, '--cwd', staging, '--out', root, ...options])

  const libc = fs.existsSync('/etc/alpine-release') ? 'musl' : 'glibc'
  const made = path.join(
    root,
    'prebuilds',
    `${process.platform}-${process.arch}`,
    `gemmine.${libc}.node`,
  )
  run(process.execPath, ['-e', 'require(process.argv[1])', made])
  const sidecar = path.join(path.dirname(made), 'gemmine_cuda.so')
  const files = fs.existsSync(sidecar) ? [made, sidecar] : [made]
  if (process.platform === 'linux') run('sh', [path.join(__dirname, 'check-floor.sh'), ...files])
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    into: { type: 'string', default: 'build/Release' },
    tests: { type: 'boolean', default: false },
  },
})
if (positionals[0] === 'build') build(path.resolve(root, values.into), values.tests)
else if (positionals[0] === 'prebuild') prebuild()
else {
  console.error('Usage: native.cjs build [--into DIR] [--tests] | prebuild')
  process.exitCode = 2
}
