// A mining job that stops and resumes from its checkpoint gives the answer of one call, bit for bit.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type * as files from '../../lib/data/checkpoint-file'
import type * as places from '../../lib/data/place-beside'
import type * as memory from '../../lib/memory'
import { blockQueries } from '../../lib/mining/mined-blocks'
import {
  mineHardNegatives,
  prepareCorpus,
  readSafetensors,
  type MinedNegatives,
  type MineHardNegativesOptions,
  type MiningSweep,
} from '../../lib/index'
import { plantedScene } from '../conformance/mining-scenes'
import { optionsOf } from '../conformance/mining-suite'

let afterWrite: (() => void) | undefined

vi.mock('../../lib/data/checkpoint-file', async (original) => {
  const whole: typeof files = await original()
  const writeCheckpoint: typeof whole.writeCheckpoint = async (...args) => {
    await whole.writeCheckpoint(...args)
    afterWrite?.()
  }
  return { ...whole, writeCheckpoint }
})

/** Bytes that the process seems to have left. */
let available: number | undefined

let beside: string | undefined

vi.mock('../../lib/data/place-beside', async (original) => {
  const { placeBeside }: typeof places = await original()
  return { placeBeside: (path: string) => beside ?? placeBeside(path) }
})

vi.mock('../../lib/memory', async (original) => {
  const whole: typeof memory = await original()
  return { ...whole, availableMemory: () => available ?? whole.availableMemory() }
})

let folder: string
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'mining-checkpoint-'))))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

// Three blocks of queries.
const scene = plantedScene('checkpoints', 700, 90, 8, 6)
const { queries, corpus, positives } = scene

const mine = (options: MineHardNegativesOptions) =>
  mineHardNegatives(queries, corpus, positives, options)

/** Everything that must not depend on the cut. */
const answerOf = ({ seconds, certified, fallback, ...answer }: MinedNegatives) => ({
  ...answer,
  settled: certified + fallback,
})

/** Mines with a checkpoint after each block; returns copies of all that were written. */
async function checkpointsOf(options: MineHardNegativesOptions, name: string): Promise<string[]> {
  const checkpoint = at(`${name}.safetensors`)
  const written: string[] = []
  afterWrite = () => {
    const copy = at(`${name}-${written.length}.safetensors`)
    copyFileSync(checkpoint, copy)
    written.push(copy)
  }
  await mine({ ...options, checkpoint, checkpointSeconds: 0 })
  afterWrite = undefined
  return written
}

const trials = {
  'the best, explained': { numNegatives: 3, explain: 4 },
  'random draws': { sampling: 'random', pool: 20, seed: 4 },
  'a band': { sampling: 'band', seed: 7, minScore: -0.2, maxScore: 0.4, explain: 2 },
  'texts, groups and exclusions': { texts: true, groups: 'different', exclude: true },
  'lists of candidates': { candidates: true, maxScore: 0.6 },
  'positives that must rank well': { maxPositiveRank: 3 },
  'a list for each positive': { reference: 'each', explain: 2, numNegatives: 3 },
} as const

