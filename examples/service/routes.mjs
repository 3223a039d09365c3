// The three kinds of work. A request whose client goes away is aborted.
import { mineHardNegatives, semiNmf, topK } from 'gemmine'
import {
  fieldsOf,
  integerOf,
  integerOfText,
  listsOf,
  matrixOf,
  matrixOfBytes,
  numberOf,
} from './inputs.mjs'

/** A signal that is aborted if the client goes away before it has its answer. */
function goneSignal({ raw }) {
  const gone = new AbortController()
  raw.on('close', () => {
    if (!raw.writableFinished) gone.abort(new Error('the client went away'))
  })
  return gone.signal
}

/** JSON { queries: [[…]], k }, or bytes with ?k=10. */
async function search(corpus, request, reply) {
  const signal = goneSignal(reply)
  const isBytes = Buffer.isBuffer(request.body)
  const fields = isBytes ? request.query : fieldsOf(request.body)
  const queries = isBytes
    ? matrixOfBytes(request.body, corpus.cols)
    : matrixOf('queries', fields.queries, corpus.cols)
  const k = (isBytes ? integerOfText : integerOf)('k', fields.k ?? (isBytes ? '10' : 10), 1, 1000)
  const { neighbours } = (await topK(queries, corpus, { k, signal })).toJSON()
  return { neighbours }
}

/** JSON { queries: [[…]], positives: [[row, …], …], numNegatives }. */
async function mine(corpus, request, reply) {
  const signal = goneSignal(reply)
  const fields = fieldsOf(request.body)
  const queries = matrixOf('queries', fields.queries, corpus.cols)
  const positives = listsOf('positives', fields.positives, queries.rows, corpus.rows)
  const numNegatives = integerOf('numNegatives', fields.numNegatives ?? 5, 1, 100)
  const options = { numNegatives, signal, priority: 'batch' }
  const mined = await mineHardNegatives(queries, corpus, positives, options)
  return {
    negatives: Array.from(mined.triplets(), ({ query, positive, negative }) => [
      query,
      positive,
      negative,
    ]),
  }
}

/** JSON { rows: [[…]], rank, iterations, tolerance }; answers with events: progress, then done or failed. */
async function factorize(request, reply) {
  const signal = goneSignal(reply)
  const fields = fieldsOf(request.body)
  const X = matrixOf('rows', fields.rows)
  const rank = integerOf('rank', fields.rank, 1, Math.min(X.rows, X.cols))
  const iterations = integerOf('iterations', fields.iterations ?? 100, 1, 100_000)
  const tolerance = numberOf('tolerance', fields.tolerance ?? 1e-4, 0, 1)
  const send = (event, data) => {
    if (!reply.sent) {
      reply.hijack()
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    }
    reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  const onProgress = (progress) => send('progress', progress)
  const options = { rank, iterations, tolerance, signal, onProgress, priority: 'batch' }
  try {
    const { W, H, relativeError } = await semiNmf(X, options)
    send('done', { relativeError, W: [...W.data], H: [...H.data] })
  } catch (error) {
    // An error before the first event is answered by its status.
    if (!reply.sent) throw error
    send('failed', { error: error.message })
  }
  reply.raw.end()
}

export function addRoutes(app, corpus) {
  app.post('/top-k', (request, reply) => search(corpus, request, reply))
  app.post('/mine', (request, reply) => mine(corpus, request, reply))
  app.post('/factorize', factorize)
}
