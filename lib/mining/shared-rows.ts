// Rows of a corpus in shards whose text rows of other shards have too. They are mined together, by one shard,
// because of rows with equal texts only the best is a candidate.
import { isInt32Array } from 'node:util/types'
import { joined, mapped } from '../data/pieces'
import { inSlices } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import type { Addon, JobControl } from '../native'
import { checkInteger } from '../options'
import { isMarked } from './corpus-changes'
import type { CorpusRange } from './corpus-shard'
import type { Scanned } from './prepare-corpus'
import { digestBytes, type SharedTexts } from './text-digests'

/** The shared rows of some shards: plain data. */
export interface SharedRows {
  /** The rows, numbered as in the whole corpus, ascending, [m]. */
  readonly rows: Int32Array
  /** Digests of their texts, [m × 16]. */
  readonly digests: Uint8Array
  /** The rows themselves, [m × d]. */
  readonly vectors: Float32Array
  /** Their groups, [m], if they were given. */
  readonly groups: Int32Array | undefined
}

/** @throws {TypeError | RangeError} if this is not what mergeTextDigests() gave for this corpus. */
export async function checkShared(shared: SharedTexts, corpusRows: number) {
  if (typeof shared !== 'object' || shared === null || !isInt32Array(shared.rows))
    throw invalid('sharedTexts', 'what mergeTextDigests() gave', shared)
  const { rows, digests } = shared
  if (shared.corpusRows !== corpusRows)
    throw invalidText(
      'sharedTexts',
      `the texts of a corpus of ${corpusRows} rows, as corpusRows says`,
      `those of ${shared.corpusRows} rows`,
    )
  if (!(digests instanceof Uint8Array) || digests.length !== rows.length * digestBytes)
    throw invalid('sharedTexts.digests', `${rows.length * digestBytes} bytes`, digests)
  // checkInteger() is called for the message alone, because its name costs more than the comparison.
  await inSlices(rows.length, (begin, end) => {
    for (let i = begin; i < end; i++) {
      const least = i === 0 ? 0 : rows[i - 1]! + 1
      if (!(rows[i]! >= least && rows[i]! < corpusRows))
        checkInteger(`sharedTexts.rows[${i}]`, rows[i], least, corpusRows - 1)
    }
  })
}

/** The first place of an ascending array with at least this value. */
export function lowerBound(ascending: Int32Array, value: number): number {
  let [low, high] = [0, ascending.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/** The shared rows that lie in a shard. */
async function within(shared: SharedTexts, { firstRow, rows }: CorpusRange) {
  const begin = lowerBound(shared.rows, firstRow)
  const end = lowerBound(shared.rows, firstRow + rows)
  const digests = shared.digests.subarray(begin * digestBytes, end * digestBytes)
  return {
    rows: await joined([shared.rows.subarray(begin, end)], Int32Array),
    digests: await joined([digests], Uint8Array),
  }
}

/** The rows that were not removed from a shard. */
async function liveOf(
  { rows, digests }: Pick<SharedRows, 'rows' | 'digests'>,
  { firstRow }: CorpusRange,
  live: Uint32Array,
) {
  const places: number[] = []
  await inSlices(rows.length, (begin, end) => {
    for (let i = begin; i < end; i++) if (isMarked(live, rows[i]! - firstRow)) places.push(i)
  })
  const kept = new Uint8Array(places.length * digestBytes)
  await inSlices(places.length, (begin, end) => {
    for (let i = begin; i < end; i++) {
      const at = places[i]! * digestBytes
      kept.set(digests.subarray(at, at + digestBytes), i * digestBytes)
    }
  })
  return { rows: await mapped(Int32Array.from(places), (place) => rows[place]!), digests: kept }
}

/** Takes the shared rows out of a shard, without those removed. */
export async function sharedRowsOf(
  shared: SharedTexts,
  range: CorpusRange,
  corpusGroups: Int32Array | undefined,
  { cols, target, device }: { cols: number; target: Scanned; device: string },
  run: (start: (addon: Addon, control: JobControl) => Promise<number>) => Promise<number>,
): Promise<SharedRows> {
  const all = await within(shared, range)
  const live = target.handle?.live()
  const { rows, digests } = live ? await liveOf(all, range, live) : all
  const vectors = resultArray(Float32Array, rows.length * cols)
  const places = await mapped(rows, (row) => row - range.firstRow)
  const corpus = target.handle ?? target.matrix!
  if (rows.length > 0)
    await run((addon, control) =>
      addon.takeRows(corpus, { device, metric: target.metric }, places, vectors, control),
    )
  const groups = corpusGroups && (await mapped(places, (place) => corpusGroups[place]!))
  return { rows, digests, vectors, groups }
}

/** The shared rows of all shards, which are in the order of their rows. */
export async function joinShared(
  parts: readonly (SharedRows | undefined)[],
): Promise<SharedRows | undefined> {
  const known = parts.filter((part) => part !== undefined)
  if (known.length === 0) return undefined
  const all = <Field extends keyof SharedRows>(field: Field) => known.map((part) => part[field])
  const groups = all('groups').filter((part) => part !== undefined)
  return {
    rows: await joined(all('rows'), Int32Array),
    digests: await joined(all('digests'), Uint8Array),
    vectors: await joined(all('vectors'), Float32Array),
    groups: groups.length === known.length ? await joined(groups, Int32Array) : undefined,
  }
}
