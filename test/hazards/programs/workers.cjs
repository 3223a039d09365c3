// Several workers and the main thread run the same job at the same time; prints the distinct results.
const { Worker, isMainThread, parentPort } = require('node:worker_threads')
const { load, fit } = require('./jobs.cjs')

const result = async () => (await fit(load(), { options: { maxIterations: 5 } })).objective.join()

async function main() {
  const workers = [1, 2, 3].map(() => new Worker(__filename))
  const answers = workers.map(
    (worker) =>
      new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
  )
  const all = await Promise.all([result(), ...answers])
  console.log(new Set(all).size)
}

if (isMainThread) main()
else result().then((text) => parentPort.postMessage(text))
