import { describe, expect, it } from 'vitest'
import { failures, runProgram } from './child'

const corpora = 400
const mebibyte = 2 ** 20

async function growth(dispose: 'dispose' | 'forget') {
  const { code, stdout, stderr } = await runProgram('memory', [corpora, dispose])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const [bytes, grown] = JSON.parse(stdout) as [number, number]
  const held = (bytes / mebibyte).toFixed(1)
  console.log(
    `${corpora} corpora of ${held} MiB, ${dispose}: the process grew by ${(grown / mebibyte).toFixed()} MiB`,
  )
  return { bytes, grown }
}

describe('prepared corpora', () => {
  it('give their memory back on dispose()', async () => {
    const { bytes, grown } = await growth('dispose')
    expect(bytes).toBeGreaterThan(8 * mebibyte)
    expect(grown).toBeLessThan(4 * bytes + 64 * mebibyte)
  })

  it('are collected without dispose(), because V8 knows what they hold', async () => {
    const { bytes, grown } = await growth('forget')
    expect(grown).toBeLessThan((corpora * bytes) / 8)
  })

  it('outlive dispose() for the jobs that use them, 20 times', async () => {
    const flags = ['--expose-gc']
    const ended = []
    for (let i = 0; i < 20; i++) ended.push(await runProgram('dispose-mid-job', [], { flags }))
    expect(failures(ended, 0)).toEqual([])
  })
})

describe('planned memory', () => {
  it.each([
    ['nmf', 150_000, 100, 60],
    ['semi-nmf', 150_000, 40, 60],
    ['semi-nmf', 3000, 8000, 40],
    ['kmeans', 200_000, 40, 80],
  ])('is what %s of %i × %i takes, k = %i', async (job, rows, cols, rank) => {
    const { code, stdout, stderr } = await runProgram('planned-memory', [job, rows, cols, rank])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const [planned, used] = JSON.parse(stdout) as [number, number]
    console.log(
      `${job} ${rows} × ${cols}, k = ${rank}: planned ${(planned / mebibyte).toFixed()} MiB, used ${(used / mebibyte).toFixed()} MiB`,
    )
    expect(used).toBeLessThan(1.25 * planned + 32 * mebibyte)
    expect(planned).toBeLessThan(1.5 * used + 32 * mebibyte)
  })
})
