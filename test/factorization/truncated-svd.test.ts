// Singular values of matrices of integers, as NumPy 2.4 finds them in float64 (numpy.linalg.svd).
import { describe, expect, it } from 'vitest'
import { truncatedSvd, type Matrix } from '../../lib/index'
import { matrixOf } from '../matrices'

const [rows, cols] = [300, 120]

/** Integers from −48 to 48 that look random, times a weight of their column. */
const weighted = (weight: (column: number) => number) =>
  matrixOf(
    rows,
    cols,
    (i, j) => (((i * i * 7 + j * j * j * 13 + i * j * 5 + i * j * j * 3) % 97) - 48) * weight(j),
  )

const transposed = ({ data }: Matrix) => matrixOf(cols, rows, (i, j) => Number(data[j * cols + i]))

const sets: Record<string, [Matrix, number[], number]> = {
  flat: [
    weighted(() => 10),
    [
      11166.6240493, 10745.21551169, 10396.67001738, 10049.34376112, 9877.80358572, 9599.05992323,
      9395.5387262, 9328.16135973,
    ],
    5e-3,
  ],
  slow: [
    weighted((j) => Math.floor(1000 / Math.sqrt(1 + j))),
    [
      455932.89388559, 361045.46425408, 301447.56850531, 248109.61438785, 240130.43798818,
      215425.93213415, 202971.88542479, 191057.60799053,
    ],
    1e-4,
  ],
  fast: [
    weighted((j) => 2 ** Math.max(0, 16 - j)),
    [
      29034454.899196, 15615603.1800292, 8168319.73432097, 3609752.68784242, 1989322.62346747,
      903524.22675835, 476066.74072117, 240283.37289721,
    ],
    1e-6,
  ],
}

describe('truncatedSvd', () => {
  it.each(Object.entries(sets))('finds the values of a %s spectrum', async (_, given) => {
    const [X, values, tolerance] = given
    for (const matrix of [X, transposed(X)]) {
      const { s } = await truncatedSvd(matrix, { rank: values.length })
      values.forEach((value, j) =>
        expect(Math.abs(s[j]! / value - 1), `value ${j}`).toBeLessThan(tolerance),
      )
    }
  })

  it('has the same bits for any number of threads', async () => {
    const [X] = sets['slow']!
    const one = await truncatedSvd(X, { rank: 5, threads: 1 })
    const two = await truncatedSvd(X, { rank: 5, threads: 2 })
    expect(two.U.data).toEqual(one.U.data)
    expect(two.V.data).toEqual(one.V.data)
  })
})
