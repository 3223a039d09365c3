// Planted concepts are found again: their directions, and the rows that show them.
import { describe, expect, it } from 'vitest'
import { steeringVectors } from '../../lib/concepts/directions'
import { coSegmentation, resizeMaps } from '../../lib/concepts/maps'
import { fitReducer } from '../../lib/concepts/reducer'
import { topActivations } from '../../lib/concepts/top-activations'
import { gaussian } from '../matrices'
import { squares } from '../reference/factors'
import { dot, matchedRows, rowOf } from '../reference/assignment'
import { plantedConcepts, plantedRegions } from './planted'

const concepts = 6
const shape = [600, 40, concepts] as const
const dense = plantedConcepts(shape, 11)
const sparse = plantedConcepts(shape, 11, { density: 0.2 })

const models = [
  ['semi-nmf', { iterations: 1000, tolerance: 1e-7 }, dense],
  ['snmf', { sparsity: 0.25, init: 'kmeans' }, sparse],
] as const

describe.each(models)('planted signed concepts with sparse codes, by %s', (model, fit, given) => {
  const { X, U } = given
  const reducer = fitReducer(X, { model, rank: concepts, fit })

  it('are matched with cosines of at least 0.95', async () => {
    const matches = matchedRows(U, (await reducer).components)
    for (const { cosine } of matches) expect(cosine).toBeGreaterThanOrEqual(0.95)
  })

  it('have the planted rows as the most active ones', async () => {
    const { components, codes } = await reducer
    const { rows } = await topActivations(codes, { count: 5 })
    matchedRows(U, components).forEach(({ row }, concept) => {
      const top = Array.from(rows.subarray(5 * row, 5 * row + 5)).sort((a, b) => a - b)
      expect(top).toEqual([0, 1, 2, 3, 4].map((each) => 5 * concept + each))
    })
  })

  it('give the codes of the fit again for the rows of the fit', async () => {
    const { codes, transform } = await reducer
    const again = await transform(X)
    const off = squares(again.data.map((code, at) => code - codes.data[at]!))
    expect(Math.sqrt(off / squares(codes.data))).toBeLessThan(0.01)
  })
})

it('penalties on codes recover planted concepts from every seed, in more noise', async () => {
  for (let seed = 0; seed < 8; seed++) {
    const { X, U } = plantedConcepts(shape, 100 + seed, { noise: 0.1 })
    const { components, codes } = await fitReducer(X, { rank: concepts, fit: { l1W: 1, l2H: 1 } })
    const { rows } = await topActivations(codes, { count: 5 })
    matchedRows(U, components).forEach(({ row, cosine }, concept) => {
      expect(cosine).toBeGreaterThanOrEqual(0.95)
      for (const each of rows.subarray(5 * row, 5 * row + 5))
        expect(Math.floor(each / 5)).toBe(concept)
    })
  }
})

it('a planted direction moves a linear read-out more than random ones of the same length', async () => {
  const { X, U } = dense
  const { components } = await fitReducer(X, { rank: concepts, fit: { iterations: 500 } })
  const vectors = await steeringVectors(components)
  const random = await steeringVectors(gaussian(20, X.cols, 5))
  matchedRows(U, components).forEach(({ row }, concept) => {
    const target = rowOf(U, concept)
    const steered = dot(rowOf(vectors, row), target)
    for (let i = 0; i < 20; i++) expect(steered).toBeGreaterThan(dot(rowOf(random, i), target))
  })
})

describe('planted regions of feature maps', () => {
  const [images, side] = [8, 12]
  const maps = plantedRegions(images, side, 16, 7)
  const reducer = fitReducer(maps, { model: 'nmf', rank: 2 })

  const iou = (a: readonly boolean[], b: readonly boolean[]) => {
    const both = a.filter((is, at) => is && b[at]).length
    return both / a.filter((is, at) => is || b[at]).length
  }

  it('are segmented, by the same component in every image', async () => {
    const model = await reducer
    const { data, shape } = await coSegmentation(model)
    expect(shape).toEqual([images, side, side])
    const parts = {
      data: Float32Array.from([...maps.parts[0]!, ...maps.parts[1]!]),
      rows: 2,
      cols: 16,
    }
    const found = matchedRows(parts, model.components)
    for (let image = 0; image < images; image++)
      for (const region of [0, 1]) {
        const pixels = (of: Int32Array, value: number) =>
          Array.from(of.subarray(image * side ** 2, (image + 1) * side ** 2), (at) => at === value)
        const mask = pixels(data, found[region]!.row)
        expect(iou(mask, pixels(maps.truth, region))).toBeGreaterThanOrEqual(0.95)
      }
  })

  it('have heat maps of at least 0, at the size of the images too', async () => {
    const { codes } = await reducer
    expect(codes.shape).toEqual([images, side, side, 2])
    expect(codes.data.every((code) => code >= 0)).toBe(true)
    const large = await resizeMaps(codes, { height: 36, width: 24 })
    expect(large.shape).toEqual([images, 36, 24, 2])
    expect(large.data.every((code) => code >= 0)).toBe(true)
  })
})
