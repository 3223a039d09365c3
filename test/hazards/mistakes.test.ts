// Arguments of wrong types: every error is a sentence that names the argument.
import { describe, expect, it } from 'vitest'
import * as lib from '../../lib/index'
import { errorOf } from '../data/files'
import { gaussian } from '../matrices'

const X = gaussian(12, 5, 1)
const mined = await lib.mineHardNegatives(
  X,
  X,
  [...X.data.keys()].slice(0, 12).map((i) => [i]),
)
const prepared = await lib.prepareCorpus(X)
const detached = { ...X, data: new Float64Array(60) }
structuredClone(detached.data.buffer, { transfer: [detached.data.buffer] })
const starts = { rows: 9, cols: 1, indices: new Int32Array(0), values: new Float32Array(0) }
const { closeMatrix, fromRows, isMistake, kmeans, minedLines, mineHardNegatives, nmf } = lib
const { prepareCorpus, semiNmf, topK, truncatedSvd, loadNpy, readNpz, writeNpy } = lib

type Call = [(...given: any[]) => unknown, unknown[], string]

const fitOptions =
  'rank, out, solver, iterations, tolerance, innerSweeps, acceleration, l1W, l2W, l1H, l2H, seed, upperW, sampleWeight, checkpoint, checkpointSeconds, resume, init, loss, mask, missing, beta, power, dispersion, delta, bandwidth, batchSize, forgetFactor, threads, device, priority, signal, onProgress, memoryBudget, graph'
const positives = X.data.slice(0, 12).fill(0)

const calls: Record<string, Call[]> = {
  'options that are left out': [
    [semiNmf, [X], 'Expected an integer of at least 1 for rank, received undefined'],
    [nmf, [X], 'Expected an integer of at least 1 for rank, received undefined'],
    [kmeans, [X], 'Expected an integer in 1..12 for clusters, received undefined'],
    [truncatedSvd, [X], 'Expected an integer in 1..5 for rank, received undefined'],
    [topK, [X, X], 'Expected an integer of at least 1 for k, received undefined'],
  ],
  'options that are no object': [
    [semiNmf, [X, null], `Expected an object of ${fitOptions} for options, received null`],
    [
      kmeans,
      [X, 3],
      'seed, threads, device, priority, signal, onProgress, memoryBudget for options, received 3',
    ],
    [topK, [X, X, [10]], 'Expected an object of k, metric, exclude'],
    [prepareCorpus, [X, 'dot'], "for options, received 'dot'"],
  ],
  'options that there are not': [
    [
      semiNmf,
      [X, { k: 11 }],
      `Expected one of the options ${fitOptions} for k, received the unknown option k`,
    ],
    [nmf, [X, { k: 11 }], 'Expected one of the options rank, out, solver'],
    [kmeans, [X, { k: 11 }], 'Expected one of the options clusters, iterations'],
    [truncatedSvd, [X, { k: 11 }], 'Expected one of the options rank, oversamples'],
    [topK, [X, X, { n: 11 }], 'Expected one of the options k, metric'],
    [semiNmf, [X, { rank: 2, toString: 1 }], 'received the unknown option toString'],
    [
      semiNmf,
      [X, { rank: 2, out: { w: 1 } }],
      'Expected one of the options W, H for out.w, received the unknown option w',
    ],
    [nmf, [X, { rank: 2, out: { U: 1 } }], 'for out.U'],
    [
      topK,
      [X, X, { k: 1, out: { index: 1 } }],
      'Expected one of the options indices, scores for out.index',
    ],
    [loadNpy, ['X.npy', { limits: 1 }], 'Expected one of the options limit for limits'],
    [readNpz, ['X.npz', { max: 1 }], 'Expected one of the options limit, name for max'],
  ],
  outputs: [
    [semiNmf, [X, { rank: 2, out: null }], 'Expected an object of W, H for out, received null'],
    [semiNmf, [X, { rank: 2, out: new Float32Array(24) }], 'for out, received Float32Array'],
    [
      semiNmf,
      [X, { rank: 2, out: { W: null } }],
      'Expected a Float32Array of 24 elements for out.W, received null',
    ],
    [
      semiNmf,
      [X, { rank: 2, out: { W: new Float64Array(24) } }],
      'for out.W, received Float64Array',
    ],
    [
      topK,
      [X, X, { k: 1, out: null }],
      'Expected an object of indices, scores for out, received null',
    ],
    [
      topK,
      [X, X, { k: 1, out: { scores: null } }],
      'a Float32Array of 12 elements for out.scores, received null',
    ],
    [
      topK,
      [X, X, { k: 1, out: { indices: new Int32Array(9) } }],
      'an Int32Array of 12 elements for out.indices, received 9',
    ],
  ],
  matrices: [
    [semiNmf, [], 'Expected a matrix { data, rows, cols } for X, received undefined'],
    [
      topK,
      [[[1]], X, { k: 1 }],
      'which fromRows() makes of rows for queries, received an array of 1',
    ],
    [
      topK,
      [X, { indptr: 1 }, { k: 1 }],
      'Expected a dense matrix for corpus, received a sparse one',
    ],
    [prepareCorpus, [], 'for corpus, received undefined'],
    [
      topK,
      [prepared, X, { k: 1 }],
      'Expected a matrix { data, rows, cols } for queries, received PreparedCorpus without data',
    ],
    [kmeans, [detached, { clusters: 1 }], 'for X.data, received 0: its buffer may be detached'],
    [
      kmeans,
      [{ ...starts, indptr: detached.data }, { clusters: 1 }],
      'X.indptr, received 0: its buffer may be detached',
    ],
    [fromRows, [], 'for rows, received undefined'],
    [closeMatrix, [], 'for matrix, received undefined'],
    [writeNpy, ['W.npy'], 'for array, received undefined'],
    [
      writeNpy,
      ['W.npy', { data: [1], rows: 1, cols: 1 }],
      'BigUint64Array, Float16Array, or a Uint16Array',
    ],
    [
      kmeans,
      [
        {
          rows: 1,
          cols: 1,
          indptr: Int32Array.of(0, 1),
          indices: Int32Array.of(0),
          data: Float32Array.of(1),
        },
        { clusters: 1 },
      ],
      'SciPy calls it data',
    ],
  ],
  values: [
    [topK, [X, X, { k: '3' }], "Expected an integer of at least 1 for k, received '3'"],
    [topK, [X, X, { k: '' }], 'for k, received an empty string'],
    [topK, [X, X, { k: 3n }], 'for k, received 3n'],
    [topK, [X, X, { k: {} }], 'for k, received an object'],
    [
      topK,
      [X, X, { k: 1, metric: 'euclid' }],
      "Expected one of cosine, dot, l2 for metric, received 'euclid'",
    ],
    [topK, [X, X, { k: 1, device: 'gpu' }], "for device, received 'gpu'"],
    [topK, [X, X, { k: 1, device: Symbol('gpu') }], 'for device, received Symbol(gpu)'],
    [nmf, [X, { rank: Symbol('a') }], 'at least 1 for rank, received Symbol(a)'],
    [semiNmf, [X, { rank: Symbol('a') }], 'at least 1 for rank, received Symbol(a)'],
  ],
  mining: [
    [mineHardNegatives, [X, X], 'for positives, received undefined'],
    [mineHardNegatives, [X, X, positives], 'for positives, received Float32Array'],
    [
      mineHardNegatives,
      [X, X, mined.positives, { queryTexts: [], corpusTexts: null }],
      'an array of texts for corpusTexts, received null',
    ],
    [
      mineHardNegatives,
      [X, X, mined.positives, { groups: 'same', queryGroups: [1] }],
      'an Int32Array of 12 groups for queryGroups, received an array of 1',
    ],
    [minedLines, ['tripletz', mined], "for format, received 'tripletz'"],
    [minedLines, ['triplet', mined], 'for words.query, received undefined'],
  ],
}

