// Times depend on the machine: bench/estimate.bench.ts compares them with measured ones.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  deepSemiNmf,
  estimateFactorization,
  estimateMining,
  estimateTopK,
  kmeans,
  nmf,
  semiNmf,
  semiOrthogonalNmf,
  separableNmf,
  truncatedSvd,
} from '../lib/index'
import { isMistake } from '../lib/errors'
import { extended } from '../lib/estimate'
import { packedBytes } from '../lib/mining/prepare-corpus'

describe('estimateFactorization', () => {
  it('counts the bytes that the call itself plans, and the operations of an iteration', async () => {
    const [rows, cols, rank] = [2 ** 20, 4, 8]
    const options = { rank, init: 'random' } as const
    const found = await estimateFactorization(nmf, { rows, cols }, options)
    expect(found.operations).toBe(4 * rows * cols * rank)
    expect(found.seconds).toBeGreaterThan(0)
    const X = { data: new Float32Array(rows * cols), rows, cols }
    // A call with a budget adds eight MiB.
    await expect(nmf(X, { ...options, memoryBudget: 2 ** 26 })).rejects.toThrow(
      `needs about ${Math.ceil(found.bytes + 2 ** 23)} bytes`,
    )
  })

  it('counts what a model needs beside the loop', async () => {
    const [shape, rank] = [{ rows: 400, cols: 30 }, 5]
    const options = { rank, init: 'random' } as const
    const plain = await estimateFactorization(semiNmf, shape, { ...options, acceleration: 'none' })
    const cayley = await estimateFactorization(semiOrthogonalNmf, shape, options)
    expect(cayley.bytes - plain.bytes).toBe(24 * 30 * rank + 96 * rank * rank)
  })

  it('counts the entries that a sparse matrix stores', async () => {
    const shape = { rows: 5000, cols: 200, nonzeros: 3000 }
    const found = await estimateFactorization(nmf, shape, { rank: 7, init: 'random' })
    expect(found.operations).toBe(4 * 3000 * 7)
    const dense = await estimateFactorization(
      nmf,
      { rows: 5000, cols: 200 },
      { rank: 7, init: 'random' },
    )
    expect(found.bytes).toBeLessThan(dense.bytes)
  })

  it.each([
    [{ rows: 0, cols: 4 }, 2, 'an integer of at least 1 for shape.rows, received 0'],
    [{ rows: 4, cols: 2.5 }, 2, 'an integer of at least 1 for shape.cols, received 2.5'],
    [{ rows: 4, cols: 4, nonzeros: 17 }, 2, 'an integer in 0..16 for shape.nonzeros, received 17'],
    [{ rows: 4, cols: 4 }, 0, 'an integer of at least 1 for rank, received 0'],
  ])('refuses %j with rank %d', async (shape, rank, message) => {
    await expect(estimateFactorization(nmf, shape, { rank })).rejects.toThrow(message)
  })

  it('refuses an option that the function refuses', async () => {
    const wrong = { rank: 2, solver: 'newton' } as never
    await expect(estimateFactorization(nmf, { rows: 9, cols: 4 }, wrong)).rejects.toThrow('solver')
  })
})

describe('estimates of searches', () => {
  const shape = { queries: 700, corpus: 3000, cols: 16 }
  const corpus = packedBytes({ rows: 3000, cols: 16 })

  it('count answers, the packed corpus, and the operations of the scan', async () => {
    const found = await estimateTopK(shape, { k: 10 })
    expect(found).toMatchObject({
      bytes: 8 * 700 * 10 + corpus,
      operations: 2 * 700 * 3000 * 16,
    })
    expect(found.seconds).toBeGreaterThan(0)
  })

  it('count mined negatives', async () => {
    const found = await estimateMining(shape, { numNegatives: 3 })
    expect(found).toMatchObject({
      bytes: 12 * 700 * 4 + corpus,
      operations: 2 * 700 * 3000 * 16,
    })
    expect(found.seconds).toBeGreaterThan(0)
  })

  it('refuse a shape without rows, and k below 1', async () => {
    await expect(estimateTopK({ ...shape, corpus: 0 }, { k: 1 })).rejects.toThrow('shape.corpus')
    await expect(estimateMining({ ...shape, queries: -1 })).rejects.toThrow('shape.queries')
    await expect(estimateTopK(shape, { k: 0 })).rejects.toThrow('at least 1 for k')
  })
})

