import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { writeNpy } from '../../lib/data/npy'
import { planted } from '../matrices'

const run = promisify(execFile)
const examples = resolve(__dirname, '../../examples')
const folder = mkdtempSync(join(tmpdir(), 'gemmine-examples-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What each example must say. */
const expected: Record<string, RegExp> = {
  'concepts.mjs': /4 concepts, relative error 0\.\d+/,
  'factorize.mjs': /relative error 0\.\d+ after \d+ iterations[^]*codes of the first three rows/,
  'judge.mjs':
    /asked about \d+ pairs .*positive: 2[^]*undo my last commit","positive":"take back the most/,
  'mine.mjs': /query: 0, positive: 0, negative: \d[^]*dropped:/,
  'service.mjs':
    /row 7: 200 \{"rows":\[7,[^]*row -1: 400 [^]*row x: 400 [^]*row 2000: 400 Expected \?row=0 to/,
  'texts-to-training.mjs': /\d+ negatives for 4 questions/,
}

describe('examples', () => {
  it('are all tried here', () => {
    expect(
      readdirSync(examples)
        .filter((name) => name.endsWith('.mjs'))
        .sort(),
    ).toEqual(Object.keys(expected))
  })

  for (const [name, says] of Object.entries(expected))
    it(`${name} runs`, async () => {
      const { stdout } = await run(process.execPath, [join(examples, name)], { cwd: folder })
      expect(stdout).toMatch(says)
    })

  it('concepts.mjs finds each planted meaning, and writes a page', async () => {
    const { stdout } = await run(process.execPath, [join(examples, 'concepts.mjs')], {
      cwd: folder,
    })
    const concepts = stdout.split(/^concept \d.*\n/m).slice(1)
    const tokens = concepts.map((lines) =>
      [...lines.matchAll(/\[(\w+)\]/g)].map(([, token]) => token!),
    )
    const meanings = [
      'bread soup rice cheese',
      'rain snow wind sun',
      'song piano drums choir',
      'train ticket hotel map',
    ]
    for (const words of meanings)
      expect(
        tokens.filter((found) => found.every((token) => words.split(' ').includes(token))),
      ).toHaveLength(1)
    expect(readFileSync(join(folder, 'concepts.html'), 'utf8')).toContain('Concept 3')
  })

  it('concepts.mjs takes files', async () => {
    await writeNpy(join(folder, 'X.npy'), { data: planted(30, 6, 2, 1).data, shape: [30, 6] })
    writeFileSync(
      join(folder, 'tokens.tsv'),
      Array.from({ length: 30 }, (_, i) => `${i >> 2}\tt${i}\n`).join(''),
    )
    const given = [join(examples, 'concepts.mjs'), 'X.npy', 'tokens.tsv', '2']
    const { stdout } = await run(process.execPath, given, { cwd: folder })
    expect(stdout).toMatch(/^concept 0[^]*\[t\d+\][^]*^2 concepts/m)
  })

  it('judge.mjs asks nothing the second time', async () => {
    const { stdout } = await run(process.execPath, [join(examples, 'judge.mjs')], { cwd: folder })
    expect(stdout).toContain('asked about 0 pairs')
  })

  it('texts-to-training.mjs writes triplets of texts', () => {
    const lines = readFileSync(join(folder, 'triplets.jsonl'), 'utf8').trimEnd().split('\n')
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) {
      const triplet = JSON.parse(line) as Record<string, unknown>
      expect(Object.keys(triplet)).toEqual(['anchor', 'positive', 'negative'])
      expect(Object.values(triplet).every((text) => typeof text === 'string')).toBe(true)
      expect(triplet['negative']).not.toBe(triplet['positive'])
    }
  })
})
