import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FactorizationModel, openNpy, closeMatrix, separableNmf, writeNpy } from '../../lib/index'
import { gaussian, matrixOf, sparseOf } from '../matrices'
import { mixtures, noisyProduct, withPureRows } from '../mixtures'
import { productOf, squaredError } from '../reference/factors'
import { successiveProjections, worstMatch } from '../reference/hulls'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-separable-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const pure = [17, 3, 250, 88, 199]
const H = gaussian(5, 30, 4)
const codes = withPureRows(mixtures(300, 5, 2), pure)
const X = productOf(codes, H)
const ascending = (rows: Iterable<number>) => [...rows].sort((a, b) => a - b)

describe('separableNmf', () => {
  it('finds the pure rows of a separable matrix, and its factors', async () => {
    const found = await separableNmf(X, { rank: 5 })
    expect(ascending(found.anchors)).toEqual(ascending(pure))
    for (const [j, row] of found.anchors.entries())
      expect(found.H.data.subarray(j * 30, (j + 1) * 30)).toEqual(
        X.data.subarray(row * 30, (row + 1) * 30),
      )
    expect(found.relativeError).toBeLessThan(1e-6)
    expect(found.objective).toHaveLength(1)
    expect(found).toMatchObject({ iterations: 0, converged: true, warnings: [] })
    const order = Array.from(found.anchors, (row) => pure.indexOf(row))
    const planted = matrixOf(300, 5, (i, j) => codes.data[i * 5 + order[j]!]!)
    for (const [at, value] of planted.data.entries())
      expect(Math.abs(found.W.data[at]! - value)).toBeLessThan(1e-5)
  })

  it.each([1e-4, 1e-3, 1e-2])('is near them under noise of %d', async (noise) => {
    const noisy = noisyProduct(codes, H, noise, 5)
    const found = await separableNmf(noisy, { rank: 5 })
    // Gillis & Vavasis (2014), theorem 3, allows far more.
    expect(worstMatch(found.H, H)).toBeLessThan(20 * noise)
  })

  it.each([
    [40, 12, 7],
    [3000, 40, 35],
    [2000, 5, 5],
  ])('chooses the rows of the plain algorithm, %d × %d, rank %d', async (n, d, rank) => {
    for (const any of [gaussian(n, d, n), productOf(mixtures(n, d, n + 1), gaussian(d, d, 3))]) {
      const { anchors } = await separableNmf(any, { rank })
      expect([...anchors]).toEqual(successiveProjections(any, rank))
    }
  })

  it('takes the lower one of equal rows', async () => {
    const twice = matrixOf(600, 30, (i, t) => X.data[(i % 300) * 30 + t]!)
    const { anchors } = await separableNmf(twice, { rank: 5 })
    expect(ascending(anchors)).toEqual(ascending(pure))
    const same = matrixOf(500, 4, () => 1)
    expect([...(await separableNmf(same, { rank: 1 })).anchors]).toEqual([0])
  })

  it('heeds no lengths with normalize l1', async () => {
    const parts = matrixOf(5, 30, (j, t) => Math.abs(H.data[j * 30 + t]!))
    const any = matrixOf(300, 5, (i, j) => codes.data[i * 5 + j]! * (1 + (i % 13)))
    const counts = productOf(any, parts)
    counts.data.fill(0, 0, 60)
    const { anchors, relativeError } = await separableNmf(counts, { rank: 5, normalize: 'l1' })
    expect(ascending(anchors)).toEqual(ascending(pure))
    expect([...anchors]).toEqual(successiveProjections(counts, 5, true))
    expect(relativeError).toBeLessThan(1e-6)
    await expect(separableNmf(X, { rank: 5, normalize: 'l1' })).rejects.toMatchObject({
      argument: 'X',
      expected: 'a non-negative number',
    })
  })

  it('gives the same rows of every form of X, for any number of threads', async () => {
    const whole = matrixOf(300, 30, (i, t) => Math.round(20 * X.data[i * 30 + t]!) + 0)
    const { data, rows, cols } = whole
    await writeNpy(join(folder, 'X.npy'), { data, shape: [rows, cols] })
    const file = await openNpy(join(folder, 'X.npy'))
    const forms = [
      whole,
      sparseOf(whole),
      file,
      { data: Int8Array.from(data), rows, cols },
      { data: Float64Array.from(data), rows, cols },
    ]
    const [first, ...others] = await Promise.all(
      forms.map((form, i) => separableNmf(form, { rank: 6, threads: 1 + (i % 3) })),
    )
    for (const other of others) {
      expect(other.anchors).toEqual(first!.anchors)
      expect(other.H.data).toEqual(first!.H.data)
    }
    await closeMatrix(file)
  })

  it('is a model that can be saved, with exact codes', async () => {
    const found = await separableNmf(X, { rank: 4 })
    const path = join(folder, 'model.safetensors')
    await found.save(path)
    const again = await (await FactorizationModel.load(path)).transform(X)
    expect(again.W.data).toEqual(found.W.data)
    expect(Math.abs(squaredError(X, found.W, found.H) / found.objective[0]! - 1)).toBeLessThan(1e-5)
  })

  it('says how many rows are independent', async () => {
    await expect(separableNmf(X, { rank: 6 })).rejects.toThrow(
      'Expected an integer of at most 5, the number of rows of X that are linearly independent in float32 for rank, received 6',
    )
    const zeros = matrixOf(9, 4, () => 0)
    await expect(separableNmf(zeros, { rank: 1 })).rejects.toThrow(
      'Expected an entry other than 0 in some row at row 0, column 0 of X, received 0',
    )
  })

  it('refuses what it cannot take', async () => {
    const small = gaussian(9, 4, 1)
    const wrong = (options: object) => separableNmf(small, { rank: 2, ...options } as never)
    await expect(wrong({ rank: 5 })).rejects.toThrow('an integer in 1..4 for rank')
    await expect(wrong({ rank: 0 })).rejects.toThrow('rank')
    await expect(wrong({ normalize: 'l2' })).rejects.toThrow('one of none, l1 for normalize')
    await expect(wrong({ init: 'random' })).rejects.toThrow('init')
    await expect(wrong({ checkpoint: 'file' })).rejects.toThrow('checkpoint')
    await expect(wrong({ out: { W: new Float32Array(3) } })).rejects.toThrow('out.W')
    await expect(wrong({ memoryBudget: 1 })).rejects.toThrow('memoryBudget')
    small.data[7] = NaN
    await expect(wrong({})).rejects.toMatchObject({ argument: 'X', row: 1, column: 3 })
  })

  it('tells of its progress and stops when asked to', async () => {
    const phases = new Set<string>()
    await separableNmf(X, { rank: 5, onProgress: ({ phase }) => phases.add(phase) })
    const controller = new AbortController()
    const waiting = separableNmf(X, { rank: 5, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })
})
