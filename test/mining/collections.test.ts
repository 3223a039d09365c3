// Functions over all rows of a collection, compared with plain loops.
import { describe, expect, it } from 'vitest'
import { fromRows, type Matrix } from '../../lib/data/matrix'
import { nmf } from '../../lib/factorization/nmf'
import { communities } from '../../lib/mining/communities'
import { downsample } from '../../lib/mining/downsample'
import { knnGraph } from '../../lib/mining/knn-graph'
import { findLeakage } from '../../lib/mining/find-leakage'
import { topK } from '../../lib/mining/top-k'
import { nearDuplicates } from '../../lib/mining/near-duplicates'
import { gaussian, matrixOf, uniform } from '../matrices'
import { ranking, scoresOf } from '../reference/scores'

/** Rows around a few centres, some of them repeated. */
function clustered(rows: number, cols: number, centres: number, noise: number, seed: number) {
  const at = gaussian(centres, cols, seed).data
  const off = gaussian(rows, cols, seed + 1).data
  return matrixOf(rows, cols, (row, j) => {
    const i = row % 9 === 8 ? row - 1 : row
    return at[(i % centres) * cols + j]! + noise * off[i * cols + j]!
  })
}

const lists = ({ indptr, indices }: { indptr: Float64Array | Int32Array; indices: Int32Array }) =>
  Array.from({ length: indptr.length - 1 }, (_, i) => [
    ...indices.subarray(indptr[i]!, indptr[i + 1]!),
  ])

describe('nearDuplicates', () => {
  it.each(['cosine', 'dot', 'l2'] as const)(
    'finds each pair once, exactly (%s)',
    async (metric) => {
      const X = clustered(120, 8, 7, 0.3, 1)
      const threshold = { cosine: 0.9, dot: 9, l2: -2 }[metric]
      const found = await nearDuplicates(X, { threshold, metric })
      const expected = Array.from({ length: 120 }, (_, i) => {
        const scores = scoresOf(metric, X, X, i)
        return ranking(scores).filter((j) => j > i && scores[j]! >= threshold)
      })
      expect(found.indices.length).toBeGreaterThan(100)
      expect(lists(found)).toEqual(expected)
    },
  )

  it('finds the pairs of rows that lie far apart', async () => {
    const { data } = gaussian(2500, 4, 3)
    const X: Matrix = { data: Float32Array.from([...data, ...data]), rows: 5000, cols: 4 }
    const found = await nearDuplicates(X, { threshold: 1 - 1e-12 })
    expect(found.certified + found.fallback).toBe(5000)
    for (let i = 0; i < 2500; i++)
      expect([...found.indices.subarray(found.indptr[i]!, found.indptr[i + 1]!)]).toContain(
        i + 2500,
      )
  })

  it('communities tell of zero vectors once', async () => {
    const { warnings } = await communities(fromRows([[0], [1], [0]]), { minSize: 1 })
    expect(warnings).toEqual(['2 of 3 rows are zero vectors: the cosine with every query is 0'])
  })

  it('finds a pair of exactly the threshold, and tells of zero vectors', async () => {
    const X = fromRows([[3], [0.5], [0], [0]])
    const found = await nearDuplicates(X, { threshold: 1.5, metric: 'dot' })
    expect(lists(found)).toEqual([[1], [], [], []])
    const { warnings, zeroRows } = await nearDuplicates(X, { threshold: 0.5 })
    expect(zeroRows).toBe(2)
    expect(warnings[0]).toContain('2 of 4 rows are zero vectors')
  })

  it('asks for a threshold, and names a bad entry', async () => {
    const X = { data: Float32Array.of(1, NaN), rows: 2, cols: 1 }
    await expect(nearDuplicates(X, {} as never)).rejects.toThrow('threshold')
    await expect(nearDuplicates(X, { threshold: 0.5 })).rejects.toThrow(
      'a finite number at row 1, column 0 of X',
    )
  })
})

/** community_detection of sentence-transformers, with ties by row. */
function detected(X: Matrix, threshold: number, minSize: number): number[][] {
  const found = Array.from({ length: X.rows }, (_, i) => {
    const scores = scoresOf('cosine', X, X, i)
    return [i, ...ranking(scores).filter((j) => j !== i && scores[j]! >= threshold)]
  })
  const taken = new Set<number>()
  const groups: number[][] = []
  for (const group of found
    .filter(({ length }) => length >= minSize)
    .sort((a, b) => b.length - a.length)) {
    const left = group.filter((row) => !taken.has(row))
    if (left.length < minSize) continue
    left.forEach((row) => taken.add(row))
    groups.push(left)
  }
  return groups.sort((a, b) => b.length - a.length)
}

