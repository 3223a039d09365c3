// Common part of the set-up and the test runners: quiet steps with a log, and suites with a count of results.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const logs = join(root, 'build', 'logs')

/** An error with a sentence for the user; it is printed without a stack trace. */
export class Failure extends Error {}

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

const lastLines = (text, count) => text.trimEnd().split('\n').slice(-count).join('\n')

/**
 * Runs a program with its output in build/logs, and prints one line on stderr: stdout is for the command that
 * runs the set-up.
 */
export async function step(label, program, args, { env = process.env } = {}) {
  mkdirSync(logs, { recursive: true })
  const log = join(logs, `${label.replaceAll(' ', '-')}.log`)
  const descriptor = openSync(log, 'w')
  const started = performance.now()
  process.stderr.write(`setup: ${label} ... `)
  const outcome = await new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env,
      stdio: ['ignore', descriptor, descriptor],
    })
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (status, signal) =>
      resolve(status === 0 ? '' : `${signal ?? `exit code ${status}`}`),
    )
  })
  closeSync(descriptor)
  process.stderr.write(outcome === '' ? `${seconds(started)}\n` : 'failed\n')
  if (outcome !== '')
    throw new Failure(explained(label, program, outcome, readFileSync(log, 'utf8')))
}

/** The message of CMakeLists.txt if the log contains it, otherwise the last lines. */
function explained(label, program, outcome, text) {
  const sentence = /^CMake Error[^\n]*\n(.*?gemmine needs.*?)\n\n/ms.exec(text)?.[1]
  if (sentence) return sentence.trim().replaceAll(/\s+/g, ' ')
  return `The step "${label}" failed (${program}: ${outcome}). The last lines of its log:\n${lastLines(text, 20)}`
}

/** Runs main; for a {@link Failure} prints its sentence and sets exit code 1. */
export async function succeedOrExplain(main) {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    console.error(`gemmine: ${error.message}`)
    process.exitCode = 1
  }
}

/**
 * Runs all suites, also after a failure, and ends with the line "N passed, N failed".
 *
 * @param {{ name: string, program: string, args: string[], env?: object }[]} suites
 */
export function runSuites(suites) {
  const results = suites.map(({ name, program, args, env = {} }) => {
    console.log(`\n== ${name}`)
    const started = performance.now()
    const { status } = spawnSync(program, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: 'inherit',
    })
    return { name, passed: status === 0, took: seconds(started) }
  })
  console.log()
  for (const { name, passed, took } of results)
    console.log(`${passed ? 'ok    ' : 'FAILED'}  ${name} (${took})`)
  const passed = results.filter((result) => result.passed).length
  console.log(`${passed} passed, ${results.length - passed} failed`)
  process.exitCode = passed === results.length ? 0 : 1
}
