// Memory lent to jobs, before and after them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeNpy } from '../../lib/data/npy'
import { kmeans } from '../../lib/factorization/kmeans'
import { FactorizationModel } from '../../lib/factorization/factorization-model'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { logSumExp } from '../../lib/mining/log-sum-exp'
import { maxSim } from '../../lib/mining/max-sim'
import { mutualNeighbours } from '../../lib/mining/mutual-neighbours'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { rangeSearch } from '../../lib/mining/range-search'
import { reverseTopK } from '../../lib/mining/reverse-top-k'
import { topK } from '../../lib/mining/top-k'
import { gaussian } from '../matrices'
import { runProgram } from './child'

const [rows, cols] = [3000, 24]
const corpus = gaussian(rows, cols, 1)
const queries = gaussian(40, cols, 2)
const asked = { k: 3 } as const

const transferred = ({ buffer }: { readonly buffer: ArrayBufferLike }) => {
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
  return buffer.byteLength === 0
}

/** The same numbers in shared memory. */
function shared() {
  const data = new Float32Array(new SharedArrayBuffer(corpus.data.byteLength))
  data.set(corpus.data)
  return { ...corpus, data }
}

describe('buffers after a job', () => {
  it('stay where they are if they were lent, can be transferred if they are small or results', async () => {
    const { code, stdout, stderr } = await runProgram('lent-buffers')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      input: true,
      small: false,
      result: false,
      answer: false,
      wasm: 5 * 65536,
    })
  })

  it('of the positives of mined negatives can be transferred', async () => {
    const n = 20_000
    const lists = {
      indptr: Int32Array.from({ length: n + 1 }, (_, i) => i),
      indices: new Int32Array(n),
    }
    const many = gaussian(n, 2, 3)
    const few = gaussian(50, 2, 4)
    const options = { numNegatives: 1, relativeMargin: null } as const
    const { positives } = await mineHardNegatives(many, few, lists, options)
    const again = await mineHardNegatives(many, few, positives, options)
    expect(again.positives).toEqual(positives)
    expect([positives.indptr, positives.indices].map(transferred)).toEqual([true, true])
  })

  it('of an output that cannot be lent hold the result', async () => {
    const { WebAssembly } = globalThis as any // the compiler knows it with the DOM only
    const out = { indices: new Int32Array(new WebAssembly.Memory({ initial: 4 }).buffer, 0, 120) }
    const { indices } = await topK(queries, corpus, { ...asked, out })
    expect(indices).toBe(out.indices)
    expect([...indices]).toEqual([...(await topK(queries, corpus, asked)).indices])
  })

  it('of a Buffer over a resizable buffer were copied', async () => {
    const resizable = new (ArrayBuffer as any)(rows * cols, { maxByteLength: rows * cols })
    const data = Buffer.from(resizable)
    corpus.data.forEach((value, i) => (data[i] = 100 + 20 * value))
    const expected = await kmeans({ ...corpus, data: Uint8Array.from(data) }, { clusters: 3 })
    const running = kmeans({ ...corpus, data, type: 'uint8' }, { clusters: 3 })
    resizable.resize(0)
    expect((await running).labels).toEqual(expected.labels)
  })

  it('of more than a few megabytes that are resizable are copied in pieces, and named if they shrink', async () => {
    const [n, bytes] = [100_000, 4 * 100_000 * cols]
    const resizable = new (ArrayBuffer as any)(bytes, { maxByteLength: bytes })
    const X = { data: new Float32Array(resizable), rows: n, cols }
    X.data.forEach((_, i) => (X.data[i] = Math.sin(i)))
    const options = { clusters: 2, iterations: 1 }
    const expected = await kmeans({ ...X, data: X.data.slice() }, options)
    expect((await kmeans(X, options)).labels).toEqual(expected.labels)
    const running = kmeans(X, options)
    resizable.resize(0)
    await expect(running).rejects.toMatchObject({ argument: 'X.data' })
  })

  it('that are written to a file are named when they are transferred meanwhile', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lending-'))
    const data = new Float32Array(1 << 20)
    const written = writeNpy(join(folder, 'x.npy'), { data, rows: 1 << 10, cols: 1 << 10 })
    transferred(data)
    await expect(written).rejects.toMatchObject({ argument: 'data' })
    rmSync(folder, { recursive: true })
  })

  it.each(['indptr', 'indices', 'values'] as const)(
    'of a sparse matrix are named: %s that go while they are checked',
    async (part) => {
      const n = 300_000
      const X = {
        rows: n,
        cols: 2,
        indptr: Int32Array.from({ length: n + 1 }, (_, i) => i),
        indices: new Int32Array(n),
        values: new Float32Array(n),
      }
      const running = kmeans(X, { clusters: 2 })
      transferred(X[part])
      await expect(running).rejects.toMatchObject({ argument: `X.${part}` })
    },
  )

  it('hold the components of a model', async () => {
    const model = new FactorizationModel('semi-nmf', { ...corpus, data: corpus.data.slice() }, {})
    transferred(model.H.data)
    await expect(model.transform(queries)).rejects.toMatchObject({ argument: 'H.data' })
  })
})

