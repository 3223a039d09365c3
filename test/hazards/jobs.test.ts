import { describe, expect, it } from 'vitest'
import { semiNmf } from '../../lib/factorization/semi-nmf'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { topK } from '../../lib/mining/top-k'
import type { Progress } from '../../lib/options'
import { gaussian } from '../matrices'

const X = gaussian(3000, 128, 11)
/** Each row is the positive of its own query. */
const self = Int32Array.from({ length: X.rows }, (_, i) => i)
const endless = { rank: 16, init: 'random', iterations: 2 ** 31, tolerance: 0 } as const

describe('an abort', () => {
  it('rejects with its reason within a block', { retry: 2 }, async () => {
    const controller = new AbortController()
    const running = semiNmf(X, { ...endless, signal: controller.signal })
    await new Promise((resolve) => setTimeout(resolve, 100))
    const reason = new Error('enough')
    const began = performance.now()
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
    const took = performance.now() - began
    console.log(`an abort took ${took.toFixed(1)} ms`)
    expect(took).toBeLessThan(500)
  })

  it('leaves the arrays to the caller', async () => {
    const controller = new AbortController()
    const W = new Float32Array(X.rows * 16)
    const running = semiNmf(X, { ...endless, out: { W }, signal: controller.signal })
    setTimeout(() => controller.abort(), 20)
    await expect(running).rejects.toThrow('aborted')
    const seen = W.slice()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(W).toEqual(seen)
  })
})

describe('a call that waits for its turn', () => {
  /** More than run at once. */
  const many = Array.from({ length: 40 })

  it('rejects at once when it is aborted, and the others go on', { retry: 2 }, async () => {
    const others = new AbortController()
    const running = many.map(() => semiNmf(X, { ...endless, signal: others.signal }))
    const controller = new AbortController()
    const waiting = many.map(() => semiNmf(X, { ...endless, signal: controller.signal }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    const began = performance.now()
    controller.abort('enough')
    const rejected = await Promise.allSettled(waiting)
    const took = performance.now() - began
    const short = semiNmf(X, { ...endless, iterations: 1 })
    others.abort()
    await Promise.allSettled(running)
    console.log(`an abort of ${many.length} that wait took ${took.toFixed(1)} ms`)
    for (const { reason } of rejected as PromiseRejectedResult[]) expect(reason).toBe('enough')
    expect(took).toBeLessThan(200)
    expect((await short).iterations).toBe(1)
  })

  it('is taken before those that came later', async () => {
    const begun: number[] = []
    await Promise.all(
      many.map((_, i) => {
        const onProgress = () => {
          if (!begun.includes(i)) begun.push(i)
        }
        return semiNmf(X, { ...endless, iterations: 1, onProgress })
      }),
    )
    for (const [place, i] of begun.entries()) expect(Math.abs(place - i)).toBeLessThanOrEqual(16)
  })
})

describe('progress', () => {
  it('comes at most ten times a second, and once at the end', async () => {
    const heard: [number, Progress][] = []
    const began = performance.now()
    const { iterations } = await semiNmf(X, {
      ...endless,
      iterations: 150,
      onProgress: (progress) => void heard.push([performance.now(), progress]),
    })
    const seconds = (performance.now() - began) / 1000
    const phases = heard.filter(([, { phase }]) => phase === 'iterate')
    expect(heard.length).toBeLessThanOrEqual(10 * seconds + 2)
    expect(phases.at(-1)![1]).toMatchObject({ done: iterations, total: 150 })
  })

  for (const thrown of [new Error('from the listener'), 'a text', undefined])
    it(`stops the job and rejects with what a listener throws: ${String(thrown)}`, async () => {
      let calls = 0
      const running = semiNmf(X, {
        ...endless,
        onProgress: () => {
          calls++
          throw thrown
        },
      })
      await expect(running.catch((error: unknown) => [error])).resolves.toEqual([thrown])
      expect(calls).toBe(1)
    })
})

describe('a listener', () => {
  it('may throw what looks like a failure of the addon', async () => {
    const thrown = new TypeError('Expected two for X.data')
    const onProgress = () => {
      throw thrown
    }
    await expect(semiNmf(X, { ...endless, onProgress })).rejects.toBe(thrown)
  })

  it('that returns a rejecting promise does not stop the job, and the process hears of it', async () => {
    const reason = new Error('no disk')
    const heard: unknown[] = []
    const listeners = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', (thrown) => heard.push(thrown))
    const onProgress = () => Promise.reject(reason) as never
    const { iterations } = await semiNmf(X, { ...endless, iterations: 2, onProgress })
    await new Promise((resolve) => setTimeout(resolve, 20))
    process.removeAllListeners('unhandledRejection')
    for (const listener of listeners) process.on('unhandledRejection', listener)
    expect(iterations).toBe(2)
    expect(heard[0]).toBe(reason)
  })
})

describe('jobs side by side', () => {
  it('give the same bits as alone', async () => {
    const run = (seed: number) => semiNmf(X, { ...endless, seed, iterations: 5 })
    const together = await Promise.all([0, 1, 2, 3].map(run))
    for (const [seed, { objective }] of together.entries())
      expect([...objective]).toEqual([...(await run(seed)).objective])
  })

  it.each([1, 15])('let a short one overtake long ones: %i', async (count) => {
    const controller = new AbortController()
    const { signal } = controller
    const long = Array.from({ length: count }, () => semiNmf(X, { ...endless, signal }))
    const short = await semiNmf(X, { ...endless, iterations: 2 }).finally(() => controller.abort())
    expect(short.iterations).toBe(2)
    for (const { reason } of (await Promise.allSettled(long)) as PromiseRejectedResult[])
      expect(reason).toMatchObject({ name: 'AbortError' })
  })

  it('measure the time of their own', async () => {
    const began = performance.now()
    const { seconds } = await semiNmf(X, { ...endless, iterations: 3 })
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThan((performance.now() - began) / 1000)
    expect(seconds * 1e3).not.toBe(Math.round(seconds * 1e3))
  })
})

describe('a prepared corpus', () => {
  it('can be asked by several jobs at once, and not after dispose()', async () => {
    const corpus = await prepareCorpus(X)
    const [first, second] = await Promise.all([
      topK(X, corpus, { k: 2 }),
      topK(X, corpus, { k: 2 }),
    ])
    expect(first!.indices).toEqual(second!.indices)
    expect(corpus.bytes).toBeGreaterThan(0)
    corpus.dispose()
    expect(corpus.bytes).toBe(0)
    await expect(topK(X, corpus, { k: 2 })).rejects.toMatchObject({ code: 'ERR_GEMMINE_DISPOSED' })
  })
})

describe('many rejected candidates', () => {
  it('come complete', async () => {
    const explain = 40
    const { rejected } = await mineHardNegatives(X, X, self, { minScore: 0.1, explain })
    const { queries, indptr, rows, scores, rules } = rejected
    expect(rows.length * 13).toBeGreaterThan(2 ** 20)
    expect([rows.length, scores.length, rules.length]).toEqual(Array(3).fill(indptr.at(-1)))
    expect([...queries]).toEqual([...self])
    for (let q = 0; q < queries.length; q++) {
      const best = scores.subarray(indptr[q], indptr[q + 1])
      expect(best.length).toBe(explain)
      expect([...best]).toEqual([...best].sort((a, b) => b - a))
      expect(rows[indptr[q]!]).toBe(q)
    }
  })
})