describe('a checkpoint of mining', () => {
  it('is cut into blocks whose size depends on the job alone', () => {
    const blocks = (queries: number, rows: number, isKept: boolean) =>
      blockQueries(queries, { rows, cols: 384 }, isKept)
    expect(blocks(700, 90, true)).toBe(256)
    expect(blocks(1e6, 1e6, true)).toBe(2864)
    expect(blocks(1e6, 1e8, true)).toBe(256)
    expect(blocks(1e6, 1e8, false)).toBe(4096)
  })

  it.each(Object.entries(trials))('resumes to the bits of one call: %s', async (_, trial) => {
    const options = optionsOf(scene, trial)
    const whole = await mine(options)
    const written = await checkpointsOf(options, 'run')
    expect(written.length).toBe(4)
    for (const resume of written) {
      const resumed = await mine({ ...options, resume, threads: 1 })
      expect(answerOf(resumed)).toEqual(answerOf(whole))
      expect(await resumed.statistics()).toEqual(await whole.statistics())
    }
  })

  it('that stops in the middle resumes with checkpoints of its own', async () => {
    const checkpoint = at('stopped.safetensors')
    const control = new AbortController()
    let writes = 0
    afterWrite = () => {
      if (++writes === 2) control.abort(new Error('enough'))
    }
    const options = { numNegatives: 3, checkpoint, checkpointSeconds: 0 }
    await expect(mine({ ...options, signal: control.signal })).rejects.toThrow('enough')
    afterWrite = undefined
    const resumed = await mine({ ...options, resume: checkpoint })
    expect(answerOf(resumed)).toEqual(answerOf(await mine({ numNegatives: 3 })))
    expect(answerOf(await mine({ ...options, resume: checkpoint }))).toEqual(answerOf(resumed))
  })

  it('resumes a shard, a prepared corpus and given scores of positives', async () => {
    const { indptr, indices } = whole0
    const listed = { indptr, indices }
    const positiveScores = Float32Array.from(indices, (row) => 0.5 + row / 1000)
    using prepared = await prepareCorpus(corpus)
    const ask = (options: MineHardNegativesOptions) =>
      mineHardNegatives(queries, prepared, listed, {
        shard: { index: 1, count: 2 },
        positiveScores,
        ...options,
      })
    const whole = await ask({})
    const checkpoint = at('shard.safetensors')
    await ask({ checkpoint })
    expect(answerOf(await ask({ resume: checkpoint }))).toEqual(answerOf(whole))
    await expect(ask({ resume: checkpoint, shard: { index: 0, count: 2 } })).rejects.toThrow(
      'expected shard 0/2, as in this call, received 1/2',
    )
  })

  it('resumes a sweep', async () => {
    const sweep: MiningSweep = {
      sweep: [{ relativeMargin: 0.05 }, { relativeMargin: 0.3, numNegatives: 2, explain: 1 }],
    }
    const ask = (options: object) =>
      mineHardNegatives(queries, corpus, positives, { ...sweep, ...options })
    const whole = await ask({})
    const checkpoint = at('sweep.safetensors')
    await ask({ checkpoint })
    const resumed = await ask({ resume: checkpoint })
    expect(resumed.map(answerOf)).toEqual(whole.map(answerOf))
    await expect(mine({ resume: checkpoint })).rejects.toThrow('expected answers 1')
  })

  it('resumes a shard and a sweep with lists for each positive beside lists for each query', async () => {
    const ask = (options: object) =>
      mineHardNegatives(queries, corpus, positives, {
        shard: { index: 1, count: 2 },
        sweep: [{ reference: 'each' }, { reference: 'max', numNegatives: 2 }],
        ...options,
      })
    const whole = await ask({})
    const checkpoint = at('lists.safetensors')
    const control = new AbortController()
    afterWrite = () => control.abort(new Error('enough'))
    const stopped = { checkpoint, checkpointSeconds: 0, signal: control.signal }
    await expect(ask(stopped)).rejects.toThrow('enough')
    afterWrite = undefined
    const resumed = await ask({ resume: checkpoint, checkpoint })
    expect(resumed.map(answerOf)).toEqual(whole.map(answerOf))
    expect((await ask({ resume: checkpoint })).map(answerOf)).toEqual(whole.map(answerOf))
  })

  it('holds the finished blocks of a job that fails', async () => {
    const checkpoint = at('failed.safetensors')
    const data = queries.data.slice()
    data[600 * queries.cols] = NaN
    await expect(
      mineHardNegatives({ ...queries, data }, corpus, positives, { checkpoint }),
    ).rejects.toMatchObject({ argument: 'queries', row: 600 })
    expect((await readSafetensors(checkpoint)).metadata['done']).toBe('512')
  })

  it('keeps a prepared corpus that is disposed of between two blocks', async () => {
    const prepared = await prepareCorpus(corpus)
    const checkpoint = at('disposed.safetensors')
    let writes = 0
    afterWrite = () => {
      if (++writes === 2) prepared.dispose()
    }
    const options = { checkpoint, checkpointSeconds: 0 }
    const mined = await mineHardNegatives(queries, prepared, positives, options)
    afterWrite = undefined
    expect(writes).toBe(4)
    expect(answerOf(mined)).toEqual(answerOf(await mine({})))
  })

  it('of no queries is one too', async () => {
    const none = { ...queries, data: new Float32Array(0), rows: 0 }
    const checkpoint = at('none.safetensors')
    const ask = (options: object) => mineHardNegatives(none, corpus, [], options)
    await ask({ checkpoint })
    expect(answerOf(await ask({ resume: checkpoint }))).toEqual(answerOf(await ask({})))
  })

  it('of a corpus that is read again for every block has the same bits', async () => {
    const checkpoint = at('read.safetensors')
    available = 0
    const read = await mine({ checkpoint })
    available = undefined
    expect(answerOf(read)).toEqual(answerOf(await mine({})))
  })

  it('leaves no other file', async () => {
    const place = at('alone')
    mkdirSync(place)
    await mine({ checkpoint: join(place, 'run.safetensors'), checkpointSeconds: 0 })
    expect(readdirSync(place)).toEqual(['run.safetensors'])
  })
})

