// selectRank of mixtures, by minimum-volume NMF.
import { describe, expect, it } from 'vitest'
import { minVolumeNmf, selectRank, type SelectRankOptions } from '../../lib/index'
import type { Matrix } from '../../lib/data/matrix'
import { surveyRanks } from '../../lib/factorization/rank-survey'
import { checkSelectRank } from '../../lib/factorization/select-rank'
import { matrixOf, planted, uniform } from '../matrices'
import { impureMixtures, noisyProduct } from '../mixtures'
import { productOf } from '../reference/factors'

const X = planted(90, 24, 3, 1, true)
const nmf = { model: 'nmf', restarts: 4 } as const

/** Mixtures without a pure sample of smooth, similar spectra, with noise. */
function spectra(k: number, seed: number): Matrix {
  const next = uniform(seed)
  const peaks = Array.from({ length: 3 * k }, () => [next(), 0.1 + 0.2 * next(), next()] as const)
  const H = matrixOf(k, 40, (j, t) =>
    peaks
      .slice(3 * j, 3 * j + 3)
      .reduce(
        (sum, [at, width, high]) => sum + high * Math.exp(-(((t / 39 - at) / width) ** 2)),
        0.3,
      ),
  )
  const X = noisyProduct(impureMixtures(250, k, 0.9, seed + 1), H, 0.005, seed + 2)
  return { ...X, data: X.data.map((value) => Math.max(0, value)) }
}

describe('selectRank of minimum-volume NMF', () => {
  const volume = { model: 'min-volume-nmf', restarts: 4 } as const

  it.each([
    [4, 2],
    [5, 3],
  ])('finds %i mixed spectra whose NMF is not determined', async (k, seed) => {
    const mixed = spectra(k, seed)
    const ranks = { from: k - 1, to: k + 1 }
    const found = await selectRank(mixed, { ...volume, ranks })
    expect(found).toMatchObject({ chosen: k, isStable: true, criterion: 'stability' })
    expect(found.model).toMatchObject({ model: 'min-volume-nmf', rank: k })
    const [, right, above] = found.ranks
    expect(right!.minSilhouette).toBeGreaterThan(0.9)
    expect(above!.minSilhouette).toBeLessThan(0.6)
    const plain = await selectRank(mixed, { ...nmf, ranks: [k] })
    expect(plain.isStable).toBe(false)
  })

  it('surveys ranks above the number of independent rows', async () => {
    const exact = productOf(
      impureMixtures(60, 2, 0.9, 5),
      matrixOf(2, 8, (j, t) => 1 + ((t >> j) & 1)),
    )
    const { ranks, chosen } = await selectRank(exact, { ...volume, ranks: [2, 3] })
    expect(chosen).toBe(2)
    expect(ranks[1]!.relativeError).toBeLessThan(0.05)
  })

  it('has the options and steps of minVolumeNmf, for all rows that share the reads of X', async () => {
    const mixed = spectra(3, 7)
    const options = { ...volume, ranks: [3], seed: 2, volume: 0.3, rowSums: 'one' } as const
    const { model, ranks } = await selectRank(mixed, options)
    const alone = await minVolumeNmf(mixed, { rank: 3, seed: 2, volume: 0.3, rowSums: 'one' })
    expect(model.H.data).toEqual(alone.H.data)
    const settled = checkSelectRank({ rows: 250, cols: 40, entries: 10_000 }, options)
    const [shared] = await surveyRanks(mixed, settled, [3], { copies: false, atOnce: 4 })
    expect(shared!.silhouettes).toEqual(ranks[0]!.silhouettes)
  })

  it.each([
    [{ solver: 'mu' }, 'solver'],
    [{ l1W: 1 }, 'l1W'],
    [{ loss: 'frobenius' }, 'loss'],
    [{ holdOut: 0.1 }, 'holdOut'],
    [{ criterion: 'hold-out' }, 'criterion'],
    [{ volume: 0 }, 'volume'],
    [{ init: 'nndsvd' }, 'init'],
  ])('refuses what minVolumeNmf has not: %j', async (wrong, argument) => {
    const options = { ...volume, ranks: [2], ...wrong } as SelectRankOptions
    await expect(selectRank(X, options)).rejects.toMatchObject({ argument })
  })

  it('refuses the volume of other models', async () => {
    await expect(selectRank(X, { ...nmf, ranks: [2], volume: 0.1 })).rejects.toThrow(
      'nothing (the model nmf has no such option) for volume, received 0.1',
    )
  })
})
