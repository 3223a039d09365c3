// The three kinds of work. A request whose client goes away is aborted.
import { mineHardNegatives, semiNmf, topK } from 'gemmine'
import { fieldsOf, integerOf, listsOf, matrixOf, matrixOfBytes, numberOf } from './inputs.mjs'

/** A signal that is aborted if the client goes away before it has its answer. */
function goneSignal({ raw }) {
  const gone = new AbortController()
  raw.on('close', () => {
    if (!raw.writableFinished) gone.abort(new Error('the client went away'))
  })
  return gone.signal
}

/** Answers of a search, a list for each query. */
function neighboursOf({ queries, k, indices, scores }) {
  const ofQuery = (query) =>
    Array.from({ length: k }, (_, place) => query * k + place)
      .filter((at) => indices[at] >= 0)
      .map((at) => ({ row: indices[at], score: scores[at] }))
  return Array.from({ length: queries }, (_, query) => ofQuery(query))
}

export function addRoutes(app, corpus) {
  /** JSON { queries: [[…]], k }, or bytes with ?k=10. */
  app.post('/top-k', async (request, reply) => {
    const signal = goneSignal(reply)
    const isBytes = Buffer.isBuffer(request.body)
    const fields = isBytes ? request.query : fieldsOf(request.body)
    const queries = isBytes
      ? matrixOfBytes(request.body, corpus.cols)
      : matrixOf('queries', fields.queries, corpus.cols)
    const k = integerOf('k', fields.k ?? 10, 1, 1000)
    return { neighbours: neighboursOf(await topK(queries, corpus, { k, signal })) }
  })

  /** JSON { queries: [[…]], positives: [[row, …], …], numNegatives }. */
  app.post('/mine', async (request, reply) => {
    const signal = goneSignal(reply)
    const fields = fieldsOf(request.body)
    const queries = matrixOf('queries', fields.queries, corpus.cols)
    const positives = listsOf('positives', fields.positives, queries.rows, corpus.rows)
    const numNegatives = integerOf('numNegatives', fields.numNegatives ?? 5, 1, 100)
    const options = { numNegatives, signal, priority: 'batch' }
    const mined = await mineHardNegatives(queries, corpus, positives, options)
    return {
      negatives: [...mined.triplets()].map(({ query, positive, negative }) => [
        query,
        positive,
        negative,
      ]),
    }
  })

  /** JSON { rows: [[…]], rank, iterations, tolerance }; answers with events: progress, then done or failed. */
  app.post('/factorize', async (request, reply) => {
    const signal = goneSignal(reply)
    const fields = fieldsOf(request.body)
    const X = matrixOf('rows', fields.rows)
    const rank = integerOf('rank', fields.rank, 1, Math.min(X.rows, X.cols))
    const iterations = integerOf('iterations', fields.iterations ?? 100, 1, 100_000)
    const tolerance = numberOf('tolerance', fields.tolerance ?? 1e-4, 0, 1)
    const send = (event, data) =>
      reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    const begin = () => {
      reply.hijack()
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    }
    const onProgress = (progress) => {
      if (!reply.sent) begin()
      send('progress', progress)
    }
    const options = { rank, iterations, tolerance, signal, onProgress, priority: 'batch' }
    try {
      // An error before the first event is answered by its status.
      const { W, H, relativeError } = await semiNmf(X, options)
      if (!reply.sent) begin()
      send('done', { relativeError, W: [...W.data], H: [...H.data] })
    } catch (error) {
      if (!reply.sent) throw error
      send('failed', { error: error.message })
    }
    reply.raw.end()
  })
}
