// A search service: the corpus is prepared once; each request asks it, and a request that goes away is aborted.
//   node examples/service.mjs            (asks itself a few times and ends)
import { createServer } from 'node:http'
import { prepareCorpus, topK } from 'gemmine'

const [rows, cols] = [2000, 64]
const data = Float32Array.from(
  { length: rows * cols },
  (_, i) => Math.sin(i * 12.9898) * Math.cos(i * 0.618),
)
const corpus = await prepareCorpus({ data, rows, cols }, { metric: 'cosine' })

/** The row that was asked for, or undefined where the corpus has no such row. */
function rowOf(url) {
  const text = new URLSearchParams(url.split('?')[1]).get('row')
  return /^\d+$/.test(text) && Number(text) < rows ? Number(text) : undefined
}

async function answer(request, response) {
  const row = rowOf(request.url)
  if (row === undefined) return response.writeHead(400).end(`Expected ?row=0 to ?row=${rows - 1}`)
  const gone = new AbortController()
  response.on('close', () => response.writableEnded || gone.abort())
  const query = { data: data.subarray(row * cols, (row + 1) * cols), rows: 1, cols }
  const { indices, scores } = await topK(query, corpus, { k: 5, signal: gone.signal })
  response.end(JSON.stringify({ rows: [...indices], scores: [...scores] }))
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => response.writeHead(500).end(String(error.message)))
})
server.listen(0, '127.0.0.1', async () => {
  for (const row of [7, -1, 'x', rows]) {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/?row=${row}`)
    console.log(`nearest to row ${row}:`, response.status, await response.text())
  }
  server.close()
  corpus.dispose()
})