const whole0 = {
  indptr: Int32Array.from([0, ...positives.map((_, i) => sizeUntil(i + 1))]),
  indices: Int32Array.from(positives.flat()),
}

function sizeUntil(query: number) {
  return positives.slice(0, query).reduce((sum, list) => sum + list.length, 0)
}

type Given = Omit<MineHardNegativesOptions, 'excludeSelf'> & { excludeSelf?: number[] }

describe('a checkpoint of mining is refused', () => {
  const checkpoint = () => at('base.safetensors')
  beforeAll(() => mine({ checkpoint: checkpoint(), maxRank: 50 }))
  const resume = (options: MineHardNegativesOptions = {}) =>
    mine({ maxRank: 50, resume: checkpoint(), ...options })

  it.each<[string, Given, string]>([
    ['numNegatives', { numNegatives: 5 }, 'numNegatives 5, as in this call, received 4'],
    ['no margin', { relativeMargin: null }, 'relativeMargin none, as in this call, received 0.05'],
    ['no limit of ranks', { maxRank: undefined }, 'maxRank none, as in this call, received 50'],
    ['seed', { seed: 1 }, 'seed 1, as in this call'],
    ['metric', { metric: 'dot' }, 'metric dot, as in this call'],
    ['rows of the queries', { excludeSelf: positives.map(() => -1) }, 'the same excludeSelf'],
    ['exclusions', { exclude: positives.map(() => [1]) }, 'a checkpoint of the same exclude'],
    ['a set of exclusions', { exclude: Uint32Array.of(1, 0, 0) }, 'the same exclude'],
    ['allowed rows', { allow: Uint32Array.of(~0, ~0, 1) }, 'a checkpoint of the same allow'],
    ['candidates', { candidates: positives.map(() => [1]) }, 'a checkpoint of the same candidates'],
  ])('with other options: %s', async (_, { excludeSelf, ...options }: Given, message) => {
    const self = excludeSelf && { excludeSelf: Int32Array.from(excludeSelf) }
    await expect(resume({ ...options, ...self })).rejects.toMatchObject({
      code: 'ERR_GEMMINE_FILE',
      message: expect.stringContaining(message) as string,
    })
  })

  it('with other inputs, by their names', async () => {
    const other = <M extends { data: Float32Array }>(matrix: M) => {
      const data = matrix.data.slice()
      data[5]! += 0.01
      return { ...matrix, data }
    }
    const options = { maxRank: 50, resume: checkpoint() }
    const message = (name: string) => `expected a checkpoint of the same ${name}, received`
    await expect(mineHardNegatives(other(queries), corpus, positives, options)).rejects.toThrow(
      message('queries'),
    )
    await expect(mineHardNegatives(queries, other(corpus), positives, options)).rejects.toThrow(
      message('corpus'),
    )
    using prepared = await prepareCorpus(other(corpus))
    await expect(mineHardNegatives(queries, prepared, positives, options)).rejects.toThrow(
      message('corpus'),
    )
    const changed = positives.map((list, i) => (i === 3 ? [...list, 89] : list))
    await expect(mineHardNegatives(queries, corpus, changed, options)).rejects.toThrow(
      message('positives'),
    )
  })

  it('after a row of the corpus was removed', async () => {
    using changed = await prepareCorpus(corpus)
    await changed.remove([7])
    const options = { maxRank: 50, resume: checkpoint() }
    await expect(mineHardNegatives(queries, changed, positives, options)).rejects.toThrow(
      'expected a checkpoint of the same liveRows',
    )
  })

  it('if it is no checkpoint, or is damaged', async () => {
    const path = at('damaged.safetensors')
    await expect(resume({ resume: path })).rejects.toThrow('there is no such file')
    writeFileSync(path, 'no checkpoint')
    await expect(resume({ resume: path })).rejects.toThrow('received another file')
    copyFileSync(checkpoint(), path)
    truncateSync(path, readFileSync(path).length - 100)
    await expect(resume({ resume: path })).rejects.toMatchObject({ code: 'ERR_GEMMINE_FILE' })
  })

  it('if one of its bytes has changed', async () => {
    const path = at('changed.safetensors')
    const whole = readFileSync(checkpoint())
    const start = 8 + Number(whole.readBigUInt64LE())
    for (let i = 0; i < 16; i++) {
      const bytes = Buffer.from(whole)
      const place = start + Math.floor(((bytes.length - start) * i) / 16)
      bytes[place]! ^= 1 << (i % 8)
      writeFileSync(path, bytes)
      await expect(resume({ resume: path })).rejects.toMatchObject({
        code: 'ERR_GEMMINE_FILE',
        message: `${path}: expected a whole checkpoint, received a damaged one`,
      })
    }
  })

  it('beside a hub cap, because all queries share the rows out', async () => {
    const path = at('hubs.safetensors')
    await expect(mine({ hubCap: 2, checkpoint: path })).rejects.toThrow(
      'none beside a checkpoint, as no query is done before rows are shared out among all for hubCap',
    )
    expect(existsSync(path)).toBe(false)
  })

  it('where it cannot be written, before the job starts', async () => {
    const missing = join(folder, 'missing', 'run.safetensors')
    await expect(mine({ checkpoint: missing })).rejects.toMatchObject({ code: 'ERR_GEMMINE_FILE' })
    writeFileSync(at('notes.txt'), 'mine')
    await expect(mine({ checkpoint: at('notes.txt') })).rejects.toThrow('received another file')
    expect(readFileSync(at('notes.txt'), 'utf8')).toBe('mine')
  })

  it.runIf(existsSync('/dev/full'))('on a full disk, with the earlier one unchanged', async () => {
    const path = at('full.safetensors')
    const earlier = readFileSync(checkpoint())
    writeFileSync(path, earlier)
    beside = `${path}.part-full`
    symlinkSync('/dev/full', beside)
    await expect(mine({ checkpoint: path })).rejects.toMatchObject({
      code: 'ERR_GEMMINE_FILE',
      message: `${path}: no space is left on the disk`,
    })
    beside = undefined
    expect(readFileSync(path).equals(earlier)).toBe(true)
    expect(readdirSync(folder).filter((name) => name.includes('.part-'))).toEqual([])
  })

  it('when its place goes away in the middle', async () => {
    const place = at('place')
    mkdirSync(place)
    afterWrite = () => renameSync(place, at('moved'))
    const stopped = mine({ checkpoint: join(place, 'run.safetensors'), checkpointSeconds: 0 })
    await expect(stopped).rejects.toMatchObject({
      code: 'ERR_GEMMINE_FILE',
      message: expect.stringContaining('there is no such file or folder') as string,
    })
    afterWrite = undefined
  })
})
