// Scorers that fail, answer nonsense, or are stopped.
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { judgeNegatives } from '../../lib/mining/judge-negatives'
import type { JudgeNegativesOptions } from '../../lib/mining/judge-options'
import type { ScorerProgress } from '../../lib/mining/scorer-options'
import type { Scorer } from '../../lib/mining/scorer-answers'
import { answerOf, judgeScene, mixedAnswer, scorerOf } from './judging'

const { lists } = judgeScene(7)
const answer = mixedAnswer(7)
const quick = { retryDelay: 0, batchSize: 4 }

const judge = (score: unknown, options: Partial<JudgeNegativesOptions> = {}) =>
  judgeNegatives(lists, { score: score as Scorer, ...quick, ...options })

/** A scorer whose answers are replaced. */
const answering = (change: (answers: unknown[]) => unknown): Scorer =>
  (async (pairs: readonly { query: number; row: number }[]) =>
    change(pairs.map(({ query, row }) => answer(query, row)))) as Scorer

const fails = async (promise: Promise<unknown>) => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ code: 'ERR_GEMMINE_SCORER' })
  return error as Error
}

describe('a scorer that fails', () => {
  it('is asked again, and the result is that of one that never fails', async () => {
    const failures = new Map<number, number>()
    const { score, asked } = scorerOf(answer)
    const flaky: Scorer = (pairs, call) => {
      const { batch, attempt } = call
      expect(attempt).toBe(failures.get(batch) ?? 0)
      failures.set(batch, attempt + 1)
      if (attempt < batch % 3) throw new Error('overloaded')
      return score(pairs, call)
    }
    const judged = await judge(flaky)
    expect(answerOf(judged)).toEqual(answerOf(await judge(score)))
    expect([...failures.values()]).toContain(3)
    expect(asked.length).toBe(2 * judged.asked)
  })

  it('again and again ends the run with the batch and its cause', async () => {
    const cause = new Error('HTTP 429')
    const score = vi.fn(async () => Promise.reject(cause))
    const error = await fails(judge(score, { retries: 3, concurrency: 1 }))
    expect(error.message).toMatch(
      /^Batch 0 of the scorer \(4 pairs from query \d+, row \d+\): failed 4 times, at last with: HTTP 429$/,
    )
    expect(error.cause).toBe(cause)
    expect(score).toHaveBeenCalledTimes(4)
  })

  it.each([null, undefined, 'text', Symbol('x')])(
    'with %s as reason is told of',
    async (reason) => {
      const score = () => Promise.reject(reason as unknown as Error)
      const error = await fails(judge(score, { retries: 0 }))
      expect(error.message).toContain(`failed once with: ${String(reason)}`)
    },
  )

  it('with a page as its message is told of in one line', async () => {
    const score = () => Promise.reject(new Error(`<html>\n${'x'.repeat(5000)}`))
    const { message } = await fails(judge(score, { retries: 0 }))
    expect(message).toMatch(/<html>\\nx+…$/)
    expect(message.length).toBeLessThan(400)
  })

  it('waits twice as long after each failure', async () => {
    const times: number[] = []
    const score = () => {
      times.push(performance.now())
      throw new Error('no')
    }
    await fails(judge(score, { retries: 2, retryDelay: 20, concurrency: 1 }))
    expect(times[1]! - times[0]!).toBeGreaterThan(15)
    expect(times[2]! - times[1]!).toBeGreaterThan(35)
  })

  it('lets the batches under way end, and starts no other', async () => {
    const { score, asked } = scorerOf(answer)
    let failed = false
    const half: Scorer = async (pairs, call) => {
      if (call.batch === 1) {
        failed = true
        throw new Error('no')
      }
      expect(failed && call.batch > 2).toBe(false)
      await setTimeout(5)
      return await score(pairs, call)
    }
    const error = await fails(judge(half, { retries: 0, concurrency: 2 }))
    expect(error.message).toContain('Batch 1 ')
    expect(asked).toHaveLength(4)
  })
})

describe('answers of a wrong form', () => {
  it.each<[string, (answers: unknown[]) => unknown, RegExp]>([
    ['too few', (all) => all.slice(1), /expected 4 answers, one for each pair, received 3$/],
    ['too many', (all) => [...all, 1], /expected 4 answers, one for each pair, received 5$/],
    ['nothing', () => undefined, /expected an array of 4 answers, received undefined$/],
    ['a text', () => 'keep', /expected an array of 4 answers, received 'keep'$/],
    ['an object', () => ({ length: 4 }), /expected an array of 4 answers, received an object$/],
    ['a view of bytes', () => new DataView(new ArrayBuffer(4)), /received DataView$/],
    ['NaN', ([, ...all]) => [NaN, ...all], /for query \d+, row \d+, received NaN$/],
    ['NaN in a typed array', () => new Float32Array(4).fill(NaN), /received NaN$/],
    ['Infinity', ([, ...all]) => [-Infinity, ...all], /received -Infinity$/],
    ['a bigint', ([, ...all]) => [1n, ...all], /received 1n$/],
    ['bigints', () => new BigInt64Array(4), /received 0n$/],
    ['an unknown word', ([, ...all]) => ['Keep', ...all], /received 'Keep'$/],
    ['undefined', ([, ...all]) => [undefined, ...all], /received undefined$/],
    ['a hole', () => new Array(4), /received undefined$/],
    ['true', ([, ...all]) => [true, ...all], /received true$/],
    [
      'an empty object',
      ([, ...all]) => [{}, ...all],
      /received score undefined and verdict undefined$/,
    ],
    ['a wrong score', ([, ...all]) => [{ score: '1' }, ...all], /received score '1' and/],
    ['a wrong verdict', ([, ...all]) => [{ score: 1, verdict: 'x' }, ...all], /verdict 'x'$/],
    ['a score of NaN', ([, ...all]) => [{ score: NaN, verdict: 'keep' }, ...all], /score NaN and/],
  ])('%s: the batch is named, and not asked again', async (_, change, message) => {
    const score = vi.fn(answering(change))
    const error = await fails(judge(score, { concurrency: 1 }))
    expect(error.message).toMatch(/^Batch 0 of the scorer \(4 pairs from query \d+, row \d+\): /)
    expect(error.message).toMatch(message)
    expect(score).toHaveBeenCalledTimes(1)
  })

  it('that throw when they are read are told of', async () => {
    const hostile = {
      get score() {
        throw new Error('gone')
      },
    }
    const error = await fails(judge(answering(([, ...all]) => [hostile, ...all])))
    expect(error.message).toContain('its answers cannot be read: gone')
  })
})

