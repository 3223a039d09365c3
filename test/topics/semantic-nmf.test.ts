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

  it('counts pairs of terms with large numbers, and the event loop turns', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const last = 2e7 - 1
    const counts = await cooccurrences([[last, 3], [last]], { terms: 2e7 })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(2)
    expect(counts).toMatchObject({ rows: 2e7, cols: 2e7 })
    expect([...counts.indices]).toEqual([last, 3])
    expect([...counts.values]).toEqual([1, 1])
    expect([3, 4, last, last + 1].map((at) => counts.indptr[at])).toEqual([0, 1, 1, 2])
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
    [[null], { terms: 3 }, 'an array of terms for documents[0], received null'],
    [[[0], 5], { terms: 3 }, 'an array of terms for documents[1], received 5'],
    [[new Set([0])], { terms: 3 }, 'an array of terms for documents[0], received Set'],
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
    await expect(shiftedPpmi(null as never)).rejects.toThrow(
      'a sparse matrix { rows, cols, indptr, indices, values } for counts, received null',
    )
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

describe('semanticNmf of entries that are no weights', () => {
  const X = sparseOf([new Map([[0, 1]]), new Map([[0, 2]]), new Map([[1, 3]])], 2)
  const semantics = sparseOf([new Map([[0, 1]]), new Map([[1, 2]])], 2)
  const spoiled = (matrix: typeof X, value: number) => ({
    ...matrix,
    values: matrix.values.map((each, at) => (at === 1 ? value : each)),
  })
  const options = { ranks: [1, 2], restarts: 2 }

  it.each([NaN, Infinity, -1])('names the matrix and the row of %d', async (value) => {
    await expect(semanticNmf(spoiled(X, value), semantics, options)).rejects.toThrow(
      `at least 0 at row 1, column 0 of X, received ${value}`,
    )
    await expect(semanticNmf(X, spoiled(semantics, value), options)).rejects.toThrow(
      `at least 0 at row 1, column 1 of semantics, received ${value}`,
    )
  })

  it('has contexts where entries are missing', async () => {
    const missing = { ...options, missing: 'nan' } as const
    for (const [documents, contexts] of [
      [spoiled(X, NaN), semantics],
      [X, spoiled(semantics, NaN)],
    ] as const) {
      const found = await semanticNmf(documents, contexts, missing)
      expect(found.contexts.data.some((each) => each > 0)).toBe(true)
      expect(Number.isFinite(found.relativeError)).toBe(true)
    }
  })

  it('refuses a weight that float32 cannot hold', async () => {
    await expect(semanticNmf(X, semantics, { ...options, weight: 1e300 })).rejects.toThrow(
      /at most 1\.\d+e\+38, so that float32 holds the weighted semantics, for weight, received 1e\+300/,
    )
  })

  it('takes a loss without a solver, and refuses one that surveys do not have', async () => {
    const found = await semanticNmf(X, semantics, { ...options, loss: 'poisson' })
    expect(found.model.options['solver']).toBe('mu')
    const logistic = { ...options, loss: 'logistic' } as never
    await expect(semanticNmf(X, semantics, logistic)).rejects.toThrow('one of frobenius')
  })

  it('refuses null, and no options, by name', async () => {
    await expect(semanticNmf(null as never, semantics, options)).rejects.toThrow('for X')
    await expect(semanticNmf(X, null as never, options)).rejects.toThrow('for semantics')
    await expect(semanticNmf(X, semantics, undefined as never)).rejects.toThrow('for ranks')
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

  it('reads words of rows with gaps, and refuses what is no matrix', async () => {
    const gaps = {
      data: new Float32Array([0, 3, 1, 3, 9, 2, 0, 0, 0]),
      rows: 2,
      cols: 4,
      stride: 5,
    }
    expect(await topWords(gaps, vocabulary)).toEqual([['b', 'd', 'c'], ['a']])
    await expect(topWords(null as never, vocabulary)).rejects.toThrow(
      '{ data, rows, cols } for topics',
    )
    const short = { ...topics, data: new Float32Array(3) }
    await expect(topWords(short, vocabulary)).rejects.toThrow('8 elements for 2 rows of 4')
    const unknown = { ...topics, data: topics.data.map(() => NaN) }
    await expect(topWords(unknown, vocabulary)).rejects.toThrow('row 0, column 0 of topics')
  })

  it('has no ubiquity of entries below zero, or of no matrix', async () => {
    const documents = matrixOf(2, 2, (i, j) => (i === 1 && j === 0 ? -1 : 1))
    await expect(topicUbiquity(documents, topics)).rejects.toThrow(
      'a number of at least 0 at row 1, column 0 of documents, received -1',
    )
    const unknown = { ...topics, data: topics.data.map(() => NaN) }
    const codes = matrixOf(2, 2, () => 1)
    await expect(topicUbiquity(codes, unknown)).rejects.toThrow('row 0, column 0 of topics')
    await expect(topicUbiquity(codes, null as never)).rejects.toThrow('for topics, received null')
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