describe('communities', () => {
  it.each([
    [0.75, 5],
    [0.9, 2],
    [0.6, 1],
    [-1, 3],
  ])('are those of community_detection (threshold %s, minSize %s)', async (threshold, minSize) => {
    const X = clustered(150, 6, 11, 0.4, 5)
    const found = await communities(X, { threshold, minSize })
    const expected = detected(X, threshold, minSize)
    expect(lists(found)).toEqual(expected)
    expect(found.count).toBe(expected.length)
    const labels = new Array<number>(150).fill(-1)
    expected.forEach((rows, label) => rows.forEach((row) => (labels[row] = label)))
    expect([...found.labels]).toEqual(labels)
  })

  it('and graphs name X where an entry or a shape is wrong', async () => {
    const X = { data: Float32Array.of(1, NaN), rows: 2, cols: 1 }
    const empty = { data: new Float32Array(0), rows: 0, cols: 1 }
    for (const search of [
      (rows: Matrix) => communities(rows),
      (rows: Matrix) => knnGraph(rows, { k: 1 }),
    ]) {
      await expect(search(X)).rejects.toThrow('a finite number at row 1, column 0 of X')
      await expect(search(empty)).rejects.toThrow('X.rows')
    }
  })

  it('are none where no row has enough near rows', async () => {
    const found = await communities(gaussian(20, 30, 1))
    expect(found.count).toBe(0)
    expect([...found.indptr]).toEqual([0])
    await expect(communities(gaussian(2, 2, 1), { minSize: 0 })).rejects.toThrow('minSize')
  })
})

describe('knnGraph', () => {
  const X = clustered(40, 5, 4, 0.5, 8)
  const dense = (edges: 'union' | 'mutual', k: number) => {
    const near = Array.from({ length: 40 }, (_, i) => {
      const scores = scoresOf('cosine', X, X, i)
      return new Set(
        ranking(scores)
          .filter((j) => j !== i)
          .slice(0, k),
      )
    })
    return near.map((own, i) =>
      near.flatMap((other, j) => {
        const [there, back] = [own.has(j), other.has(i)]
        return (edges === 'union' ? there || back : there && back) ? [j] : []
      }),
    )
  }

  it.each(['union', 'mutual'] as const)(
    'has the %s of the lists, by ascending row',
    async (edges) => {
      const { indptr, indices, values, rows, cols } = await knnGraph(X, { k: 4, edges })
      expect([rows, cols]).toEqual([40, 40])
      expect(lists({ indptr: indptr as Float64Array, indices: indices as Int32Array })).toEqual(
        dense(edges, 4),
      )
      expect(new Set(values)).toEqual(new Set([1]))
    },
  )

  it('weighs edges by their scores, and leaves out scores of 0 or less', async () => {
    const Y = fromRows([
      [1, 0],
      [0.6, 0.8],
      [-1, 0],
      [0, 0],
    ])
    const graph = await knnGraph(Y, { k: 3, weights: 'score' })
    expect([...graph.indices]).toEqual([1, 0])
    expect([...graph.values]).toEqual([Math.fround(0.6), Math.fround(0.6)])
    await expect(knnGraph(Y, { k: 1, weights: 'score', metric: 'l2' })).rejects.toThrow('weights')
  })

  it('is a graph for nmf', async () => {
    const positive = matrixOf(40, 5, (i, j) => Math.abs(X.data[i * 5 + j]!))
    const adjacency = await knnGraph(positive, { k: 3 })
    const graph = { adjacency, weight: 0.5 }
    const { W } = await nmf(positive, { rank: 3, solver: 'mu', graph, iterations: 5 })
    expect(W.rows).toBe(40)
  })
})

