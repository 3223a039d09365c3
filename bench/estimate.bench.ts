import {
  estimateFactorization,
  estimateMining,
  estimateTopK,
  mineHardNegatives,
  nmf,
  prepareCorpus,
  semiNmf,
  topK,
  type Estimate,
} from '../lib/index'
import { randomUnitRows } from './data'
import { experiment } from './experiment'
import { median } from './interleave'
import { bothWaysShape, estimateShapes, rounds, sweepShape, topKShape } from './shapes'

const question =
  'How near are estimates to the measured seconds of an iteration or a scan? (target within 30 % in the median)'

const { factorizations, iterations } = estimateShapes

interface Case {
  readonly name: string
  readonly estimate: () => Promise<Estimate>
  readonly measure: () => Promise<number>
}

function factorizationCases(): Case[] {
  return factorizations.flatMap(({ rows, cols, ranks }, i) => {
    const X = randomUnitRows(rows, cols, 1 + i)
    const positive = { ...X, data: X.data.map(Math.abs) }
    const fits = { semiNmf, nmf }
    return ranks.flatMap((rank) =>
      Object.entries(fits).map(([name, fit]) => {
        const options = { rank, init: 'random', tolerance: 0 } as const
        const seconds = async (most: number) =>
          (await fit(name === 'nmf' ? positive : X, { ...options, iterations: most })).seconds
        return {
          name: `${name} of ${rows} × ${cols}, rank ${rank}`,
          estimate: () => estimateFactorization(fit, { rows, cols }, options),
          measure: async () => ((await seconds(1 + iterations)) - (await seconds(1))) / iterations,
        }
      }),
    )
  })
}

const searchCases = (): Case[] =>
  [topKShape, bothWaysShape].map(({ queries, corpus, cols, k }) => ({
    name: `topK of ${queries} queries over ${corpus} × ${cols}, k = ${k}`,
    estimate: () => estimateTopK({ queries, corpus, cols }, { k }),
    measure: async () => {
      using prepared = await prepareCorpus(randomUnitRows(corpus, cols, 7))
      return (await topK(randomUnitRows(queries, cols, 8), prepared, { k })).seconds
    },
  }))

function miningCase(): Case {
  const { queries, corpus, cols } = sweepShape
  return {
    name: `mineHardNegatives of ${queries} queries over ${corpus} × ${cols}`,
    estimate: () => estimateMining({ queries, corpus, cols }),
    measure: async () => {
      using prepared = await prepareCorpus(randomUnitRows(corpus, cols, 7))
      const positives = Int32Array.from({ length: queries }, (_, q) => q % corpus)
      const Q = randomUnitRows(queries, cols, 8)
      return (await mineHardNegatives(Q, prepared, positives, {})).seconds
    },
  }
}

experiment(__filename, question, async (report) => {
  const errors: number[] = []
  for (const { name, estimate, measure } of [
    ...factorizationCases(),
    ...searchCases(),
    miningCase(),
  ]) {
    const [ratios, measured]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      const { seconds } = await estimate()
      measured.push(await measure())
      ratios.push(seconds / measured.at(-1)!)
    }
    errors.push(Math.abs(median(ratios) - 1))
    report.note(
      `${name}: ${median(measured).toPrecision(3)} s, estimated ${median(ratios).toFixed(2)} times that`,
    )
  }
  const off = median(errors)
  report.note(`off by ${(100 * off).toFixed(0)} % in the median of ${errors.length} shapes`)
  if (off > 0.3) report.missed('estimates', `off by ${(100 * off).toFixed(0)} % in the median`)
})
