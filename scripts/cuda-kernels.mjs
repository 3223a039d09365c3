// The CUDA kernels on an emulated GPU: under AddressSanitizer with UndefinedBehaviorSanitizer, under
// ThreadSanitizer, and with planted mistakes, each of which at least one of these programs must notice.
//   node scripts/cuda-kernels.mjs [sanitize] [mutants] [--only PART_OF_A_NAME|SUITE]
// Compiles with g++ ($CXX) and OpenBLAS for Linux on x86-64. Takes some minutes.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { entryMutants, rowMutants } from './cuda-entry-mutants.mjs'
import { mutants as epilogueMutants } from './cuda-epilogue-mutants.mjs'
import { mutants as passMutants } from './cuda-mutants.mjs'
import { mutants as scanMutants } from './cuda-scan-mutants.mjs'
import { Failure, root, succeedOrExplain } from './steps.mjs'

const suites = {
  passes: 'cuda_kernels_suite',
  scans: 'cuda_scan_kernels_suite',
  epilogues: 'cuda_epilogue_kernels_suite',
  entries: 'cuda_entry_kernels_suite',
  rows: 'cuda_row_kernels_suite',
}
const mutants = [
  ...passMutants.map((mutant) => ({ ...mutant, suite: suites.passes })),
  ...scanMutants.map((mutant) => ({ ...mutant, suite: suites.scans })),
  ...epilogueMutants.map((mutant) => ({ ...mutant, suite: suites.epilogues })),
  ...entryMutants.map((mutant) => ({ ...mutant, suite: suites.entries })),
  ...rowMutants.map((mutant) => ({ ...mutant, suite: suites.rows })),
]
const build = join(root, 'build', 'cuda-kernels')
const device = 'native/backend/cuda/device'
const emulation = 'test/native/cuda_emulation'
const compiler = [
  ...(process.env.CMAKE_CXX_COMPILER_LAUNCHER ?? '').split(' '),
  process.env.CXX ?? 'g++',
].filter(Boolean)

// What happens between the threads of a kernel must be invisible to ThreadSanitizer: see block.h.
const unseen = ['fibers.cc', 'operations.cc', 'memory.cc', 'runtime.cc']
const kinds = {
  plain: { flags: ['-O2', '-g'], emulation: [] },
  address: {
    flags: ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    emulation: ['-DEMULATION_ASAN'],
  },
  thread: { flags: ['-O1', '-g', '-fsanitize=thread'], emulation: ['-DEMULATION_TSAN'] },
}
const environment = {
  ...process.env,
  ASAN_OPTIONS: 'detect_stack_use_after_return=1:exitcode=99',
  TSAN_OPTIONS: 'halt_on_error=1:exitcode=66:report_signal_unsafe=0',
}
const openblas = () =>
  process.env.OPENBLAS_ROOT
    ? [join(process.env.OPENBLAS_ROOT, 'include'), join(process.env.OPENBLAS_ROOT, 'lib')]
    : [
        '/usr/include/x86_64-linux-gnu/openblas-pthread',
        '/usr/lib/x86_64-linux-gnu/openblas-pthread',
      ]

/** Compute capabilities that the sidecar has code for. */
const capabilities = /GEMMINE_CUDA_ARCHITECTURES "([\d;]+)"/
  .exec(readFileSync(join(root, 'cmake/cuda.cmake'), 'utf8'))[1]
  .replaceAll(';', ',')

function compile(kind, source, object, folder = root) {
  const { flags, emulation: defines } = kinds[kind]
  const own = unseen.includes(basename(source)) && kind === 'thread' ? ['-fno-sanitize=thread'] : []
  const [file, ...rest] = [
    ...compiler,
    ...['-std=c++20', '-ffp-contract=off', '-Wall', '-Wextra', '-Wno-unknown-pragmas', '-mf16c'],
    ...[`-I${join(folder, 'native')}`, `-I${join(root, 'native')}`, `-I${join(root, emulation)}`],
    ...[`-I${join(root, 'test/native')}`, `-isystem${openblas()[0]}`, '-DGEMMINE_CUDA_EMULATION'],
    `-DGEMMINE_CUDA_CAPABILITIES=${capabilities}`,
    ...[...flags, ...defines, ...own, '-x', 'c++', '-c', join(folder, source), '-o', object],
  ]
  return spawnSync(file, rest, { encoding: 'utf8' })
}

/** Sources of a program but its suite: the kernels, the emulation and the little of the addon that they need. */
const sources = () => [
  ...readdirSync(join(root, device))
    .filter((file) => /\.(cu|cc)$/.test(file) && file !== 'cublas_library.cc')
    .map((file) => `${device}/${file}`),
  ...readdirSync(join(root, emulation))
    .filter((file) => file.endsWith('.cc'))
    .map((file) => `${emulation}/${file}`),
  'native/backend/cuda/device.cc',
  'native/backend/cuda/library.cc',
  'native/core/error.cc',
]
const sourceOf = (suite) => `test/native/cuda/${suite}.cc`
const objectOf = (kind, source) => join(build, kind, `${source.replaceAll('/', '-')}.o`)

