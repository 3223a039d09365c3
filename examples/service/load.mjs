// Loads the service, and the exact searches of other libraries behind the same kind of server, in turns.
//   node load.mjs [connections] [seconds]
// Rivals are tried if they are installed: npm install --no-save usearch hnswlib-node better-sqlite3 sqlite-vec
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import autocannon from 'autocannon'
import Fastify from 'fastify'

const [rows, cols, k] = [20_000, 384, 10]

/** The same rows for every library: about 0, as those of embeddings. */
function madeUp(count, seed) {
  const data = new Float32Array(count * cols)
  let state = seed
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    data[i] = state / 2 ** 32 - 0.5
  }
  return data
}

const rowOf = (data, row) => data.subarray(row * cols, (row + 1) * cols)

/** Each gives a function from one query to corpus rows, best first. */
const searches = {
  async gemmine(data) {
    const { prepareCorpus, topK } = await import('gemmine')
    const corpus = await prepareCorpus({ data, rows, cols }, { metric: 'cosine' })
    return async (query) => (await topK({ data: query, rows: 1, cols }, corpus, { k })).indices
  },
  async usearch(data) {
    const { exactSearch, MetricKind } = await import('usearch')
    return async (query) =>
      Array.from(exactSearch(data, query, cols, k, MetricKind.Cos).keys, Number)
  },
  async 'hnswlib-node'(data) {
    const { default: hnswlib } = await import('hnswlib-node')
    const index = new hnswlib.BruteforceSearch('cosine', cols)
    index.initIndex(rows)
    for (let row = 0; row < rows; row++) index.addPoint([...rowOf(data, row)], row)
    return async (query) => index.searchKnn([...query], k).neighbors
  },
  async 'sqlite-vec'(data) {
    const { default: Database } = await import('better-sqlite3')
    const vectors = await import('sqlite-vec')
    const db = new Database(':memory:')
    vectors.load(db)
    db.exec(`create virtual table items using vec0(v float[${cols}] distance_metric=cosine)`)
    const insert = db.prepare('insert into items(rowid, v) values (?, ?)')
    for (let row = 0; row < rows; row++) insert.run(BigInt(row), rowOf(data, row))
    const select = db.prepare('select rowid from items where v match ? and k = ?')
    return async (query) => select.all(query, k).map(({ rowid }) => rowid)
  },
}

/** A server with one of the searches, in a thread of its own. */
async function serve(name) {
  const search = await searches[name](madeUp(rows, 1))
  const app = Fastify()
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    async (request, body) => body,
  )
  app.post('/top-k', async ({ body }) => {
    const query = new Float32Array(new Uint8Array(body).buffer)
    return { rows: Array.from(await search(query)) }
  })
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  parentPort.on('message', () => parentPort.postMessage(delay.percentile(99) / 1e6))
  parentPort.postMessage(await app.listen({ port: 0 }))
}

const message = (worker) =>
  new Promise((settle, fail) => worker.once('message', settle).once('error', fail))

async function measure(name, connections, duration) {
  const worker = new Worker(new URL(import.meta.url), { workerData: name })
  try {
    const url = `${await message(worker)}/top-k`
    const headers = { 'content-type': 'application/octet-stream' }
    const body = Buffer.from(madeUp(1, 2).buffer)
    const ask = (seconds) =>
      autocannon({ url, method: 'POST', headers, body, connections, duration: seconds })
    await ask(1)
    const { requests, latency } = await ask(duration)
    worker.postMessage('delay')
    const delay = await message(worker)
    console.log(
      `${name}: ${requests.average.toFixed(0)} requests a second, half within ${latency.p50} ms, 99 % within ${latency.p99} ms; event-loop delay ${delay.toFixed(1)} ms (99 %)`,
    )
  } catch (error) {
    console.log(`${name}: not run: ${error.message.split('\n')[0]}`)
  } finally {
    await worker.terminate()
  }
}

if (isMainThread) {
  const [connections = 20, seconds = 10] = process.argv.slice(2).map(Number)
  console.log(`${connections} connections, one query over ${rows} × ${cols}, k = ${k}`)
  for (const name of Object.keys(searches)) await measure(name, connections, seconds)
} else await serve(workerData)
