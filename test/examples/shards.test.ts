// The launchers of examples/shards give the bytes of one run.
import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeNpy } from '../../lib/data/npy'
import { gaussian } from '../matrices'

const run = promisify(execFile)
const launchers = resolve(__dirname, '../../examples/shards')
const main = resolve(__dirname, '../../dist/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'gemmine-shards-'))
const job = '--queries q.npy --corpus c.npy --positives p.tsv --sampling random'.split(' ')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a command with `gemmine` in its path. */
const start = (file: string, args: readonly string[]) =>
  run(file, args, {
    cwd: folder,
    env: { ...process.env, PATH: `${folder}:${process.env['PATH']}` },
  })

beforeAll(async () => {
  writeFileSync(join(folder, 'gemmine'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  chmodSync(join(folder, 'gemmine'), 0o755)
  for (const [name, rows] of [
    ['q.npy', 30],
    ['c.npy', 50],
  ] as const)
    await writeNpy(join(folder, name), { data: gaussian(rows, 8, rows).data, shape: [rows, 8] })
  const lines = Array.from({ length: 30 }, (_, query) => `${query}\t${query}\n`)
  writeFileSync(join(folder, 'p.tsv'), lines.join(''))
  await start('gemmine', ['mine', ...job, '--out', 'whole'])
})

function expectWhole(out: string) {
  const files = readdirSync(join(folder, 'whole')).filter((name) => name !== 'summary.json')
  for (const name of files)
    expect(readFileSync(join(folder, out, name)), name).toEqual(
      readFileSync(join(folder, 'whole', name)),
    )
}

function hasParallel() {
  try {
    return execFileSync('parallel', ['--version'], { stdio: 'pipe' }).includes('GNU parallel')
  } catch {
    return false
  }
}

it('mine-part.sh, started again, goes on from its checkpoint, and leaves a finished part', async () => {
  const part = (index: number) =>
    start('sh', [join(launchers, 'mine-part.sh'), String(index), '2', 'parts', ...job])
  await part(0)
  rmSync(join(folder, 'parts', 'part0'), { recursive: true })
  await part(0)
  const written = () => statSync(join(folder, 'parts', 'part0', 'summary.json')).mtimeMs
  const before = written()
  await part(0)
  expect(written()).toBe(before)
  await part(1)
  await start('gemmine', ['merge', 'parts/part0', 'parts/part1', '--out', 'merged'])
  expectWhole('merged')
})

it.runIf(hasParallel())('parallel.sh mines and merges the parts', async () => {
  await start('sh', [join(launchers, 'parallel.sh'), '3', 'beside', ...job, '--threads', '1'])
  expectWhole('beside')
})
