import { setImmediate } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { nmf } from '../../lib/factorization/nmf'
import { semiNmf } from '../../lib/factorization/semi-nmf'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { topK } from '../../lib/mining/top-k'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { native, type JobControl, type NativeSource } from '../../lib/native'
import type { Matrix } from '../../lib/data/matrix'
import type { RowLists } from '../../lib/data/row-lists'
import { gaussian } from '../matrices'

const rows = 40
const cols = 12
const rank = 3
const X = gaussian(rows, cols, 5)
const options = { rank, iterations: 4, tolerance: 0 }

/** The same elements over another kind of memory. */
const copied = (data: Float32Array) => {
  data.set(X.data)
  return { data, rows, cols }
}

describe('inputs over any kind of memory', () => {
  const kinds: Record<string, () => Float32Array> = {
    'a SharedArrayBuffer': () => new Float32Array(new SharedArrayBuffer(4 * rows * cols)),
    'a growable SharedArrayBuffer': () =>
      new Float32Array(
        new (SharedArrayBuffer as any)(4 * rows * cols, { maxByteLength: 8 * rows * cols }),
      ),
    'a resizable ArrayBuffer': () =>
      new Float32Array(
        new (ArrayBuffer as any)(4 * rows * cols, { maxByteLength: 8 * rows * cols }),
      ),
    'an offset into a larger buffer': () =>
      new Float32Array(new ArrayBuffer(4 * rows * cols + 64), 20, rows * cols),
    'another realm': () => runInNewContext(`new Float32Array(${rows * cols})`) as Float32Array,
    'another realm, shared': () =>
      runInNewContext(
        `new Float32Array(new SharedArrayBuffer(${4 * rows * cols}))`,
      ) as Float32Array,
  }

  for (const [kind, make] of Object.entries(kinds))
    it(`gives the same factors and neighbours from ${kind}`, async () => {
      const given = copied(make())
      const expected = await semiNmf(X, options)
      const received = await semiNmf(given, options)
      expect([...received.W.data]).toEqual([...expected.W.data])
      expect([...received.objective]).toEqual([...expected.objective])
      const nearest = await topK(given, given, { k: 3, excludeSelf: true })
      expect([...nearest.indices]).toEqual([
        ...(await topK(X, X, { k: 3, excludeSelf: true })).indices,
      ])
    })

  it('fills outputs in shared memory', async () => {
    const W = new Float32Array(new SharedArrayBuffer(4 * rows * rank))
    await semiNmf(X, { ...options, out: { W } })
    expect([...W]).toEqual([...(await semiNmf(X, options)).W.data])
  })
})

type Elements = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array

/** The same elements over a resizable buffer, and what takes them away. */
function resizable<Kind extends Elements>(elements: Kind) {
  const size = elements.byteLength
  const buffer = new (ArrayBuffer as any)(size, { maxByteLength: size })
  const array = new (elements.constructor as any)(buffer) as Kind
  array.set(elements)
  return { array, shrink: () => buffer.resize(0) as void }
}

