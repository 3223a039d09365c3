/**
 * CPU time of this thread in ms, because wall time depends on the load of the machine; wall time if not on
 * Linux.
 */
function busy() {
  if (process.platform !== 'linux') return performance.now()
  const { readFileSync } = require('node:fs')
  return (
    Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6
  )
}

/** The time of some work, and the longest turn of the event loop during it, in ms. */
exports.longestTurn = async (work) => {
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
  await work()
  const took = performance.now() - began
  await new Promise((resolve) => setTimeout(resolve, 20))
  stopped = true
  return { took, longest }
}
