// Runs a job, then reads a folder, as in a service; prints { job: "done" or its code, file }.
const { readdir } = require('node:fs/promises')
const { join } = require('node:path')
const { topK } = require(join(__dirname, '..', '..', '..', 'dist'))

async function main() {
  const rows = {
    data: Float32Array.from({ length: 600 }, (_, i) => Math.cos(i)),
    rows: 100,
    cols: 6,
  }
  const job = await topK(rows, rows, { k: 3 }).then(
    () => 'done',
    ({ code }) => code,
  )
  const [file] = await readdir(__dirname)
  console.log(JSON.stringify({ job, file: file !== undefined }))
}
main()
