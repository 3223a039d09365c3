import { describe, expect, it } from 'vitest'
import { maxSim, type MultiVectors } from '../../lib/mining/max-sim'
import { metrics, type Metric } from '../../lib/mining/metric'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { gaussian, matrixOf } from '../matrices'
import { lateInteraction, type Texts } from '../reference/late-interaction'
import { ranking } from '../reference/scores'

/** Texts of 0..longest tokens in turn, over all rows. */
function textsOf(tokens: Texts['tokens'], longest: number): Texts {
  const starts = [0]
  for (let size = 1; starts.at(-1)! < tokens.rows; size = (size * 7 + 3) % (longest + 1))
    starts.push(Math.min(starts.at(-1)! + size, tokens.rows))
  return { tokens, starts }
}

const scenes: Record<string, { queries: Texts; documents: Texts }> = {
  'short texts': {
    queries: textsOf(gaussian(30, 16, 1), 5),
    documents: textsOf(gaussian(400, 16, 2), 6),
  },
  'documents longer than a panel, odd sizes': {
    queries: textsOf(gaussian(70, 17, 3), 40),
    documents: textsOf(gaussian(1501, 17, 4), 130),
  },
  'many ties': {
    queries: textsOf(
      matrixOf(12, 3, (i, j) => (i * j) % 3),
      4,
    ),
    documents: textsOf(
      matrixOf(300, 3, (i, j) => ((i % 4) + j) % 2),
      3,
    ),
  },
  'tokens of very different lengths, and of none': {
    queries: textsOf(
      matrixOf(20, 8, (i, j) => (i % 3 === 0 ? 0 : 10 ** ((i % 5) * 6 - 12) * (j - 3))),
      5,
    ),
    documents: textsOf(
      matrixOf(200, 8, (i, j) => 10 ** ((i % 7) * 4 - 12) * Math.sin(i + j)),
      9,
    ),
  },
}

async function expectExact(metric: Metric, { queries, documents }: (typeof scenes)[string]) {
  const k = Math.min(9, documents.starts.length - 1)
  const answer = await maxSim(queries, documents, { k, metric })
  expect(answer.queries).toBe(queries.starts.length - 1)
  for (let query = 0; query < answer.queries; query++) {
    const scores = lateInteraction(metric, queries, documents, query)
    const best = ranking(scores.map((score) => (Number.isNaN(score) ? -Infinity : score)))
    const found = best.filter((document) => !Number.isNaN(scores[document])).slice(0, k)
    const part = [query * k, query * k + found.length] as const
    expect([...answer.indices.subarray(...part)], `query ${query}`).toEqual(found)
    expect([...answer.scores.subarray(...part)]).toEqual(
      found.map((document) => Math.fround(scores[document]!) + 0),
    )
  }
  expect(answer.certified + answer.fallback).toBe(answer.queries)
}

