// A folder of results appears complete or not at all, and other files in it are not changed.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { failureOf } from '../../lib/cli/failure'
import { checkInputs, Outputs, type ResultFile } from '../../lib/cli/outputs'

let base: string
let out: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'outputs-'))
  out = join(base, 'out')
})
afterEach(() => rmSync(base, { recursive: true }))

const stage = (outputs: Outputs, name: ResultFile, text: string) =>
  outputs.write(name, (path) => writeFile(path, text))

async function leave(
  texts: Partial<Record<ResultFile, string>>,
  { force = false, into = out } = {},
) {
  const outputs = Outputs.open(into, force)
  try {
    for (const [name, text] of Object.entries(texts)) await stage(outputs, name as ResultFile, text)
    outputs.commit()
  } finally {
    outputs.discard()
  }
}

const contents = () =>
  Object.fromEntries(readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')]))

it('shows nothing until it is complete, and leaves no staging folder', async () => {
  const outputs = Outputs.open(out, false)
  await stage(outputs, 'W.npy', 'W')
  expect(existsSync(out)).toBe(false)
  outputs.commit()
  outputs.discard()
  expect(contents()).toEqual({ 'W.npy': 'W' })
  expect(readdirSync(base)).toEqual(['out'])
})

it('discards what was staged', async () => {
  const outputs = Outputs.open(out, false)
  await stage(outputs, 'W.npy', 'W')
  outputs.discard()
  expect(readdirSync(base)).toEqual([])
})

it('makes parents that are absent', async () => {
  await leave({ 'W.npy': 'W' }, { into: join(base, 'a', 'b', 'out') })
  expect(readdirSync(join(base, 'a', 'b'))).toEqual(['out'])
  expect(readdirSync(base)).toEqual(['a'])
})

it('refuses a filled folder without force, even one filled meanwhile', async () => {
  const slow = Outputs.open(out, false)
  await leave({ 'H.npy': 'old' })
  expect(() => Outputs.open(out, false)).toThrow(/holds H\.npy; --force/)
  await stage(slow, 'W.npy', 'new')
  expect(() => slow.commit()).toThrow(/holds H\.npy; --force/)
  slow.discard()
  expect(contents()).toEqual({ 'H.npy': 'old' })
})

it('with force replaces and removes results, and touches nothing else', async () => {
  await leave({ 'W.npy': 'old', 'rejected.jsonl': 'old', 'summary.json': 'old' })
  writeFileSync(join(out, 'notes.txt'), 'mine')
  await leave({ 'W.npy': 'new', 'summary.json': 'new' }, { force: true })
  expect(contents()).toEqual({ 'W.npy': 'new', 'summary.json': 'new', 'notes.txt': 'mine' })
})

it('puts everything back when it cannot finish', async () => {
  await leave({ 'W.npy': 'old', 'summary.json': 'old' })
  const outputs = Outputs.open(out, true)
  await stage(outputs, 'W.npy', 'new')
  await outputs.write('summary.json', async () => {})
  expect(() => outputs.commit()).toThrow('there is no such file')
  outputs.discard()
  expect(contents()).toEqual({ 'W.npy': 'old', 'summary.json': 'old' })
  expect(readdirSync(base)).toEqual(['out'])
})

it('removes the folders it made when it cannot finish', async () => {
  const outputs = Outputs.open(join(out, 'deep'), false)
  await outputs.write('W.npy', async () => {})
  expect(() => outputs.commit()).toThrow('there is no such file')
  outputs.discard()
  expect(readdirSync(base)).toEqual([])
})

it('names the file as it was given when writing fails', async () => {
  const outputs = Outputs.open(out, false)
  const full = Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' })
  const failure = await outputs.write('W.npy', () => Promise.reject(full)).catch(failureOf)
  outputs.discard()
  expect(failure).toEqual({
    sentence: `${join(out, 'W.npy')}: no space is left on the disk`,
    exitCode: 3,
  })
})

it.each([
  ['a file', () => writeFileSync(out, ''), 'expected a folder for --out, received a file'],
  [
    'below a file',
    () => (writeFileSync(out, ''), (out = join(out, 'out'))),
    'a part of its path is not a folder',
  ],
  ['a link to nowhere', () => symlinkSync('nowhere', out), 'there is no such file or folder'],
  [
    'a folder named as a result',
    () => mkdirSync(join(out, 'W.npy'), { recursive: true }),
    'received a folder',
  ],
])('refuses before work starts: %s', (_, prepare, sentence) => {
  prepare()
  expect(() => Outputs.open(out, true)).toThrow(sentence)
  expect(readdirSync(base)).toEqual(['out'])
})

it.runIf(existsSync('/proc/self'))('says so of a place that takes no new files', () => {
  expect(() => Outputs.open('/proc/gemmine', false)).toThrow(
    /^\/proc\/gemmine: expected a folder for --out that can be created, but \/proc takes no new files$/,
  )
})

it('follows a link to a folder', async () => {
  mkdirSync(join(base, 'real'))
  symlinkSync('real', out)
  await leave({ 'W.npy': 'W' })
  expect(readdirSync(join(base, 'real'))).toEqual(['W.npy'])
})

describe('an input among the results that may be replaced', () => {
  beforeEach(() => leave({ 'W.npy': 'W', 'model.safetensors': 'model' }))

  it.each([
    ['a result', () => join(out, 'W.npy')],
    ['another way to it', () => join(out, '..', 'out', 'W.npy')],
    [
      'a link to it',
      () => (symlinkSync(join('out', 'W.npy'), join(base, 'link')), join(base, 'link')),
    ],
    [
      'a link in its place',
      () => (symlinkSync(__filename, join(out, 'H.npy')), join(out, 'H.npy')),
    ],
  ])('is refused: %s', (_, input) => {
    const path = input()
    expect(() => checkInputs([__filename, path], out)).toThrow(
      `${path}: expected an input outside the results in --out, received one in ${out}`,
    )
  })

  it('other files there are inputs like any other', () => {
    writeFileSync(join(out, 'docs.npy'), '')
    checkInputs([join(out, 'docs.npy'), join(base, 'absent'), join(out, 'H.npy'), __filename], out)
    checkInputs([join(out, 'W.npy')], join(base, 'other'))
  })
})
