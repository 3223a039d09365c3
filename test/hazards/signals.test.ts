// Many jobs under one signal, as in a server that stops all of them at once.
import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { semiNmf } from '../../lib/factorization/semi-nmf'
import { topK } from '../../lib/mining/top-k'
import { gaussian } from '../matrices'

const X = gaussian(200, 16, 3)
const endless = { rank: 4, init: 'random', iterations: 2 ** 31, tolerance: 0 } as const

const warnings: string[] = []
const hear = ({ name }: Error) => void warnings.push(name)
beforeEach(() => {
  warnings.length = 0
  process.on('warning', hear)
})
afterEach(() => void process.off('warning', hear))

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('twenty jobs under one AbortSignal', () => {
  it('warn of no leak, and leave no listener', async () => {
    const { signal } = new AbortController()
    const jobs = Array.from({ length: 20 }, () => topK(X, X, { k: 1, signal }))
    await nextTurn()
    expect(listenersOf(signal)).toBe(1)
    await Promise.all(jobs)
    expect([listenersOf(signal), warnings]).toEqual([0, []])
  })

  it('all stop with its reason', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const jobs = Array.from({ length: 4 }, () => semiNmf(X, { ...endless, signal }))
    await nextTurn()
    const reason = new Error('enough')
    controller.abort(reason)
    const ends = await Promise.allSettled(jobs)
    expect(ends).toEqual(jobs.map(() => ({ status: 'rejected', reason })))
    expect(listenersOf(signal)).toBe(0)
  })

  it('keep the listener while one of them runs', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const long = semiNmf(X, { ...endless, signal })
    await topK(X, X, { k: 1, signal })
    expect(listenersOf(signal)).toBe(1)
    controller.abort()
    await expect(long).rejects.toThrow('aborted')
  })

  it("hide no leak of the caller's own listeners", async () => {
    const { signal } = new AbortController()
    for (let i = 0; i < 10; i++) signal.addEventListener('abort', () => {})
    await topK(X, X, { k: 1, signal })
    await nextTurn()
    expect(warnings).toEqual(['MaxListenersExceededWarning'])
  })
})

describe('a signal of a library, without reasons', () => {
  function signalOf() {
    const listeners = new Set<() => void>()
    const signal = {
      aborted: false,
      addEventListener: (_: 'abort', listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: 'abort', listener: () => void) => void listeners.delete(listener),
    }
    const abort = () => {
      signal.aborted = true
      for (const listener of listeners) listener()
    }
    return { signal, abort, listeners }
  }

  it('stops a job, which rejects with an AbortError', async () => {
    const { signal, abort, listeners } = signalOf()
    const job = semiNmf(X, { ...endless, signal })
    await nextTurn()
    abort()
    await expect(job).rejects.toMatchObject({ name: 'AbortError' })
    expect(listeners.size).toBe(0)
    await expect(topK(X, X, { k: 1, signal })).rejects.toMatchObject({ name: 'AbortError' })
  })
})
