import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  configureQueue,
  drain,
  mineHardNegatives,
  prepareCorpus,
  queueDefaults,
  readNpy,
  semiNmf,
  stats,
  topK,
  writeLines,
  writeMinedParquet,
  writeNpy,
  type JobEnd,
  type JobStart,
  type MinedNegatives,
} from '../lib/index'
import { gaussian } from './matrices'

const X = gaussian(200, 16, 3)
const endless = { rank: 4, init: 'random', iterations: 2 ** 31, tolerance: 0 } as const
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

const control = new Set<AbortController>()

/** Jobs that run until they are aborted. */
function occupy(count: number) {
  const own = new AbortController()
  control.add(own)
  const jobs = Array.from({ length: count }, () => semiNmf(X, { ...endless, signal: own.signal }))
  return { jobs, end: () => own.abort(new Error('enough')) }
}

afterEach(async () => {
  configureQueue({})
  for (const each of control) each.abort()
  await drain()
})

describe('configureQueue', () => {
  it('lets so many calls wait; one more rejects before it starts', async () => {
    configureQueue({ maxQueue: 2 })
    const { jobs, end } = occupy(18)
    const settled = Promise.allSettled(jobs)
    await nextTurn()
    await expect(semiNmf(X, { rank: 2 })).rejects.toMatchObject({
      code: 'ERR_GEMMINE_BUSY',
      message: '16 jobs run and 2 wait, as many as maxQueue allows; try again when some have ended',
    })
    end()
    for (const { status } of await settled) expect(status).toBe('rejected')
    await expect(semiNmf(X, { rank: 2 })).resolves.toBeDefined()
  })

  it('refuses no later job of a call that was let in', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gemmine-queue-'))
    const checkpoint = join(folder, 'run.safetensors')
    const own = Array.from({ length: X.rows }, (_, i) => [i])
    const mining = mineHardNegatives(X, X, own, { checkpoint })
    await nextTurn()
    configureQueue({ maxQueue: 0 })
    const { jobs, end } = occupy(16)
    const settled = Promise.allSettled(jobs)
    await expect(mining).resolves.toBeDefined()
    end()
    await settled
    rmSync(folder, { recursive: true })
  })

  it('counts searches that wait to share a scan', async () => {
    using corpus = await prepareCorpus(gaussian(30_000, 32, 5))
    const one = gaussian(1, 32, 6)
    configureQueue({ maxQueue: 4 })
    const calls = Array.from({ length: 30 }, () => topK(one, corpus, { k: 2 }))
    const ends = await Promise.allSettled(calls)
    expect(ends.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(20)
    const reasons = ends.flatMap((end) =>
      end.status === 'rejected' ? [end.reason as unknown] : [],
    )
    expect(reasons.length).toBeGreaterThan(0)
    for (const reason of reasons) expect(reason).toMatchObject({ code: 'ERR_GEMMINE_BUSY' })
  })

  it.each([-1, 2.5, '7'])('refuses %s', (maxQueue) => {
    expect(() => configureQueue({ maxQueue: maxQueue as number })).toThrow(
      'an integer of at least 0 for maxQueue',
    )
    expect(queueDefaults.maxQueue).toBe(8192)
  })
})

describe('stats', () => {
  it('counts jobs that run and wait, threads, and bytes of prepared corpora', async () => {
    const before = stats()
    const corpus = await prepareCorpus(X)
    expect(stats().bytes - before.bytes).toBe(corpus.bytes)
    corpus.dispose()
    expect(stats().bytes).toBe(before.bytes)
    const { jobs, end } = occupy(20)
    const settled = Promise.allSettled(jobs)
    let now = stats()
    while (now.running < 16) {
      await nextTurn()
      now = stats()
    }
    expect(now).toMatchObject({ running: 16, waiting: 4, jobThreads: 16 })
    expect(now.threads).toBeGreaterThanOrEqual(1)
    end()
    await settled
  })
})

