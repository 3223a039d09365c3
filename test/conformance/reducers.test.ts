// The contract of fitReducer for every model.
import { describe, expect, it } from 'vitest'
import { fitReducer, reducerNames, type ReducerName } from '../../lib/concepts/reducer'
import { openNpy, writeNpy, closeMatrix } from '../../lib/data/npy'
import { planted } from '../matrices'
import { productOf, squares } from '../reference/factors'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [n, h, w, c] = [6, 5, 4, 12]
const positions = n * h * w
/** The real rank of the maps. */
const trueRank = 5
const maps = planted(positions, c, trueRank, 81, true)
const tensor = { data: maps.data, shape: [n, h, w, c] }

/** What a model gives besides the common contract. */
const expected: Record<ReducerName, { signed?: boolean; exact?: number; fit?: object }> = {
  'semi-nmf': { exact: 1e-3, fit: { init: 'svd' } },
  nmf: { exact: 0.02, fit: { iterations: 2000, tolerance: 1e-7 } },
  'semi-orthogonal-nmf': {},
  snmf: { exact: 0.05, fit: { sparsity: 1, iterations: 2000 } },
  'dictionary-learning': { exact: 0.02, fit: { l1W: 1e-4, iterations: 1000, tolerance: 1e-7 } },
  'orthogonal-nmf': {},
  'separable-nmf': {},
  'convex-nmf': {},
  'archetypal-analysis': {},
  'min-volume-nmf': {},
  kmeans: {},
  svd: { signed: true, exact: 1e-4 },
}

const difference = (a: Float32Array, b: Float32Array) =>
  Math.sqrt(squares(a.map((value, at) => value - b[at]!)) / squares(b))

it('reads tensors of float16 and bfloat16, which readSafetensors gives', async () => {
  const halves = { data: new Uint16Array(24).fill(0x3c00), shape: [2, 3, 4], type: 'float16' }
  const brain = { data: new Uint16Array(24).fill(0x3f80), dims: [2, 3, 4], type: 'bfloat16' }
  const ones = { data: new Float32Array(24).fill(1), shape: [2, 3, 4] }
  const { transform } = await fitReducer(ones, { model: 'svd', rank: 1 })
  for (const given of [halves, brain]) expect(await transform(given)).toEqual(await transform(ones))
  const flat = { ...halves, shape: [6, 4] }
  expect((await transform(flat)).shape).toEqual([6, 1])
})

it('clusters into more components than features', async () => {
  const { codes, components, relativeError } = await fitReducer(maps, { model: 'kmeans', rank: 30 })
  const W = { data: codes.data, rows: positions, cols: 30 }
  expect(difference(productOf(W, components).data, maps.data)).toBeCloseTo(relativeError, 5)
})

it('lists every model here', () => {
  expect([...reducerNames].sort()).toEqual(Object.keys(expected).sort())
})

describe.each(Object.entries(expected))('a reducer of %s', (name, { signed, exact, fit }) => {
  const model = name as ReducerName
  const fitted = (rank: number) => fitReducer(tensor, { model, rank, fit: fit ?? {} })

  it('restores leading dimensions of codes and activations', async () => {
    const reducer = await fitted(3)
    expect(reducer.codes.shape).toEqual([n, h, w, 3])
    expect(reducer.activations.shape).toEqual([n, h, w, 3])
    expect([reducer.components.rows, reducer.components.cols]).toEqual([3, c])
    const back = await reducer.inverseTransform(reducer.codes)
    expect(back.shape).toEqual(tensor.shape)
    const again = await reducer.transform(tensor)
    expect(again.shape).toEqual([n, h, w, 3])
    const frames = { data: maps.data, dims: [n * h, w, c] }
    expect(await reducer.transform(frames)).toEqual({ data: again.data, shape: [n * h, w, 3] })
    expect((await reducer.transform(maps)).shape).toEqual([positions, 3])
  })

  it('reports the error of its codes and components', async () => {
    const { codes, components, relativeError, inverseTransform } = await fitted(3)
    const back = await inverseTransform(codes)
    expect(difference(back.data, maps.data)).toBeCloseTo(relativeError, 5)
    const W = { data: codes.data, rows: positions, cols: 3 }
    expect(difference(back.data, productOf(W, components).data)).toBeLessThan(1e-6)
  })

  it('has codes of at least 0 unless they may be of any sign', async () => {
    const { codes, transform } = await fitted(3)
    for (const { data } of [codes, await transform(tensor)])
      expect(data.every((code) => code >= 0)).toBe(!signed)
  })

  it('leaves less with more components, and nothing at the rank of X', async () => {
    const errors = []
    for (const rank of [1, 3, trueRank]) errors.push((await fitted(rank)).relativeError)
    expect(errors[1]).toBeLessThan(errors[0]!)
    // That of orthonormal components and of clusters does not vanish.
    expect(errors[2]).toBeLessThan(exact ?? errors[1]! * 1.02)
  })

  it('codes the rows of the fit no worse than the fit', async () => {
    const { transform, inverseTransform, relativeError } = await fitted(3)
    const back = await inverseTransform(await transform(tensor))
    expect(difference(back.data, maps.data)).toBeLessThan(relativeError * 1.001 + 1e-6)
  })

  it('reads a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gemmine-reducers-'))
    try {
      await writeNpy(join(folder, 'X.npy'), { data: maps.data, shape: [positions, c] })
      const file = await openNpy(join(folder, 'X.npy'))
      const ofFile = await fitReducer(file, { model, rank: 3, fit: fit ?? {} })
      expect(ofFile.codes).toEqual({ data: (await fitted(3)).codes.data, shape: [positions, 3] })
      await closeMatrix(file)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('names what is wrong', async () => {
    const reducer = await fitted(2)
    const narrow = { data: new Float32Array(24), shape: [2, 3, 4] }
    await expect(reducer.transform(narrow)).rejects.toThrow(
      '12 features in its last dimension for X, received 4',
    )
    await expect(reducer.inverseTransform(narrow)).rejects.toThrow(
      'Expected 2 columns, one for each component for codes.cols, received 4',
    )
    const broken = { data: new Float32Array(12).fill(1), shape: [6, 1, 2] }
    broken.data[7] = NaN
    await expect(reducer.inverseTransform(broken)).rejects.toThrow(
      'Expected a finite number at row 3, column 1 of codes, received NaN',
    )
    await expect(fitReducer(tensor, { model, rank: 0 })).rejects.toThrow('for rank, received 0')
    await expect(
      fitReducer(tensor, { model, rank: 2, fit: { speed: 9 } as never }),
    ).rejects.toThrow('received the unknown option speed')
    await expect(reducer.transform(tensor, { out: 1 } as never)).rejects.toThrow(
      'unknown option out',
    )
  })
})