it('a scorer may change what it is given, and answer in any accepted form', async () => {
  const scores: Scorer = (pairs) => {
    const all = Float64Array.from(pairs, ({ query, row }) => ((query + row) % 9) - 4)
    for (const pair of pairs as { query: number; row: number }[]) pair.query = pair.row = -1
    ;(pairs as unknown[]).length = 0
    return all
  }
  const plain: Scorer = (pairs) => pairs.map(({ query, row }) => ((query + row) % 9) - 4)
  const rules = { maxScore: 1, absoluteMargin: 2 }
  expect(answerOf(await judge(scores, rules))).toEqual(answerOf(await judge(plain, rules)))
})

describe('an abort', () => {
  it.each([0, 3])('in the middle of batch %i rejects at once with its reason', async (last) => {
    const controller = new AbortController()
    const score = vi.fn(async (_: unknown, { batch }: { batch: number }) => {
      if (batch < last) return ['keep', 'keep', 'keep', 'keep'] as const
      controller.abort('enough')
      return await new Promise<never>(() => {})
    })
    const { signal } = controller
    await expect(judge(score, { signal, concurrency: 1 })).rejects.toBe('enough')
    expect(score).toHaveBeenCalledTimes(last + 1)
  })

  it('before the call asks nothing', async () => {
    const score = vi.fn()
    await expect(judge(score, { signal: AbortSignal.abort('no') })).rejects.toBe('no')
    expect(score).not.toHaveBeenCalled()
  })

  it('during a pause between attempts does not wait for it', async () => {
    const controller = new AbortController()
    const score = () => {
      setImmediate(() => controller.abort('enough'))
      throw new Error('no')
    }
    const options = { signal: controller.signal, retryDelay: 2 ** 30 }
    await expect(judge(score, options)).rejects.toBe('enough')
  })

  it('stops many runs under one signal, which has one listener', async () => {
    const warned = vi.fn()
    process.on('warning', warned)
    const controller = new AbortController()
    const score = () => new Promise<never>(() => {})
    const runs = Array.from({ length: 20 }, () => judge(score, { signal: controller.signal }))
    await setTimeout(20)
    controller.abort('enough')
    for (const run of runs) await expect(run).rejects.toBe('enough')
    await setTimeout(1)
    process.off('warning', warned)
    expect(warned).not.toHaveBeenCalled()
  })

  it('leaves no listener, and rejections that come later are handled', async () => {
    const listeners = new Set<unknown>()
    const signal = {
      aborted: false,
      reason: 'enough',
      addEventListener: (_: string, listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: string, listener: () => void) => void listeners.delete(listener),
    }
    await judge(scorerOf(answer).score, { signal })
    expect(listeners.size).toBe(0)
    const score = async () => {
      await setTimeout(5)
      throw new Error('late')
    }
    const stopped = judge(score, { signal })
    await setTimeout(1)
    signal.aborted = true
    for (const listener of listeners) (listener as () => void)()
    await expect(stopped).rejects.toBe('enough')
    expect(listeners.size).toBe(0)
    await setTimeout(10)
  })
})

describe('progress', () => {
  it('ends with all pairs, a rate and no time left, and never goes back', async () => {
    const told: ScorerProgress[] = []
    const { score, asked } = scorerOf(answer)
    await judge(score, { onProgress: (progress) => told.push(progress) })
    const last = told.at(-1)!
    expect(last).toMatchObject({ phase: 'score', done: asked.length, total: asked.length, eta: 0 })
    expect(last.rate).toBeGreaterThan(0)
    for (const [i, { done, total, eta }] of told.entries()) {
      expect(done).toBeGreaterThanOrEqual(told[i - 1]?.done ?? 0)
      expect(total).toBeGreaterThanOrEqual(done)
      expect(eta).toBeGreaterThanOrEqual(0)
    }
  })

  it('whose listener throws stops the run', async () => {
    const onProgress = () => {
      throw 'stop'
    }
    await expect(judge(scorerOf(answer).score, { onProgress })).rejects.toBe('stop')
  })
})

it('a scorer that answers at once does not hold the event loop', async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const busy: Scorer = (pairs) => {
    const end = performance.now() + 5
    while (performance.now() < end);
    return pairs.map(() => 0)
  }
  await judge(busy, { batchSize: 1, budget: 30, concurrency: 1 })
  clearInterval(timer)
  expect(turns).toBeGreaterThan(3)
})
