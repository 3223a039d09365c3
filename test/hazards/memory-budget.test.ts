import { describe, expect, it } from 'vitest'
import { runProgram } from './child'

const mebibyte = 2 ** 20
const budget = 64 * mebibyte

async function growthOf(program: string, args: readonly (string | number)[]) {
  const { code, stdout, stderr } = await runProgram(program, [...args, budget])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const grown = Number(stdout)
  console.log(`${args.join(' ')}: ${(grown / mebibyte).toFixed()} MiB of 64`)
  return grown
}

const growth = (job: string, rows: number, cols: number, rank: number) =>
  growthOf('memory-budget', [job, rows, cols, rank])

// The resident set at its peak is known on Linux only.
describe.runIf(process.platform === 'linux')('memoryBudget', () => {
  it('bounds the memory of a factorization of a file more than twice as large', async () => {
    expect(await growth('nmf', 40_000, 1024, 40)).toBeLessThan(budget)
  })

  it.each([
    ['nmf', 40_000, 48],
    ['nmf by mu', 40_000, 48],
    ['nmf by KL', 40_000, 48],
    ['nmf of missing entries', 40_000, 40],
    ['nmf in batches', 40_000, 48],
    ['semiNmf', 40_000, 36],
    ['snmf', 40_000, 48],
    ['semiOrthogonalNmf', 40_000, 48],
    ['separableNmf', 40_000, 8],
    ['convexNmf', 40_000, 36],
    ['archetypalAnalysis', 40_000, 36],
    ['minVolumeNmf', 40_000, 48],
    ['kmeans', 40_000, 200],
    ['truncatedSvd', 40_000, 44],
    ['selectRank', 20_000, 16],
    ['transform', 40_000, 100],
  ])('bounds that of %s', async (job, rows, rank) => {
    expect(await growth(job, rows, 64, rank)).toBeLessThan(budget)
  })

  it.each([
    ['topK', 100],
    ['selfJoin', 100],
    ['reverseTopK', 100],
    ['rangeSearch', 100],
    ['communities', 0],
    ['nearDuplicates', 0],
    ['mutualNeighbours', 100],
    ['maxSim', 100],
    ['logSumExp', 0],
    ['mineHardNegatives', 50],
    ['explained', 20],
    ['drawn', 20],
    ['textsFromADeepPool', 20],
    ['inShards', 50],
    ['diverse', 10],
    ['capped', 5],
    ['swept', 20],
    ['checkpointed', 50],
  ])('bounds that of %s', async (job, k) => {
    expect(await growthOf('memory-budget-search', [job, 6000, 6000, 16, k])).toBeLessThan(budget)
  })

  it('bounds that of equal texts in a corpus of a million', async () => {
    expect(await growthOf('memory-budget-search', ['equalTexts', 8, 8, 8, 0])).toBeLessThan(budget)
  })

  it('bounds that of findLeakage in a corpus that is larger', async () => {
    const args = ['leakage', 8, 8000, 3000, 0]
    expect(await growthOf('memory-budget-search', args)).toBeLessThan(budget)
  })
})
