import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  closeMatrix,
  FactorizationModel,
  openNpy,
  readSafetensors,
  semiNmf,
  writeNpy,
  writeSafetensors,
  type Matrix,
  type Progress,
  type SparseMatrix,
} from '../../lib/index'
import { native } from '../../lib/native'
import { gaussian, matrixOf, planted } from '../matrices'
import { differences, productOf, squares } from '../reference/factors'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-model-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const modelOf = (H: Matrix) => new FactorizationModel('semi-nmf', H, {})
const expectClose = (actual: Matrix, expected: Matrix) =>
  expect(squares(differences(actual, expected))).toBeLessThanOrEqual(1e-12 * squares(expected.data))
/** Entry by entry, whatever their sizes. */
function expectEntries({ data: actual }: Matrix, { data: expected }: Matrix) {
  const near = (a: number, b: number) => a === b || Math.abs(a - b) <= 1e-6 * Math.abs(b)
  expect(actual.length).toBe(expected.length)
  expect(expected.findIndex((value, at) => !near(actual[at]!, value))).toBe(-1)
}
const sparseOf = ({ data, rows, cols }: Matrix): SparseMatrix => ({
  rows,
  cols,
  indptr: Int32Array.from({ length: rows + 1 }, (_, i) => i * cols),
  indices: Int32Array.from(data, (_, at) => at % cols),
  values: data,
})
/** The columns of `wide` from `first` on, as rows that lie a stride apart. */
const columnsOf = (wide: Matrix, first: number, cols: number): Matrix => ({
  data: wide.data.subarray(first),
  rows: wide.rows,
  cols,
  stride: wide.cols,
})

