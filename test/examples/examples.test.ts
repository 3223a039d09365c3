import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const examples = resolve(__dirname, '../../examples')
const folder = mkdtempSync(join(tmpdir(), 'gemmine-examples-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What each example must say. */
const expected: Record<string, RegExp> = {
  'factorize.mjs': /relative error 0\.\d+ after \d+ iterations[^]*codes of the first three rows/,
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
