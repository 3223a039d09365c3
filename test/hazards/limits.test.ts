// Limits of a system for a process: threads, address space. test/native/limits_test.cc tests the same limits
// on the core alone.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeNpy } from '../../lib/data/npy'
import { gaussian } from '../matrices'
import { runNode, runProgram } from './child'

const isLinux = process.platform === 'linux'

/** In this project, which another user can read: a folder for temporary files may be its owner's alone. */
const folder = mkdtempSync(fileURLToPath(new URL('../../build/limits-', import.meta.url)))
const rows = `${folder}/rows.npy`
beforeAll(async () => {
  chmodSync(folder, 0o755)
  await writeNpy(rows, gaussian(100, 8, 1))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const topk = [main, 'topk', '--queries', rows, '--corpus', rows, '--k', '3', '--json', '--quiet']

/**
 * Each run has a new user id without other processes, not even one that is ending: limits count all threads
 * of a user.
 */
let user = 3_141_592

const withThreads = (count: number) => [
  ...['setpriv', '--reuid', String(++user), '--clear-groups'],
  ...['prlimit', `--nproc=${count}`],
]
const withAddressSpace = (kibibytes: number) => [
  'sh',
  '-c',
  `ulimit -v ${kibibytes}; exec "$@"`,
  'sh',
]

async function whyNotAsAnotherUser(): Promise<string | undefined> {
  if (!isLinux) return 'it needs Linux'
  if (process.getuid?.() !== 0)
    return 'it needs root: a limit on threads counts all those of a user'
  const ended = await runProgram('outcomes', ['query', 1], { within: withThreads(300) }).catch(
    () => undefined,
  )
  return ended?.code === 0
    ? undefined
    : 'another user cannot read this project, or setpriv or prlimit is missing'
}
const reason = await whyNotAsAnotherUser()
if (reason) console.log(`limits on threads are not tried: ${reason}`)

const outcomesUnder = async (limit: string[], kind: string, count: number) => {
  const ended = await runProgram('outcomes', [kind, count], { within: limit })
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' })
  return JSON.parse(ended.stdout) as Record<string, number>
}

describe.skipIf(reason)('under a limit on threads', () => {
  it('a thousand calls at once are answered', async () => {
    expect(await outcomesUnder(withThreads(300), 'query', 1000)).toEqual({ done: 1000 })
  })

  it('that leaves a few, jobs use those; that leaves none, they name it', async () => {
    let fewest: number | undefined
    for (let threads = 6; threads <= 12; threads++) {
      // With fewer threads than it needs, Node.js aborts, hangs, or prints that it runs without one.
      const within = ['timeout', '--signal', 'KILL', '3', ...withThreads(threads)]
      const { code, stderr } = await runNode(['-e', '0'], { within })
      if (code !== 0 || stderr !== '') continue
      fewest ??= threads
      const outcomes = await outcomesUnder(withThreads(threads), 'fit', 3)
      console.log(`${threads} threads: ${JSON.stringify(outcomes)}`)
      if (threads >= fewest + 2) expect(outcomes).toEqual({ done: 3 })
      else
        expect(Object.keys(outcomes)).toEqual([
          expect.stringMatching(/^ERR_GEMMINE_BUSY: .*limit on threads/),
        ])
    }
  })

  it('a file is read after a job, and the command line is not silent, unless plain Node.js cannot do it', async () => {
    const plain = ['-e', "require('node:fs/promises').readdir('/').then(() => console.log('read'))"]
    for (let threads = 10; threads <= 14; threads++) {
      const within = () => ['timeout', '--signal', 'KILL', '20', ...withThreads(threads)]
      if ((await runNode(plain, { within: within() })).stdout !== 'read\n') continue
      const ended = await runProgram('file-after-job', [], { within: within() })
      console.log(`${threads} threads: ${ended.stdout.trim()}`)
      expect(ended).toMatchObject({ code: 0, stderr: '' })
      const told = await runNode(topk, { within: within() })
      if (told.code !== 0) expect(told.stderr).toMatch(/^gemmine: The system allows no further/)
    }
  })
})

describe.skipIf(!isLinux)('under a limit on address space', () => {
  it('the command line does its work, or tells what is short', async () => {
    const needed = Number((await runProgram('address-space')).stdout)
    for (const room of [-250, -190, -130, -70, 200]) {
      const limit = withAddressSpace(needed + room * 1024)
      const plain = await runNode(['-e', '0'], { within: limit })
      if (plain.code !== 0) continue
      const { code, signal, stderr } = await runNode(topk, { within: limit })
      console.log(`${room} MiB of room: ${code} ${stderr.trim()}`)
      expect(signal).toBeNull()
      expect(code === 0 || /^gemmine: .*(memory|space)/.test(stderr)).toBe(true)
    }
  })

  it('a factorization ends, or fails for want of memory', async () => {
    const needed = Number((await runProgram('address-space')).stdout)
    const seen = new Set<string>()
    for (const room of [20, 70, 120, 700]) {
      const limit = withAddressSpace(needed + room * 1024)
      const { code, stdout, stderr } = await runProgram('outcomes', ['fit', 1], { within: limit })
      console.log(`${room} MiB of room: ${stdout.trim() || stderr.trim()}`)
      if (/Fatal process OOM|heap out of memory/.test(stderr)) continue // V8's own, before the job
      expect([code, stderr]).toEqual([0, ''])
      for (const outcome of Object.keys(JSON.parse(stdout))) seen.add(outcome.replace(/:.*/, ''))
    }
    expect([...seen].sort()).toEqual(['ERR_GEMMINE_OUT_OF_MEMORY', 'done'])
  })
})
