// What rows stand for, and the page of concepts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { conceptPage } from '../../lib/concepts/concept-page'
import { contextOf, readContexts } from '../../lib/concepts/contexts'
import { describeConcepts, type Concept } from '../../lib/concepts/describe-concepts'
import { fitReducer, reducerNames } from '../../lib/concepts/reducer'
import type { Clustering } from '../../lib/factorization/kmeans'
import type { Matrix } from '../../lib/data/matrix'
import { plantedConcepts } from './planted'
import { gaussian } from '../matrices'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-contexts-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(name: string, text: string | Uint8Array) {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('contextOf', () => {
  const contexts = {
    samples: [0, 0, 0, 0, 0, 1],
    tokens: ['the', 'bank', '##er', 's', 'left', 'no'],
  }

  it('shows a token in its sample, word pieces joined', () => {
    expect(contextOf(contexts, 0, 9)).toEqual({ before: '', token: 'the', after: ' banker s left' })
    expect(contextOf(contexts, 2, 9)).toEqual({ before: 'the bank', token: 'er', after: ' s left' })
    expect(contextOf(contexts, 5, 9)).toEqual({ before: '', token: 'no', after: '' })
  })

  it('marks where the window cuts the sample', () => {
    expect(contextOf(contexts, 2, 1)).toEqual({ before: '… bank', token: 'er', after: ' s …' })
    expect(contextOf(contexts, 3, 0)).toEqual({ before: '… ', token: 's', after: ' …' })
  })

  it('reads marks that begin words', () => {
    const tokens = ['I', 'Ġlike', 'Ġpan', 'cakes', '.']
    expect(contextOf({ samples: [0, 0, 0, 0, 0], tokens }, 2, 9)).toEqual({
      before: 'I like ',
      token: 'pan',
      after: 'cakes.',
    })
    const pieces = ['▁Ich', '▁mag', '▁Pfann', 'kuchen']
    expect(contextOf({ samples: [4, 4, 4, 4], tokens: pieces }, 3, 9).before).toBe('Ich mag Pfann')
  })

  it('gives the text of a row as it is', () => {
    expect(contextOf(['a b', 'c'], 0, 3)).toEqual({ before: '', token: 'a b', after: '' })
    expect(() => contextOf(['a'], 1, 3)).toThrow('an integer in 0..0 for row, received 1')
  })
})

describe('readContexts', () => {
  it('reads tokens with their samples, also packed and below a header', async () => {
    const text = 'sample\ttoken\nd1\tone\nd1\t"two\nd7\tthree\r\n'
    const expected = { samples: Int32Array.of(0, 0, 1), tokens: ['one', '"two', 'three'] }
    expect(await readContexts(fileOf('a.tsv', text), 3)).toEqual(expected)
    expect(await readContexts(fileOf('a.tsv.gz', gzipSync(text)), 3)).toEqual(expected)
  })

  it('reads texts', async () => {
    expect(await readContexts(fileOf('a.txt', 'one\n\nthree\n'), 3)).toEqual(['one', '', 'three'])
    expect(await readContexts(fileOf('a.jsonl', '{"title":"A","text":"b"}\n'), 1)).toEqual(['A b'])
  })

  it('names the line or the number that is wrong', async () => {
    const path = fileOf('b.tsv', 'd1\tone\nd1 two\n')
    await expect(readContexts(path, 2)).rejects.toThrow(
      `${path}: line 2: expected sample<TAB>token, received d1 two`,
    )
    await expect(readContexts(fileOf('c.tsv', 'd1\tone\n'), 2)).rejects.toThrow(
      'expected 2 tokens, one for each row of X, received 1',
    )
    await expect(readContexts(fileOf('c.txt', 'a\nb\nc\n'), 2)).rejects.toThrow(
      'expected 2 texts, one for each row of X, received 3',
    )
  })
})

const { X } = plantedConcepts([120, 16, 3], 3)
/** Two rows make a sample. */
const contexts = {
  samples: Int32Array.from({ length: 120 }, (_, i) => i >> 1),
  tokens: Array.from({ length: 120 }, (_, i) => `t${i}`),
}

describe('describeConcepts', () => {
  const ofAnySign = reducerNames.filter(
    (name) => !/^(nmf|orthogonal-nmf|min-volume-nmf)$/.test(name),
  )
  it.each(ofAnySign)('describes those of %s', async (model) => {
    const reducer = await fitReducer(X, { model, rank: 3 })
    const concepts = await describeConcepts(reducer, { contexts, count: 4, features: 5 })
    expect(concepts.map(({ component }) => component)).toEqual([0, 1, 2])
    for (const concept of concepts) {
      const active = [...Array(120).keys()].filter(
        (row) => reducer.activations.data[row * 3 + concept.component]! > 0,
      )
      const samples = new Set(active.map((row) => row >> 1)).size
      expect(concept.contexts).toHaveLength(Math.min(4, samples))
      expect(new Set(concept.contexts.map(({ row }) => row >> 1)).size).toBe(Math.min(4, samples))
      for (const { row, activation, token } of concept.contexts) {
        expect(token).toBe(`t${row}`)
        expect(activation).toBe(reducer.activations.data[row * 3 + concept.component])
      }
      const magnitudes = concept.features.map(({ weight }) => Math.abs(weight))
      expect(magnitudes).toEqual([...magnitudes].sort((a, b) => b - a))
    }
  })

  it('shows the nearest rows of a cluster first', async () => {
    const reducer = await fitReducer(X, { model: 'kmeans', rank: 3 })
    const [concept] = await describeConcepts(reducer, { count: 2 })
    const distance = (row: number) =>
      reducer.components.data
        .subarray(0, 16)
        .reduce((sum, value, j) => sum + (value - X.data[row * 16 + j]!) ** 2, 0)
    const members = [...Array(120).keys()].filter((row) => reducer.codes.data[3 * row] === 1)
    const nearest = members.sort((a, b) => distance(a) - distance(b)).slice(0, 2)
    expect(concept!.contexts.map(({ row }) => row)).toEqual(nearest)
    const { inertia } = reducer.fitted as Clustering
    const distances = Math.sqrt(distance(nearest[0]!) / (inertia / 120))
    expect(concept!.contexts[0]!.activation).toBeCloseTo(1 / (1 + distances), 5)
  })

  it.each([1e-30, 1e30])('ranks the rows of clusters alike for an X times %d', async (scale) => {
    const scaled = { ...X, data: X.data.map((value) => value * scale) }
    const rowsOf = async (matrix: Matrix) => {
      const reducer = await fitReducer(matrix, { model: 'kmeans', rank: 3 })
      const concepts = await describeConcepts(reducer, { count: 5 })
      return concepts.map((each) => each.contexts.map(({ row }) => row))
    }
    expect(await rowsOf(scaled)).toEqual(await rowsOf(X))
  })

  it('repeats samples if asked, and names words of a vocabulary', async () => {
    const reducer = await fitReducer(X, { rank: 3 })
    const vocabulary = {
      unembedding: gaussian(5, 4, 1),
      words: ['a', 'b', 'c', 'd', 'e'],
      output: gaussian(4, 16, 2),
    }
    const given = { contexts, repeatSamples: true, count: 30, vocabulary }
    for (const { contexts: rows, words } of await describeConcepts(reducer, given)) {
      expect(new Set(rows.map(({ row }) => row >> 1)).size).toBeLessThan(rows.length)
      expect([...words!.top].sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
      expect(words!.bottom).toEqual([...words!.top].reverse())
    }
  })

  it('names what is wrong', async () => {
    const reducer = await fitReducer(X, { rank: 2 })
    await expect(describeConcepts(reducer, { contexts: ['a'] })).rejects.toThrow(
      'Expected 120 of them, one for each row for contexts, received 1',
    )
    await expect(describeConcepts(reducer, { contexts: {} as never })).rejects.toThrow(
      'for contexts',
    )
    await expect(describeConcepts(reducer, { window: -1 })).rejects.toThrow(
      'for window, received -1',
    )
  })
})

describe('conceptPage', () => {
  const hostile = `</style><script>alert("1")</script><img src=x onerror='a'>&amp;\u0000\ud800\u202e`
  const concept: Concept = {
    component: 0,
    share: 0.5,
    activeRows: 1234,
    isDead: false,
    collinear: [1],
    features: [{ feature: 3, weight: -0.25 }],
    contexts: [
      { row: 2, activation: 4, before: hostile, token: hostile, after: hostile },
      { row: 3, activation: 0.1, before: '', token: 'small', after: 'x'.repeat(5000) },
    ],
    words: { top: [hostile], bottom: [] },
  }
  const dead: Concept = { ...concept, component: 1, share: 0.6, isDead: true, contexts: [] }
  const page = conceptPage([concept, dead], { title: hostile, facts: [[hostile, hostile]] })

  it('escapes every text', () => {
    expect(page.match(/<script|<img|onerror='|&amp;amp;/g)).toEqual(
      page.match(/&amp;amp;/g)!.map(() => '&amp;amp;'),
    )
    expect(page).not.toMatch(/[\u0000\ud800-\udfff]/)
    expect(page.match(/<\/style>/g)).toHaveLength(1)
  })

  it('escapes what stands in the place of numbers, as in a file that was tampered with', () => {
    const bad = '<i>1</i>' as never
    const tampered = {
      ...{ component: bad, share: bad, activeRows: bad, isDead: false, collinear: [bad] },
      ...{ features: [{ feature: bad, weight: bad }], contexts: [{ row: bad, activation: bad }] },
    }
    expect(conceptPage([tampered])).not.toContain('<i>')
  })

  it('allows its own style and nothing else, and loads nothing', () => {
    const style = /<style>([^]*)<\/style>/.exec(page)![1]!
    const digest = createHash('sha256').update(style).digest('base64')
    expect(page).toContain(
      `content="default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'"`,
    )
    const tags = page.match(/<[^>]*>/g)!.join('\n')
    expect(tags).not.toMatch(/ (src|style|on\w+)=/)
    expect(style).not.toMatch(/url\(|@import/)
    expect([...page.matchAll(/href="([^"]*)"/g)].every(([, to]) => to!.startsWith('#c'))).toBe(true)
  })

  it('closes every element that it opens', () => {
    const open: string[] = []
    for (const [, close, name] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)/g)) {
      if (name === 'meta') continue
      if (close) expect(open.pop()).toBe(name)
      else open.push(name!)
    }
    expect(open).toEqual([])
  })

  it('orders concepts by energy, says what is dead, and cuts long texts', () => {
    expect(page.indexOf('id="c1"')).toBeLessThan(page.indexOf('id="c0"'))
    expect(page).toContain('dead: no energy')
    expect(page).toContain(
      '50.0 % of the energy, 1,234 active rows; collinear with <a href="#c1">1</a>',
    )
    expect(page.length).toBeLessThan(20_000)
    expect(() => conceptPage({} as never)).toThrow('an array of concepts for concepts')
  })
})
