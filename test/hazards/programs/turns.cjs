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

/** The time of a fixed loop in ms, 20 to 30 on a usual machine: the measure for a slow one. */
function yardstick() {
  const began = busy()
  let sum = 0
  for (let i = 0; i < 2e7; i++) sum += i % 7
  return sum > 0 ? busy() - began : NaN
}

/** The time of some work, the longest turn of the event loop during it, and the yardstick, in ms. */
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
  return { took, longest, yardstick: yardstick() }
}

/** Prints the turns of `call` with what `prepare` gives, after the threads have started. */
exports.measure = async (gemmine, [prepare, call]) => {
  const one = { data: Float32Array.of(1), rows: 1, cols: 1 }
  await gemmine.topK(one, one, { k: 1 })
  const input = await prepare()
  console.log(JSON.stringify(await exports.longestTurn(() => call(input))))
}
