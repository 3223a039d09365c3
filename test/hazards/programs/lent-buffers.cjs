// Tests which buffers are not detached by a transfer after jobs that used them: prints { input, small,
// result, answer }, and the bytes of a WebAssembly memory that was an input and then grew.
const { join } = require('node:path')
const { noise } = require('./jobs.cjs')
const { kmeans, nmf, topK } = require(join(__dirname, '..', '..', '..', 'dist'))

const stays = ({ buffer }) => {
  try {
    structuredClone(buffer, { transfer: [buffer] })
  } catch {
    // Refused, as by Node.js from 21 on.
  }
  return buffer.byteLength > 0
}

async function main() {
  const [rows, cols] = [4096, 16]
  const matrix = (data, n = rows) => ({ data, rows: n, cols })
  const large = noise(rows * cols).map(Math.abs)
  const small = large.slice(0, 3 * cols)
  const { W } = await nmf(matrix(large), { rank: 8, iterations: 2 })
  await kmeans(W, { clusters: 3, iterations: 2 })
  const { indices } = await topK(matrix(small, 3), matrix(large), { k: 2 })
  const memory = new WebAssembly.Memory({ initial: 4 })
  const inside = new Float32Array(memory.buffer)
  inside.set(large)
  await kmeans(matrix(inside), { clusters: 3, iterations: 2 })
  memory.grow(1)
  console.log(
    JSON.stringify({
      input: stays(large),
      small: stays(small),
      result: stays(W.data),
      answer: stays(indices),
      wasm: memory.buffer.byteLength,
    }),
  )
}
main()
