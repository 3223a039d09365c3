// A corpus that changes answers as a fresh corpus of its live rows does.
import { describe, expect, it } from 'vitest'
import {
  logSumExp,
  type LogSums,
  maxSim,
  mineHardNegatives,
  mutualNeighbours,
  prepareCorpus,
  rangeSearch,
  reverseTopK,
  topK,
  type Matrix,
  type Metric,
  type PreparedCorpus,
} from '../../lib/index'
import { mulberry32 } from '../data/mutations'

const cols = 7
type Next = ReturnType<typeof mulberry32>

/** Few different values, so that scores tie, and now and then a row of zeros. */
const randomRow = (next: Next) => {
  const isZero = next(20) === 0
  return Array.from({ length: cols }, () => (isZero ? 0 : next(5) - 2))
}

const matrixOf = (rows: readonly (readonly number[])[]): Matrix => ({
  data: Float32Array.from(rows.flat()),
  rows: rows.length,
  cols,
})

const randomRows = (next: Next, count: number) =>
  Array.from({ length: count }, () => randomRow(next))

/** What a corpus holds, kept in the simplest way: a removed row is undefined. */
type Model = (number[] | undefined)[]

const liveNumbers = (model: Model) =>
  Int32Array.from(model.flatMap((row, number) => (row ? [number] : [])))

const chosen = (next: Next, model: Model, most: number) => {
  const live = [...liveNumbers(model)]
  const count = Math.min(next(most) + 1, live.length - 1)
  return Array.from({ length: count }, () => live.splice(next(live.length), 1)[0]!)
}

async function changeAtRandom(next: Next, corpus: PreparedCorpus, model: Model, threads: number) {
  const kind = next(3)
  if (kind === 0) {
    const rows = randomRows(next, 1 + next(70))
    const { firstRow } = await corpus.append(matrixOf(rows), { threads })
    expect(firstRow).toBe(model.length)
    model.push(...rows)
    return
  }
  const numbers = chosen(next, model, 40)
  if (numbers.length === 0) return
  if (kind === 1) {
    await corpus.remove(numbers, { threads })
    for (const number of numbers) model[number] = undefined
    return
  }
  const rows = numbers.map(() => randomRow(next))
  await corpus.update(Int32Array.from(numbers), matrixOf(rows), { threads })
  numbers.forEach((number, i) => (model[number] = rows[i]!))
}

/** Row numbers as places among the live rows; −1 stays. */
const placesIn = (numbers: Int32Array) => {
  const places = new Map([...numbers].map((number, place) => [number, place]))
  return (row: number) => (row < 0 ? row : places.get(row)!)
}

const freshOf = (model: Model, metric: Metric) =>
  prepareCorpus(matrixOf(model.filter((row) => row !== undefined)), { metric })

async function expectSameAnswers(
  next: Next,
  corpus: PreparedCorpus,
  model: Model,
  metric: Metric,
  threads: number,
) {
  const numbers = liveNumbers(model)
  const place = placesIn(numbers)
  using fresh = await freshOf(model, metric)
  const queries = matrixOf(randomRows(next, 9))
  const lists = Array.from({ length: 9 }, () => chosen(next, model, 5))
  const placed = lists.map((rows) => rows.map(place))
  const both = async <Answer>(
    ask: (target: PreparedCorpus, exclude: number[][]) => Promise<Answer>,
  ) => [await ask(corpus, lists), await ask(fresh, placed)] as const

  expect(corpus.liveRows).toBe(numbers.length)
  const [best, freshBest] = await both((target, exclude) =>
    topK(queries, target, { k: 12, exclude, threads }),
  )
  expect(best.indices.map(place)).toEqual(freshBest.indices)
  expect(best.scores).toEqual(freshBest.scores)
  expect(best.zeroRows).toBe(freshBest.zeroRows)

  const threshold = metric === 'l2' ? -8 : 0.4
  const [near, freshNear] = await both((target, exclude) =>
    rangeSearch(queries, target, { threshold, exclude, threads }),
  )
  expect(near.indices.map(place)).toEqual(freshNear.indices)
  expect(near.scores).toEqual(freshNear.scores)
  expect(near.indptr).toEqual(freshNear.indptr)

  const [mutual, freshMutual] = await both((target, exclude) =>
    mutualNeighbours(queries, target, { k: 4, exclude, threads }),
  )
  expect(mutual.indices.map(place)).toEqual(freshMutual.indices)
  expect(mutual.scores).toEqual(freshMutual.scores)

  const [reverse, freshReverse] = await both((target, exclude) =>
    reverseTopK(queries, target, { k: 3, exclude, threads }),
  )
  const reversed = (array: Int32Array | Float32Array) =>
    [...numbers].flatMap((number) => [...array.subarray(3 * number, 3 * number + 3)])
  expect(reversed(reverse.indices)).toEqual([...freshReverse.indices])
  expect(reversed(reverse.scores)).toEqual([...freshReverse.scores])

  const [sums, freshSums] = await both((target) =>
    logSumExp(queries, target, { temperature: 2, threads }),
  )
  expect(withinBounds(sums, freshSums)).toBe(true)
}

