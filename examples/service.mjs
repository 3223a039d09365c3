// A search service: the corpus is prepared once; each request asks it, and a request that goes away is aborted.
//   node examples/service.mjs            (asks itself once and ends)
import { createServer } from 'node:http'
import { prepareCorpus, topK } from 'gemmine'

const [rows, cols] = [2000, 64]
const data = Float32Array.from(
  { length: rows * cols },
  (_, i) => Math.sin(i * 12.9898) * Math.cos(i * 0.618),
)
const corpus = await prepareCorpus({ data, rows, cols }, { metric: 'cosine' })

async function answer(request, response) {
  const gone = new AbortController()
  response.on('close', () => response.writableEnded || gone.abort())
  const row = Number(new URL(request.url, 'http://localhost').searchParams.get('row'))
  const query = { data: data.subarray(row * cols, (row + 1) * cols), rows: 1, cols }
  const { indices, scores } = await topK(query, corpus, { k: 5, signal: gone.signal })
  response.end(JSON.stringify({ rows: [...indices], scores: [...scores] }))
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => response.writeHead(400).end(String(error.message)))
})
server.listen(0, '127.0.0.1', async () => {
  const response = await fetch(`http://127.0.0.1:${server.address().port}/?row=7`)
  console.log('nearest to row 7:', await response.text())
  server.close()
  corpus.dispose()
})
