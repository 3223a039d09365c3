// gemmine audit: its summary, its examples on stderr and its exit code.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../data/files'
import { failureFrom, run } from './commands'

const folder = temporaryFolder()
const cwd = folder.path('.')
const numbered = (letter: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${letter}${i}\n`).join('')
const objects = (letter: string, texts: readonly string[]) =>
  texts.map((text, i) => `${JSON.stringify({ _id: `${letter}${i}`, text })}\n`).join('')
const lines = (...examples: object[]) =>
  examples.map((example) => `${JSON.stringify(example)}\n`).join('')

folder.write('c.txt', numbered('d', 8))
folder.write('q.txt', numbered('q', 3))
folder.write('c.jsonl', objects('d', ['a', 'b', 'c', 'd', 'e', 'f', 'b', 'g']))
folder.write('q.jsonl', objects('q', ['who', 'what', 'when']))
folder.write('qt.txt', 'who\nwhat\nwhen\n')
folder.write('p.tsv', 'q2\td5\nq0\td1\nq0\td2\nq1\td3\n')
folder.write('rows.tsv', '2\td5\n0\td1\n0\td2\n1\td3\n')
folder.write(
  'twelve.jsonl',
  lines(...Array.from({ length: 12 }, (_, i) => ({ query: 'q1', pos: ['d3'], neg: [`x${i}`] }))),
)
folder.write(
  'clean.jsonl',
  lines({ query: 'q0', pos: ['d1', 'd2'], neg: ['d3'] }, { query: 'q1', pos: ['d3'], neg: ['d4'] }),
)
folder.write(
  'faulty.jsonl',
  lines(
    { query: 'q0', pos: ['d1'], neg: ['d2', 'd6', 'd9', 'd4'] },
    {
      query: 'q1',
      pos: ['d3'],
      neg: ['d4', 'd4', 'd5'],
      pos_scores: [0.5],
      neg_scores: [0.6, null, 0],
    },
    { query: 'q2', pos: ['d5'], neg: ['d0'] },
  ),
)
folder.write('texts.jsonl', lines({ query: 'who', pos: ['b'], neg: ['c', 'a'] }))

const audit = (mined: string, ...args: string[]) => [
  'audit',
  mined,
  ...['--corpus-ids', 'c.txt', '--positives', 'p.tsv', '--json'],
  ...args,
]
const noFaults = {
  unknownIds: 0,
  positivesAmongNegatives: 0,
  equalTexts: 0,
  repeatedNegatives: 0,
  tooFew: 0,
  scoresNotFinite: 0,
  scoresAbovePositive: 0,
}

describe('gemmine audit', () => {
  it('of a clean file ends with 0, and says nothing', async () => {
    const { code, stdout, stderr } = await run(cwd, ...audit('clean.jsonl', '--out', 'clean'))
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toBe(readFileSync(folder.path('clean/summary.json'), 'utf8'))
    expect(readdirSync(folder.path('clean'))).toEqual(['summary.json'])
    const summary = JSON.parse(stdout) as object
    expect(summary).toMatchObject({ command: 'audit', lines: 2, ...noFaults, warnings: [] })
    expect(Object.keys(summary).join(' ')).toBe(
      'command version layout lines unknownIds positivesAmongNegatives equalTexts repeatedNegatives tooFew scoresNotFinite scoresAbovePositive seconds warnings',
    )
  })

  it('of a faulty file ends with 1, after its summary and examples', async () => {
    const { code, stdout, stderr } = await run(cwd, ...audit('faulty.jsonl', '--out', 'faulty'))
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      ...noFaults,
      layout: 'flag-embedding',
      unknownIds: 1,
      positivesAmongNegatives: 1,
      repeatedNegatives: 1,
      tooFew: 1,
      scoresNotFinite: 1,
      scoresAbovePositive: 1,
    })
    expect(stderr).toBe(
      `gemmine: unknownIds: line 1: the negative d9 is not in the corpus
gemmine: positivesAmongNegatives: line 1: the negative d2 is a positive of the query q0
gemmine: repeatedNegatives: line 2: the negative d4 of the query q1 is repeated
gemmine: tooFew: line 3: the query q2 has 1 negative, fewer than 2
gemmine: scoresNotFinite: line 2: the score of d4 is null, not a finite number
gemmine: scoresAbovePositive: line 2: the negative d4 of the query q1 scores 0.6, above its positive's 0.5
gemmine: faulty.jsonl: 1 unknownIds, 1 positivesAmongNegatives, 1 repeatedNegatives, 1 tooFew, 1 scoresNotFinite, 1 scoresAbovePositive
`,
    )
    expect(existsSync(folder.path('faulty/summary.json'))).toBe(true)
  })

  it('tells ten examples of a fault, or none with --quiet', async () => {
    const told = await run(cwd, ...audit('twelve.jsonl'))
    expect(told.stderr.match(/^gemmine: unknownIds: line /gm)).toHaveLength(10)
    expect(JSON.parse(told.stdout)).toMatchObject({ unknownIds: 12 })
    const quiet = await run(cwd, ...audit('twelve.jsonl', '--quiet'))
    expect([quiet.code, quiet.stderr]).toEqual([1, 'gemmine: twelve.jsonl: 12 unknownIds\n'])
  })
})

/** The faults of a file, which ends with exit code 1, or none. */
async function faultsOf(...args: string[]) {
  const { stdout, stderr } = await run(cwd, ...args)
  const summary = JSON.parse(stdout || `{"error":${JSON.stringify(stderr)}}`) as Record<
    string,
    unknown
  >
  const { warnings, error } = summary
  const faults = Object.keys(noFaults).filter((fault) => summary[fault] !== 0)
  return [error, faults.map((fault) => `${summary[fault]} ${fault}`).join(', '), warnings]
}

describe('gemmine audit matches queries', () => {
  const texts = ['--corpus-texts', 'c.jsonl', '--query-texts']

  it.each([
    ['ids, with a list of them', ['clean.jsonl', '--query-ids', 'q.txt'], ''],
    [
      'texts, by the ids beside them',
      ['texts.jsonl', ...texts, 'q.jsonl'],
      '1 positivesAmongNegatives',
    ],
    ['ids, with texts', ['clean.jsonl', ...texts, 'q.jsonl', '--query-ids', 'q.jsonl'], ''],
    [
      'texts, by the ids of a list',
      ['texts.jsonl', ...texts, 'qt.txt', '--query-ids', 'q.txt'],
      '1 positivesAmongNegatives',
    ],
    [
      'texts, by rows',
      ['texts.jsonl', ...texts, 'qt.txt', '--positives', 'rows.tsv'],
      '1 positivesAmongNegatives',
    ],
    [
      'a negative with the text of a positive',
      ['faulty.jsonl', ...texts, 'qt.txt', '--query-ids', 'q.txt'],
      '1 unknownIds, 1 positivesAmongNegatives, 1 equalTexts, 1 repeatedNegatives, 1 tooFew, 1 scoresNotFinite, 1 scoresAbovePositive',
    ],
  ])('%s', async (_, [mined, ...args], faults) => {
    expect(await faultsOf(...audit(mined!, ...args))).toEqual([undefined, faults, []])
  })

  it('that are ids with texts that have none only by their lines, and warns', async () => {
    const warning =
      'The queries of p.tsv are ids, which --query-ids matches with the lines of qt.txt; without it a query that lines give as a text has only the positives of its line'
    const given = [...texts, 'qt.txt']
    expect(await faultsOf(...audit('texts.jsonl', ...given))).toEqual([undefined, '', [warning]])
    expect(await faultsOf(...audit('clean.jsonl', ...given))).toEqual([undefined, '', [warning]])
  })

  it('and reports pairs that it skips', async () => {
    folder.write('more.tsv', 'q0\td1\nq0\td77\nq1\td3\n')
    const args = audit('clean.jsonl', '--positives', 'more.tsv', '--unknown-ids', 'skip')
    expect(await faultsOf(...args)).toEqual([
      undefined,
      '',
      ['1 pair of more.tsv skipped: a side does not exist'],
    ])
  })
})

describe('gemmine audit refuses', () => {
  const at = (name: string) => folder.path(name)
  const given = ['--corpus-ids', at('c.txt'), '--positives', at('p.tsv'), '--json']

  it.each([
    [['audit'], "missing required argument 'mined'"],
    [['audit', '', ...given], 'Expected the path of a file for MINED, received nothing'],
    [
      ['audit', at('clean.jsonl'), '--positives', at('p.tsv'), '--json'],
      'Expected a file with one id a line for --corpus-ids, received nothing',
    ],
    [
      ['audit', at('clean.jsonl'), '--corpus-ids', at('c.txt'), '--json'],
      'Expected a file of query<TAB>corpus lines for --positives, received nothing',
    ],
    [
      ['audit', at('clean.jsonl'), ...given.slice(0, -1)],
      'Expected a folder for the results (or --json for the summary alone) for --out, received nothing',
    ],
    [
      ['audit', at('p.tsv'), ...given],
      `${at('p.tsv')}: line 1: expected a JSON object, received q2\\td5`,
    ],
    [
      ['audit', at('clean.jsonl'), ...given, '--corpus-texts', at('q.jsonl')],
      `${at('q.jsonl')}: expected 8 texts, one for each corpus row, received 3`,
    ],
    [
      [
        'audit',
        at('clean.jsonl'),
        ...given,
        '--query-ids',
        at('c.txt'),
        '--query-texts',
        at('qt.txt'),
      ],
      `${at('qt.txt')}: expected 8 texts, one for each query row, received 3`,
    ],
    [
      [
        'audit',
        at('clean.jsonl'),
        ...given,
        '--positives',
        at('rows.tsv'),
        '--query-ids',
        at('q.txt'),
      ],
      `${at('rows.tsv')}: line 1: expected a known query id, received 2`,
    ],
    [
      ['audit', at('clean.jsonl'), ...given, '--num-negatives', '0'],
      'Expected an integer of at least 1 for --num-negatives, received 0',
    ],
  ])('%j', async (args, sentence) => {
    expect(await failureFrom(...args)).toEqual({ sentence, exitCode: 2 })
  })
})
