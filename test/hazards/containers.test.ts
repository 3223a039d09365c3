// Memory limits of containers, in a new cgroup. test/native/limits_test.cc tests the reading of both versions
// of cgroups without them, and test/data/matrix-file.test.ts their effect on loadNpy.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  rmdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { npyHeader } from '../../lib/data/npy-header'
import { runNode } from './child'

const mebibyte = 2 ** 20
const limit = 200 * mebibyte

const cgroups = '/sys/fs/cgroup'
const isV1 = existsSync(join(cgroups, 'memory'))
const group = join(cgroups, isV1 ? 'memory' : '', `gemmine-test-${process.pid}`)

/** Makes the group, or tells why there can be none. */
function whyNoGroup(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root'
  try {
    mkdirSync(group)
    writeFileSync(join(group, isV1 ? 'memory.limit_in_bytes' : 'memory.max'), String(limit))
    return
  } catch (error) {
    if (existsSync(group)) rmdirSync(group)
    return `no memory cgroup can be made: ${(error as Error).message}`
  }
}
const reason = whyNoGroup()
if (reason) console.log(`memory limits of containers are not tried: ${reason}`)

const command = join(__dirname, '..', '..', 'dist', 'cli', 'main.js')
const inGroup = ['sh', '-c', 'echo $$ > "$0/cgroup.procs"; exec "$@"', group]

describe.skipIf(reason)('in a container of 200 MiB', () => {
  let folder: string
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'container-'))))
  afterAll(() => {
    rmSync(folder, { recursive: true })
    rmdirSync(group)
  })

  /** A matrix of zeros that takes no room on the disk. */
  function zeros(name: string, rows: number, cols: number, fortran = false) {
    const path = join(folder, name)
    const rowsFirst = Buffer.from(npyHeader('<f4', [rows, cols])).toString('latin1')
    const header = Buffer.from(fortran ? rowsFirst.replace('False', 'True ') : rowsFirst, 'latin1')
    writeFileSync(path, header)
    truncateSync(path, header.length + 4 * rows * cols)
    return path
  }

  it('a small job runs although the page cache fills the container', async () => {
    const junk = zeros('junk.npy', 60_000, 1024)
    execFileSync(inGroup[0]!, [...inGroup.slice(1), 'cat', junk], { stdio: 'ignore' })
    const X = zeros('X.npy', 2000, 384)
    const args = ['topk', '--queries', X, '--corpus', X, '--k', '100', '--json', '--quiet']
    const { code, stderr } = await runNode([command, ...args], { within: inGroup })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('a larger matrix is factorized block by block from its file', async () => {
    const X = zeros('large.npy', 150_000, 384)
    const fit = ['--rank', '4', '--init', 'random', '--iterations', '1']
    const args = ['factorize', X, ...fit, '--json', '--quiet']
    const { code, signal } = await runNode([command, ...args], { within: inGroup })
    expect({ code, signal }).toEqual({ code: 0, signal: null })
  })

  it('a file in Fortran order, which has to be read whole, is refused where it does not fit', async () => {
    const X = zeros('fortran.npy', 200_000, 384, true)
    const args = ['factorize', X, '--rank', '4', '--json', '--quiet']
    const { code, stderr } = await runNode([command, ...args], { within: inGroup })
    expect(stderr).toMatch(/fortran\.npy.* needs about \d+ bytes of memory/)
    expect(code).toBe(3)
  })
})
