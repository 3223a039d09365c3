import { describe, expect, it } from 'vitest'
import { metrics } from '../../lib/mining/metric'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { prepareRowSet } from '../../lib/mining/row-set'
import { topK } from '../../lib/mining/top-k'
import { topKSync } from '../../lib/mining/top-k-sync'
import { gaussian } from '../matrices'

const queries = gaussian(5, 24, 1)
const corpus = gaussian(400, 24, 2)

describe('topKSync', () => {
  for (const metric of metrics)
    it(`answers as topK: ${metric}`, async () => {
      const prepared = await prepareCorpus(corpus, { metric })
      const allow = await prepareRowSet([1, 5, 100, 200, 399], prepared)
      for (const options of [{}, { allow }, { minScore: 0 }, { excludeSelf: new Int32Array(5) }]) {
        const right = await topK(queries, prepared, { k: 6, ...options })
        for (const over of [prepared, corpus]) {
          const found = topKSync(queries, over, { k: 6, metric, ...options })
          expect(found.indices).toEqual(right.indices)
          expect(found.scores).toEqual(right.scores)
        }
      }
    })

  it('writes the arrays of the caller, also beside jobs', async () => {
    const out = { indices: new Int32Array(10), scores: new Float32Array(10) }
    const running = topK(queries, corpus, { k: 2 })
    const found = topKSync(queries, corpus, { k: 2, out })
    expect(found.indices).toBe(out.indices)
    expect(out.indices).toEqual((await running).indices)
    expect(topKSync({ ...queries, rows: 0 }, corpus, { k: 2 }).queries).toBe(0)
  })

  it('refuses large work, lists that have to be copied, options of jobs and wrong entries', async () => {
    expect(() => topKSync(gaussian(3000, 64, 1), gaussian(400, 64, 2), { k: 1 })).toThrow(
      'at most 67108864 products',
    )
    expect(() => topKSync(queries, corpus, { k: 1, exclude: [[1], [], [], [], []] })).toThrow(
      'topKSync cannot wait',
    )
    expect(() => topKSync(queries, corpus, { k: 1, threads: 2 } as never)).toThrow('threads')
    expect(() => topKSync(queries, corpus, { k: 0 })).toThrow('k')
    const wrong = gaussian(5, 24, 1)
    wrong.data[30] = NaN
    expect(() => topKSync(wrong, corpus, { k: 1 })).toThrow('queries')
    const gone = await prepareCorpus(corpus)
    gone.dispose()
    expect(() => topKSync(queries, gone, { k: 1 })).toThrow('disposed')
  })
})