/** The message of a mistake in the words of the caller. */
const mistakeOf = (estimate: Promise<unknown>) =>
  estimate.then(
    () => 'no mistake',
    (error: unknown) => (isMistake(error) ? `${error.argument}: ${error.message}` : String(error)),
  )

describe('an estimate does not touch files and arrays of the caller', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gemmine-estimate-'))
  const file = join(folder, 'run.checkpoint')
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each([
    ['checkpoint', file],
    ['resume', file],
    ['checkpointSeconds', 1],
    ['out', { W: new Float32Array(60) }],
    ['mask', new Uint8Array(120)],
    ['sampleWeight', new Float32Array(30)],
    ['graph', { adjacency: {} }],
    ['onProgress', () => {}],
    ['memoryBudget', 2 ** 27],
    ['shard', { index: 0, count: 2 }],
    ['candidates', [[1]]],
    ['sweep', [{}, {}]],
    ['excludeSelf', true],
    ['dims', 4],
  ])('refuses %s', async (name, value) => {
    writeFileSync(file, 'the only copy')
    const none = `${name}: Expected nothing (estimates take no such option`
    const search = { queries: 8, corpus: 30, cols: 4 }
    const mined = mistakeOf(estimateMining(search, { [name]: value }))
    expect(await mined).toContain(none)
    const found = mistakeOf(estimateTopK(search, { k: 2, [name]: value }))
    expect(await found).toContain(none)
    const options = { rank: 2, [name]: value }
    const fitted = await mistakeOf(estimateFactorization(nmf, { rows: 30, cols: 4 }, options))
    if (['excludeSelf', 'dims'].includes(name)) expect(fitted).toContain(`unknown option ${name}`)
    else expect(fitted).toContain(none)
    expect(readFileSync(file, 'utf8')).toBe('the only copy')
    expect(readdirSync(folder)).toEqual(['run.checkpoint'])
  })

  it('refuses factors to start from', async () => {
    const init = { H: { data: new Float32Array(8), rows: 2, cols: 4 } }
    const given = estimateFactorization(nmf, { rows: 30, cols: 4 }, { rank: 2, init })
    expect(await mistakeOf(given)).toContain('init: Expected the name of a start')
  })
})

describe('an estimate of wrong arguments names them', () => {
  const call = (...given: unknown[]) =>
    mistakeOf((estimateFactorization as (...args: unknown[]) => Promise<unknown>)(...given))
  const shape = { rows: 30, cols: 4 }

  it.each([
    ['nmf', 'nmf'],
    ['separableNmf', separableNmf],
    ['truncatedSvd', truncatedSvd],
    ['deepSemiNmf', deepSemiNmf],
    ['kmeans', kmeans],
    ['no function', undefined],
    ['a function of something else', () => Promise.resolve(3)],
  ])('for %s', async (_, factorize) => {
    expect(await call(factorize, shape, { rank: 2 })).toMatch(
      /^factorize: Expected a function that factorizes by iterations/,
    )
  })

  it('without a shape or options, and for unknown fields of a shape', async () => {
    expect(await call(nmf)).toContain('shape: Expected an object of rows, cols, nonzeros')
    expect(await call(nmf, shape)).toContain('options: Expected an object of rank')
    expect(await call(nmf, { ...shape, nnz: 8 }, { rank: 2 })).toContain('shape.nnz: ')
    const search = { queries: 8, corpus: 30, cols: 4 }
    const typed = { ...search, type: 'int8' }
    expect(await mistakeOf(estimateMining(typed))).toContain('shape.type: ')
    expect(await mistakeOf(estimateTopK(typed, { k: 1 }))).toContain('shape.type: ')
    expect(await mistakeOf(estimateMining(undefined as never))).toContain('shape: ')
    expect(await mistakeOf(estimateMining(search, null as never))).toContain('options: ')
    expect(await mistakeOf(estimateTopK(search, undefined as never))).toContain('options: ')
  })

  it('tells the highest rank of the real matrix, not that of a trial', async () => {
    const wide = { rows: 1e5, cols: 100 }
    expect(await call(semiOrthogonalNmf, wide, { rank: 500 })).toContain(
      'an integer in 1..100 for rank, received 500',
    )
  })
})