/** Sums of exponentials are proven up to a bound, which depends on how rows are packed. */
const withinBounds = (a: LogSums, b: LogSums) =>
  a.values.every(
    (value, i) => Math.abs(value - b.values[i]!) <= a.errorBounds[i]! + b.errorBounds[i]!,
  )

async function expectSameMining(
  next: Next,
  corpus: PreparedCorpus,
  model: Model,
  metric: Metric,
  threads: number,
) {
  const numbers = liveNumbers(model)
  const place = placesIn(numbers)
  using fresh = await freshOf(model, metric)
  const queries = matrixOf(randomRows(next, 6))
  const positives = Array.from({ length: 6 }, () => chosen(next, model, 2))
  const exclude = Array.from({ length: 6 }, () => chosen(next, model, 4))
  const groups = Int32Array.from(model, () => next(4) - 1)
  const texts = model.map(() => `text ${next(40)}`)
  const options = {
    ...{ numNegatives: 5, relativeMargin: 0.05, groups: 'different' as const, threads },
    ...{ queryGroups: new Int32Array(6).map(() => next(4) - 1), explain: 3 },
  }
  const mined = await mineHardNegatives(queries, corpus, positives, {
    ...{ ...options, exclude, corpusGroups: groups, corpusTexts: texts },
    queryTexts: Array.from({ length: 6 }, (_, q) => `query ${q}`),
  })
  const of = <T>(all: ArrayLike<T>) => [...numbers].map((number) => all[number]!)
  const freshMined = await mineHardNegatives(
    queries,
    fresh,
    positives.map((rows) => rows.map(place)),
    {
      ...{ ...options, exclude: exclude.map((rows) => rows.map(place)) },
      ...{ corpusGroups: Int32Array.from(of(groups)), corpusTexts: of(texts) },
      queryTexts: Array.from({ length: 6 }, (_, q) => `query ${q}`),
    },
  )
  expect(mined.indices.map(place)).toEqual(freshMined.indices)
  expect(mined.scores).toEqual(freshMined.scores)
  expect(mined.ranks).toEqual(freshMined.ranks)
  expect(mined.dropped).toEqual(freshMined.dropped)
  expect(mined.candidatePairs).toBe(freshMined.candidatePairs)
}