describe('inverseTransform', () => {
  const W = gaussian(300, 7, 2)
  const H = gaussian(7, 40, 3)
  const back = modelOf(H)

  it('gives the rows that the error of a fit is measured against', async () => {
    const X = planted(30, 8, 2, 5)
    const model = await semiNmf(X, { rank: 2, iterations: 300, tolerance: 0 })
    const again = await model.inverseTransform(model.W)
    const error = Math.sqrt(squares(differences(again, X)) / squares(X.data))
    expect(error).toBeCloseTo(model.relativeError, 5)
  })

  it('leaves the event loop free', async () => {
    const codes = gaussian(8192, 96, 4)
    let turns = 0
    const counter = setInterval(() => turns++, 1)
    const began = performance.now()
    await modelOf(gaussian(96, 1024, 5)).inverseTransform(codes, { threads: 1 })
    const took = performance.now() - began
    clearInterval(counter)
    console.log(`8192 × 1024 at rank 96 took ${took.toFixed(0)} ms, with ${turns} timers meanwhile`)
    expect(turns).toBeGreaterThan(2)
  })

  it.each([1, 255, 256, 257, 700])('multiplies for %i columns', async (cols) => {
    const wide = gaussian(5, cols, cols)
    const codes = gaussian(60, 5, 8)
    expectClose(await modelOf(wide).inverseTransform(codes), productOf(codes, wide))
  })

  it('heeds the strides of W and H', async () => {
    const codes = columnsOf(gaussian(50, 11, 6), 2, 7)
    const parts = columnsOf(gaussian(7, 60, 7), 5, 40)
    expectClose(await modelOf(parts).inverseTransform(codes), productOf(codes, parts))
  })

  it('takes W as float64, from a file and sparse', async () => {
    const expected = await back.inverseTransform(W)
    const float64 = { ...W, data: Float64Array.from(W.data) }
    expect(await back.inverseTransform(float64)).toEqual(expected)
    const path = join(folder, 'W.npy')
    await writeNpy(path, { data: W.data, shape: [W.rows, W.cols] })
    const file = await openNpy(path)
    expect(await back.inverseTransform(file)).toEqual(expected)
    await closeMatrix(file)
    expectClose(await back.inverseTransform(sparseOf(W)), expected)
  })

  it('fills the array of the caller and tells of its progress', async () => {
    const out = new Float32Array(W.rows * H.cols)
    const heard: Progress[] = []
    const onProgress = (progress: Progress) => void heard.push(progress)
    const { data } = await back.inverseTransform(W, { out, onProgress })
    expect(data).toBe(out)
    expect(out).toEqual((await back.inverseTransform(W)).data)
    expect(heard.at(-1)).toEqual({ phase: 'multiply', done: 40, total: 40 })
  })

  it('aborts with the reason of the signal', async () => {
    const controller = new AbortController()
    const codes = gaussian(4096, 256, 9)
    const model = modelOf(gaussian(256, 4096, 10))
    const running = model.inverseTransform(codes, { signal: controller.signal, threads: 1 })
    setTimeout(() => controller.abort(new Error('enough')), 5)
    await expect(running).rejects.toThrow('enough')
  })

  it('is finite where only terms of the sum leave the range of float32', async () => {
    const codes = matrixOf(3, 2, (i, j) => [1e30, -1e30, 1e30, 1e-30, 1e-30, 0][2 * i + j]!)
    const parts = matrixOf(2, 3, (i, j) => [1e30, 1e-30, 4, 1e30, 1e30, 4][3 * i + j]!)
    const expected = productOf(codes, parts)
    expect(expected.data.slice(0, 5)).toEqual(Float32Array.of(0, -Infinity, 0, Infinity, 2))
    for (const given of [codes, sparseOf(codes)])
      expectEntries(await modelOf(parts).inverseTransform(given), expected)
  })

  it.each([
    [1e30, 1e30],
    [-1e30, 1e30],
    [1e30, 1e-30],
    [1e-30, 1e30],
    [1e-30, 1e-30],
    [3e38, 0.25],
    [3e38, 0.75],
    [0, 3e38],
  ])('multiplies entries of %f by entries of %f', async (ofW, ofH) => {
    const codes = matrixOf(5000, 2, () => ofW)
    const parts = matrixOf(2, 300, () => ofH)
    expectEntries(await modelOf(parts).inverseTransform(codes), productOf(codes, parts))
  })

  const broken = (A: Matrix, value: number): Matrix => ({
    ...A,
    data: A.data.map((given, at) => (at === A.cols + 3 ? value : given)),
  })

  it.each([NaN, Infinity, -Infinity])('refuses an entry of %f by its place', async (value) => {
    const expected = 'Expected a finite number at row 1, column 3 of'
    const [ofW, ofH] = [`${expected} W, received ${value}`, `${expected} H, received ${value}`]
    await expect(back.inverseTransform(broken(W, value))).rejects.toThrow(ofW)
    await expect(modelOf(broken(H, value)).inverseTransform(W)).rejects.toThrow(ofH)
    // One that came after the check.
    const model = modelOf({ ...H, data: H.data.slice() })
    await model.inverseTransform(W)
    model.H.data[H.cols + 3] = value
    await expect(model.inverseTransform(W)).rejects.toThrow(ofH)
  })

  it.each([
    [gaussian(5, 6, 1), {}, 'W.cols'],
    [null, {}, 'W'],
    [W, { thread: 1 }, 'thread'],
    [W, { threads: 0 }, 'threads'],
    [W, { device: 'abacus' }, 'device'],
    [W, { out: new Float32Array(3) }, 'out'],
  ])('names the argument at fault: %#', async (codes, options, argument) => {
    await expect(back.inverseTransform(codes as never, options as never)).rejects.toMatchObject({
      argument,
    })
  })
})

describe('inverseTransform of the addon, past the checks of lib/', () => {
  const W = { name: 'W', type: 'float32', stride: 3, ...gaussian(5, 3, 1) } as const
  const H = gaussian(3, 4, 2)
  const X = gaussian(5, 4, 3)

  it.each([
    [{ ...W, rows: 6 }, H, X, 'W.data'],
    [{ ...W, cols: 2 }, H, X, 'W'],
    [W, { ...H, rows: 4 }, X, 'H.data'],
    [W, { ...H, stride: 5 }, X, 'H.data'],
    [W, { ...H, data: new Float64Array(12) }, X, 'H.data'],
    [W, H, { ...X, rows: 4 }, 'X'],
    [W, H, { ...X, cols: 3 }, 'X'],
    [W, H, { ...X, data: X.data.subarray(1) }, 'X.data'],
    [undefined, H, X, 'matrix'],
  ])('refuses what does not fit: %#', (codes, parts, rows, argument) => {
    const control = {
      threads: 0,
      priority: 'interactive',
      cancel: new Int32Array(new SharedArrayBuffer(4)),
    }
    const options = { device: 'cpu' }
    expect(() =>
      native().inverseTransform(codes as never, parts as never, options, rows, control),
    ).toThrow(new RegExp(`for ${argument}$`))
  })
})

