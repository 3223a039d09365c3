import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { hierarchicalSemiNmf, LayeredModel, writeSafetensors, type Progress } from '../../lib/index'
import { gaussian, matrixOf, normal, uniform } from '../matrices'
import { productOf, squaredError, squares } from '../reference/factors'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-hierarchy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Eight fine components in four pairs, one of them in each row; a pair shares a coarse part. */
function plantedTree() {
  const [n, d] = [400, 48]
  const next = normal(11)
  const coarse = matrixOf(4, d, (c, t) => (t >> 3 === c ? 2 * next() : 0))
  const fine = matrixOf(8, d, (j, t) => {
    const own = t >= 32 && (t - 32) >> 1 === j ? 1.5 : 0
    return coarse.data[(j >> 1) * d + t]! + own
  })
  const draw = uniform(12)
  const W = matrixOf(n, 8, (i, j) => (i % 8 === j ? 1 + draw() : 0))
  const clean = productOf(W, fine)
  return { X: matrixOf(n, d, (i, t) => clean.data[i * d + t]! + 0.05 * next()), fine }
}

const nearest = (h: Float32Array, rows: { data: Float32Array; rows: number; cols: number }) => {
  const scores = Array.from({ length: rows.rows }, (_, j) => {
    const row = rows.data.subarray(j * rows.cols, (j + 1) * rows.cols)
    return h.reduce((sum, x, t) => sum + x * row[t]!, 0) / Math.sqrt(squares(row))
  })
  return scores.indexOf(Math.max(...scores))
}