describe('a resizable buffer that shrinks in the middle of a job', () => {
  const n = 4000
  const large = gaussian(n, cols, 6)
  const sparse = {
    rows: n,
    cols,
    indptr: Int32Array.from({ length: n + 1 }, (_, i) => i * cols),
    indices: Int32Array.from({ length: n * cols }, (_, t) => t % cols),
    values: large.data,
  }
  const lists = {
    indptr: Int32Array.from({ length: n + 1 }, (_, i) => i),
    indices: Int32Array.from({ length: n }, (_, i) => (i + 1) % n),
  }
  const groups = Int32Array.from({ length: n }, (_, i) => i % 7)
  const fitting = { ...options, iterations: 50 }
  const asking = { k: 3, exclude: lists }
  const mining = { exclude: lists, relativeMargin: null } as const
  const grouped = { ...mining, groups: 'different', queryGroups: groups, corpusGroups: groups }

  /** A job over `elements`, and what it gives. */
  type Job = (elements: never) => Promise<unknown>
  const mine = async (positives: RowLists, given: object) => {
    const { indices, dropped } = await mineHardNegatives(large, large, positives, given)
    return { indices, dropped }
  }
  const inputs: Record<string, [Elements, Job]> = {
    'dense elements': [large.data, async (data) => (await semiNmf({ ...large, data }, fitting)).W],
    values: [sparse.values, async (values) => (await semiNmf({ ...sparse, values }, fitting)).W],
    indices: [
      sparse.indices,
      async (indices) => (await semiNmf({ ...sparse, indices }, fitting)).W,
    ],
    'indices of uint32': [
      Uint32Array.from(sparse.indices),
      async (indices) => (await semiNmf({ ...sparse, indices }, fitting)).W,
    ],
    'row starts': [
      sparse.indptr,
      async (indptr) => (await semiNmf({ ...sparse, indptr }, fitting)).W,
    ],
    'a prepared corpus': [
      large.data,
      async (data) => {
        using corpus = await prepareCorpus({ ...large, data })
        return (await topK(large, corpus, { k: 3 })).indices
      },
    ],
    'starts of excluded lists': [
      lists.indptr,
      async (indptr) =>
        (await topK(large, large, { ...asking, exclude: { ...lists, indptr } })).indices,
    ],
    'excluded rows': [
      lists.indices,
      async (indices) =>
        (await topK(large, large, { ...asking, exclude: { ...lists, indices } })).indices,
    ],
    'starts of positives': [lists.indptr, (indptr) => mine({ ...lists, indptr }, mining)],
    positives: [lists.indices, (indices) => mine({ ...lists, indices }, mining)],
    'one positive for each query': [lists.indices, (rows) => mine(rows, mining)],
    'excluded rows while mining': [
      lists.indices,
      (indices) => mine(lists, { ...mining, exclude: { ...lists, indices } }),
    ],
    'groups of queries': [groups, (queryGroups) => mine(lists, { ...grouped, queryGroups })],
    'groups of the corpus': [groups, (corpusGroups) => mine(lists, { ...grouped, corpusGroups })],
  }

  for (const [name, [elements, job]] of Object.entries(inputs))
    it(`is no hazard under ${name}`, async () => {
      const expected = await job(elements as never)
      const { array, shrink } = resizable(elements)
      const running = job(array as never)
      shrink()
      expect(await running).toEqual(expected)
    })

  const later: Record<string, [Elements, Job]> = {
    'a given start': [
      gaussian(n, rank, 7).data.map(Math.abs),
      async (data) => {
        const init = { W: { data, rows: n, cols: rank } }
        return (await semiNmf(large, { ...fitting, init })).W
      },
    ],
    'a mask': [
      Uint8Array.from(large.data, (value) => Number(value > -1)),
      async (mask) => {
        const X = { ...large, data: large.data.map(Math.abs) }
        return (await nmf(X, { ...options, mask, solver: 'mu', init: 'random' })).W
      },
    ],
    weights: [
      large.data.slice(0, n).map(Math.abs),
      async (sampleWeight) =>
        (await nmf({ ...large, data: large.data.map(Math.abs) }, { ...options, sampleWeight })).W,
    ],
  }

  for (const [name, [elements, job]] of Object.entries(later))
    it(`is no hazard under ${name}, once the job has begun`, async () => {
      const expected = await job(elements as never)
      const { array, shrink } = resizable(elements)
      const running = job(array as never)
      await setImmediate()
      shrink()
      expect(await running).toEqual(expected)
    })

  const outputs: Record<string, [Elements, Job]> = {
    'out.W': [new Float32Array(rows * rank), (W) => semiNmf(X, { ...options, out: { W } })],
    'out.H': [new Float32Array(rank * cols), (H) => semiNmf(X, { ...options, out: { H } })],
    'out.indices': [new Int32Array(rows), (indices) => topK(X, X, { k: 1, out: { indices } })],
    'out.scores': [new Float32Array(rows), (scores) => topK(X, X, { k: 1, out: { scores } })],
    out: [
      new Float32Array(rows * rank),
      async (out) => (await semiNmf(X, options)).transform(X, { out }),
    ],
  }

  for (const [name, [elements, job]] of Object.entries(outputs))
    it(`is refused as ${name}`, async () => {
      await expect(job(resizable(elements).array as never)).rejects.toMatchObject({
        argument: name,
        expected: `${elements instanceof Int32Array ? 'an' : 'a'} ${elements.constructor.name} of ${elements.length} elements of fixed size`,
        received: 'one over a resizable buffer',
      })
    })
})

