import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { deepSemiNmf, kmeans, LayeredModel, semiNmf, type Matrix } from '../../lib/index'
import { gaussian, matrixOf, normal, planted, uniform } from '../matrices'
import { mutualInformation } from '../reference/agreement'
import { productOf, squaredError, squares } from '../reference/factors'
import { ringGraph } from '../reference/graphs'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-deep-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Rows of 12 fine classes in 3 coarse ones, and a fifth of their labels. */
function plantedAttributes(seed: number, noise: number) {
  const [n, d] = [360, 40]
  const next = normal(seed * 7)
  const [coarse, fine] = [gaussian(3, d, seed * 11, 2), gaussian(12, d, seed * 13, 1.4)]
  const fines = Int32Array.from({ length: n }, (_, i) => i % 12)
  const coarses = fines.map((label) => label % 3)
  const X = matrixOf(
    n,
    d,
    (i, t) => coarse.data[coarses[i]! * d + t]! + fine.data[fines[i]! * d + t]! + noise * next(),
  )
  const draw = uniform(seed)
  const known = (labels: Int32Array) => labels.map((label) => (draw() < 0.2 ? label : -1))
  return { X, fines, coarses, labels: [known(fines), known(coarses)] }
}

const clustersOf = async (W: Matrix, clusters: number) =>
  (await kmeans(W, { clusters, restarts: 5, seed: 1 })).labels

const errorOf = (X: Matrix, W: Matrix, H: Matrix) =>
  Math.sqrt(squaredError(X, W, H) / squares(X.data))

const ranks = [12, 3]

