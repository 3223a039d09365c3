// Searches and mining on the CUDA backend, over an emulated GPU: the suite of mining, and the answers of public
// functions beside those of the CPU.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { logSumExp } from '../../lib/mining/log-sum-exp'
import { maxSim } from '../../lib/mining/max-sim'
import { metrics, type Metric } from '../../lib/mining/metric'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { mutualNeighbours } from '../../lib/mining/mutual-neighbours'
import { nearDuplicates } from '../../lib/mining/near-duplicates'
import { prepareCorpus, type PreparedCorpus } from '../../lib/mining/prepare-corpus'
import { rangeSearch } from '../../lib/mining/range-search'
import { reverseTopK } from '../../lib/mining/reverse-top-k'
import { prepareRowSet } from '../../lib/mining/row-set'
import { topK } from '../../lib/mining/top-k'
import { gaussian, matrixOf } from '../matrices'
import { plantedScene } from './mining-scenes'

const emulated = fileURLToPath(
  new URL('../../build/cmake/emulation/gemmine_cuda_emulated.so', import.meta.url),
)
const isBuilt = existsSync(emulated)
// Each test file has a process of its own, which opens the backend after this.
if (isBuilt) process.env.GEMMINE_CUDA_BACKEND = emulated
else console.log('mining on the emulated GPU: skipped, it is built with the suites of test/native')

vi.mock('../../lib/device', async (original) => {
  const real = await original<typeof import('../../lib/device')>()
  return {
    ...real,
    resolveDevice: (name: string) => real.resolveDevice(name === 'auto' ? 'cuda' : name),
  }
})

type Device = 'cpu' | 'cuda'

/** What must not differ: all but times, and which of the answers were proven by the first scan. */
function sameEverywhere(answer: object): Record<string, unknown> {
  const { certified, fallback, ...rest } = Object.fromEntries(
    Object.entries(answer).filter(([name]) => name !== 'seconds' && name !== 'device'),
  ) as Record<string, unknown>
  return typeof certified === 'number'
    ? { ...rest, answered: certified + (fallback as number) }
    : rest
}

async function expectSame(ask: (device: Device) => Promise<object>) {
  expect(sameEverywhere(await ask('cuda'))).toEqual(sameEverywhere(await ask('cpu')))
}

const queries = gaussian(37, 20, 1)
// Equal rows, a row of zeros, and rows of very different lengths.
const corpus = matrixOf(701, 20, (i, j) =>
  i === 50 ? 0 : Math.sin((i % 13 === 12 ? i - 1 : i) * 20 + j * j) * 10 ** (i % 4),
)
const textsOf = (tokens: typeof corpus, size: number) => {
  const starts = [0]
  while (starts.at(-1)! < tokens.rows)
    starts.push(Math.min(starts.at(-1)! + (starts.length % size), tokens.rows))
  return { tokens, starts }
}
const threshold = { cosine: 0.4, dot: 900, l2: -30 } satisfies Record<Metric, number>

const functions: Record<string, (metric: Metric, device: Device) => Promise<object>> = {
  topK: (metric, device) => topK(queries, corpus, { k: 7, metric, device }),
  'topK of a few allowed rows': (metric, device) =>
    topK(queries, corpus, {
      ...{ k: 4, metric, device },
      allow: Array.from({ length: 37 }, (_, query) => [query, 100 + query, 699]),
    }),
  'topK without many rows': async (metric, device) => {
    const exclude = await prepareRowSet(
      Int32Array.from({ length: 300 }, (_, i) => 2 * i),
      { rows: 701 },
    )
    return topK(queries, corpus, { k: 9, metric, device, exclude })
  },
  rangeSearch: (metric, device) =>
    rangeSearch(queries, corpus, { threshold: threshold[metric], metric, device }),
  mutualNeighbours: (metric, device) => mutualNeighbours(queries, corpus, { k: 3, metric, device }),
  reverseTopK: (metric, device) => reverseTopK(queries, corpus, { k: 3, metric, device }),
  nearDuplicates: (metric, device) =>
    nearDuplicates(corpus, {
      threshold: { cosine: 0.999, dot: 5e6, l2: -0.5 }[metric],
      metric,
      device,
    }),
  maxSim: (metric, device) =>
    maxSim(textsOf(queries, 6), textsOf(corpus, 90), { k: 5, metric, device }),
  'maxSim of more documents than tokens': (metric, device) => {
    const tokens = matrixOf(32, 20, (i, j) => Math.cos(i * 20 + j * j))
    const starts = Int32Array.from({ length: 601 }, (_, i) => Math.floor((i * 32) / 600))
    return maxSim(textsOf(queries, 6), { tokens, starts }, { k: 10, metric, device })
  },
  mineHardNegatives: (metric, device) => {
    const scene = plantedScene('', 20, 400, 24, 7)
    return mineHardNegatives(scene.queries, scene.corpus, scene.positives, {
      ...{ metric, device, numNegatives: 6, explain: 9, sampling: 'weighted', pool: 30 },
      ...{ queryTexts: scene.queryTexts, corpusTexts: scene.corpusTexts },
    })
  },
}