describe('downsample', () => {
  it('keeps all positives and the first rows of every run, and renumbers the positives', async () => {
    const bm25 = [[9, 4, 1], []]
    const dense = { indptr: Int32Array.of(0, 2, 4), indices: Int32Array.of(4, 0, 7, 2) }
    const small = await downsample([bm25, dense], [[5, 1, 5], [7]], { corpusRows: 10, depth: 1 })
    expect([...small.rows]).toEqual([1, 4, 5, 7, 9])
    expect(lists(small.positives)).toEqual([[0, 2], [3]])
  })

  it('takes an answer of topK for a run', async () => {
    const found = await topK(fromRows([[1], [-1]]), fromRows([[1], [2], [3]]), {
      k: 4,
      metric: 'dot',
    })
    expect(found.indices).toEqual(Int32Array.of(2, 1, 0, -1, 0, 1, 2, -1))
    const small = await downsample([found], [[], [1]], { corpusRows: 3, depth: 1 })
    expect([...small.rows]).toEqual([0, 1, 2])
  })

  it('names a row that does not exist and a run for other queries', async () => {
    await expect(downsample([[[3]]], [[0]], { corpusRows: 3 })).rejects.toThrow('runs[0][0][0]')
    await expect(downsample([[]], [[0]], { corpusRows: 3 })).rejects.toThrow('runs[0]')
    const outside = { indptr: Int32Array.of(0, 1), indices: Int32Array.of(4) }
    await expect(downsample([outside], [[0]], { corpusRows: 3 })).rejects.toThrow(
      'a corpus row in 0..2 for runs[0].indices[0], received 4',
    )
  })
})

