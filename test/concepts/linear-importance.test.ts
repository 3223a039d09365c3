// What components contribute to the logits of a linear head, and heat maps.
import { describe, expect, it } from 'vitest'
import { fidelity } from '../../lib/concepts/fidelity'
import { linearImportance } from '../../lib/concepts/linear-importance'
import { coSegmentation, resizeMaps } from '../../lib/concepts/maps'
import { fitReducer } from '../../lib/concepts/reducer'
import type { Matrix } from '../../lib/data/matrix'
import { gaussian, planted, uniform } from '../matrices'
import { productOf } from '../reference/factors'
import { interpolated, logitsOf } from '../reference/concepts'

const [images, h, w, d, classes] = [5, 3, 4, 10, 3]
const X = planted(images * h * w, d, 4, 51, true)
const maps = { data: X.data, shape: [images, h, w, d] }
const head = { weights: gaussian(classes, d, 52), bias: [0.5, -1, 2] }

/** The mean of each run of rows. */
function pooledRows({ data, cols, rows }: Matrix, run: number): Matrix {
  const pooled = new Float32Array((rows / run) * cols)
  const sums = new Float64Array(pooled.length)
  data.forEach(
    (value, at) => (sums[Math.floor(at / cols / run) * cols + (at % cols)]! += value / run),
  )
  pooled.set(sums)
  return { data: pooled, rows: rows / run, cols }
}

describe.each([
  ['none', 1],
  ['mean', h * w],
] as const)('linearImportance, pooling %s', (pooling, run) => {
  const found = (async () => {
    const reducer = await fitReducer(maps, { model: 'nmf', rank: 2 })
    return { reducer, ...(await linearImportance(reducer, maps, head, { pooling })) }
  })()

  it('has contributions that sum with bias and residual to the logit', async () => {
    const { samples, logits, residual, bias, contributionsOf } = await found
    expect(samples).toBe(X.rows / run)
    for (let sample = 0; sample < samples; sample++)
      for (let c = 0; c < classes; c++) {
        const sum = contributionsOf(sample, c).reduce((all, each) => all + each, bias[c]!)
        const logit = logits[sample * classes + c]!
        expect(Math.abs(sum + residual[sample * classes + c]! - logit)).toBeLessThan(
          4e-16 * (Math.abs(logit) + Math.abs(sum)),
        )
      }
  })

  it('has the logits of the activations, and those of their approximation', async () => {
    const { reducer, logits, approximate } = await found
    const W = { data: reducer.codes.data, rows: X.rows, cols: 2 }
    const close = (received: ArrayLike<number>, expected: readonly number[]) =>
      expected.forEach((value, at) => expect(received[at]).toBeCloseTo(value, 4))
    close(logits, logitsOf(pooledRows(X, run), head.weights, head.bias))
    const approximation = pooledRows(productOf(W, reducer.components), run)
    close(approximate, logitsOf(approximation, head.weights, head.bias))
  })

  it('has the mean contributions as importance', async () => {
    const { samples, components, importance, contributionsOf } = await found
    for (let c = 0; c < classes; c++)
      for (let k = 0; k < components; k++) {
        let mean = 0
        for (let i = 0; i < samples; i++) mean += contributionsOf(i, c)[k]! / samples
        expect(importance[k * classes + c]).toBeCloseTo(mean, 10)
      }
  })

  it('has a fidelity that goes to 1 at the rank of X', async () => {
    const { fidelity: coarse } = await found
    const full = await fitReducer(maps, { model: 'svd', rank: 4 })
    const { fidelity: fine } = await linearImportance(full, maps, head, { pooling })
    expect(fine.agreement).toBe(1)
    for (let c = 0; c < classes; c++) {
      expect(fine.relativeDifference[c]).toBeLessThan(1e-5)
      expect(coarse.relativeDifference[c]).toBeGreaterThan(1e-4)
    }
  })
})