describe('transform', () => {
  it('refuses an output in the memory of what it reads', async () => {
    const room = new Float32Array(300)
    const [X, H, out] = [room.subarray(0, 100), room.subarray(100, 200), room.subarray(200)]
    const model = modelOf({ data: H, rows: 10, cols: 10 })
    const codes = { data: X, rows: 10, cols: 10 }
    for (const name of ['transform', 'inverseTransform'] as const) {
      await expect(model[name](codes, { out: X })).rejects.toThrow(
        /^Expected memory apart from that of [XW]\.data for out, received an array that overlaps it$/,
      )
      await expect(model[name](codes, { out: room.subarray(199, 299) })).rejects.toThrow(RangeError)
      await model[name](codes, { out })
    }
  })

  it('refuses an unknown option by its name', async () => {
    const model = modelOf(gaussian(2, 9, 1))
    await expect(model.transform(gaussian(5, 9, 2), { thread: 1 } as never)).rejects.toMatchObject({
      argument: 'thread',
    })
  })
})

/** A copy of a matrix over a buffer that can shrink. */
function resizable(A: Matrix) {
  const bytes = A.data.byteLength
  const buffer = new (ArrayBuffer as any)(bytes, { maxByteLength: bytes }) as ArrayBuffer
  const data = new Float32Array(buffer)
  data.set(A.data)
  return { matrix: { ...A, data }, shrink: () => (buffer as any).resize(0) as void }
}

describe('components over a resizable buffer', () => {
  const X = gaussian(4000, 512, 5)
  const H = gaussian(24, 512, 6)

  it('may shrink in the middle of a transform', async () => {
    const { matrix, shrink } = resizable(H)
    const running = modelOf(matrix).transform(X)
    shrink()
    expect((await running).W).toEqual((await modelOf(H).transform(X)).W)
  })

  it('may shrink in the middle of an inverseTransform', async () => {
    const codes = gaussian(4000, 24, 7)
    const { matrix, shrink } = resizable(H)
    const running = modelOf(matrix).inverseTransform(codes)
    shrink()
    const { data } = await modelOf(H).inverseTransform(codes)
    expect(Buffer.from((await running).data.buffer).equals(Buffer.from(data.buffer))).toBe(true)
  })
})

describe('a model made of components', () => {
  it('saves what lies a stride apart, or before the end of its array', async () => {
    const wide = gaussian(4, 20, 8)
    for (const H of [columnsOf(wide, 3, 9), { ...wide, rows: 3, stride: 20 }]) {
      const path = join(folder, 'strided.safetensors')
      await modelOf(H).save(path)
      const again = await FactorizationModel.load(path)
      expect([again.H.rows, again.H.cols]).toEqual([H.rows, H.cols])
      const X = gaussian(15, H.cols, 9)
      expect((await again.transform(X)).W).toEqual((await modelOf(H).transform(X)).W)
    }
  })

  const ones = matrixOf(4, 5, () => 1)

  it('has no entry that no fit leaves behind, as its first use tells', async () => {
    const wide = matrixOf(4, 9, (i, j) => (i === 2 && j === 6 ? -1 : j > 6 ? NaN : 1))
    const H = columnsOf(wide, 2, 5)
    const model = new FactorizationModel('nmf', H, {})
    for (const use of [
      () => model.transform(gaussian(2, 5, 1)),
      () => model.inverseTransform(gaussian(2, 4, 1)),
      () => model.save(join(folder, 'refused.safetensors')),
    ])
      await expect(use()).rejects.toThrow(
        'Expected a finite number of at least 0 at row 2, column 4 of H, received -1',
      )
    await new FactorizationModel('semi-nmf', H, {}).transform(gaussian(2, 5, 1))
    const left = new FactorizationModel('nmf', columnsOf(wide, 0, 5), {})
    await left.inverseTransform(gaussian(2, 4, 1))
  })

  it.each([
    ['nmf', { ...gaussian(4, 5, 1), stride: 4 }, {}, 'H.stride'],
    ['nmf', { ...gaussian(4, 5, 1), rows: 5 }, {}, 'H.data'],
    ['nmf', { ...gaussian(4, 5, 1), rows: 0 }, {}, 'H.rows'],
    ['nmf', { data: new Float64Array(20), rows: 4, cols: 5 }, {}, 'H'],
    ['nmf', undefined, {}, 'H'],
    ['svd', ones, {}, 'model'],
    ['nmf', ones, undefined, 'options'],
    ['nmf', ones, { l1W: -1 }, 'options.l1W'],
    ['nmf', ones, { l2W: NaN }, 'options.l2W'],
    ['nmf', ones, { rank: 3 }, 'options.rank'],
    ['orthogonal-nmf', ones, { upperW: 1 }, 'options.upperW'],
    ['semi-nmf', ones, { rowSums: 'one' }, 'options.rowSums'],
  ])('names what is wrong: %#', (model, H, options, argument) => {
    const make = () => new FactorizationModel(model as never, H as never, options as never)
    expect(make).toThrow(expect.objectContaining({ argument }))
  })
})

