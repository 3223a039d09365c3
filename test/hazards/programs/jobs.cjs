// Arguments for the addon, without lib/: arguments that lib/ refuses must not do harm here either.
const { join } = require('node:path')

const load = () => require('node-gyp-build')(join(__dirname, '..', '..', '..'))

const control = (onProgress, threads = 0) => ({
  threads,
  priority: 'interactive',
  cancel: new Int32Array(new SharedArrayBuffer(4)),
  onProgress,
})

/** Numbers without a pattern that a solver could be done with early. */
function noise(length, buffer = new ArrayBuffer(4 * length)) {
  const data = new Float32Array(buffer)
  let state = 12345
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    data[i] = state / 2 ** 31 - 1
  }
  return data
}

const matrix = (rows, cols, data = new Float32Array(rows * cols)) => ({ data, rows, cols })

const source = (name, rows, cols, data = noise(rows * cols)) => ({
  name,
  rows,
  cols,
  stride: cols,
  type: 'float32',
  data,
})

const fitOptions = {
  device: 'cpu',
  model: 'semi-nmf',
  solver: 'hals',
  init: 'random',
  maxIterations: 2 ** 31,
  tolerance: 0,
  innerSweeps: 1,
  l1W: 0,
  l2W: 0,
  l1H: 0,
  l2H: 0,
  seed: 1,
  triesSvd: false,
  acceleration: 'none',
  loss: { kind: 'frobenius', beta: 2, multiple: 2, parameter: 0 },
  nanIsMissing: false,
  implicitIsMissing: false,
  checkpointSeconds: 60,
  identity: '{}',
}

/** A factorization that ends when it is stopped, unless `options` say otherwise. */
function fit(
  addon,
  { options = {}, job = control(), rows = 3000, cols = 256, rank = 16, data } = {},
) {
  const X = source('X', rows, cols, data)
  return addon.fit(X, { ...fitOptions, ...options }, matrix(rows, rank), matrix(rank, cols), job)
}

/** A scan of about a second. */
function topK(
  addon,
  { corpus, queries = 6000, rows = 60_000, cols = 64, k = 5, options = {}, job = control() } = {},
) {
  const asked = { device: 'cpu', metric: 'cosine', k, excludeSelf: false, ...options }
  const target = corpus ?? source('corpus', rows, cols)
  const indices = new Int32Array(queries * k)
  const scores = new Float32Array(queries * k)
  return addon.topK(source('queries', queries, cols), target, asked, indices, scores, job)
}

const prepare = (addon, corpus, job = control()) =>
  addon.prepareCorpus(corpus, { device: 'cpu', metric: 'cosine', own: true, verify: false }, job)

module.exports = { load, control, noise, matrix, source, fit, topK, prepare }