describe('linearImportance', () => {
  it('names what is wrong', async () => {
    const reducer = await fitReducer(maps, { model: 'svd', rank: 2 })
    const trial = (...given: Parameters<typeof linearImportance>) => linearImportance(...given)
    await expect(trial(reducer, X, head)).rejects.toThrow(
      'the leading dimensions [60], those of X for codes, received [5 × 3 × 4]',
    )
    await expect(trial(reducer, maps, { weights: gaussian(2, 9, 1) })).rejects.toThrow(
      '10 columns, as in X for head.weights.cols, received 9',
    )
    await expect(trial(reducer, maps, { ...head, bias: [1] })).rejects.toThrow('for head.bias')
    await expect(trial(reducer, maps, head, { pooling: 'max' as never })).rejects.toThrow(
      'none, mean',
    )
    const { contributionsOf } = await trial(reducer, maps, head, { pooling: 'mean' })
    expect(() => contributionsOf(5, 0)).toThrow('an integer in 0..4 for sample, received 5')
  })
})

describe('fidelity', () => {
  it('is the share of equal predictions, and the mean difference by class', async () => {
    const [logits, approximate] = [
      [1, 2, 3, 0],
      [1, 3, 0, 1],
    ]
    const { agreement, relativeDifference } = await fidelity(logits, approximate, 2)
    expect(agreement).toBe(0.5)
    expect([...relativeDifference]).toEqual([3 / 2 / 2, 1 / 1])
  })

  it('compares signs for one class, and names what is wrong', async () => {
    expect((await fidelity([1, -1, 2], [3, 1, 2], 1)).agreement).toBeCloseTo(2 / 3, 12)
    await expect(fidelity([1, 2, 3], [1, 2, 3], 2)).rejects.toThrow(
      'samples of 2 logits for logits',
    )
    await expect(fidelity([1, 2], [1, 2, 3, 4], 2)).rejects.toThrow('2 logits for approximate')
  })
})

describe('maps', () => {
  it('are segmented by code times length, −1 where nothing is above the bound', async () => {
    const codes = { data: Float32Array.of(1, 3, 2, 0, 0, 0), shape: [1, 1, 3, 2] }
    const components = { data: Float32Array.of(0, 4, 1, 0), rows: 2, cols: 2 }
    const { data, shape } = await coSegmentation({ codes, components })
    expect({ data: [...data], shape }).toEqual({ data: [0, 0, -1], shape: [1, 1, 3] })
    const above = await coSegmentation({ codes, components }, { above: 4 })
    expect([...above.data]).toEqual([-1, 0, -1])
  })

  it.each([
    [7, 9],
    [2, 3],
    [1, 1],
    [3, 4],
  ])('are resized to %d × %d bilinearly', async (height, width) => {
    const chance = uniform(61)
    const data = Float32Array.from({ length: 2 * 3 * 4 * 2 }, chance)
    const resized = await resizeMaps({ data, shape: [2, 3, 4, 2] }, { height, width })
    expect(resized.shape).toEqual([2, height, width, 2])
    for (let to = 0; to < resized.data.length; to++) {
      const [k, x] = [to % 2, Math.floor(to / 2) % width]
      const [y, n] = [Math.floor(to / 2 / width) % height, Math.floor(to / 2 / width / height)]
      const at = (i: number, j: number) => data[((n * 3 + i) * 4 + j) * 2 + k]!
      const place = [((y + 0.5) * 3) / height - 0.5, ((x + 0.5) * 4) / width - 0.5] as const
      expect(resized.data[to]).toBeCloseTo(interpolated(at, [3, 4], place), 6)
    }
  })

  it('name what is wrong', async () => {
    const flat = { data: new Float32Array(4), shape: [2, 2] }
    await expect(resizeMaps(flat, { height: 2, width: 2 })).rejects.toThrow(
      'four dimensions, [n, h, w, K] for maps.shape, received 2 of them',
    )
    await expect(resizeMaps(flat, { height: 0, width: 2 })).rejects.toThrow(
      'for height, received 0',
    )
  })
})