const control = (): JobControl => ({
  threads: 0,
  priority: 'interactive',
  cancel: new Int32Array(new SharedArrayBuffer(4)),
})
const matrix = (n: number, d: number): Matrix => ({
  data: new Float32Array(n * d),
  rows: n,
  cols: d,
})
const source = (over: object = {}): NativeSource =>
  ({ name: 'X', type: 'float32', stride: cols, ...X, ...over }) as NativeSource

const fitOptions = {
  device: 'cpu',
  model: 'semi-nmf',
  solver: 'hals',
  init: 'random',
  triesSvd: false,
  maxIterations: 2,
  tolerance: 0,
  innerSweeps: 1,
  l1W: 0,
  l2W: 0,
  l1H: 0,
  l2H: 0,
  upperW: undefined,
  upperH: undefined,
  seed: 0,
  acceleration: 'none',
  loss: { kind: 'frobenius', beta: 2, multiple: 2, parameter: 0 },
  givenW: undefined,
  givenH: undefined,
  mask: undefined,
  nanIsMissing: false,
  implicitIsMissing: false,
  sampleWeight: undefined,
  checkpoint: undefined,
  checkpointSeconds: 60,
  resume: undefined,
  identity: '{}',
  resumeObjectives: 0,
} as const

/** Straight to the addon, past the checks of lib/. */
const fit = async (
  X: NativeSource,
  W = matrix(rows, rank),
  H = matrix(rank, cols),
  more: object = {},
) => native().fit(X, { ...fitOptions, ...more }, W, H, control())

function detached(): Float32Array {
  const data = X.data.slice()
  structuredClone(data.buffer, { transfer: [data.buffer] })
  return data
}