describe('made-up numbers are in the domain of each loss', () => {
  const numbers = { beta: -1, tweedie: 3, 'negative-binomial': 1, huber: 0.1 }
  const names = {
    beta: 'beta',
    tweedie: 'power',
    'negative-binomial': 'dispersion',
    huber: 'delta',
  }
  const named = ['kullback-leibler', 'itakura-saito', 'gamma', 'poisson', 'l21'] as const

  it.each([...named, ...(Object.keys(numbers) as (keyof typeof numbers)[])])('%s', async (loss) => {
    const own = loss in numbers ? { [names[loss as 'beta']]: numbers[loss as 'beta'] } : {}
    const options = { rank: 2, loss, ...own }
    const found = await estimateFactorization(nmf, { rows: 40, cols: 9 }, options)
    expect(found.seconds).toBeGreaterThanOrEqual(0)
  })

  it('logistic', async () => {
    const options = { rank: 2, loss: 'logistic' } as const
    const found = await estimateFactorization(semiOrthogonalNmf, { rows: 40, cols: 9 }, options)
    expect(found.bytes).toBeGreaterThan(0)
  })

  it('and a sparse X with a loss for numbers above 0 is refused in words about the loss', async () => {
    const options = { rank: 2, loss: 'itakura-saito' } as const
    const shape = { rows: 40, cols: 9, nonzeros: 80 }
    expect(await mistakeOf(estimateFactorization(nmf, shape, options))).toContain('loss: ')
  })
})

describe('trials stay small', () => {
  /** Entries of the largest X that a function gets, and its highest rank. */
  async function largest(shape: { rows: number; cols: number; nonzeros?: number }, rank: number) {
    const most = { entries: 0, rank: 0, factors: 0 }
    const spied: typeof nmf = (X, options) => {
      const { rows, cols } = X as { rows: number; cols: number }
      const stored = 'values' in (X as object) ? (X as { values: Float32Array }).values.length : 0
      most.entries = Math.max(most.entries, stored || rows * cols)
      most.factors = Math.max(most.factors, (rows + cols) * options.rank)
      most.rank = Math.max(most.rank, options.rank)
      return nmf(X, { ...options, threads: 1 })
    }
    const found = await estimateFactorization(spied, shape, { rank })
    return { ...most, seconds: found.seconds, bytes: found.bytes }
  }

  it.each([
    [{ rows: 1e5, cols: 3e5 }, 64],
    [{ rows: 1e5, cols: 100 }, 1500],
    [{ rows: 1e6, cols: 1e7, nonzeros: 1e8 }, 20],
  ])('for %j with rank %d', async (shape, rank) => {
    const found = await largest(shape, rank)
    expect(found.entries).toBeLessThanOrEqual(1.01 * 2 ** 22)
    expect(found.factors).toBeLessThanOrEqual(2 ** 22)
    expect(found.rank).toBeLessThanOrEqual(128)
    expect(found.seconds).toBeGreaterThan(0)
    // W and H alone, which the plan counts for the real matrix.
    expect(found.bytes).toBeGreaterThan(4 * rank * (shape.rows + shape.cols))
  })

  it('for searches of wide rows', async () => {
    const shape = { queries: 100, corpus: 1e5, cols: 2e5 }
    const before = process.memoryUsage().rss
    const found = await estimateTopK(shape, { k: 10 })
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 30)
    expect(found.operations).toBe(2 * 100 * 1e5 * 2e5)
    expect(found.bytes).toBeGreaterThan(1e5 * 2e5)
  })

  it('and a search whose answers are larger is refused', async () => {
    const shape = { queries: 100, corpus: 1e6, cols: 8 }
    const message = 'an integer in 1..8192 (a trial of 16 MiB cannot tell more) for'
    await expect(estimateTopK(shape, { k: 1e5 })).rejects.toThrow(`${message} k`)
    const mined = estimateMining(shape, { numNegatives: 1e5 })
    await expect(mined).rejects.toThrow(`${message} numNegatives`)
  })
})

describe('a time that is extended from two trials', () => {
  it('lies on their line, and never below the larger one', () => {
    expect(extended(100, [10, 20], [3, 5])).toBe(21)
    expect(extended(20, [10, 20], [3, 5])).toBe(5)
    expect(extended(100, [10, 20], [5, 3])).toBe(3)
    expect(extended(7, [7, 7], [2, 2])).toBe(2)
    expect(extended(100, [10, 20], [3, 5], { each: 2, fixed: 3 })).toBe(43)
  })
})
