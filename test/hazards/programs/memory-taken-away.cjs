// Detaches the memory of an input or output in one way, `times` times for each place. A call must give the
// right answer or name the argument. Prints for each place [right answers, named arguments].
const { join } = require('node:path')
const { Worker } = require('node:worker_threads')
const { noise } = require('./jobs.cjs')
const { isMistake, nmf, prepareCorpus, topK } = require(join(__dirname, '..', '..', '..', 'dist'))
const [way, times] = process.argv.slice(2)

const rows = 4096
const cols = 96
const bytes = 4 * rows * cols
const numbers = noise(rows * cols).map(Math.abs)
const queries = { data: numbers.slice(0, 300 * cols), rows: 300, cols }

const ended = (worker) => new Promise((resolve) => worker.once('exit', resolve))

/** A worker that takes what it is sent, and ends. */
async function post(buffer) {
  const worker = new Worker("require('node:worker_threads').parentPort.once('message', () => {})", {
    eval: true,
  })
  const refused = attempt(() => worker.postMessage(buffer, [buffer]))
  if (refused) worker.terminate()
  await ended(worker)
}

/** Refusing is right as well. */
function attempt(move) {
  try {
    move()
    return false
  } catch {
    return true
  }
}

const churned = () => {
  global.gc?.()
  for (let i = 0; i < 4; i++) new Float32Array(rows * cols).fill(NaN)
}

const ordinary = () => new ArrayBuffer(bytes)

/** Memory made in one way, and what takes it away. */
const ways = {
  postMessage: { make: ordinary, take: post },
  structuredClone: {
    make: ordinary,
    take: (buffer) => attempt(() => structuredClone(buffer, { transfer: [buffer] })),
  },
  transfer: { make: ordinary, take: (buffer) => attempt(() => buffer.transfer()) },
  'transfer to another size': {
    make: ordinary,
    take: (buffer) => attempt(() => buffer.transfer(64)),
  },
  'transfer to a fixed length': {
    make: ordinary,
    take: (buffer) => attempt(() => buffer.transferToFixedLength(1 << 24)),
  },
  resize: {
    make: () => new ArrayBuffer(bytes, { maxByteLength: 2 * bytes }),
    take: (buffer) => buffer.resize(0),
  },
  'growth of shared memory': {
    make: () => new SharedArrayBuffer(bytes, { maxByteLength: 64 * bytes }),
    take: (buffer) => buffer.grow(64 * bytes),
  },
  'growth of wasm memory': {
    make: () => (memory = new WebAssembly.Memory({ initial: bytes >> 16, maximum: 1024 })).buffer,
    take: () => {
      memory.grow(1)
      memory = undefined
    },
  },
  'the end of its worker': {
    make: async () => {
      owner = new Worker(
        `const { parentPort } = require('node:worker_threads')
         const memory = new SharedArrayBuffer(${bytes})
         parentPort.postMessage(memory)
         setInterval(() => {}, 1000)`,
        { eval: true },
      )
      return new Promise((resolve) => owner.once('message', resolve))
    },
    take: () => owner.terminate(),
  },
}
let memory
let owner

const after = async (turns, running, take) => {
  const settled = running.then(
    (value) => ({ value }),
    (error) => ({ error }),
  )
  for (let i = 0; i < turns; i++) await new Promise(setImmediate)
  await take()
  churned()
  const { value, error } = await settled
  if (error) throw error
  return value
}

const given = (data) => ({ data, rows, cols })

/** What is done with memory of which `take` is the end. */
const places = {
  'a prepared corpus': async (data, take) => {
    const corpus = await prepareCorpus(given(data))
    await take()
    churned()
    const { indices } = await topK(queries, corpus, { k: 5 })
    corpus.dispose()
    return indices
  },
  'a corpus that is prepared': async (data, take, turns) => {
    const corpus = await after(turns, prepareCorpus(given(data)), take)
    return (await topK(queries, corpus, { k: 5 })).indices
  },
  corpus: async (data, take, turns) =>
    (await after(turns, topK(queries, given(data), { k: 5 }), take)).indices,
  queries: async (data, take, turns) =>
    (await after(turns, topK(given(data), queries, { k: 5 }), take)).indices,
  X: async (data, take, turns) =>
    (await after(turns, nmf(given(data), { rank: 4, iterations: 4, tolerance: 0 }), take)).W.data,
  out: async (data, take, turns) => {
    const out = new Float32Array(data.buffer, 0, rows * 16)
    const { scores } = await after(
      turns,
      topK(given(numbers), given(numbers), { k: 16, out: { scores: out } }),
      take,
    )
    return scores
  },
}

const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)

async function outcome(place, turns, expected) {
  const { make, take } = ways[way]
  const buffer = await make()
  const data = new Float32Array(buffer, 0, rows * cols)
  data.set(numbers)
  try {
    const answer = await place(data, () => take(buffer), turns)
    if (bytesOf(answer).equals(expected)) return 0
  } catch (error) {
    if (isMistake(error)) return 1
    throw error
  }
  throw new Error(`expected the answer of memory that stays, after ${turns} turns`)
}

async function main() {
  const seen = {}
  for (const [where, place] of Object.entries(places)) {
    const expected = bytesOf((await place(numbers.slice(), () => {}, 0)).slice())
    seen[where] = [0, 0]
    for (let i = 0; i < Number(times); i++) seen[where][await outcome(place, i % 4, expected)]++
  }
  console.log(JSON.stringify(seen))
}
main()