describe('a model file', () => {
  const path = join(folder, 'model.safetensors')

  it('brings the model back', async () => {
    const X = gaussian(60, 12, 4)
    const model = await semiNmf(X, { rank: 3, l1W: 0.2, l1H: 0.2 })
    await model.save(path)
    const again = await FactorizationModel.load(path)
    expect(again.H).toEqual(model.H)
    expect(again.options).toEqual(model.options)
    expect((await again.transform(X)).W).toEqual((await model.transform(X)).W)
  })

  const parts = [1, 2, 3, 4, 5, 6]
  const saved = async (over: object, values = parts, shape = [2, 3]) => {
    await new FactorizationModel(
      'nmf',
      matrixOf(1, 1, () => 1),
      {},
    ).save(path)
    const { metadata } = await readSafetensors(path)
    const H = { data: Float32Array.from(values), shape }
    await writeSafetensors(path, { tensors: { H }, metadata: { ...metadata, ...over } })
  }
  const options = (given: object) => ({ options: JSON.stringify(given) })

  it('that is whole is read', async () => {
    await saved({ ...options({ l1W: 0.5, rank: 2 }), model: 'semi-nmf' }, [-1, 2, 3, 4, 5, 6])
    expect((await FactorizationModel.load(path)).options).toEqual({ l1W: 0.5, rank: 2 })
  })

  const nonnegative = 'expected a finite number of at least 0'
  it.each([
    [{}, [1, 2, 3, 4, NaN, 6], [2, 3], `${nonnegative} at row 1, column 1 of H, received NaN`],
    [{}, [1, 2, -3, 4, 5, 6], [2, 3], `${nonnegative} at row 0, column 2 of H, received -3`],
    [
      { model: 'semi-nmf' },
      [1, 2, 3, 4, 5, -Infinity],
      [2, 3],
      'expected a finite number at row 1, column 2 of H, received -Infinity',
    ],
    [{}, [], [0, 3], 'expected a positive integer for H.rows, received 0'],
    [{}, [], [2, 0], 'expected a positive integer for H.cols, received 0'],
    [
      {},
      parts,
      [6],
      'expected a model saved by gemmine, with a tensor H of float32 and two dimensions',
    ],
    [{ model: 'svd' }, parts, [2, 3], 'expected a model saved by gemmine'],
    [{ format: 'other' }, parts, [2, 3], 'expected a model saved by gemmine'],
    [options({ l1W: 'abc' }), parts, [2, 3], `${nonnegative} for options.l1W, received abc`],
    [options({ l2W: -1 }), parts, [2, 3], `${nonnegative} for options.l2W, received -1`],
    [options({ l1H: null }), parts, [2, 3], 'for options.l1H, received null'],
    [options({ l1W: '\u001b[31m\n' }), parts, [2, 3], 'received \\u001b[31m\\n'],
    [options({ 'a\nb': {} }), parts, [2, 3], 'for options.a\\nb, received an object'],
    [options({ rank: 4 }), parts, [2, 3], 'expected 2, the rows of H for options.rank, received 4'],
    [options([1]), parts, [2, 3], 'expected options as a JSON object in the metadata'],
    [{ options: '{' }, parts, [2, 3], 'expected options as a JSON object in the metadata'],
  ])('that is damaged is refused with what is wrong: %#', async (over, values, shape, sentence) => {
    await saved(over, values, shape)
    const failure = await FactorizationModel.load(path).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'GemmineError', code: 'ERR_GEMMINE_FILE' })
    const { message } = failure as Error
    expect(message.startsWith(`${path}: `)).toBe(true)
    expect(message).toContain(sentence)
  })

  it('of another kind is refused in one sentence', async () => {
    await writeSafetensors(path, {
      tensors: { H: { data: new Float32Array(1), shape: [1] } },
      metadata: {},
    })
    await expect(FactorizationModel.load(path)).rejects.toThrow(
      /model\.safetensors: expected a model saved by gemmine/,
    )
  })
})
