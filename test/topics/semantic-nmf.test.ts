import { describe, expect, it } from 'vitest'
import {
  cooccurrences,
  selectRank,
  semanticNmf,
  shiftedPpmi,
  topicDiversity,
  topicUbiquity,
  topWords,
} from '../../lib/index'
import { matrixOf } from '../matrices'
import { denseOf, plantedDocuments, sparseOf } from './planted-topics'

describe('cooccurrences', () => {
  it('counts pairs of positions in both orders, as a naive loop does', async () => {
    const { tokens } = plantedDocuments(6, 3, 4, 1)
    const expected = Array.from({ length: 12 }, () => new Array<number>(12).fill(0))
    for (const document of tokens)
      for (const [p, a] of document.entries())
        for (const [q, b] of document.entries())
          if (p !== q && Math.abs(p - q) <= 7) expected[a]![b]!++
    expect(denseOf(await cooccurrences(tokens, { terms: 12, window: 7 }))).toEqual(expected)
  })

  it('has no entries for documents of one token, or none', async () => {
    const counts = await cooccurrences([[0], []], { terms: 2 })
    expect(counts).toMatchObject({ rows: 2, cols: 2, values: new Float32Array(0) })
  })

  it.each([
    [[[0, 3]], { terms: 3 }, 'a term in 0..2 for documents[0][1], received 3'],
    [[[0]], { terms: 3, window: 0 }, 'an integer of at least 1 for window'],
    [[[0]], {}, 'terms'],
    ['text', { terms: 3 }, 'an array with the tokens of each document for documents'],
  ])('refuses %j with %j', async (documents, options, sentence) => {
    await expect(cooccurrences(documents as never, options as never)).rejects.toThrow(sentence)
  })
})

describe('shiftedPpmi', () => {
  it('is the shifted positive pointwise mutual information', async () => {
    const { tokens } = plantedDocuments(20, 3, 5, 2)
    const counts = await cooccurrences(tokens, { terms: 15 })
    const c = denseOf(counts)
    const sum = (values: number[]) => values.reduce((total, each) => total + each, 0)
    const all = sum(c.map(sum))
    const ofRows = c.map(sum)
    const found = denseOf(await shiftedPpmi(counts, { shift: Math.log(1.5) }))
    for (const [i, row] of c.entries())
      for (const [j, count] of row.entries()) {
        const information = Math.log((count * all) / (ofRows[i]! * ofRows[j]!)) - Math.log(1.5)
        expect(found[i]![j]).toBeCloseTo(Math.max(0, information), 5)
      }
  })

  it('names a count below zero, and refuses a shift below zero', async () => {
    const counts = sparseOf([new Map([[0, 1]]), new Map([[1, -2]])], 2)
    await expect(shiftedPpmi(counts)).rejects.toThrow('at row 1, column 1 of counts, received -2')
    await expect(shiftedPpmi(counts, { shift: -1 })).rejects.toThrow('for shift, received -1')
  })
})

describe('semanticNmf', () => {
  const [k, words] = [5, 8]
  const planted = plantedDocuments(120, k, words, 3)
  const semanticsOf = async () =>
    shiftedPpmi(await cooccurrences(planted.tokens, { terms: k * words }))
  const options = { ranks: { from: 3, to: 7 }, restarts: 4 }

  it('finds planted topics, their number, their words and how ubiquitous they are', async () => {
    const found = await semanticNmf(planted.counts, await semanticsOf(), options)
    expect(found).toMatchObject({ chosen: k, isStable: true })
    const vocabulary = Array.from(
      { length: k * words },
      (_, term) => `t${Math.floor(term / words)}`,
    )
    const top = await topWords(found.topics, vocabulary, { count: 4 })
    const topics = top.map((each) => new Set(each))
    expect(topics.every((each) => each.size === 1)).toBe(true)
    const common = top.findIndex(([word]) => word === 't0')
    const share = planted.hasCommon.filter(Boolean).length / 120
    const { dominant, mean } = found.ubiquity
    // The common topic has half of the tokens of its documents.
    expect(mean[common]).toBeGreaterThan(0.5 * share - 0.08)
    expect(mean[common]).toBeLessThan(0.5 * share + 0.08)
    expect(dominant.reduce((sum, each) => sum + each)).toBeCloseTo(1, 10)
    expect(found.documents).toMatchObject({ rows: 120, cols: k })
    expect(found.contexts).toMatchObject({ rows: k * words, cols: k })
    const coded = await found.model.transform(planted.counts)
    coded.W.data.forEach((code, at) => expect(code).toBeCloseTo(found.documents.data[at]!, 1))
  })

  it('is plain NMF of the documents for a weight of 0', async () => {
    const plain = await selectRank(planted.counts, { ...options, model: 'nmf' })
    const found = await semanticNmf(planted.counts, await semanticsOf(), { ...options, weight: 0 })
    expect(found.chosen).toBe(plain.chosen)
    expect(found.topics.data).toEqual(plain.model.H.data)
    expect(found.documents.data).toEqual(plain.model.W.data)
    expect(found.contexts.data.every((each) => each === 0)).toBe(true)
  })

  it('refuses semantics of other terms, and options that have rows of X', async () => {
    const other = sparseOf([new Map([[0, 1]])], 1)
    await expect(semanticNmf(planted.counts, other, options)).rejects.toThrow(
      '40, the number of terms of X, for semantics.rows, received 1',
    )
    const semantics = await semanticsOf()
    const masked = { ...options, mask: new Uint8Array(1) } as never
    await expect(semanticNmf(planted.counts, semantics, masked)).rejects.toThrow('mask')
    await expect(
      semanticNmf(planted.counts, semantics, { ...options, weight: -1 }),
    ).rejects.toThrow('for weight, received -1')
  })
})

describe('reading topics', () => {
  const topics = matrixOf(
    2,
    4,
    (i, j) =>
      [
        [0, 3, 1, 3],
        [2, 0, 0, 0],
      ][i]![j]!,
  )
  const vocabulary = ['a', 'b', 'c', 'd']

  it('gives words above zero, largest first, equal ones by their number', async () => {
    expect(await topWords(topics, vocabulary)).toEqual([['b', 'd', 'c'], ['a']])
    expect(await topWords(topics, vocabulary, { count: 1 })).toEqual([['b'], ['a']])
    await expect(topWords(topics, ['a'])).rejects.toThrow('4 words, one for each column of topics')
  })

  it('counts parts of documents; those without a topic do not count', async () => {
    const documents = matrixOf(
      3,
      2,
      (i, j) =>
        [
          [1, 0],
          [1, 7],
          [0, 0],
        ][i]![j]!,
    )
    // Parts: 7·1 and 0; 7·1 and 2·7.
    const found = await topicUbiquity(documents, topics)
    expect(Array.from(found.dominant)).toEqual([0.5, 0.5])
    expect(found.mean[0]).toBeCloseTo((1 + 1 / 3) / 2, 10)
    await expect(
      topicUbiquity(
        matrixOf(1, 3, () => 1),
        topics,
      ),
    ).rejects.toThrow('2 columns')
  })

  it('knows how diverse the words of topics are', () => {
    expect(
      topicDiversity([
        ['a', 'b'],
        ['c', 'd'],
      ]),
    ).toBe(1)
    expect(
      topicDiversity([
        ['a', 'b'],
        ['a', 'b'],
      ]),
    ).toBe(0.5)
    expect(() => topicDiversity([])).toThrow('the words of one topic or more')
  })
})
