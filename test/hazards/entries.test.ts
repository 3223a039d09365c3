import { describe, expect, it } from 'vitest'
import { nmf } from '../../lib/factorization/nmf'
import { semiNmf } from '../../lib/factorization/semi-nmf'
import { topK } from '../../lib/mining/top-k'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { gaussian } from '../matrices'

const rows = 40
const cols = 12
const rank = 3
const X = gaussian(rows, cols, 5)
const options = { rank, iterations: 4, tolerance: 0 }

describe('entries that no job accepts', () => {
  const broken = (at: number, value: number) => ({
    ...X,
    data: X.data.map((given, i) => (i === at ? value : given)),
  })
  const entry = 7 * cols + 3

  it('are named with their row and column', async () => {
    const sentence = 'Expected a finite number at row 7, column 3 of X, received NaN'
    await expect(semiNmf(broken(entry, NaN), options)).rejects.toThrow(sentence)
    await expect(topK(broken(entry, Infinity), X, { k: 1 })).rejects.toThrow(
      'row 7, column 3 of queries, received Infinity',
    )
    await expect(prepareCorpus(broken(entry, -Infinity))).rejects.toThrow(
      'row 7, column 3 of corpus',
    )
    const negative = { ...X, data: X.data.map((value, i) => (i === 5 ? -1 : Math.abs(value))) }
    await expect(nmf(negative, options)).rejects.toThrow('row 0, column 5 of X')
  })

  it('show the value as it was given, where only float32 cannot hold it', async () => {
    const wide = { ...X, data: Float64Array.from(X.data) }
    wide.data[entry] = -1e300
    const sentence =
      "Expected a number within float32's range at row 7, column 3 of X, received -1e+300"
    await expect(semiNmf(wide, options)).rejects.toThrow(sentence)
    await expect(topK(X, wide, { k: 1 })).rejects.toThrow('of corpus, received -1e+300')
  })
})
