// --allow, --exclude-rows and --dims of topk, range and mine.
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mineHardNegatives, topK, type Matrix } from '../../lib/index'
import { writeNpy } from '../../lib/data/npy'
import { gaussian } from '../matrices'
import { run } from './commands'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-row-files-'))
const at = (...path: string[]) => join(folder, ...path)
const queries = gaussian(7, 6, 1)
const corpus = gaussian(40, 6, 2)
const kept = [...Array(40).keys()].filter((row) => row % 3 === 0)
const both = ['--queries', at('q.npy'), '--corpus', at('c.npy')]

const lines = (rows: readonly (number | string)[]) => rows.map((row) => `${row}\n`).join('')

beforeAll(async () => {
  const shapeOf = ({ data, rows, cols }: Matrix) => ({ data, shape: [rows, cols] })
  await writeNpy(at('q.npy'), shapeOf(queries))
  await writeNpy(at('c.npy'), shapeOf(corpus))
  await writeFile(at('kept.txt'), lines(kept))
  await writeFile(at('gone.txt'), lines([0, 6, 6, 7]))
  await writeFile(at('ids.txt'), lines(Array.from({ length: 40 }, (_, row) => `d${row}`)))
  await writeFile(at('kept-ids.txt'), lines(kept.map((row) => `d${row}`)))
  await writeFile(at('wrong.txt'), '3\n40\n')
  await writeFile(at('p.tsv'), lines([...Array(7).keys()].map((query) => `${query}\t${query}`)))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function done(...args: string[]) {
  const { code, stderr } = await run(folder, ...args)
  expect(stderr).not.toContain('rror')
  expect(code).toBe(0)
}

/** The int32 elements of a `.npy` file of any shape. */
async function indicesIn(name: string) {
  const bytes = await readFile(at(name, 'indices.npy'))
  const header = 10 + bytes.readUInt16LE(8)
  return [...new Int32Array(Uint8Array.from(bytes.subarray(header)).buffer)]
}
const lists = (rows: readonly number[]) => Array.from({ length: 7 }, () => [...rows])

describe('rows of the corpus in files', () => {
  it('limit topk, by numbers and by ids, with columns that count', async () => {
    const topk = [...both, '--k', '4', '--exclude-rows', at('gone.txt')]
    await done('topk', ...topk, '--allow', at('kept.txt'), '--dims', '4', '--out', at('numbers'))
    const allow = lists(kept)
    const exclude = lists([0, 6, 7])
    const cut = ({ data, rows, cols }: Matrix): Matrix => ({
      data: data.filter((_, i) => i % cols < 4),
      rows,
      cols: 4,
    })
    const expected = await topK(cut(queries), cut(corpus), { k: 4, allow, exclude })
    expect(await indicesIn('numbers')).toEqual([...expected.indices])
    const summary = JSON.parse(await readFile(at('numbers', 'summary.json'), 'utf8')) as object
    expect(summary).toMatchObject({ dimensions: 4, corpus: 40 })

    const named = ['--corpus-ids', at('ids.txt'), '--allow', at('kept-ids.txt')]
    await done('topk', ...both, '--k', '4', ...named, '--out', at('ids'))
    const byIds = await topK(queries, corpus, { k: 4, allow })
    expect(await indicesIn('ids')).toEqual([...byIds.indices])
  })

  it('limit range', async () => {
    const options = ['--threshold', '-1', '--allow', at('kept.txt'), '--out', at('range')]
    await done('range', ...both, ...options)
    const found = await indicesIn('range')
    expect(new Set(found)).toEqual(new Set(kept))
    expect(found.length).toBe(7 * kept.length)
  })

  it('limit mine, and count as excluded', async () => {
    const options = [
      '--positives',
      at('p.tsv'),
      '--num-negatives',
      '3',
      '--relative-margin',
      'none',
    ]
    const rows = ['--allow', at('kept.txt'), '--exclude-rows', at('gone.txt')]
    await done('mine', ...both, ...options, ...rows, '--out', at('mine'))
    const part = kept.filter((row) => ![0, 6, 7].includes(row))
    const others = [...Array(40).keys()].filter((row) => !part.includes(row))
    const positives = [...Array(7).keys()].map((query) => [query])
    const mined = await mineHardNegatives(queries, corpus, positives, {
      ...{ numNegatives: 3, relativeMargin: null, exclude: lists(others) },
    })
    expect(await indicesIn('mine')).toEqual([...mined.indices])
    const summary = JSON.parse(await readFile(at('mine', 'summary.json'), 'utf8')) as {
      dropped: object
    }
    expect(mined.dropped).toMatchObject(summary.dropped)
  })

  it('are refused with the line of a row that is none', async () => {
    const wrong = await run(
      folder,
      'topk',
      ...both,
      '--k',
      '1',
      '--allow',
      'wrong.txt',
      '--out',
      'x',
    )
    expect(wrong.code).not.toBe(0)
    expect(wrong.stderr).toContain('line 2: expected a corpus row in 0..39, received 40')
  })
})