describe.skipIf(!isBuilt)('the emulated GPU beside the CPU', () => {
  for (const metric of metrics)
    for (const [name, ask] of Object.entries(functions))
      it(`${name}, ${metric}`, () => expectSame((device) => ask(metric, device)))

  it.each(metrics)('logSumExp is within both bounds, %s', async (metric) => {
    const ask = (device: Device) =>
      logSumExp(queries, corpus, { temperature: metric === 'cosine' ? 0.05 : 10, metric, device })
    const [gpu, cpu] = [await ask('cuda'), await ask('cpu')]
    gpu.values.forEach((value, query) => {
      const apart = Math.abs(value - cpu.values[query]!)
      expect(apart).toBeLessThanOrEqual(gpu.errorBounds[query]! + cpu.errorBounds[query]!)
    })
    expect({ ...gpu, values: 0, errorBounds: 0, seconds: 0 }).toEqual({
      ...cpu,
      ...{ values: 0, errorBounds: 0, seconds: 0 },
    })
  })
})

const searches: Record<string, (rows: PreparedCorpus, device: Device) => Promise<object>> = {
  topK: (rows, device) => topK(queries, rows, { k: 6, device }),
  rangeSearch: (rows, device) => rangeSearch(queries, rows, { threshold: 0.45, device }),
  mutualNeighbours: (rows, device) => mutualNeighbours(queries, rows, { k: 2, device }),
  reverseTopK: (rows, device) => reverseTopK(queries, rows, { k: 2, device }),
}

describe.skipIf(!isBuilt)('a corpus that stays on the emulated GPU', () => {
  const prepared = async (): Promise<Record<Device, PreparedCorpus>> => ({
    cuda: await prepareCorpus(corpus, { device: 'cuda' }),
    cpu: await prepareCorpus(corpus, { device: 'cpu' }),
  })
  const both = async (
    { cuda, cpu }: Record<Device, PreparedCorpus>,
    change: (corpus: PreparedCorpus, device: Device) => Promise<unknown>,
  ) => [await change(cuda, 'cuda'), await change(cpu, 'cpu')]

  it('serves many calls, and none after its end', async () => {
    const rows = await prepared()
    for (let times = 0; times < 2; times++)
      for (const ask of Object.values(searches))
        await expectSame((device) => ask(rows[device], device))
    rows.cuda.dispose()
    rows.cpu.dispose()
    await expect(topK(queries, rows.cuda, { k: 1, device: 'cuda' })).rejects.toThrow(/dispose/)
    expect(rows.cuda.bytes).toBe(0)
  })

  it('is searched and changed where it is, unless another device is asked for', async () => {
    using held = await prepareCorpus(corpus, { device: 'cuda' })
    await held.remove([3])
    const { indices } = await topK(queries, held, { k: 5 })
    expect(indices).toEqual((await topK(queries, held, { k: 5, device: 'cuda' })).indices)
    for (const ask of [topK, reverseTopK, mutualNeighbours])
      await expect(ask(queries, held, { k: 5, device: 'cpu' })).rejects.toThrow(
        "Expected cuda:0, where the corpus is, for device, received 'cpu'",
      )
  })

  it('answers as the CPU does after each change of its rows', async () => {
    const rows = await prepared()
    const changes: Record<string, Parameters<typeof both>[1]> = {
      append: (each, device) => each.append(gaussian(45, 20, 5), { device }),
      remove: (each, device) => each.remove([0, 31, 32, 50, 333, 705], { device }),
      // Longer than all rows before.
      update: (each, device) => each.update([7, 400], gaussian(2, 20, 6, 1e4), { device }),
      'remove whole pages': (each, device) =>
        each.remove(
          Array.from({ length: 96 }, (_, i) => 96 + i),
          { device },
        ),
    }
    for (const [name, change] of Object.entries(changes)) {
      await both(rows, change)
      expect(rows.cuda.liveRows, name).toBe(rows.cpu.liveRows)
      for (const ask of Object.values(searches))
        await expectSame((device) => ask(rows[device], device))
    }
    rows.cuda.dispose()
    rows.cpu.dispose()
  })
})

afterAll(() => {
  if (isBuilt)
    console.log(
      'mining on the emulated GPU: every trial of mining.test.ts. Thinned: public functions have one scene for ' +
        'each metric; streams, shards, checkpoints, scorers from outside and memory budgets run on the CPU alone',
    )
})

if (isBuilt) await import('./mining.test')
