// Choices and criteria of a survey, from its figures.
import { describe, expect, it } from 'vitest'
import type { LossOptions } from '../../lib/factorization/losses'
import { chooseRank, criteriaOf } from '../../lib/factorization/rank-criteria'
import { selectRankDefaults } from '../../lib/index'

describe('the choice of a rank', () => {
  const { threshold } = selectRankDefaults
  const rule = { threshold, criterion: 'stability' } as const
  const heldOutErrors = new Float64Array(0)
  const rank = (rank: number, minSilhouette: number, aic: number, bic = aic) => ({
    rank,
    minSilhouette,
    aic,
    bic,
    heldOutErrors,
  })

  it('is the largest stable one whose error pays', () => {
    const ranks = [
      rank(1, 1, 9),
      rank(2, 0.9, 7),
      rank(3, 0.8, 5),
      rank(4, 0.9, 6),
      rank(5, 0.2, 4),
    ]
    expect(chooseRank(ranks, rule)).toEqual({ rank: 3, isStable: true })
  })

  it('is the one that comes nearest if none is stable, and never a single component', () => {
    const ranks = [rank(1, 1, 9), rank(2, 0.3, 7), rank(3, 0.5, 5), rank(4, 0.1, 4)]
    expect(chooseRank(ranks, rule)).toEqual({ rank: 3, isStable: false })
  })

  it('is a single component if no other pays', () => {
    expect(chooseRank([rank(1, 1, 2), rank(2, 1, 3)], rule)).toEqual({ rank: 1, isStable: true })
  })

  it('is that of the lowest BIC or AIC', () => {
    const ranks = [rank(2, 0.9, 7, 8), rank(3, 0.1, 5, 6), rank(4, 0.1, 4, 7)]
    const by = (criterion: 'aic' | 'bic') => chooseRank(ranks, { threshold, criterion })
    expect(by('bic')).toEqual({ rank: 3, isStable: false })
    expect(by('aic')).toEqual({ rank: 4, isStable: false })
  })

  it('is the smallest within one standard error of the lowest held-out error', () => {
    const ranks = [
      [9, 10, 11],
      [4.1, 5.2, 6.3], // 0.2 above the next on average, with a standard error of 0.06
      [4.0, 5.1, 5.9],
      [4.05, 4.95, 5.95], // the lowest
    ].map((errors, i) => ({ ...rank(i + 1, 0, 0), heldOutErrors: Float64Array.from(errors) }))
    expect(chooseRank(ranks, { threshold, criterion: 'hold-out' }).rank).toBe(3)
  })

  it('knows the textbook criteria', () => {
    const sizes = { rows: 10, cols: 4, entries: 40, logMeanSquare: Math.log(2) }
    const squares = (relativeError: number) =>
      criteriaOf({ of: { loss: 'frobenius' }, loss: 1, relativeError }, 3, sizes)
    const { aic, bic } = squares(0.1)
    expect(aic).toBeCloseTo(40 * Math.log(0.02) + 2 * 42, 10)
    expect(bic).toBeCloseTo(40 * Math.log(0.02) + 42 * Math.log(40), 10)
    expect(squares(0)).toEqual(squares(1e-6))
  })

  it('take the likelihood of the loss, not that of Gaussian errors', () => {
    const sizes = { rows: 10, cols: 4, entries: 40, logMeanSquare: Math.log(2) }
    const aic = (of: LossOptions, loss = 12) =>
      criteriaOf({ of, loss, relativeError: 0.1 }, 3, sizes).aic - 2 * 42
    expect(aic({ loss: 'poisson' })).toBeCloseTo(12, 10)
    expect(aic({ loss: 'kullback-leibler' })).toBeCloseTo(24, 10)
    expect(aic({ loss: 'negative-binomial', dispersion: 1 })).toBeCloseTo(12, 10)
    expect(aic({ loss: 'gamma' })).toBeCloseTo(40 * Math.log(12 / 40), 10)
    expect(aic({ loss: 'l21' })).toBeCloseTo(80 * Math.log(12 / 40), 10)
    expect(aic({ loss: 'beta', beta: 1.5 }, 0)).toBeGreaterThan(-Infinity)
  })
})