describe('a prepared corpus', () => {
  it('is not changed by writes to the rows it was made of', async () => {
    const expected = await topK(queries, corpus, asked)
    for (const Kind of [Float32Array, Float64Array]) {
      const data = Kind.from(corpus.data)
      using prepared = await prepareCorpus({ ...corpus, data })
      data.fill(NaN)
      expect((await topK(queries, prepared, asked)).scores).toEqual(expected.scores)
    }
  })

  it('owns rows that lie a stride apart, without what lies between them', async () => {
    const data = new Float32Array(rows * (cols + 5)).fill(NaN)
    for (let i = 0; i < rows; i++)
      data.set(corpus.data.subarray(i * cols, (i + 1) * cols), i * (cols + 5))
    using prepared = await prepareCorpus({ ...corpus, data, stride: cols + 5 })
    data.fill(0)
    expect((await topK(queries, prepared, asked)).indices).toEqual(
      (await topK(queries, corpus, asked)).indices,
    )
    expect(prepared.bytes).toBeGreaterThan(4 * rows * cols)
  })

  it('takes an output in the memory of the rows it was made of', async () => {
    const data = corpus.data.slice()
    using prepared = await prepareCorpus({ ...corpus, data })
    const out = { scores: data.subarray(0, 120) }
    const { scores } = await topK(queries, prepared, { ...asked, out })
    expect(scores).toEqual((await topK(queries, corpus, asked)).scores)
  })

  it('refuses an output in the shared memory that it borrows', async () => {
    const matrix = shared()
    using prepared = await prepareCorpus(matrix)
    const out = { scores: matrix.data.subarray(0, 120) }
    await expect(topK(queries, prepared, { ...asked, out })).rejects.toMatchObject({
      argument: 'out.scores',
      expected: 'memory apart from that of corpus.data',
    })
  })

  it('is kept by a call for which it is disposed of at once', async () => {
    const prepared = await prepareCorpus(corpus)
    const running = topK(queries, prepared, asked)
    prepared.dispose()
    expect((await running).certified).toBe(queries.rows)
  })
})

describe('verify', () => {
  it('names the borrowed rows that changed, however little', async () => {
    const matrix = shared()
    using prepared = await prepareCorpus(matrix, { verify: true })
    await topK(queries, prepared, asked)
    const at = 70 * cols + 3
    const [kept] = matrix.data.subarray(at, at + 1)
    matrix.data[at]! *= 1 + 2 ** -22
    const changed = {
      code: 'ERR_GEMMINE_CHANGED',
      message: 'Rows 64 to 95 of corpus changed after the corpus was prepared: prepare it again',
    }
    const bank = { tokens: prepared, starts: Int32Array.of(0, rows) }
    const texts = { tokens: queries, starts: Int32Array.of(0, queries.rows) }
    for (const call of [
      () => topK(queries, prepared, asked),
      () => mineHardNegatives(queries, prepared, new Int32Array(queries.rows)),
      () => rangeSearch(queries, prepared, { threshold: 0.5 }),
      () => logSumExp(queries, prepared, { temperature: 1 }),
      () => maxSim(texts, bank, { k: 1 }),
    ])
      await expect(call()).rejects.toMatchObject(changed)
    matrix.data[at] = kept!
    await topK(queries, prepared, asked)
  })

  it('names the change where an entry is no number any more', async () => {
    const matrix = shared()
    using prepared = await prepareCorpus(matrix, { verify: true })
    matrix.data[70 * cols + 3] = NaN
    for (const call of [
      () => topK(queries, prepared, asked),
      () => reverseTopK(queries, prepared, asked),
      () => mutualNeighbours(queries, prepared, asked),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'ERR_GEMMINE_CHANGED' })
  })

  it('sees rows that change places', async () => {
    const matrix = shared()
    using prepared = await prepareCorpus(matrix, { verify: true })
    matrix.data.copyWithin(0, cols, 2 * cols)
    matrix.data.set(corpus.data.subarray(0, cols), cols)
    await expect(topK(queries, prepared, asked)).rejects.toThrow('Rows 0 to 31 of corpus changed')
  })
})
