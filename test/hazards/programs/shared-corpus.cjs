// Workers open a corpus of the main thread, which lets go of it; one is terminated with searches in flight, and the
// process exits with others in flight. Prints whether the answers are the same.
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { load, control, noise } = require('./jobs.cjs')

const [rows, cols, count, k] = [20_000, 32, 8, 5]
const source = (name, of) => {
  const data = noise(of * cols)
  return { name, data, type: 'float32', rows: of, cols, stride: cols }
}

async function search(addon, corpus) {
  const indices = new Int32Array(count * k)
  const options = { device: 'cpu', metric: 'dot', k, excludeSelf: false }
  const scores = new Float32Array(count * k)
  await addon.topK(source('queries', count), corpus, options, indices, scores, control())
  return indices.join()
}

async function work() {
  const addon = load()
  const corpus = addon.openShared(workerData, undefined)
  const twice = addon.openShared(workerData, undefined)
  parentPort.postMessage([await search(addon, corpus), twice === undefined])
  for (let i = 0; i < 200; i++) search(addon, corpus).catch(() => {})
  parentPort.postMessage('busy')
}

async function main() {
  const addon = load()
  const options = { device: 'cpu', metric: 'dot', own: true, verify: false }
  const first = await addon.prepareCorpus(source('corpus', rows), options, control())
  const removed = Int32Array.of(1, 2, 3)
  const corpus = await addon.changeCorpus(first, undefined, removed, control())
  first.dispose()
  const expected = await search(addon, corpus)
  const workers = [1, 2].map(() => new Worker(__filename, { workerData: corpus.share() }))
  const heard = workers.map((worker) => {
    const messages = []
    return new Promise((resolve, reject) => {
      worker.once('error', reject)
      worker.on('message', (message) => messages.push(message) === 2 && resolve(messages[0]))
    })
  })
  const answers = await Promise.all(heard)
  corpus.dispose()
  console.log(answers.every(([indices, once]) => indices === expected && once))
  await workers[0].terminate()
  process.exit(0)
}

if (isMainThread) main()
else work()