describe('the addon, past the checks of lib/', () => {
  const sparse = {
    name: 'X',
    rows: 2,
    cols: 3,
    indptr: Float64Array.of(0, 1, 2),
    indices: Int32Array.of(0, 2),
    values: Float32Array.of(1, 2),
  }
  const wrong: Record<string, [NativeSource | object, string]> = {
    'a detached array': [source({ data: detached() }), 'X.data'],
    'no elements': [source({ data: new Float32Array(0) }), 'X.data'],
    'too few elements': [source({ rows: rows + 1 }), 'X.data'],
    'a stride that needs more elements': [source({ stride: cols + 1 }), 'X.data'],
    'a stride below the columns': [source({ stride: cols - 1 }), 'X.data'],
    'rows whose extent overflows': [source({ rows: 2 ** 52, stride: 2 ** 52 }), 'X.data'],
    'no rows': [source({ rows: 0 }), 'X.data'],
    'half a row': [source({ rows: 1.5 }), 'rows'],
    'rows below zero': [source({ rows: -1 }), 'rows'],
    'elements of another type than said': [
      source({ data: new Float64Array(rows * cols) }),
      'X.data',
    ],
    'a DataView': [source({ data: new DataView(new ArrayBuffer(4 * rows * cols)) }), 'X.data'],
    'an array': [source({ data: [...X.data] }), 'X.data'],
    'row starts that descend': [{ ...sparse, indptr: Float64Array.of(0, 3, 2) }, 'X.indptr'],
    'row starts that are no integers': [
      { ...sparse, indptr: Float64Array.of(0, NaN, 2) },
      'X.indptr',
    ],
    'row starts past the entries': [
      { ...sparse, indptr: Float64Array.of(0, 1, 2 ** 40) },
      'X.indptr',
    ],
    'too few row starts': [{ ...sparse, rows: 9 }, 'X.indptr'],
    'a column past the last': [{ ...sparse, indices: Int32Array.of(0, 3) }, 'X.indices'],
    'a column below zero': [{ ...sparse, indices: Int32Array.of(-1, 2) }, 'X.indices'],
    'fewer values than indices': [{ ...sparse, values: new Float32Array(1) }, 'X.values'],
    nothing: [undefined as never, 'matrix'],
  }

  for (const [name, [given, argument]] of Object.entries(wrong))
    it(`refuses ${name}`, async () => {
      const { rows: n, cols: d } = (given as NativeSource | undefined) ?? { rows: 1, cols: 1 }
      const size = n <= 100 && n >= 0 ? Math.ceil(n) : 1
      const run = fit(given as NativeSource, matrix(size, 1), matrix(1, d))
      await expect(run).rejects.toThrow(TypeError)
      await expect(run).rejects.toThrow(argument)
    })

  it('refuses outputs that do not fit', async () => {
    await expect(fit(source(), matrix(rows - 1, rank))).rejects.toThrow(
      `Expected ${rows} rows of ${rank} for W`,
    )
    await expect(fit(source(), matrix(rows, rank), matrix(rank + 1, cols))).rejects.toThrow('for H')
    await expect(fit(source(), { ...matrix(rows, rank), data: detached() })).rejects.toThrow(
      'W.data',
    )
  })

  it('refuses options that are missing or unknown', async () => {
    await expect(fit(source(), undefined, undefined, { solver: 'newton' })).rejects.toThrow(
      'solver',
    )
    await expect(fit(source(), undefined, undefined, { seed: -1 })).rejects.toThrow('seed')
    await expect(fit(source(), undefined, undefined, { l1W: undefined })).rejects.toThrow('l1W')
  })

  it('refuses lists of rows that are not in the corpus', async () => {
    const ask = async (indptr: Int32Array, indices: Int32Array) =>
      native().topK(
        { ...source(), rows: 2 } as NativeSource,
        source(),
        { device: 'cpu', metric: 'dot', k: 1, excludeSelf: false, exclude: { indptr, indices } },
        new Int32Array(2),
        new Float32Array(2),
        control(),
      )
    await expect(ask(Int32Array.of(0, 1, 2), Int32Array.of(0, rows))).rejects.toThrow(
      'exclude.indices',
    )
    await expect(ask(Int32Array.of(0, 1, 2), Int32Array.of(0, -1))).rejects.toThrow(
      'exclude.indices',
    )
    await expect(ask(Int32Array.of(0, 3, 2), Int32Array.of(0, 1))).rejects.toThrow('exclude.indptr')
    await expect(ask(Int32Array.of(0, 1), Int32Array.of(0))).rejects.toThrow('exclude.indptr')
  })

  it('refuses starts of texts that are not in the matrix', async () => {
    const ask = async (queryStarts: number[], documentStarts: number[]) =>
      native().maxSim(
        source(),
        source(),
        {
          device: 'cpu',
          metric: 'dot',
          k: 1,
          queryStarts: Int32Array.from(queryStarts),
          documentStarts: Int32Array.from(documentStarts),
        },
        new Int32Array(queryStarts.length - 1),
        new Float32Array(queryStarts.length - 1),
        control(),
      )
    const right = [0, rows]
    await expect(ask(right, right)).resolves.toMatchObject({ certified: 1 })
    for (const wrong of [
      [0, rows + 1],
      [1, rows],
      [0, 3, 2, rows],
      [0, -1, rows],
      [-5, rows],
    ]) {
      await expect(ask(wrong, right)).rejects.toThrow('for queryStarts')
      await expect(ask(right, wrong)).rejects.toThrow('for documentStarts')
    }
    await expect(ask(right, [0])).rejects.toThrow('for documentStarts')
  })

  it('takes no other object for a prepared corpus', async () => {
    const corpus = await native().prepareCorpus(
      source(),
      { device: 'cpu', metric: 'dot', own: true, verify: false },
      control(),
    )
    expect(() => corpus.dispose.call({} as never)).toThrow('Expected a prepared corpus')
    const forged = Object.create(Object.getPrototypeOf(corpus) as object) as typeof corpus
    expect(() => corpus.dispose.call(forged)).toThrow('Expected a prepared corpus')
    corpus.dispose()
    corpus.dispose()
    expect(corpus.bytes).toBe(0)
  })
})
