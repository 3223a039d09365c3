// The demo in a user's folder: it finds its texts there, and replaces only its own results.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { facts } from '../../lib/cli/demo/facts'
import { describeNegatives } from '../../lib/cli/demo/negatives'
import { packageCollection } from '../../lib/cli/demo/texts'
import { ruleNames } from '../../lib/data/mined-lines'
import { MinedNegatives } from '../../lib/mining/mined-negatives'
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

it('leaves packages out of mining whose texts say nothing, and tells how many', async () => {
  const silent = project('silent', 24)
  const about = { name: 'a-silent-one', description: 'Unheard' }
  const folder = join(silent, 'node_modules', 'a-silent-one')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify(about))
  writeFileSync(join(folder, 'README.md'), 'matrix vector factor rank '.repeat(9))
  const { code, stdout } = await run(silent, 'demo')
  expect([code, stdout]).toEqual([0, expect.stringContaining('\n1 pair left out: ')])
  const lines = readFileSync(join(silent, 'gemmine-demo', 'negatives.jsonl'), 'utf8')
  expect(lines).toContain('"anchor":"matrix vector')
  expect(lines).not.toContain('Unheard')
  expect((await run(many, 'demo')).stdout).not.toContain('left out')
})

describe('its examples', () => {
  // Query i has the positive i, a rejected row and a negative; only the last four score well.
  const queries = 12
  const rows = (row: (query: number) => number) =>
    Int32Array.from({ length: queries }, (_, q) => row(q))
  const starts = Int32Array.from({ length: queries + 1 }, (_, q) => q)
  const mined = new MinedNegatives({
    queries,
    firstQuery: 0,
    shard: undefined,
    corpus: queries,
    dimensions: 1,
    numNegatives: 1,
    metric: 'cosine',
    positives: { indptr: starts, indices: rows((q) => q) },
    positiveScores: Float64Array.from(
      rows((q) => q),
      (q) => (q > 7 ? 0.9 : 0.1),
    ),
    indices: rows((q) => (q + 2) % queries),
    scores: new Float32Array(queries).fill(0.05),
    counts: new Int32Array(queries).fill(1),
    ranks: new Int32Array(queries),
    found: queries,
    served: queries,
    shortfall: 0,
    rejected: {
      positives: new Int32Array(0),
      queries: rows((q) => q),
      indptr: starts,
      rows: rows((q) => (q + 1) % queries),
      scores: new Float64Array(queries).fill(0.95),
      rules: new Uint8Array(queries).fill(ruleNames.indexOf('ceiling')),
    },
    dropped: Object.fromEntries(ruleNames.map((name) => [name, 0])) as MinedNegatives['dropped'],
    ceilings: {},
    liveRows: queries,
    candidatePairs: 0,
    queriesWithoutPositives: 0,
    inconsistent: 0,
    certified: queries,
    fallback: 0,
    seconds: 1,
    zeroQueries: 0,
    zeroRows: 0,
    warnings: [],
  })
  const packages = Array.from({ length: queries }, (_, i) => ({
    name: `p${i}`,
    query: `says  ${i} ${'word '.repeat(20)}`,
    document: '',
  }))

  it('are queries with a good positive, and every package is told in its words', () => {
    const lines = describeNegatives(mined, packageCollection(packages), 3)
    expect(lines.filter((line) => line.includes('positive'))).toEqual(
      [8, 9, 10].map((i) => `    positive  0.900  README of p${i}`),
    )
    expect(lines.slice(0, 4).map((line) => line.slice(0, 32))).toEqual([
      '  p8: "says 8 word word word wor',
      '    positive  0.900  README of p',
      '    rejected  0.950  p9: "says 9',
      '    negative  0.050  p10: "says ',
    ])
    expect(lines[0]).toMatch(/…"$/)
    expect(lines[2]).toMatch(/ {2}\(ceiling\)$/)
  })

  it('are there too where nothing is above a ceiling', () => {
    const none = { ...mined.rejected, queries: new Int32Array(), indptr: Int32Array.of(0) }
    const calm = new MinedNegatives({ ...mined, rejected: none })
    const lines = describeNegatives(calm, packageCollection(packages), 3)
    expect(lines.filter((line) => line.includes('positive'))).toHaveLength(3)
  })
})

describe('a folder with too few packages', () => {
  const empty = () => {
    const folder = join(base, 'empty')
    mkdirSync(join(folder, 'node_modules'), { recursive: true })
    return folder
  }

  it.each([
    ['none', empty],
    ['few', () => project('few', 14)],
  ])('%s: the demo runs on the texts that come with it', async (_, make) => {
    const folder = make()
    const { code, stdout } = await run(folder, 'demo')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^gemmine demo: 100 questions with their answers, .*: node_modules has \d+ packages/,
    )
    expect(stdout).toContain('each question searches 100 answers')
    expect(readdirSync(join(folder, 'gemmine-demo')).sort()).toEqual(files)
    const lines = readFileSync(join(folder, 'gemmine-demo', 'negatives.jsonl'), 'utf8')
    expect(lines).toContain('"anchor":"When are the tides highest?"')
  })
})

describe('the texts that come with the demo', () => {
  it('are a hundred, each with a name, a question and an answer of its own', () => {
    for (const part of ['name', 'query', 'document'] as const)
      expect(new Set(facts.map((fact) => fact[part])).size, part).toBe(100)
    for (const { query, document } of facts) {
      expect(query).toMatch(/^[A-Z].*\?$/)
      expect(document).toMatch(/^[A-Z].*\.$/)
    }
  })
})

it('praises no speed, for so little work', async () => {
  expect((await run(many, 'demo')).stdout).not.toMatch(/FLOP/)
})
