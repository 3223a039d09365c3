import { describe, expect, it } from 'vitest'
import { failures, runOften, runProgram } from './child'

/** In ms. An exit waits only for the blocks that are running; a job alone would take a minute. */
const promptly = 5000

describe('process.exit() with jobs in flight', () => {
  for (const [delay, where] of [
    [0, 'now'],
    [0, 'timer'],
    [20, 'timer'],
    [60, 'timer'],
    [0, 'listener'],
  ] as const)
    it(`ends with its own code, from ${where} after ${delay} ms, 20 times`, async () => {
      const ended = await runOften(20, 'exit-mid-job', [delay, where])
      expect(failures(ended, 7)).toEqual([])
      const took = ended.map(({ at, stdout }) => at - Number(stdout))
      console.log(`exit from ${where} after ${delay} ms took at most ${Math.max(...took)} ms`)
      expect(Math.max(...took)).toBeLessThan(promptly)
    })
})

describe('process.exit() in a block that takes long', () => {
  it('ends with its own code all the same', async () => {
    const { code, stdout, at } = await runProgram('exit-in-long-block')
    expect(code).toBe(7)
    console.log(`exit from within a long block took ${at - Number(stdout)} ms`)
    expect(at - Number(stdout)).toBeLessThan(4000)
  })
})

describe('workers that end with jobs in flight', () => {
  it('leave the process whole and the addon usable, calls that wait for their turn too, 20 times', async () => {
    const ended = await runOften(20, 'terminate-workers')
    expect(failures(ended, 0)).toEqual([])
    console.log(
      `four workers took at most ${Math.max(...ended.map(({ stdout }) => Number(stdout))).toFixed()} ms`,
    )
  })
})

describe('a corpus that threads share', () => {
  it('gives the same answers in each, and outlives its first owner and a terminated worker, 4 times', async () => {
    const ended = await runOften(4, 'shared-corpus')
    expect(failures(ended, 0)).toEqual([])
    expect(ended.map(({ stdout }) => stdout.trim())).toEqual(Array(4).fill('true'))
  })
})

describe('several workers at once', () => {
  it('compute the same bits', async () => {
    const { code, stdout, stderr } = await runProgram('workers')
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout.trim()).toBe('1')
  })
})
