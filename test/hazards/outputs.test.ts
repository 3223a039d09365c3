import { describe, expect, it } from 'vitest'
import { nmf } from '../../lib/factorization/nmf'
import { semiNmf } from '../../lib/factorization/semi-nmf'
import { topK } from '../../lib/mining/top-k'
import { gaussian } from '../matrices'

const rows = 40
const cols = 12
const rank = 3
const X = gaussian(rows, cols, 5)
const options = { rank, iterations: 4, tolerance: 0 }

describe('an output in the memory of another array', () => {
  const room = new Float32Array(2 * rows * cols)
  const whole = { data: room.subarray(0, rows * cols), rows, cols }
  const [W, H] = [new Float32Array(rows * rank), new Float32Array(rank * cols)]
  const lists = { indptr: new Int32Array(rows + 1), indices: new Int32Array(0) }
  const sparse = {
    rows,
    cols,
    indptr: Int32Array.from({ length: rows + 1 }, (_, i) => i),
    indices: new Int32Array(rows),
    values: room.subarray(0, rows),
  }
  const inBytesOf = (array: Float32Array) => new Int32Array(array.buffer, 0, rows)
  const scores = new Float32Array(rows)

  const cases: Record<string, [() => Promise<unknown>, string, string]> = {
    'two factors': [
      () => nmf(X, { rank, out: { W, H: W.subarray(0, rank * cols) } }),
      'out.W',
      'out.H',
    ],
    'the rows of X': [
      () => semiNmf(whole, { ...options, out: { H: room.subarray(0, rank * cols) } }),
      'out.H',
      'X.data',
    ],
    'the values of X': [
      () => semiNmf(sparse, { ...options, out: { W: room.subarray(9, 9 + rows * rank) } }),
      'out.W',
      'X.values',
    ],
    'indices and scores': [
      () => topK(X, X, { k: 1, out: { scores, indices: inBytesOf(scores) } }),
      'out.indices',
      'out.scores',
    ],
    queries: [
      () => topK(whole, X, { k: 1, out: { scores: room.subarray(0, rows) } }),
      'out.scores',
      'queries.data',
    ],
    'the corpus': [
      () => topK(X, whole, { k: 1, out: { indices: inBytesOf(room) } }),
      'out.indices',
      'corpus.data',
    ],
    'excluded rows': [
      () => topK(X, X, { k: 1, exclude: lists, out: { indices: lists.indptr.subarray(1) } }),
      'out.indices',
      'exclude.indptr',
    ],
  }

  for (const [name, [job, argument, other]] of Object.entries(cases))
    it(`is refused: ${name}`, async () => {
      const error = await job().catch((error: unknown) => error)
      expect(error).toBeInstanceOf(RangeError)
      expect(error).toMatchObject({
        argument,
        message: `Expected memory apart from that of ${other} for ${argument}, received an array that overlaps it`,
      })
    })

  it('may lie beside it in one buffer', async () => {
    const out = { W: room.subarray(rows * cols, rows * (cols + rank)), H }
    whole.data.set(X.data)
    await semiNmf({ ...whole, data: room, stride: cols }, { ...options, out })
    expect([...out.W]).toEqual([...(await semiNmf(X, options)).W.data])
  })
})
