import { describe, expect, it } from 'vitest'
import { keyNmf, keywordMatrix, topicDiversity, topWords } from '../../lib/index'
import { matrixOf } from '../matrices'
import { denseOf, plantedDocuments, plantedEmbeddings, sparseOf } from './planted-topics'

const [k, words] = [4, 6]
const planted = plantedDocuments(80, k, words, 5)
const { documents, terms } = plantedEmbeddings(planted, k, words, 6)
const vocabulary = Array.from(
  { length: k * words },
  (_, term) => `topic ${Math.floor(term / words)}`,
)

const rowOf = ({ data, cols }: { data: Float32Array; cols: number }, i: number) =>
  Array.from(data.subarray(i * cols, (i + 1) * cols))
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, t) => sum + value * b[t]!, 0)

describe('keywordMatrix', () => {
  it.each([1, 3, 1000])(
    'has the %i best positive cosines of the terms that occur',
    async (topTerms) => {
      const found = denseOf(await keywordMatrix(documents, terms, planted.counts, { topTerms }))
      denseOf(planted.counts).forEach((counts, i) => {
        const x = rowOf(documents, i)
        const cosines = counts.map((count, term) => {
          const v = rowOf(terms, term)
          return count === 0 ? 0 : dot(x, v) / Math.sqrt(dot(x, x) * dot(v, v))
        })
        const least = cosines.filter((each) => each > 0).sort((a, b) => b - a)[topTerms - 1] ?? 0
        cosines.forEach((cosine, term) =>
          expect(found[i]![term]).toBeCloseTo(cosine >= least ? Math.max(0, cosine) : 0, 5),
        )
        expect(found[i]!.filter((each) => each !== 0).length).toBeLessThanOrEqual(topTerms)
      })
    },
  )

  it('keeps the only term of a document, and nothing of a document without terms', async () => {
    const occurrences = sparseOf([new Map([[2, 1]]), new Map([[1, 0]])], 3)
    const all = matrixOf(3, 2, () => 1)
    const found = await keywordMatrix(
      matrixOf(2, 2, () => 1),
      all,
      occurrences,
    )
    expect(denseOf(found)).toEqual([
      [0, 0, 1],
      [0, 0, 0],
    ])
  })

  it.each([
    [{ terms: matrixOf(k * words, 3, () => 1) }, '16 columns, as many as those of documents'],
    [{ terms: matrixOf(2, 16, () => 1) }, '2 columns, one for each of terms, for occurrences.cols'],
    [{ documents: matrixOf(3, 16, () => 1) }, '3 rows, one for each of documents'],
    [{ documents: matrixOf(80, 16, () => NaN) }, 'a finite number'],
    [{ options: { topTerms: 0 } }, 'an integer of at least 1 for topTerms'],
  ])('refuses %#', async (wrong, sentence) => {
    const given = { documents, terms, options: {}, ...wrong }
    await expect(
      keywordMatrix(given.documents, given.terms, planted.counts, given.options),
    ).rejects.toThrow(sentence)
  })
})

describe('keyNmf', () => {
  it('finds planted topics, whose words are diverse', async () => {
    const { model, keywords, slices } = await keyNmf(documents, terms, planted.counts, { rank: k })
    const top = await topWords(model.H, vocabulary, { count: 5 })
    for (const each of top) expect(new Set(each).size).toBe(1)
    expect(new Set(top.map(([word]) => word)).size).toBe(k)
    const named = Array.from(vocabulary, (_, term) => `${term}`)
    expect(topicDiversity(await topWords(model.H, named, { count: 5 }))).toBe(1)
    expect(keywords.values.every((value) => value > 0)).toBe(true)
    expect(slices).toEqual([])
  })

  it('tracks the words of a topic over time slices', async () => {
    // In slice s only the terms with term % words in {s, s + 1, s + 2} occur.
    const timeSlices = Int32Array.from({ length: 80 }, (_, i) => i % 3)
    const occurrences = sparseOf(
      denseOf(planted.counts).map(
        (row, i) =>
          new Map(
            row.flatMap((count, term) => {
              const at = term % words
              const occurs = at >= timeSlices[i]! && at <= timeSlices[i]! + 2
              return count > 0 && occurs ? [[term, count] as const] : []
            }),
          ),
      ),
      k * words,
    )
    const { model, keywords, slices } = await keyNmf(documents, terms, occurrences, {
      rank: k,
      timeSlices,
    })
    expect(slices).toHaveLength(3)
    for (const [s, topics] of slices.entries())
      for (let j = 0; j < k; j++)
        rowOf(topics, j).forEach((weight, term) => {
          const at = term % words
          if (at < s || at > s + 2) expect(weight).toBe(0)
        })
    // The gradient of ‖X_s − W_s H‖² is at least 0, and 0 where H is positive.
    const X = denseOf(keywords)
    for (const [s, topics] of slices.entries()) {
      const rows = X.flatMap((row, i) =>
        timeSlices[i] === s ? [[row, rowOf(model.W, i)] as const] : [],
      )
      for (let j = 0; j < k; j++)
        for (let term = 0; term < k * words; term++) {
          const H = Array.from({ length: k }, (_, c) => topics.data[c * topics.cols + term]!)
          const gradient = rows.reduce((sum, [x, w]) => sum + w[j]! * (dot(w, H) - x[term]!), 0)
          expect(gradient).toBeGreaterThan(-1e-3)
          if (H[j]! > 1e-3) expect(gradient).toBeLessThan(1e-3)
        }
    }
  })

  it.each([
    [{ timeSlices: [0] }, '80 numbers, one for each document, for timeSlices'],
    [{ timeSlices: new Array(80).fill(1) }, 'a document in slice 0 for timeSlices'],
    [{ timeSlices: new Array(80).fill(0.5) }, 'the number of a slice, an integer in 0..79'],
    [{ rank: 0 }, 'an integer of at least 1 for rank'],
    [{ topTerms: 2.5 }, 'topTerms'],
    [{ words: 3 }, 'words'],
  ])('refuses %j', async (wrong, sentence) => {
    const options = { rank: k, ...wrong } as never
    await expect(keyNmf(documents, terms, planted.counts, options)).rejects.toThrow(sentence)
  })

  it('names arguments that are null or not given', async () => {
    const { counts } = planted
    await expect(keyNmf(documents, terms, counts, undefined as never)).rejects.toThrow('for rank')
    await expect(keyNmf(documents, terms, counts, null as never)).rejects.toThrow('for options')
    await expect(keyNmf(documents, terms, null as never, { rank: k })).rejects.toThrow(
      'for occurrences, received null',
    )
    const timeSlices = null as never
    await expect(keyNmf(documents, terms, counts, { rank: k, timeSlices })).rejects.toThrow(
      '80 numbers, one for each document, for timeSlices, received null',
    )
  })

  it('says where no term has a positive cosine', async () => {
    const away = { ...documents, data: documents.data.map((value) => -value) }
    await expect(keyNmf(away, terms, planted.counts, { rank: k })).rejects.toThrow(
      'embeddings with a positive cosine to a term that occurs for documents',
    )
  })
})
