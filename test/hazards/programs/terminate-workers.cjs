// Terminates workers with jobs in flight, more than run at once. The main thread loads the addon last: Node.js unloads one when
// the last worker that loaded it ends.
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { load, fit, topK, control, noise } = require('./jobs.cjs')

function work() {
  const addon = load()
  const ignored = () => {}
  fit(addon, { job: control(() => {}) }).catch(ignored)
  topK(addon).catch(ignored)
  const data = noise(3000 * 256)
  for (let i = 0; i < 40; i++) fit(addon, { data }).catch(ignored)
  parentPort.postMessage('started')
  if (workerData === 'exit') setTimeout(() => process.exit(), 5)
}

async function stopped(delay, how) {
  const worker = new Worker(__filename, { workerData: how })
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  if (how === 'exit') return new Promise((resolve) => worker.once('exit', resolve))
  await new Promise((resolve) => setTimeout(resolve, delay))
  await worker.terminate()
}

async function main() {
  const began = performance.now()
  await Promise.all([stopped(0), stopped(5), stopped(20)])
  await stopped(0, 'exit')
  console.log(performance.now() - began)
  const { iterations } = await fit(load(), { options: { maxIterations: 3 } })
  if (iterations !== 3) throw new Error(`expected 3 iterations, received ${iterations}`)
}

if (isMainThread) main()
else work()
