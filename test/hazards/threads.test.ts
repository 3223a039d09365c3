import { expect, it } from 'vitest'
import { runProgram } from './child'

it.skipIf(process.platform !== 'linux')(
  'four jobs at once share the threads of one pool',
  async () => {
    const { code, stdout, stderr } = await runProgram('thread-count')
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const [before, most, pool] = JSON.parse(stdout) as [number, number, number]
    console.log(`${before} threads before, ${most} at most, ${pool} in the pool`)
    // Each job has a thread that only waits; Node.js starts its four file threads when they are first used.
    expect(most).toBeLessThanOrEqual(before + pool + 4 + 4)
  },
)