describe('a corpus that changes', () => {
  it.each([
    ['cosine', 1, 11],
    ['dot', 2, 12],
    ['l2', 3, 13],
  ] as const)(
    'answers as a fresh one of its live rows: %s, %i threads',
    async (metric, threads, seed) => {
      const next = mulberry32(seed)
      const model: Model = randomRows(next, 45)
      using corpus = await prepareCorpus(matrixOf(model as number[][]), { metric })
      for (let round = 0; round < 8; round++) {
        for (let i = next(4); i >= 0; i--) await changeAtRandom(next, corpus, model, threads)
        expect(corpus.rows).toBe(model.length)
        await expectSameAnswers(next, corpus, model, metric, threads)
        await expectSameMining(next, corpus, model, metric, threads)
      }
    },
  )

  it('has a document without tokens where all of them were removed', async () => {
    const next = mulberry32(3)
    const rows = randomRows(next, 100)
    using corpus = await prepareCorpus(matrixOf(rows))
    await corpus.remove([0, 1, 2, 40, 41])
    const queries = { tokens: matrixOf(randomRows(next, 6)), starts: [0, 2, 6] }
    const found = await maxSim(queries, { tokens: corpus, starts: [0, 3, 50, 100] }, { k: 3 })
    const live = rows.filter((_, row) => ![0, 1, 2, 40, 41].includes(row))
    const fresh = { tokens: matrixOf(live), starts: [0, 0, 45, 95] }
    const expected = await maxSim(queries, fresh, { k: 3 })
    expect(found.indices).toEqual(expected.indices)
    expect(found.scores).toEqual(expected.scores)
  })

  it('has no memory of removed pages after compact(), and the same answers', async () => {
    const next = mulberry32(17)
    const model: Model = randomRows(next, 400)
    for (const shared of [false, true]) {
      const matrix = matrixOf(model as number[][])
      const data = new Float32Array(new SharedArrayBuffer(matrix.data.byteLength))
      data.set(matrix.data as Float32Array)
      using corpus = await prepareCorpus(shared ? { ...matrix, data } : matrix, { metric: 'dot' })
      const changed: Model = [...model]
      expect(await corpus.compact()).toBe(0)
      const gone = [...Array(300).keys()].filter((row) => row !== 70)
      await corpus.remove(gone)
      for (const row of gone) changed[row] = undefined
      const queries = matrixOf(randomRows(next, 5))
      const waiting = topK(queries, corpus, { k: 90 })
      const before = corpus.bytes
      const freed = await corpus.compact()
      expect(corpus.bytes).toBe(before - freed)
      expect(freed).toBeGreaterThan(0.4 * before)
      expect((await waiting).indices).toEqual((await topK(queries, corpus, { k: 90 })).indices)
      for (let round = 0; round < 3; round++) {
        await expectSameAnswers(next, corpus, changed, 'dot', 2)
        await expectSameMining(next, corpus, changed, 'dot', 2)
        await changeAtRandom(next, corpus, changed, 2)
        await corpus.compact()
      }
    }
  })

  it('is seen by a call as it was when the call began', async () => {
    const next = mulberry32(5)
    const rows = randomRows(next, 600)
    const queries = matrixOf(randomRows(next, 40))
    using corpus = await prepareCorpus(matrixOf(rows), { metric: 'dot' })
    const before = await topK(queries, corpus, { k: 5 })
    const calls = Array.from({ length: 20 }, () => topK(queries, corpus, { k: 5 }))
    const change = corpus.update(
      Int32Array.from(before.indices.slice(0, 1)),
      matrixOf([randomRow(next)]),
    )
    const removal = corpus.remove(
      [...new Set(before.indices.slice(5))].filter((row) => row !== before.indices[0]),
    )
    for (const call of calls) expect((await call).indices).toEqual(before.indices)
    await Promise.all([change, removal])
    const after = await topK(queries, corpus, { k: 5 })
    expect(after.indices).not.toEqual(before.indices)
  })

  it('stays as it was when a change is aborted or refused', async () => {
    const next = mulberry32(6)
    const rows = randomRows(next, 70)
    using corpus = await prepareCorpus(matrixOf(rows))
    const signal = AbortSignal.abort(new Error('no more'))
    await expect(corpus.append(matrixOf(rows), { signal })).rejects.toThrow('no more')
    const wrong = matrixOf([randomRow(next), randomRow(next).map(() => NaN)])
    await expect(corpus.append(wrong)).rejects.toThrow('a finite number at row 1, column 0 of rows')
    await expect(corpus.remove([3, 70])).rejects.toThrow('rows[1]')
    await expect(corpus.remove([3, 3])).rejects.toThrow('listed once (rows[0] is it)')
    await corpus.remove([3])
    await expect(corpus.remove([3])).rejects.toThrow('a row that was not removed')
    await expect(corpus.update([3], matrixOf([randomRow(next)]))).rejects.toThrow('rows[0]')
    await expect(corpus.update([4, 5], matrixOf([randomRow(next)]))).rejects.toThrow('to.rows')
    await expect(corpus.append({ data: new Float32Array(3), rows: 1, cols: 3 })).rejects.toThrow(
      '7 columns',
    )
    const all = [...Array(70).keys()].filter((row) => row !== 3)
    await expect(corpus.remove(all)).rejects.toThrow('at least one')
    expect([corpus.rows, corpus.liveRows]).toEqual([70, 69])
    await expect(mineHardNegatives(matrixOf([randomRow(next)]), corpus, [[3]])).rejects.toThrow(
      'a row that was not removed',
    )
  })

  it('refuses changes after dispose(), also those that wait', async () => {
    const next = mulberry32(7)
    const corpus = await prepareCorpus(matrixOf(randomRows(next, 50)))
    const waiting = corpus.append(matrixOf(randomRows(next, 50)))
    corpus.dispose()
    await expect(waiting).rejects.toThrow('disposed')
    await expect(corpus.remove([1])).rejects.toThrow('disposed')
    expect(corpus.bytes).toBe(0)
  })

  it('frees the pages of rows that were appended and removed', async () => {
    const next = mulberry32(8)
    using corpus = await prepareCorpus(matrixOf(randomRows(next, 64)))
    const rows = matrixOf(randomRows(next, 320))
    const before = corpus.bytes
    for (let i = 0; i < 5; i++) {
      const { firstRow } = await corpus.append(rows)
      await corpus.remove(Array.from({ length: 320 }, (_, row) => firstRow + row))
    }
    expect(corpus.bytes - before).toBeLessThan(4 * rows.rows * cols)
  })
})
