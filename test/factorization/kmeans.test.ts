import { describe, expect, it } from 'vitest'
import { kmeans, type Clustering, type Matrix } from '../../lib/index'
import { gaussian, matrixOf } from '../matrices'

/** Squared distance of a row to a centre, in float64. */
function distance(X: Matrix, i: number, { centers }: Clustering, j: number): number {
  let sum = 0
  for (let t = 0; t < X.cols; t++)
    sum += (X.data[i * X.cols + t]! - centers.data[j * X.cols + t]!) ** 2
  return sum
}

function expectNearest(X: Matrix, found: Clustering) {
  let inertia = 0
  let wrong = 0
  for (let i = 0; i < X.rows; i++) {
    const distances = Array.from({ length: found.centers.rows }, (_, j) => distance(X, i, found, j))
    const least = Math.min(...distances)
    inertia += least
    if (found.labels[i] !== distances.indexOf(least)) wrong++
  }
  expect(wrong).toBe(0)
  expect(found.inertia / inertia).toBeCloseTo(1, 9)
}

/** Three clusters of 10, 5 and 3 rows far from 20 000 others. */
function withRareClusters(): Matrix {
  const noise = gaussian(20_018, 5, 7)
  const at = (i: number) => (i < 20_000 ? 0 : i < 20_010 ? 50 : i < 20_015 ? -80 : 200)
  return matrixOf(20_018, 5, (i, j) => at(i) + noise.data[i * 5 + j]!)
}

/** Six towns in metres of a map's grid, which is far from all of them. */
const towns = [
  [500_000, 4_649_776],
  [510_000, 4_700_000],
  [350_000, 4_500_000],
  [700_000, 5_000_000],
  [400_000, 5_200_000],
  [620_000, 4_300_000],
]

describe('kmeans', () => {
  it('hands out the nearest centre, with more clusters than columns', async () => {
    const X = gaussian(3000, 4, 1)
    expectNearest(X, await kmeans(X, { clusters: 90, iterations: 5 }))
  })

  it('finds towns whose coordinates are far from the origin', async () => {
    const noise = gaussian(3000, 2, 3, 300)
    const X = matrixOf(3000, 2, (i, j) => towns[i % 6]![j]! + noise.data[i * 2 + j]!)
    for (const seed of [0, 1, 2]) {
      const found = await kmeans(X, { clusters: 6, seed })
      expect(found.inertia / (3000 * 2 * 300 ** 2)).toBeCloseTo(1, 1)
      expectNearest(X, found)
    }
  })

  it('finds three clusters of (K, Pa)', async () => {
    const states = [
      [300, 101_325],
      [310, 101_325],
      [300, 101_400],
    ]
    const noise = gaussian(1500, 2, 4)
    const X = matrixOf(1500, 2, (i, j) => states[i % 3]![j]! + noise.data[i * 2 + j]!)
    const found = await kmeans(X, { clusters: 3 })
    expect(found.inertia).toBeLessThan(3300)
    expect(found.converged).toBe(true)
    expectNearest(X, found)
  })

  it('keeps two distinct rows near 1e4 apart', async () => {
    const X = { data: Float32Array.of(10_000, 10_000, 10_000, 10_000.001), rows: 2, cols: 2 }
    const { labels, inertia } = await kmeans(X, { clusters: 2 })
    expect([...labels].sort()).toEqual([0, 1])
    expect(inertia).toBe(0)
  })

  it('finds clusters of a few rows among 20 000', async () => {
    const X = withRareClusters()
    for (const seed of [0, 1, 2, 3])
      expect((await kmeans(X, { clusters: 8, seed })).inertia).toBeLessThan(68_000)
  })

  it('finds them where seeds come from a sample, too', async () => {
    const noise = gaussian(300_000, 2, 8)
    const at = (i: number) => (i < 4 ? 0 : i < 150_000 ? 300 : -300)
    const X = matrixOf(300_000, 2, (i, j) => at(i) + noise.data[i * 2 + j]!)
    for (const seed of [0, 1]) {
      const { labels, inertia } = await kmeans(X, { clusters: 5, seed })
      expect(new Set(labels.subarray(0, 4)).size).toBe(1)
      expect(inertia).toBeLessThan(600_000)
    }
  })

  it('leaves no cluster empty while rows are apart', async () => {
    const X = matrixOf(400, 1, (i) => (i < 380 ? 0 : 2 ** (i - 380)))
    const { labels, inertia } = await kmeans(X, { clusters: 21 })
    expect(new Set(labels).size).toBe(21)
    expect(inertia).toBe(0)
  })

  it('keeps the restart of lowest inertia', async () => {
    const X = gaussian(300, 4, 3)
    const runs = [5, 6, 7, 8].map((seed) => kmeans(X, { clusters: 12, seed }))
    const best = (await Promise.all(runs)).reduce((a, b) => (b.inertia < a.inertia ? b : a))
    const found = await kmeans(X, { clusters: 12, seed: 5, restarts: 4 })
    expect(found.inertia).toBe(best.inertia)
    expect(found.labels).toEqual(best.labels)
    expect(found.centers).toEqual(best.centers)
    const iterations = (await Promise.all(runs)).map((run) => run.iterations)
    expect(found.totalIterations).toBe(iterations.reduce((a, b) => a + b))
  })

  it('tells of clusters without rows, where X has fewer distinct ones', async () => {
    const twoRows = matrixOf(20, 3, (i, j) => (i % 2) * 5 + j)
    const { inertia, labels, warnings } = await kmeans(twoRows, { clusters: 5 })
    expect(inertia).toBe(0)
    expect(new Set(labels).size).toBe(2)
    expect(warnings).toEqual([expect.stringMatching(/^3 of 5 clusters have no rows/)])
    expect((await kmeans(twoRows, { clusters: 2 })).warnings).toEqual([])
  })

  it('gives equal bits for any number of threads, and sparse rows the labels of dense ones', async () => {
    const X = matrixOf(6000, 12, (i, j) => ((i * 7 + j * 3) % 5 === 0 ? (i % 97) + j : 0))
    const one = await kmeans(X, { clusters: 20, threads: 1, seed: 5 })
    const two = await kmeans(X, { clusters: 20, threads: 2, seed: 5 })
    expect(two.labels).toEqual(one.labels)
    expect(two.centers.data).toEqual(one.centers.data)
    expect(two.inertia).toBe(one.inertia)

    const rows = Array.from({ length: X.rows }, (_, i) =>
      Array.from({ length: X.cols }, (_, j) => j).filter((j) => X.data[i * X.cols + j] !== 0),
    )
    const sparse = {
      rows: X.rows,
      cols: X.cols,
      indptr: rows.reduce((starts, row) => [...starts, starts.at(-1)! + row.length], [0]),
      indices: Int32Array.from(rows.flat()),
      values: Float32Array.from(rows.flatMap((row, i) => row.map((j) => X.data[i * 12 + j]!))),
    }
    const csr = await kmeans(
      { ...sparse, indptr: Float64Array.from(sparse.indptr) },
      { clusters: 20, seed: 5 },
    )
    expectNearest(X, csr)
    expect(csr.inertia / one.inertia).toBeCloseTo(1, 2)
  })
})
