// Reads a file of a large matrix: prints { took, longest }, in ms: the time it took, and the longest that the
// event loop computed at one turn. On Linux that is time on a CPU, which a busy machine does not lengthen.
const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const gemmine = require(join(__dirname, '..', '..', '..'))
const [path] = process.argv.slice(2)

function busy() {
  if (process.platform !== 'linux') return performance.now()
  return (
    Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6
  )
}

async function main() {
  await gemmine.loadMatrix(__filename).catch(() => {}) // loads what reading needs
  let longest = 0
  let last = busy()
  let stopped = false
  const turn = () => {
    const now = busy()
    longest = Math.max(longest, now - last)
    last = now
    if (!stopped) setImmediate(turn)
  }
  setImmediate(turn)
  await new Promise((resolve) => setTimeout(resolve, 50))
  longest = 0
  const began = performance.now()
  await gemmine.loadMatrix(path)
  const took = performance.now() - began
  await new Promise((resolve) => setTimeout(resolve, 20))
  stopped = true
  console.log(JSON.stringify({ took, longest }))
}
main()
