// Calls of topK that wait for one prepared corpus share a scan; each gets the answer of its own call.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { prepareCorpus, topK, type PreparedCorpus, type TopKOptions } from '../../lib'
import { native } from '../../lib/native'
import { gaussian } from '../matrices'

const rows = 4000
const cols = 24
const corpus = gaussian(rows, cols, 2)

interface Asked {
  readonly queries: ReturnType<typeof gaussian>
  readonly options: TopKOptions
}

/** Calls that differ in all that may differ between calls that share a scan. */
function callOf(call: number): Asked {
  const count = call % 5
  const queries = gaussian(Math.max(count, 1), cols, 100 + call)
  const lists = Array.from({ length: queries.rows }, (_, q) => [call % rows, (7 * q) % rows])
  return {
    queries,
    options: {
      k: 1 + (call % 9),
      ...(call % 3 === 0 && { exclude: lists }),
      ...(call % 4 === 0 && { excludeSelf: new Int32Array(queries.rows).fill(call) }),
    },
  }
}

let prepared: PreparedCorpus
const watch = () => vi.spyOn(native(), 'topK')
let scans: ReturnType<typeof watch>
beforeEach(async () => {
  prepared = await prepareCorpus(corpus)
  scans = watch()
})
afterEach(() => {
  scans.mockRestore()
  prepared.dispose()
})

const ask = ({ queries, options }: Asked, more: Partial<TopKOptions> = {}) =>
  topK(queries, prepared, { ...options, ...more })

describe('calls that wait for one prepared corpus', () => {
  it('share a scan, and each gets the answer of its own call', async () => {
    const calls = Array.from({ length: 200 }, (_, call) => callOf(call))
    const together = await Promise.all(calls.map((call) => ask(call)))
    expect(scans.mock.calls.length).toBeLessThan(20)
    for (const [i, call] of calls.entries()) {
      const alone = await ask(call)
      const { queries, k, indices, scores, zeroQueries, warnings } = together[i]!
      expect({ queries, k, indices, scores, zeroQueries, warnings }).toEqual({
        ...{ queries: alone.queries, k: alone.k, indices: alone.indices, scores: alone.scores },
        ...{ zeroQueries: alone.zeroQueries, warnings: alone.warnings },
      })
    }
  })

  it('share no scan with a call of other threads, of many places, or with progress', async () => {
    const one = gaussian(1, cols, 1)
    const calls: TopKOptions[] = [
      ...[{ k: 1 }, { k: 1 }, { k: 1 }, { k: 1, threads: 1 }],
      ...[{ k: 2 ** 14 }, { k: 1, onProgress: () => {} }],
    ]
    await Promise.all(calls.map((options) => topK(one, prepared, options)))
    expect(scans.mock.calls.length).toBe(5) // the first, two that waited, and one for each of the others
  })

  it('are aborted one by one', async () => {
    const [waiting, kept] = [new AbortController(), new AbortController()]
    const calls = [
      ask(callOf(1)),
      ask(callOf(2), { signal: waiting.signal }),
      ask(callOf(3), { signal: kept.signal }),
    ]
    waiting.abort(new Error('the client left'))
    await expect(calls[1]).rejects.toThrow('the client left')
    expect((await calls[2])!.indices).toEqual((await ask(callOf(3))).indices)
    kept.abort()
    await calls[0]
  })

  it('end their scan when all that share it are aborted', async () => {
    const client = new AbortController()
    const first = ask(callOf(1))
    const calls = [2, 3, 4].map((call) => ask(callOf(call), { signal: client.signal }))
    const settled = Promise.allSettled(calls)
    await first
    client.abort(new Error('all left'))
    for (const { status, reason } of (await settled) as PromiseRejectedResult[])
      expect([status, (reason as Error).message]).toEqual(['rejected', 'all left'])
    expect((await ask(callOf(5))).indices).toHaveLength(callOf(5).options.k)
  })

  it('fail one by one: a wrong entry names the row of its own call', async () => {
    const wrong = callOf(8)
    wrong.queries.data[2 * cols + 1] = NaN
    const first = ask(callOf(1))
    const [good, bad] = [ask(callOf(2)), ask(wrong)]
    await expect(bad).rejects.toMatchObject({ argument: 'queries', row: 2, column: 1 })
    expect((await good).indices).toEqual((await ask(callOf(2))).indices)
    await first
  })

  it('refuse wrong lists of their own', async () => {
    const one = gaussian(1, cols, 1)
    const first = ask(callOf(1))
    const listed = (indptr: number[], indices: number[]) =>
      topK(one, prepared, {
        k: 1,
        exclude: { indptr: Int32Array.from(indptr), indices: Int32Array.from(indices) },
      })
    const [good, bad] = [ask(callOf(2)), listed([0, 1], [rows])]
    await expect(bad).rejects.toThrow(`received ${rows}`)
    await expect(listed([0, 3], [1])).rejects.toThrow('exclude')
    await Promise.all([first, good])
  })

  it('count their own zero queries', async () => {
    const zeros = { rows: 2, cols, data: new Float32Array(2 * cols) }
    const first = ask(callOf(1))
    const [some, none] = [topK(zeros, prepared, { k: 1 }), ask(callOf(2))]
    expect([(await some).zeroQueries, (await none).zeroQueries]).toEqual([2, 0])
    await first
  })

  it('are answered after dispose(), which frees the corpus after them', async () => {
    const handle = prepared.handle()
    const calls = [1, 2, 3].map((call) => ask(callOf(call)))
    prepared.dispose()
    expect(prepared.bytes).toBe(0)
    expect(handle.bytes).toBeGreaterThan(0)
    for (const { certified, fallback } of await Promise.all(calls))
      expect(certified + fallback).toBeGreaterThan(0)
    await vi.waitFor(() => expect(handle.bytes).toBe(0))
  })

  it('write to the arrays of their caller, and name one that was transferred', async () => {
    const { queries, options } = callOf(3)
    const arrays = () => ({
      indices: new Int32Array(queries.rows * options.k),
      scores: new Float32Array(queries.rows * options.k),
    })
    const first = ask(callOf(1))
    const [mine, lost] = [arrays(), arrays()]
    const answers = [mine, lost].map((out) => topK(queries, prepared, { ...options, out }))
    structuredClone(lost.indices.buffer, { transfer: [lost.indices.buffer] })
    await expect(answers[1]).rejects.toThrow('out.indices')
    expect((await answers[0])!.indices).toBe(mine.indices)
    expect(mine.indices).toEqual((await ask(callOf(3))).indices)
    await first
  })
})
