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
    for (let i = 0; i < 20; i++) ended.push(await runProgram('dispose-mid-job', [], flags))
    expect(failures(ended, 0)).toEqual([])
  })
})
