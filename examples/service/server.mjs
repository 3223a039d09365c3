// Starts the service over made-up rows, and ends it at SIGTERM.
//   node server.mjs [port]
import { prepareCorpus } from 'gemmine'
import { createService } from './service.mjs'

/** Rows that stand for embeddings. */
function madeUp(rows, cols) {
  const data = Float32Array.from({ length: rows * cols }, () => Math.random() - 0.5)
  return { data, rows, cols }
}

const corpus = await prepareCorpus(madeUp(20_000, 384), { metric: 'cosine' })
const { app, stop } = await createService(corpus, { logger: { level: 'warn' } })
console.log(`listening on ${await app.listen({ port: Number(process.argv[2] ?? 8080) })}`)
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop)