function link(kind, objects, program) {
  const libraries = [`-L${openblas()[1]}`, '-l:libopenblas.a', '-lpthread', '-lm', '-ldl']
  const [file] = compiler.slice(-1)
  return spawnSync(file, [...kinds[kind].flags, ...objects, ...libraries, '-o', program], {
    encoding: 'utf8',
  })
}

const runProgram = (program) =>
  spawnSync('timeout', ['300', program], { encoding: 'utf8', env: environment })

function must(result, what) {
  if (result.status !== 0) throw new Failure(`${what}:\n${result.stdout}${result.stderr}`)
}

function buildAll(kind) {
  mkdirSync(join(build, kind), { recursive: true })
  for (const source of [...sources(), ...Object.values(suites).map(sourceOf)])
    must(compile(kind, source, objectOf(kind, source)), source)
  for (const suite of Object.values(suites)) {
    const objects = [...sources(), sourceOf(suite)].map((source) => objectOf(kind, source))
    must(link(kind, objects, join(build, kind, suite)), kind)
  }
}

function sanitize() {
  for (const kind of Object.keys(kinds)) {
    buildAll(kind)
    for (const suite of Object.values(suites)) {
      const start = performance.now()
      const result = runProgram(join(build, kind, suite))
      must(result, `${suite}, ${kind}`)
      const seconds = ((performance.now() - start) / 1000).toFixed(1)
      console.log(`${kind}: ${result.stdout.trim()}, ${seconds} s`)
    }
  }
}

/** What a program says of a mistake, in a few words; undefined if it does not notice. */
function noticed({ status, stdout, stderr, error }) {
  if (error) throw error // not run at all: nothing was noticed
  if (status === 0) return undefined
  const all = stdout + stderr
  const [, said] = /SUMMARY: (\w+Sanitizer: [\w-]+)/.exec(all) ??
    /(runtime error: .{0,50})/.exec(all) ??
    /emulated device: (.{0,70})/.exec(all) ??
    /suite\.cc:\d+: (.{0,70})/.exec(all) ?? [undefined, `status ${status}`]
  return said
}

function plant({ name, file, find, replace }) {
  const folder = join(build, 'mutant')
  rmSync(folder, { recursive: true, force: true })
  cpSync(join(root, device), join(folder, device), { recursive: true })
  const path = join(folder, device, file)
  const text = readFileSync(path, 'utf8')
  if (text.split(find).length !== 2)
    throw new Failure(`${name}: "${find}" is in ${file} ${text.split(find).length - 1} times`)
  writeFileSync(
    path,
    text.replace(find, () => replace),
  )
  return folder
}

/** Sources that a changed file changes: itself, or all that may include a header. */
const changedBy = (file) =>
  /\.(cu|cc)$/.test(file)
    ? [`${device}/${file}`]
    : sources().filter((source) => source.startsWith(device) && source.endsWith('.cu'))

function tryMutant(mutant) {
  const folder = plant(mutant)
  for (const kind of mutant.kinds ?? ['plain']) {
    const changed = changedBy(mutant.file)
    for (const source of changed)
      must(compile(kind, source, join(folder, `${basename(source)}.o`), folder), mutant.name)
    const objects = [...sources(), sourceOf(mutant.suite)].map((source) =>
      changed.includes(source) ? join(folder, `${basename(source)}.o`) : objectOf(kind, source),
    )
    must(link(kind, objects, join(folder, 'suite')), mutant.name)
    const said = noticed(runProgram(join(folder, 'suite')))
    if (said) return `${kind}: ${said}`
  }
  return undefined
}

function tryMutants(only) {
  const chosen = mutants.filter(({ name, suite }) => name.includes(only) || suite === only)
  for (const kind of new Set(chosen.flatMap(({ kinds: used = ['plain'] }) => used)))
    if (!Object.values(suites).every((suite) => existsSync(join(build, kind, suite))))
      buildAll(kind)
  const survivors = chosen.filter((mutant) => {
    const said = tryMutant(mutant)
    console.log(`${mutant.name}: ${said ?? 'NOT NOTICED'}`)
    return said === undefined
  })
  console.log(`${chosen.length} mistakes planted, ${survivors.length} not noticed`)
  if (survivors.length > 0)
    throw new Failure(`Not noticed: ${survivors.map((m) => m.name).join('; ')}`)
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' } },
})
const wanted = positionals.length > 0 ? positionals : ['sanitize', 'mutants']

await succeedOrExplain(async () => {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('skipped: the GPU is emulated on Linux on x64')
    return
  }
  if (wanted.includes('sanitize')) sanitize()
  if (wanted.includes('mutants')) tryMutants(values.only)
})
