import { describe, expect, it } from 'vitest'
import type { Matrix } from '../../lib/data/matrix'
import { logSumExp } from '../../lib/mining/log-sum-exp'
import { metrics, type Metric } from '../../lib/mining/metric'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { gaussian, matrixOf } from '../matrices'
import { logSum } from '../reference/log-sum'
import { scoresOf } from '../reference/scores'

const scenes: Record<string, { queries: Matrix; bank: Matrix }> = {
  'one row': { queries: gaussian(3, 5, 1), bank: gaussian(1, 5, 2) },
  'seventeen dimensions, odd sizes': { queries: gaussian(33, 17, 3), bank: gaussian(1001, 17, 4) },
  'zero rows': {
    queries: matrixOf(4, 8, (i, j) => (i === 1 ? 0 : i + j)),
    bank: matrixOf(60, 8, (i, j) => (i % 3) * (j - 3)),
  },
  'rows near float32 overflow': {
    queries: matrixOf(3, 9, (i, j) => 1e38 * Math.sin(i + 3 * j)),
    bank: matrixOf(300, 9, (i, j) => 1e38 * Math.cos(i + 5 * j)),
  },
  'queries that float32 cannot score': {
    queries: matrixOf(2, 4, (i, j) => 1e30 * (i + j + 1)),
    bank: matrixOf(70, 4, (i, j) => 1e-3 * (i - j)),
  },
}

async function expectWithinBounds(metric: Metric, scene: string, temperature: number) {
  const { queries, bank } = scenes[scene]!
  const { values, errorBounds } = await logSumExp(queries, bank, { temperature, metric })
  expect(values).toHaveLength(queries.rows)
  for (let query = 0; query < queries.rows; query++) {
    const exact = logSum(scoresOf(metric, queries, bank, query), temperature)
    // The oracle rounds too.
    const slack = 1e-13 * (1 + Math.abs(exact))
    expect(Math.abs(values[query]! - exact)).toBeLessThanOrEqual(errorBounds[query]! + slack)
  }
}

describe('logSumExp', () => {
  for (const scene of Object.keys(scenes))
    for (const metric of metrics)
      it(`is as near to float64 as it says: ${scene}, ${metric}`, async () => {
        for (const temperature of [1e-100, 0.05, 1, 1e100])
          await expectWithinBounds(metric, scene, temperature)
      })

  it('tells small bounds: 5e-5 for cosines at temperature 0.05', async () => {
    const { errorBounds } = await logSumExp(gaussian(9, 24, 5), gaussian(500, 24, 6), {
      temperature: 0.05,
    })
    expect(Math.max(...errorBounds)).toBeLessThan(5e-5)
  })

  it('counts every row: n equal scores give score / temperature + log n', async () => {
    const bank = matrixOf(1000, 3, () => 1)
    const { values } = await logSumExp(bank, bank, { temperature: 0.5 })
    expect(values[999]).toBeCloseTo(2 + Math.log(1000), 5)
  })

  it('gives the same bits from a prepared bank and for any number of threads', async () => {
    const [queries, bank] = [gaussian(70, 40, 7), gaussian(2100, 40, 8)]
    const { seconds: _, ...plain } = await logSumExp(queries, bank, { temperature: 0.1 })
    const prepared = await prepareCorpus(bank)
    for (const threads of [1, 2, 3])
      expect(await logSumExp(queries, prepared, { temperature: 0.1, threads })).toMatchObject(plain)
    prepared.dispose()
  })

  it('gives each query the same bits alone as among others', async () => {
    const [queries, bank] = [gaussian(40, 12, 9), gaussian(900, 12, 10)]
    const { values } = await logSumExp(queries, bank, { temperature: 0.1, metric: 'dot' })
    const alone = { data: queries.data.slice(37 * 12, 38 * 12), rows: 1, cols: 12 }
    const one = await logSumExp(alone, bank, { temperature: 0.1, metric: 'dot' })
    expect(one.values[0]).toBe(values[37])
  })

  it('tells of zero vectors, of which it said nothing', async () => {
    const queries = matrixOf(3, 2, (i) => (i === 1 ? 0 : 1))
    const bank = matrixOf(4, 2, (i) => (i < 2 ? 0 : i))
    const ask = (metric: Metric) => logSumExp(queries, bank, { temperature: 1, metric })
    const { values, zeroQueries, zeroRows, warnings } = await ask('cosine')
    expect([zeroQueries, zeroRows]).toEqual([1, 2])
    expect(values[1]).toBeCloseTo(Math.log(4), 12)
    expect(warnings).toEqual([
      '1 of 3 queries is a zero vector: the cosine with every row is 0, so its value is the logarithm of the number of rows',
      '2 of 4 bank rows are zero vectors: the cosine with every query is 0, so each adds exp(0) = 1 to every sum',
    ])
    expect(await ask('dot')).toMatchObject({ zeroQueries: 0, zeroRows: 0, warnings: [] })
  })

  it('takes no queries', async () => {
    const none = { data: new Float32Array(0), rows: 0, cols: 3 }
    const { values, errorBounds } = await logSumExp(none, gaussian(9, 3, 2), { temperature: 1 })
    expect([...values, ...errorBounds]).toEqual([])
  })

  it('names the option or the entry that is wrong', async () => {
    const [q, bank] = [gaussian(1, 3, 1), gaussian(9, 3, 2)]
    const ask = (given: object, rows = bank) => logSumExp(q, rows, given as never)
    await expect(ask({})).rejects.toThrow('a finite number in 1e-100..1e+100 for temperature')
    for (const temperature of [0, -1, NaN, Infinity, 1e-101, '1'])
      await expect(ask({ temperature })).rejects.toThrow('temperature')
    await expect(ask({ temperature: 1, k: 1 })).rejects.toThrow('option k')
    await expect(ask({ temperature: 1, metric: 'l1' })).rejects.toThrow('metric')
    await expect(ask({ temperature: 1 }, gaussian(9, 4, 2))).rejects.toThrow(
      '4 columns, as in bank',
    )
    const hostile = matrixOf(9, 3, (i, j) => (i === 7 && j === 2 ? NaN : 1))
    await expect(ask({ temperature: 1 }, hostile)).rejects.toThrow('row 7, column 2 of bank')
  })

  it('stops when told to', async () => {
    const rows = gaussian(50, 8, 1)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(logSumExp(rows, rows, { temperature: 1, signal })).rejects.toThrow('enough')
  })
})
