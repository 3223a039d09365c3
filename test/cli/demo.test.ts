// The demo as a guest in somebody's folder: it finds its texts there, and replaces only its own.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { run } from './commands'

const base = mkdtempSync(join(tmpdir(), 'gemmine-demo-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

/** A project with packages whose READMEs speak of one of three things. */
function project(name: string, packages: number) {
  const words = [
    'matrix vector factor rank',
    'query corpus negative score',
    'thread pool lock wait',
  ]
  for (let i = 0; i < packages; i++) {
    const folder = join(base, name, 'node_modules', `package-${i}`)
    const text = `${words[i % 3]} ${words[(i + (i % 2)) % 3]} ${'abcdefgh'[i % 8]!.repeat(4)} `
    mkdirSync(folder, { recursive: true })
    const about = { name: `package-${i}`, description: text }
    writeFileSync(join(folder, 'package.json'), JSON.stringify(about))
    writeFileSync(join(folder, 'README.md'), text.repeat(9))
  }
  return join(base, name)
}

let many: string
beforeAll(() => {
  many = project('many', 24)
})

const files =
  'H.npy W.npy corpus.npy negatives.jsonl queries.npy rejected.jsonl summary.json'.split(' ')

it('writes its files, and again into its own folder without being asked', async () => {
  for (let time = 0; time < 2; time++) {
    const { code, stdout } = await run(many, 'demo')
    expect([code, stdout]).toEqual([0, expect.stringContaining('Wrote gemmine-demo/W.npy, ')])
    expect(readdirSync(join(many, 'gemmine-demo')).sort()).toEqual(files)
  }
})

it.each(['summary.json', 'H.npy', 'queries.npy'])(
  'leaves a folder alone that holds %s, but for --force',
  async (name) => {
    const out = join(base, `holds-${name}`)
    mkdirSync(out)
    writeFileSync(join(out, name), 'old')
    const { code, stdout, stderr } = await run(many, 'demo', '--out', out)
    expect([code, stdout, readdirSync(out)]).toEqual([2, '', [name]])
    expect(stderr).toContain(`received one that holds ${name}; --force replaces or removes them`)
    expect(readFileSync(join(out, name), 'utf8')).toBe('old')

    expect((await run(many, 'demo', '--out', out, '--force')).code).toBe(0)
    expect(readdirSync(out).sort()).toEqual(files)
  },
)

it('says what to do where there are too few packages', async () => {
  const few = project('few', 14)
  const { code, stderr } = await run(few, 'demo')
  expect(code).toBe(2)
  expect(stderr).toContain(
    'node_modules: expected at least 20 packages with a description and a README, received 14; ' +
      'run the demo in the folder of a project with more dependencies\n',
  )
  expect(readdirSync(few)).toEqual(['node_modules'])
})