describe('the diagnostics channels', () => {
  it('tell of the start and the end of each job', async () => {
    const started: JobStart[] = []
    const ended: JobEnd[] = []
    const start = (job: unknown) => void started.push(job as JobStart)
    const end = (job: unknown) => void ended.push(job as JobEnd)
    subscribe('gemmine:job:start', start)
    subscribe('gemmine:job:end', end)
    await topK(X, X, { k: 1, threads: 1, priority: 'batch' })
    const wrong = { ...X, data: X.data.map(() => NaN) }
    const failure = await topK(wrong, X, { k: 1 }).catch((error: unknown) => error)
    unsubscribe('gemmine:job:start', start)
    unsubscribe('gemmine:job:end', end)
    await topK(X, X, { k: 1 })
    expect(started).toEqual([
      { id: expect.any(Number) as number, name: 'topK', priority: 'batch', threads: 1 },
      { id: started[0]!.id + 1, name: 'topK', priority: 'interactive', threads: 0 },
    ])
    expect(ended).toEqual([
      { ...started[0], seconds: expect.any(Number) as number, error: undefined },
      { ...started[1], seconds: expect.any(Number) as number, error: failure },
    ])
  })
})

describe('drain', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gemmine-drain-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const inFolder = (name: string) => join(folder, name)
  const written = inFolder('x.npy')
  const many = gaussian(300_000, 16, 4)
  const lists = Array.from({ length: many.rows }, (_, i) => [i % 200])
  const room = { maxByteLength: 2 * many.data.byteLength } as object
  const resizable = new Float32Array(
    new (ArrayBuffer as new (length: number, room: object) => ArrayBuffer)(
      many.data.byteLength,
      room,
    ),
  )
  resizable.set(many.data)
  const words = { query: String, document: String }
  let mined: MinedNegatives
  function* linesOf(count: number) {
    for (let i = 0; i < count; i++) yield `line ${i}`
  }
  beforeAll(async () => {
    await writeNpy(written, X)
    const own = Array.from({ length: X.rows }, (_, i) => [i])
    mined = await mineHardNegatives(X, X, own, { numNegatives: 20 })
  })

  it('waits for every job, and for those that start in the meantime', async () => {
    const done: string[] = []
    const first = topK(X, X, { k: 1 })
      .then(() => topK(X, X, { k: 2 }))
      .then(() => done.push('both'))
    await drain()
    await first
    expect(done).toEqual(['both'])
    await drain()
  })

  it.each<[string, () => Promise<unknown>]>([
    ['lists of many queries', () => topK(many, X, { k: 1, exclude: lists })],
    ['a list for each of few queries', () => topK(X, X, { k: 1, exclude: lists.slice(0, 200) })],
    ['a copy of a large array', () => topK({ ...many, data: resizable }, X, { k: 1 })],
    ['a checkpoint', () => semiNmf(X, { rank: 2, iterations: 1, checkpoint: inFolder('drained') })],
    ['lines that are written', () => writeLines(inFolder('lines'), linesOf(2e5))],
    [
      'a Parquet file that is written',
      () => writeMinedParquet(inFolder('mined'), 'triplet', mined, words),
    ],
    ['a file that is read', () => readNpy(written).then((read) => topK(read, X, { k: 1 }))],
  ])('waits for a call that prepares its inputs: %s', async (_, call) => {
    let isDone = false
    const ended = call().then(() => (isDone = true))
    await drain()
    // The promise of the call settles in the turns after the last job.
    for (let turn = 0; turn < 3; turn++) await nextTurn()
    expect(isDone).toBe(true)
    await ended
  })

  it('refuses the job of a call that still prepares its inputs, when its signal aborts', async () => {
    const reason = new Error('time is up')
    const call = topK(many, X, { k: 1, exclude: lists })
    const refused = expect(call).rejects.toBe(reason)
    await drain(AbortSignal.abort(reason))
    await refused
  })

  it('stops all jobs when its signal aborts, and refuses new ones, with its reason', async () => {
    const { jobs } = occupy(20)
    const settled = Promise.allSettled(jobs)
    await nextTurn()
    const reason = new Error('time is up')
    const own = new AbortController()
    const drained = drain(own.signal)
    own.abort(reason)
    await expect(topK(X, X, { k: 1 })).rejects.toBe(reason)
    await drained
    expect(await settled).toEqual(jobs.map(() => ({ status: 'rejected', reason })))
    await expect(topK(X, X, { k: 1 })).resolves.toBeDefined()
  })

  it('stops at once under a signal that is aborted already', async () => {
    const { jobs } = occupy(2)
    const settled = Promise.allSettled(jobs)
    await nextTurn()
    await drain(AbortSignal.abort(new Error('now')))
    for (const end of await settled) expect(end).toMatchObject({ reason: { message: 'now' } })
  })

  it('refuses what is no signal', async () => {
    await expect(drain(5 as never)).rejects.toThrow('an AbortSignal for signal')
  })
})
