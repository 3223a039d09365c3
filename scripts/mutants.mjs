// Plants one bug at a time in a copy of the CUDA backend and says which build of its suites notices it: the
// plain one, the one under AddressSanitizer or the one under ThreadSanitizer. A bug that none notices fails
// the run. Usage: node scripts/mutants.mjs [part of a name ...]
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { mutants } from './mutants/list.mjs'
import { Failure, root, step, succeedOrExplain } from './steps.mjs'

const home = join(root, 'build', 'mutants')
const source = join(home, 'source')
const copied = ['native', 'test/native', 'cmake', 'CMakeLists.txt', 'package.json']
const longest = 300_000 // ms of a suite: a bug may also make it wait for ever

const builds = [
  { name: 'plain', options: [], env: {} },
  {
    name: 'address',
    options: ['-DGEMMINE_SANITIZE=address'],
    env: { ASAN_OPTIONS: 'detect_stack_use_after_return=1' },
  },
  {
    name: 'thread',
    options: ['-DGEMMINE_SANITIZE=thread'],
    env: { TSAN_OPTIONS: 'halt_on_error=1' },
  },
]

const suites = [...new Set(mutants.flatMap((mutant) => mutant.suites))]
const folderOf = (build) => join(home, build.name)

function copySources() {
  rmSync(source, { recursive: true, force: true })
  mkdirSync(source, { recursive: true })
  for (const path of copied)
    cpSync(join(root, path), join(source, path), { recursive: true, preserveTimestamps: true })
}

function compile(build, targets) {
  const jobs = String(availableParallelism())
  const args = ['--build', folderOf(build), '--parallel', jobs, '--target', ...targets]
  return spawnSync('cmake', args, { encoding: 'utf8' })
}

function run(build, suite) {
  const outcome = spawnSync(join(folderOf(build), suite), [], {
    encoding: 'utf8',
    timeout: longest,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...build.env },
  })
  return { failed: outcome.status !== 0, text: outcome.stdout + outcome.stderr }
}

/** What a failed suite says first. */
function symptom(text) {
  const line =
    /SUMMARY: .*/.exec(text)?.[0] ??
    /runtime error: .*/.exec(text)?.[0] ??
    /\.cc:\d+: .*/.exec(text)?.[0] ??
    /(?:what\(\):|emulated device:).*/.exec(text)?.[0]
  return (line ?? 'ended').slice(0, 100)
}

/** The build that notices the bug, and how; undefined if none does. */
function noticed(mutant) {
  for (const build of builds) {
    const compiled = compile(build, mutant.suites)
    if (compiled.status !== 0)
      throw new Failure(`${mutant.name} does not compile:\n${compiled.stdout.slice(-1500)}`)
    for (const suite of mutant.suites) {
      const outcome = run(build, suite)
      if (outcome.failed) return `${build.name}, ${suite}: ${symptom(outcome.text)}`
    }
  }
}

function plant(mutant) {
  const path = join(source, mutant.file)
  const original = readFileSync(path, 'utf8')
  const found = original.split(mutant.find).length - 1
  if (found !== 1)
    throw new Failure(`${mutant.name}: "${mutant.find}" occurs ${found} times in ${mutant.file}.`)
  writeFileSync(path, original.replace(mutant.find, () => mutant.replace))
  const said = noticed(mutant)
  writeFileSync(path, original)
  console.log(`${said ? 'noticed ' : 'SURVIVED'}  ${mutant.name}${said ? `  (${said})` : ''}`)
  return said !== undefined
}

async function prepare() {
  copySources()
  for (const build of builds) {
    const options = ['-DGEMMINE_TESTS=ON', '-DGEMMINE_CUDA=OFF', '-DGEMMINE_WERROR=', ...build.options]
    await step(`configure mutants ${build.name}`, 'cmake', ['-S', source, '-B', folderOf(build), ...options])
    const jobs = String(availableParallelism())
    await step(`compile mutants ${build.name}`, 'cmake', [
      ...['--build', folderOf(build), '--parallel', jobs, '--target'],
      ...suites,
    ])
    for (const suite of suites) {
      const outcome = run(build, suite)
      if (outcome.failed)
        throw new Failure(`${suite} fails without a bug (${build.name}): ${symptom(outcome.text)}`)
    }
  }
}

await succeedOrExplain(async () => {
  const wanted = process.argv.slice(2)
  const chosen = mutants.filter(
    ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
  )
  await prepare()
  const survivors = chosen.filter((mutant) => !plant(mutant))
  console.log(`${chosen.length} bugs planted, ${survivors.length} survived`)
  if (survivors.length > 0 || chosen.length === 0) process.exitCode = 1
})