describe('findLeakage', () => {
  const train = {
    positives: [[0], [1], [2]],
    negatives: [[5], [6], [5, 7]],
    queryTexts: ['what is a?', 'what is b?', ''],
    queries: fromRows([
      [1, 0],
      [0, 1],
      [1, 1],
    ]),
  }
  const test = {
    positives: [[1], [5], [8], [9]],
    queryTexts: ['x', '', 'what is a?', 'y'],
    queries: fromRows([
      [-1, 0],
      [0, -1],
      [-1, -1],
      [0.1, 5],
    ]),
  }

  it('finds shared positives, positives among negatives, equal texts and near queries', async () => {
    const found = await findLeakage(train, test, { corpusRows: 10 })
    const plain = (pairs: object) =>
      Object.fromEntries(Object.entries(pairs).map(([name, array]) => [name, [...array]]))
    expect(plain(found.sharedPositives)).toEqual({ test: [0], train: [1], rows: [1] })
    expect(plain(found.positivesAsNegatives)).toEqual({ test: [1], train: [0], rows: [5] })
    expect(plain(found.equalQueries)).toEqual({ test: [2], train: [0] })
    expect(plain(found.nearQueries)).toMatchObject({ test: [3], train: [1] })
    expect([...found.leaking]).toEqual([0, 1, 2, 3])
  })

  it('takes rows with equal texts for one row', async () => {
    const corpusTexts = Array.from({ length: 10 }, (_, row) => `text ${row % 8}`)
    const { sharedPositives } = await findLeakage(
      { positives: train.positives },
      { positives: [[8], [9], [3]] },
      { corpusRows: 10, corpusTexts },
    )
    expect([...sharedPositives.test]).toEqual([0, 1])
    expect([...sharedPositives.train]).toEqual([0, 1])
  })

  it('finds documents near positives of test queries, other than themselves and their copies', async () => {
    const corpus = fromRows([
      [1, 0],
      [0, 1],
      [1, 0.1],
      [0.1, 1],
      [1, 0],
      [-1, 0],
    ])
    const find = (options: object) =>
      findLeakage(
        { positives: [[0], [1, 4]], negatives: [[5], [3]] },
        { positives: [[2], [0, 3], [5], []] },
        { corpusRows: 6, corpus, threshold: 0.99, ...options },
      )
    const { nearDocuments, leaking } = await find({})
    const listed = ({ test, train, rows, trainRows }: typeof nearDocuments) =>
      [...test].map((query, i) => [query, train[i], rows[i], trainRows[i]])
    expect(listed(nearDocuments)).toEqual([
      [0, 0, 2, 0],
      [1, 1, 0, 4],
      [1, 1, 3, 1],
    ])
    expect(nearDocuments.scores[0]).toBeCloseTo(1 / Math.sqrt(1.01), 6)
    expect([...leaking]).toEqual([0, 1, 2])
    const corpusTexts = ['a', 'b', 'a', 'd', 'a', 'f']
    expect(listed((await find({ corpusTexts })).nearDocuments)).toEqual([[1, 1, 3, 1]])
    expect((await find({ corpus: undefined })).nearDocuments.test.length).toBe(0)
    await expect(find({ corpusRows: 7 })).rejects.toThrow('7, as corpusRows says for corpus.rows')
    const data = corpus.data.slice()
    data[7] = NaN
    await expect(find({ corpus: { ...corpus, data } })).rejects.toThrow(
      'a finite number at row 3, column 1 of corpus, received NaN',
    )
  })

  it('documents that exceed a memoryBudget are found part by part, equal scores by the lower row', async () => {
    // Parts of 64 rows, where rows and their copies far away have the same scores.
    const [rows, cols] = [600, 8192]
    const corpus = gaussian(rows, cols, 3)
    for (let row = 300; row < rows; row++)
      corpus.data.copyWithin(row * cols, ((row * 7) % 200) * cols, (((row * 7) % 200) + 1) * cols)
    const lists = (first: number, last: number) => [
      Array.from({ length: last - first }, (_, i) => first + i),
    ]
    const split = [{ positives: lists(150, rows) }, { positives: lists(0, 250) }] as const
    const find = (memoryBudget?: number) =>
      findLeakage(...split, { corpusRows: rows, corpus, threshold: 0.02, memoryBudget })
    const { nearDocuments } = await find(2 ** 26)
    expect(nearDocuments.rows.length).toBeGreaterThan(100)
    expect(nearDocuments).toEqual((await find()).nearDocuments)
  })

  it('compares all characters of texts, and each text with the first that is equal', async () => {
    const next = uniform(11)
    const pick = (count: number) => Math.floor(next() * count)
    // Texts that differ in one character, empty ones, and halves of surrogate pairs.
    const kinds = Array.from({ length: 300 }, (_, i) => {
      const text = 'x'.repeat(200)
      return `${text.slice(0, i % 200)}${'\ud800\udc00a'[i % 3]}${text.slice(i % 200)}`
    })
    const texts = (count: number) =>
      Array.from({ length: count }, () => (next() < 0.1 ? '' : kinds[pick(300)]!))
    const [known, asked] = [texts(1500), texts(400)]
    const found = await findLeakage(
      { positives: known.map(() => []), queryTexts: known },
      { positives: asked.map(() => []), queryTexts: asked },
      { corpusRows: 1 },
    )
    const wanted = asked
      .map((text, query) => [query, text === '' ? -1 : known.indexOf(text)] as const)
      .filter(([, row]) => row !== -1)
    const { test, train } = found.equalQueries
    expect([...test].map((query, i) => [query, train[i]])).toEqual(wanted)
  })

  it('refuses marks and tables of texts that exceed half of a memoryBudget', async () => {
    const split = { positives: [[0]] }
    await expect(
      findLeakage(split, split, { corpusRows: 3_000_000, memoryBudget: 2 ** 26 }),
    ).rejects.toThrow(
      /^A table of 3000000 corpus rows and all texts, for which half of memoryBudget is free, needs about \d+ bytes of memory, and its budget is 33554432$/,
    )
  })

  it('names an unknown field of a split, and the side of a wrong vector', async () => {
    const positives = [[0]]
    const find = (train: object, test: object) =>
      findLeakage({ positives, ...train }, { positives, ...test }, { corpusRows: 2 })
    await expect(find({ querytexts: ['a'] }, {})).rejects.toThrow('querytexts')
    const queries = fromRows([[1, 2]])
    const wrong = { data: Float32Array.of(NaN, 1), rows: 1, cols: 2 }
    await expect(find({ queries }, { queries: wrong })).rejects.toThrow('test.queries')
    await expect(find({ queries: wrong }, { queries })).rejects.toThrow('train.queries')
    await expect(find({ queries }, { queries: fromRows([[1]]) })).rejects.toThrow(
      'Expected 2 columns, as in train.queries for test.queries.cols, received 1',
    )
    await expect(find({}, { negatives: [[1]] })).rejects.toThrow(
      'Expected none, as only negatives of the training split teach a model for test.negatives',
    )
    await expect(find({ queryTexts: ['a', 'b'] }, {})).rejects.toThrow(
      'Expected 1 texts, one for each row for train.queryTexts, received 2 texts',
    )
  })

  it('names a split that is none, and vectors of other queries', async () => {
    const find = (split: unknown) =>
      findLeakage(split as never, { positives: [[0]] }, { corpusRows: 2 })
    await expect(find(null)).rejects.toThrow(
      'an object with the positives of its queries for train',
    )
    await expect(find({ positives: [[0]], queries: fromRows([[1], [2]]) })).rejects.toThrow(
      '1, the lists of train.positives for train.queries.rows, received 2',
    )
  })

  it('finds nothing between splits that share nothing', async () => {
    const found = await findLeakage({ positives: [[0]] }, { positives: [[1]] }, { corpusRows: 2 })
    expect(found.leaking.length).toBe(0)
    await expect(
      findLeakage({ positives: [[0]] }, { positives: [[2]] }, { corpusRows: 2 }),
    ).rejects.toThrow('test.positives[0][0]')
  })
})
