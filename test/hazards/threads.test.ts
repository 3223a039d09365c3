import { describe, expect, it } from 'vitest'
import { runProgram } from './child'

/** Node.js starts its file threads at their first use. */
const nodes = 4

describe.skipIf(process.platform !== 'linux')('threads', () => {
  it.each([
    [4, 'fit', 4],
    [1000, 'query', 16],
  ] as const)(
    'of one pool are shared by %i jobs at once (%s), orchestrated by at most %i',
    async (jobs, kind, orchestrating) => {
      const { code, stdout, stderr } = await runProgram('thread-count', [jobs, kind])
      expect(stderr).toBe('')
      expect(code).toBe(0)
      const [before, loaded, most, pool] = JSON.parse(stdout) as [number, number, number, number]
      console.log(`${before} threads before, ${most} at most, ${pool} in the pool`)
      expect(loaded).toBe(before)
      expect(most).toBeLessThanOrEqual(before + pool + orchestrating + nodes)
    },
  )

  it('are not started when the addon is loaded, whatever the environment asks of OpenBLAS', async () => {
    const env = { OPENBLAS_NUM_THREADS: '5', OMP_NUM_THREADS: '5' }
    const { stdout } = await runProgram('thread-count', [1, 'query'], { env })
    const [before, loaded] = JSON.parse(stdout) as number[]
    expect(loaded).toBe(before)
  })
})