describe('hierarchicalSemiNmf', () => {
  const { X, fine } = plantedTree()

  it.each(['semi-nmf', 'snmf'] as const)(
    'recovers a planted tree of merges with %s',
    async (model) => {
      const fit =
        model === 'snmf'
          ? { sparsity: 0.25, init: 'kmeans', seed: 1 }
          : { l1W: 0.2, l2H: 0.1, seed: 1 }
      const tree = await hierarchicalSemiNmf(X, { ranks: [8, 4], model, fit: fit as never })
      const planted = Array.from({ length: 8 }, (_, j) =>
        nearest(tree.components[0]!.data.subarray(j * 48, j * 48 + 48), fine),
      )
      expect(new Set(planted).size).toBe(8)
      const pairs = Array.from({ length: 4 }, (_, c) =>
        tree
          .children(c)
          .map(({ component }) => planted[component]! >> 1)
          .join(),
      )
      expect(pairs.sort()).toEqual(['0,0', '1,1', '2,2', '3,3'])
    },
  )

  it('has codes of at least 0 in every level, and tells their errors', async () => {
    const { codes, components, relativeErrors, levels, ranks, seconds } = await hierarchicalSemiNmf(
      X,
      { ranks: [8, 4, 2] },
    )
    expect(ranks).toEqual([8, 4, 2])
    expect(codes.map(({ rows, cols }) => [rows, cols])).toEqual([
      [400, 8],
      [400, 4],
      [400, 2],
    ])
    for (let l = 0; l < 3; l++) {
      expect(codes[l]!.data.every((code) => code >= 0)).toBe(true)
      const error = Math.sqrt(squaredError(X, codes[l]!, components[l]!) / squares(X.data))
      expect(relativeErrors[l]).toBeCloseTo(error, 4)
    }
    expect([...relativeErrors].sort()).toEqual(relativeErrors)
    expect(productOf(codes[0]!, levels[1]!.W).data[5]).toBeCloseTo(codes[1]!.data[5]!, 4)
    expect(seconds).toBeGreaterThan(0)
  })

  it('gives children by share, by number, and by lower component where they tie', async () => {
    const H = [gaussian(4, 5, 1), gaussian(2, 5, 2)]
    const link = matrixOf(4, 2, (i, j) => [1, 0, 2, 0, 2, 0, 0.2, 0][2 * i + j]!)
    const model = new LayeredModel('hierarchical-semi-nmf', H, [link], {})
    const names = (given = {}) => model.children(0, given).map(({ component }) => component)
    expect(names()).toEqual([1, 2, 0])
    expect(names({ share: 0.1 })).toEqual([1, 2, 0, 3])
    expect(names({ share: 0, most: 2 })).toEqual([1, 2])
    expect(model.children(1)).toEqual([])
    expect(() => model.children(2)).toThrow('an integer in 0..1 for component')
    expect(() => model.children(0, { layer: 0 })).toThrow('an integer in 1..1 for layer')
    expect(() => model.children(0, { share: 2 })).toThrow('share')
    expect(() => model.children(0, { most: 0 })).toThrow('most')
  })

  it('warns of a level that leaves more than zeros would', async () => {
    const { relativeErrors, warnings } = await hierarchicalSemiNmf(gaussian(30, 12, 6), {
      ranks: [8, 4, 2],
    })
    expect(relativeErrors[2]).toBeGreaterThan(1)
    expect(warnings.join()).toContain('Level 2: the effective codes leave')
  })

  it('names wrong factors and arguments of a model of layers', async () => {
    const [H, top] = [gaussian(4, 5, 1), gaussian(2, 5, 2)]
    const link = matrixOf(4, 2, () => 1)
    const make = (components: unknown, links: unknown, options = {}) =>
      new LayeredModel('hierarchical-semi-nmf', components as never, links as never, options)
    expect(() => make(5, [])).toThrow('Expected an array of matrices for components, received 5')
    expect(() => make([H, null], [link])).toThrow('for components[1], received null')
    expect(() => make([H, top], 5)).toThrow('Expected an array of matrices for links, received 5')
    expect(() => make([], [])).toThrow('a matrix for each layer for components')
    expect(() => make([H, gaussian(2, 6, 2)], [link])).toThrow('the columns of components[0]')
    expect(() => make([H, top], [gaussian(3, 2, 1)])).toThrow('a matrix of 4 × 2 for links[0]')
    const model = make([H, top], [link])
    expect(() => model.children(0, null as never)).toThrow('an object of layer, share, most')
    expect(() => model.children(0, { depth: 1 } as never)).toThrow('the unknown option depth')
    expect(() => make([H], []).children(0)).toThrow('a layer above another one')
    const failed = model.transform(gaussian(3, 5, 1), null as never)
    await expect(failed).rejects.toMatchObject({ argument: 'options' })
    const holed = make([H, top], [matrixOf(4, 2, (i) => (i === 1 ? NaN : 1))])
    await expect(holed.transform(gaussian(3, 5, 1))).rejects.toThrow('row 1, column 0 of links[0]')
    await expect(holed.save(join(folder, 'never'))).rejects.toThrow('of links[0]')
  })

  it('is saved and loaded, and codes rows in every level', async () => {
    const path = join(folder, 'tree.safetensors')
    const tree = await hierarchicalSemiNmf(X, { ranks: [8, 4, 2] })
    await tree.save(path)
    const again = await LayeredModel.load(path)
    expect(again.ranks).toEqual([8, 4, 2])
    expect(again.children(0)).toEqual(tree.children(0))
    for (const layer of [0, 1, 2]) {
      const { W, relativeError } = await again.transform(X, { layer })
      expect(W).toEqual((await tree.transform(X, { layer })).W)
      expect(relativeError).toBeLessThanOrEqual(tree.relativeErrors[layer]! + 1e-6)
      const back = await again.inverseTransform(W, { layer })
      expect([back.rows, back.cols]).toEqual([400, 48])
    }
    expect((await tree.transform(X)).W.cols).toBe(2)
    await expect(tree.transform(X, { layer: 3 })).rejects.toThrow('an integer in 0..2 for layer')
  })

  it('refuses files of other models', async () => {
    const path = join(folder, 'other.safetensors')
    const H = { data: new Float32Array(4).fill(1), shape: [2, 2] }
    const write = (tensors: object, metadata: Record<string, string>) =>
      writeSafetensors(path, { tensors: tensors as never, metadata })
    const own = { format: 'gemmine.layers', model: 'deep-semi-nmf', options: '{}' }
    await write({ 'H.0': H }, {})
    await expect(LayeredModel.load(path)).rejects.toThrow('expected a model of layers')
    await write({ 'H.0': H, 'H.1': H }, own)
    await expect(LayeredModel.load(path)).rejects.toMatchObject({ code: 'ERR_GEMMINE_FILE' })
    const rejected = async (text: string) =>
      await expect(LayeredModel.load(path)).rejects.toMatchObject({
        code: 'ERR_GEMMINE_FILE',
        message: expect.stringContaining(text),
      })
    await write({ 'H.0': { data: new Float32Array(4).fill(NaN), shape: [2, 2] } }, own)
    await rejected('expected a finite number at row 0, column 0 of components[0], received NaN')
    const one = { data: new Float32Array(3).fill(1), shape: [1, 3] }
    const link = { data: new Float32Array(2).fill(1), shape: [1, 2] }
    await write({ 'H.0': H, 'H.1': one, 'link.0': link }, own)
    await rejected('components[1].cols')
    await write({ 'H.0': H }, { ...own, options: '[]' })
    await rejected('expected options as a JSON object')
    await write({ 'H.0': H }, { ...own, options: '{' })
    await expect(LayeredModel.load(path)).rejects.toMatchObject({ code: 'ERR_GEMMINE_FILE' })
  })

  it('tells of its progress by levels, and stops at a signal', async () => {
    const phases = new Set<string>()
    const onProgress = ({ phase }: Progress) => void phases.add(phase.split(',')[0]!)
    await hierarchicalSemiNmf(X, { ranks: [8, 4], onProgress })
    expect([...phases]).toEqual(expect.arrayContaining(['level 0', 'level 1']))
    const controller = new AbortController()
    const stop = () => controller.abort(new Error('enough'))
    const run = hierarchicalSemiNmf(X, {
      ranks: [8, 4],
      signal: controller.signal,
      onProgress: stop,
    })
    await expect(run).rejects.toThrow('enough')
  })

  it.each([
    [{}, 'ranks', 'an array of integers'],
    [{ ranks: [] }, 'ranks', 'an array of integers'],
    [{ ranks: [4, 4] }, 'ranks[1]', 'an integer in 1..3, below ranks[0]'],
    [{ ranks: [4, 8] }, 'ranks[1]', 'an integer in 1..3, below ranks[0]'],
    [{ ranks: [4, 0] }, 'ranks[1]', 'an integer of at least 1'],
    [{ ranks: [4.5] }, 'ranks[0]', 'an integer of at least 1'],
    [{ ranks: [4, 2], model: 'nmf' }, 'model', 'one of semi-nmf, snmf'],
    [{ ranks: [4, 2], fit: { speed: 1 } }, 'fit.speed', 'one of the options'],
    [{ ranks: [4, 2], fit: { sparsity: 0.1 } }, 'fit.sparsity', 'one of the options'],
    [{ ranks: [4, 2], fit: { init: { H: X } } }, 'fit.init', 'the name of a start'],
    [{ ranks: [4, 2], fit: { checkpoint: 'x' } }, 'fit.checkpoint', 'one of the options'],
    [{ ranks: [4, 2], seed: 1 }, 'seed', 'one of the options'],
    [{ ranks: [4, 2], fit: { mask: new Uint8Array(9) } }, 'fit.mask', 'one of the options'],
    [{ ranks: [4, 2], fit: { missing: 'nan' } }, 'fit.missing', 'one of the options'],
    [{ ranks: [60, 49], fit: { init: 'svd' } }, 'ranks[0]', 'an integer in 1..48'],
  ])('names what is wrong: %#', async (options, argument, expected) => {
    const failure = await hierarchicalSemiNmf(X, options as never).catch((error) => error)
    expect(failure).toMatchObject({ argument })
    expect(failure.expected).toContain(expected)
  })

  it('names an entry of X that is not finite', async () => {
    const run = hierarchicalSemiNmf(
      matrixOf(9, 4, () => NaN),
      { ranks: [2, 1] },
    )
    await expect(run).rejects.toMatchObject({ argument: 'X', row: 0, column: 0 })
  })
})