describe('deepSemiNmf', () => {
  it('with one layer is semiNmf, bit for bit', async () => {
    const X = gaussian(80, 20, 3)
    const fit = { seed: 4, l1W: 0.1, l2H: 0.2 }
    const deep = await deepSemiNmf(X, { ranks: [5], fit })
    const plain = await semiNmf(X, { rank: 5, ...fit })
    expect([deep.codes[0], deep.components[0]]).toEqual([plain.W, plain.H])
    expect(deep.objective).toEqual(plain.objective)
    expect(deep.relativeErrors).toEqual([plain.relativeError])
  })

  it('ends with no larger error than the greedy layers, and tells the error of every layer', async () => {
    for (const [X, all] of [
      [plantedAttributes(1, 1).X, [12, 6, 3]],
      [gaussian(90, 30, 5), [20, 8, 2]],
      [gaussian(30, 12, 6), [11, 2]],
      [gaussian(30, 6, 6), [11, 2]],
    ] as const) {
      const options = { ranks: all, fit: { seed: 2, init: 'kmeans' } } as const
      const greedy = await deepSemiNmf(X, { ...options, fineTuneIterations: 0 })
      const deep = await deepSemiNmf(X, options)
      expect(deep.greedyError).toBe(greedy.relativeErrors.at(-1))
      expect(deep.relativeErrors.at(-1)).toBeLessThanOrEqual(greedy.relativeErrors.at(-1)!)
      expect(deep.warnings.join()).not.toContain('undone')
      for (let l = 0; l < all.length; l++) {
        expect(deep.codes[l]!.data.every((code) => code >= 0)).toBe(true)
        const error = errorOf(X, deep.codes[l]!, deep.components[l]!)
        expect(deep.relativeErrors[l]).toBeCloseTo(error, 4)
        if (l > 0) {
          const product = productOf(deep.links[l - 1]!, deep.components[l - 1]!)
          const apart = product.data.map((x, at) => x - deep.components[l]!.data[at]!)
          expect(squares(apart)).toBeLessThanOrEqual(1e-8 * squares(product.data))
        }
      }
      const { objective } = deep
      for (let t = 1; t < objective.length; t++)
        expect(objective[t]!).toBeLessThanOrEqual(objective[t - 1]! * (1 + 1e-6))
    }
  })

  it('clusters by the attribute of each layer, better than the codes of one layer', async () => {
    const seeds = [1, 2, 3]
    let [ofLayers, ofOne] = [0, 0]
    for (const seed of seeds) {
      const { X, fines, coarses } = plantedAttributes(seed, 1.5)
      const deep = await deepSemiNmf(X, { ranks, fit: { seed } })
      const one = await semiNmf(X, { rank: 12, seed })
      const agreement = async (fine: Matrix, coarse: Matrix) =>
        mutualInformation(await clustersOf(fine, 12), fines) +
        mutualInformation(await clustersOf(coarse, 3), coarses)
      ofLayers += await agreement(deep.codes[0]!, deep.codes[1]!)
      ofOne += await agreement(one.W, one.W)
    }
    console.log(`agreement ${ofLayers / 6} in layers, ${ofOne / 6} in one`)
    expect(ofLayers).toBeGreaterThan(ofOne + 0.3)
  })

  it('gains from a fifth of the labels in every layer', async () => {
    for (const seed of [1, 2]) {
      const { X, fines, coarses, labels } = plantedAttributes(seed, 3)
      const agreement = async (given: object) => {
        const { codes } = await deepSemiNmf(X, { ranks, fit: { seed }, ...given })
        return [
          mutualInformation(await clustersOf(codes[0]!, 12), fines),
          mutualInformation(await clustersOf(codes[1]!, 3), coarses),
        ] as const
      }
      const [plain, weak] = [await agreement({}), await agreement({ labels, labelWeight: 50 })]
      console.log(`agreement ${plain.join(', ')} without labels, ${weak.join(', ')} with a fifth`)
      expect(weak[0]).toBeGreaterThan(plain[0] + 0.1)
      expect(weak[1]).toBeGreaterThanOrEqual(plain[1] - 0.02)
    }
  })

  it('without weight is the run without labels, bit for bit', async () => {
    const { X, labels } = plantedAttributes(1, 1)
    const plain = await deepSemiNmf(X, { ranks })
    const graph = { adjacency: ringGraph(360), weight: 0 }
    for (const given of [{ labels, labelWeight: 0 }, { graphs: [graph, graph] }]) {
      const { codes, components } = await deepSemiNmf(X, { ranks, ...given })
      expect([codes, components]).toEqual([plain.codes, plain.components])
    }
  })

  it('takes labels or a graph for some layers only', async () => {
    const { X, labels } = plantedAttributes(1, 1)
    const graph = { adjacency: ringGraph(360), weight: 1 }
    for (const given of [
      { labels: [undefined, labels[1]] },
      { labels: [labels[0]] },
      { graphs: [graph], labels: [undefined, labels[1]] },
    ]) {
      const { codes, relativeErrors } = await deepSemiNmf(X, { ranks, ...given })
      expect(codes.map(({ cols }) => cols)).toEqual(ranks)
      expect(relativeErrors.every((error) => error > 0 && error < 1)).toBe(true)
    }
  })

  it('codes every layer with the bound and the loss of the fit', async () => {
    const { X } = plantedAttributes(1, 1)
    const bounded = await deepSemiNmf(X, { ranks, fit: { upperW: 0.3 } })
    for (const { data } of bounded.codes) expect(Math.max(...data)).toBeLessThanOrEqual(0.3001)
    const fit = { loss: 'huber', delta: 0.5 } as const
    const robust = await deepSemiNmf(X, { ranks, fit })
    expect(robust.warnings.join()).not.toContain('undone')
    const { W } = await robust.transform(X, { layer: 0 })
    expect(robust.codes[0]!.data).toEqual(W.data)
  })

  it.each([1e-39, 1e-41, 1e-43])('takes X of size %s', async (size) => {
    const { data, rows, cols } = planted(30, 12, 3, 3, true)
    const X = { data: data.map((x) => x * size), rows, cols }
    const { relativeErrors } = await deepSemiNmf(X, { ranks: [8, 4, 2] })
    expect(relativeErrors.every((error) => error < 0.9)).toBe(true)
  })

  it('names X where components exceed float32', async () => {
    const { data, rows, cols } = gaussian(30, 12, 6)
    const X = { data: data.map((x) => x * 3e37), rows, cols }
    await expect(deepSemiNmf(X, { ranks: [8, 4, 2] })).rejects.toMatchObject({ argument: 'X' })
  })

  it('has the same bits for any number of threads', async () => {
    const { X, labels } = plantedAttributes(1, 1)
    const runs = []
    for (const threads of [1, 3]) runs.push(await deepSemiNmf(X, { ranks, labels, threads }))
    expect(runs[0]!.codes).toEqual(runs[1]!.codes)
    expect(runs[0]!.components).toEqual(runs[1]!.components)
  })

  it('is saved and loaded, with children of either sign', async () => {
    const path = join(folder, 'deep.safetensors')
    const { X } = plantedAttributes(1, 1)
    const deep = await deepSemiNmf(X, { ranks, fit: { l1W: 0.5 } })
    await deep.save(path)
    const again = await LayeredModel.load(path)
    expect(again.model).toBe('deep-semi-nmf')
    expect((await again.transform(X, { layer: 0 })).W).toEqual(
      (await deep.transform(X, { layer: 0 })).W,
    )
    expect(again.children(1)).toEqual(deep.children(1))
    const sizes = deep.children(1).map(({ weight }) => Math.abs(weight))
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
  })

  it('gives finite factors for zeros, few rows and rows of one kind', async () => {
    for (const X of [matrixOf(20, 8, () => 0), gaussian(4, 9, 1), matrixOf(20, 8, () => 2)]) {
      const { codes, components } = await deepSemiNmf(X, { ranks: [3, 2] })
      for (const { data } of [...codes, ...components])
        expect(data.every(Number.isFinite)).toBe(true)
    }
  })

  const X = gaussian(30, 8, 1)
  const adjacency = ringGraph(30)
  const classes = Int32Array.from({ length: 30 }, (_, i) => i % 2)
  it.each([
    [{}, 'ranks', 'an array of integers'],
    [{ ranks: [3, 3] }, 'ranks[1]', 'an integer in 1..2, below ranks[0]'],
    [{ ranks: [3], fineTuneIterations: -1 }, 'fineTuneIterations', 'an integer of at least 0'],
    [{ ranks: [3], labelWeight: -1 }, 'labelWeight', 'a finite number of at least 0'],
    [{ ranks: [3], labels: [classes, classes] }, 'labels', 'at most 1 entries'],
    [{ ranks: [3], labels: classes }, 'labels', 'an array with an entry for each layer'],
    [{ ranks: [3], labels: [classes.subarray(1)] }, 'labels[0]', '30 labels, one for each row'],
    [{ ranks: [3], labels: [[1, 2]] }, 'labels[0]', 'an Int32Array'],
    [{ ranks: [3], labels: [classes.map(() => -2)] }, 'labels[0][0]', 'a label of at least 0'],
    [{ ranks: [3], graphs: [{ adjacency }] }, 'graphs[0].weight', 'a finite number'],
    [
      { ranks: [3, 2], graphs: [undefined, { adjacency: ringGraph(9), weight: 0 }] },
      'graphs[1].adjacency.rows',
      '30, the rows of X',
    ],
    [{ ranks: [3], labels: [0] }, 'labels[0]', 'an Int32Array'],
    [{ ranks: [3], graphs: [null] }, 'graphs[0]', 'an object of adjacency, weight'],
    [{ ranks: [20, 2], fit: { init: 'svd' } }, 'ranks[0]', 'an integer in 1..8'],
    [{ ranks: [3], fit: { l1W: -1 } }, 'fit.l1W', 'a finite number of at least 0'],
    [{ ranks: [3], fit: { mask: new Uint8Array(240) } }, 'fit.mask', 'one of the options'],
    [{ ranks: [3], fit: { missing: 'nan' } }, 'fit.missing', 'one of the options'],
    [
      { ranks: [3], labels: [classes], graphs: [{ adjacency, weight: 1 }] },
      'graphs[0]',
      'none beside labels of the layer',
    ],
    [
      { ranks: [3], labels: [classes], fit: { solver: 'hals' } },
      'fit.solver',
      'mu for a factorization',
    ],
    [{ ranks: [3, 2], fit: { rank: 2 } }, 'fit.rank', 'one of the options'],
    [{ ranks: [3, 2], seed: 1 }, 'seed', 'one of the options'],
  ])('names what is wrong: %#', async (options, argument, expected) => {
    const failure = await deepSemiNmf(X, options as never).catch((error) => error)
    expect(failure).toMatchObject({ argument })
    expect(failure.expected).toContain(expected)
  })
})