describe.each(Object.entries(calls))('%s', (_, those) => {
  it.each(those.map(([call, given, message]) => [call.name, message, call, given] as const))(
    '%s: %s',
    async (_name, message, call, given) => {
      const error = await errorOf(() => call(...given))
      expect(isMistake(error)).toBe(true)
      const { argument, expected, received } = error as lib.MistakeError
      expect([argument, expected, received].every((text) => typeof text === 'string')).toBe(true)
      expect((error as Error).message).toContain(message)
    },
  )
})

it('a buffer that is transferred after the call is told of as a mistake', async () => {
  const { data } = gaussian(5000, 5, 1) // more than is copied at once
  const running = semiNmf({ data, rows: 5000, cols: 5 }, { rank: 2 })
  structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] })
  const error = await errorOf(() => running)
  expect(isMistake(error)).toBe(true)
  expect(error).toMatchObject({
    argument: 'X.data',
    received: 'one that changed after the call, as when its buffer is detached (transferred)',
  })
})

const model = new lib.FactorizationModel('semi-nmf', X, {})
const counts = { queries: 1, corpus: 1 }

describe('a stack trace leads to the caller', () => {
  // Where a function hands on a promise that it did not wait for, the trace ends there.
  it.each<[string, () => Promise<unknown>]>([
    ['semiNmf', () => semiNmf(X, { rank: 'a' as never })],
    [
      'semiNmf, from the job',
      () => semiNmf({ ...X, data: X.data.slice().fill(NaN, 59) }, { rank: 2 }),
    ],
    ['nmf', () => nmf(X, { rank: 9, init: 'nndsvd' })],
    ['kmeans', () => kmeans(X, { clusters: 99 })],
    ['truncatedSvd', () => truncatedSvd(X, { rank: 99 })],
    ['topK', () => topK(X, X, { k: 0 })],
    ['transform', () => model.transform(gaussian(2, 3, 1))],
    ['save', () => model.save('')],
    ['writeNpy', () => writeNpy('', X)],
    [
      'writeSafetensors',
      () => lib.writeSafetensors('no/such/folder', { tensors: {}, metadata: {} }),
    ],
    ['writeLines', () => lib.writeLines('no/such/folder', [])],
    ['readNpy', () => lib.readNpy('no/such/file')],
    ['readInt32Npy', () => lib.readInt32Npy('no/such/file')],
    ['readMatrixMarket', () => lib.readMatrixMarket('no/such/file')],
    ['readPairs', () => lib.readPairs('no/such/file', counts)],
    ['readIds', () => lib.readIds('no/such/file', 1, 'query')],
    ['readTexts', () => lib.readTexts('no/such/file', 1, 'query')],
  ])('of %s', async (_, run) => {
    async function callerInTheTrace() {
      await run()
    }
    const error = (await errorOf(callerInTheTrace)) as Error
    expect(error.stack).toContain('callerInTheTrace')
  })
})