describe('maxSim', () => {
  for (const [name, scene] of Object.entries(scenes))
    for (const metric of metrics)
      it(`equals brute force in float64: ${name}, ${metric}`, () => expectExact(metric, scene))

  it('gives 1.6 for the known answer', async () => {
    const queries = { tokens: matrixOf(2, 2, (i, j) => Number(i === j)), starts: [0, 2] }
    const tokens = matrixOf(2, 2, (i, j) => (i === j ? 0.6 : 0.8))
    const { scores } = await maxSim(queries, { tokens, starts: [0, 2] }, { k: 1, metric: 'dot' })
    expect(scores[0]).toBe(Math.fround(Math.fround(0.8) + Math.fround(0.8)))
  })

  it('never finds a document without tokens; a query without tokens scores 0 with all others', async () => {
    const documents = { tokens: gaussian(3, 4, 1), starts: [0, 0, 1, 1, 3, 3] }
    const queries = { tokens: gaussian(1, 4, 2), starts: [0, 0, 1] }
    const { indices, scores } = await maxSim(queries, documents, { k: 3 })
    expect([...indices.subarray(0, 3)]).toEqual([1, 3, -1])
    expect([...scores.subarray(0, 3)]).toEqual([0, 0, NaN])
    expect([...indices.subarray(3)].sort()).toEqual([-1, 1, 3])
  })

  it('answers nothing where no document has tokens of its own but one', async () => {
    const one = { tokens: gaussian(40, 4, 1), starts: [0, 0, 40] }
    const { indices } = await maxSim(one, one, { k: 2 })
    expect([...indices]).toEqual([1, -1, 1, -1])
  })

  it('takes no queries', async () => {
    const none = { tokens: { data: new Float32Array(0), rows: 0, cols: 3 }, starts: [0] }
    const documents = { tokens: gaussian(3, 3, 1), starts: [0, 3] }
    const { indices, certified } = await maxSim(none, documents, { k: 2 })
    expect([indices.length, certified]).toEqual([0, 0])
    await expect(maxSim({ ...none, starts: [0, 0] }, documents, { k: 2 })).rejects.toThrow(
      'the tokens of some query for queries.tokens, received none',
    )
  })

  it('pads the answer where k is above the documents', async () => {
    const one = { tokens: gaussian(3, 3, 1), starts: [0, 3] }
    const { indices, scores } = await maxSim(one, one, { k: 3 })
    expect([...indices]).toEqual([0, -1, -1])
    expect([...scores.subarray(1)]).toEqual([NaN, NaN])
  })

  it('is topK where each text is one token', async () => {
    const { topK } = await import('../../lib/mining/top-k')
    const [queries, corpus] = [gaussian(20, 9, 5), gaussian(300, 9, 6)]
    const each = (tokens: Texts['tokens']) => ({
      tokens,
      starts: Int32Array.from({ length: tokens.rows + 1 }, (_, i) => i),
    })
    const sums = await maxSim(each(queries), each(corpus), { k: 7 })
    const { indices, scores } = await topK(queries, corpus, { k: 7 })
    expect(sums).toMatchObject({ indices, scores })
  })

  it('answers the same from prepared tokens, for any number of threads', async () => {
    const queries = textsOf(gaussian(60, 24, 7), 30)
    const documents = textsOf(gaussian(2000, 24, 8), 50)
    const { seconds: _, ...plain } = await maxSim(queries, documents, { k: 5 })
    const tokens = await prepareCorpus(documents.tokens)
    for (const threads of [1, 2, 3])
      expect(
        await maxSim(queries, { tokens, starts: documents.starts }, { k: 5, threads }),
      ).toMatchObject(plain)
    tokens.dispose()
  })

  it('names the starts that are wrong', async () => {
    const right = { tokens: gaussian(4, 3, 1), starts: [0, 2, 4] }
    const ask = (starts: unknown) => maxSim(right, { ...right, starts } as MultiVectors, { k: 1 })
    await expect(ask([0, 2, 3])).rejects.toThrow(
      '4, the number of tokens for documents.starts[2], received 3',
    )
    await expect(ask([0, 3, 2, 4])).rejects.toThrow('an integer in 3..4 for documents.starts[2]')
    await expect(ask([1, 4])).rejects.toThrow('documents.starts[0]')
    await expect(ask([0, 5])).rejects.toThrow('an integer in 0..4 for documents.starts[1]')
    await expect(ask([0, 0.5, 4])).rejects.toThrow('documents.starts[1]')
    await expect(ask([0, , 4])).rejects.toThrow('documents.starts[1]') // eslint-disable-line no-sparse-arrays
    await expect(ask([0])).rejects.toThrow(
      'at least 2, one more than texts for documents.starts, received 1',
    )
    await expect(ask(new Float64Array([0, 4]))).rejects.toThrow('an Int32Array')
    await expect(ask(undefined)).rejects.toThrow('documents.starts')
  })

  it('names what else is wrong', async () => {
    const right = { tokens: gaussian(4, 3, 1), starts: [0, 2, 4] }
    const wide = { tokens: gaussian(4, 5, 1), starts: [0, 4] }
    await expect(maxSim(right, right, { k: 0 })).rejects.toThrow('an integer of at least 1 for k')
    await expect(maxSim(right, right, {} as never)).rejects.toThrow('for k')
    await expect(maxSim(right.tokens as never, right, { k: 1 })).rejects.toThrow(
      'a matrix without starts',
    )
    await expect(maxSim(right, null as never, { k: 1 })).rejects.toThrow('{ tokens, starts }')
    await expect(maxSim(wide, right, { k: 1 })).rejects.toThrow(
      '3 columns, as in documents.tokens for queries.tokens.cols, received 5',
    )
    const hostile = matrixOf(4, 3, (i) => (i === 3 ? Infinity : 1))
    await expect(maxSim(right, { tokens: hostile, starts: [0, 4] }, { k: 1 })).rejects.toThrow(
      'row 3, column 0 of documents.tokens',
    )
  })

  it('tells of tokens that are zero vectors, and of a k above the documents', async () => {
    const queries = { tokens: matrixOf(3, 2, (i) => (i === 1 ? 0 : 1)), starts: [0, 1, 3] }
    const documents = { tokens: matrixOf(4, 2, (i) => (i < 2 ? 0 : i)), starts: [0, 2, 4] }
    const found = await maxSim(queries, documents, { k: 3 })
    expect([found.zeroQueryTokens, found.zeroDocumentTokens]).toEqual([1, 2])
    expect(found.warnings).toEqual([
      'k 3 is above the 2 documents: the places beyond hold -1 and NaN',
      '1 of 3 query tokens is a zero vector: the cosine with every token is 0',
      '2 of 4 document tokens are zero vectors: the cosine with every token is 0',
    ])
    expect((await maxSim(queries, documents, { k: 2, metric: 'dot' })).warnings).toEqual([])
    const none = { tokens: { ...queries.tokens, data: new Float32Array(0), rows: 0 }, starts: [0] }
    expect((await maxSim(none, documents, { k: 3 })).warnings).toEqual([])
  })

  it('answers by the starts of the call, though they change while it runs', async () => {
    const tokens = gaussian(400, 8, 1)
    const [starts, changing] = [[0, 100, 200, 400], Int32Array.from([0, 100, 200, 400])]
    const queries = { tokens, starts: [0, 400] }
    const running = maxSim(queries, { tokens, starts: changing }, { k: 3 })
    changing.fill(2 ** 30)
    const { seconds: _, ...expected } = await maxSim(queries, { tokens, starts }, { k: 3 })
    expect(await running).toMatchObject(expected)
  })
})
