// The service over one corpus: search, mining and factorization.
import Fastify from 'fastify'
import { configureQueue, drain, isMistake } from 'gemmine'
import { Metrics } from './metrics.mjs'
import { addRoutes } from './routes.mjs'

/** Milliseconds that jobs may still take after SIGTERM. */
const patience = 700

/** Milliseconds for the last answers to leave. */
const flushing = 100

/** The status and the body of the answer to a failed request. */
function answerTo(error) {
  const { code, message } = error
  // Too many requests: the client tries again, or another server does it.
  if (code === 'ERR_GEMMINE_BUSY') return [503, { error: message }]
  if (code === 'ERR_GEMMINE_OUT_OF_MEMORY') return [413, { error: message }]
  if (isMistake(error)) return [400, { error: message }]
  const status = error.statusCode ?? 500
  return [status, { error: status < 500 ? message : 'internal error' }]
}

export async function createService(corpus, { maxQueue = 256, logger = false } = {}) {
  configureQueue({ maxQueue })
  const app = Fastify({ logger, bodyLimit: 16 * 2 ** 20 })
  const metrics = new Metrics()
  app.addHook('onResponse', async ({ routeOptions }, { statusCode }) => {
    metrics.count(routeOptions.url ?? 'unknown', statusCode)
  })
  app.setErrorHandler((error, request, reply) => {
    const [status, body] = answerTo(error)
    if (status === 503) reply.header('retry-after', '1')
    if (status === 500) request.log.error(error)
    return reply.code(status).send(body)
  })
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    async (request, body) => body,
  )
  addRoutes(app, corpus)
  app.get('/health', async () => ({ status: 'ok', rows: corpus.rows }))
  app.get('/metrics', async (request, reply) => {
    reply.type('text/plain; version=0.0.4')
    return metrics.text()
  })

  /** Takes no more requests, waits for jobs for a while, stops those that are left, and frees the corpus. */
  async function stop() {
    const closed = app.close()
    const late = AbortSignal.timeout(patience)
    await drain(late)
    // Clients keep connections open for later requests.
    setTimeout(() => app.server.closeAllConnections(), flushing)
    await closed
    metrics.stop()
    corpus.dispose()
  }
  return { app, stop }
}
