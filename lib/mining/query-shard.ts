// Parts of a mining job, cut by queries, so that several machines can do it.
import { createHash } from 'node:crypto'
import { hashOf } from '../data/hash'
import { invalid } from '../errors'
import type { Addon, JobControl, NativeCorpus, NativeSource } from '../native'
import { checkInteger } from '../options'
import type { Ceilings } from './ceiling-rules'
import type { MineHardNegativesOptions } from './mining-options'

/** The part of the queries to mine: number `index`, from 0, of `count` parts. */
export interface QueryShard {
  readonly index: number
  readonly count: number
}

/** A part of a job, with the data that distinguishes parts of different jobs. */
export interface MinedShard extends QueryShard {
  /** Queries of the whole job. */
  readonly queries: number
  /** The settled options that are numbers or names. */
  readonly options: Readonly<Record<string, string | number | boolean | null>>
  /** Fingerprint of all other inputs: rows, lists, groups and texts. */
  readonly fingerprint: string
}

/**
 * The first query of a part, and its number of queries: rows ⌊index·n/count⌋ to ⌊(index + 1)·n/count⌋ − 1.
 */
export function shardRange(shard: QueryShard | undefined, queries: number) {
  if (shard === undefined) return { firstQuery: 0, queryCount: queries }
  const start = (index: number) => Number((BigInt(index) * BigInt(queries)) / BigInt(shard.count))
  const firstQuery = start(shard.index)
  return { firstQuery, queryCount: start(shard.index + 1) - firstQuery }
}

/** @throws {TypeError | RangeError} if `shard` is not a valid part. */
export function checkShard(shard: QueryShard | undefined) {
  if (shard === undefined) return
  if (typeof shard !== 'object' || shard === null || Array.isArray(shard))
    throw invalid('shard', 'an object of index and count', shard)
  checkInteger('shard.count', shard.count, 1)
  checkInteger('shard.index', shard.index, 0, shard.count - 1)
}

/** The settled options that are numbers or names, with the active ceilings. */
export function plainOptions(
  settled: MineHardNegativesOptions,
  inForce: Ceilings,
): MinedShard['options'] {
  const { threads, device, priority, signal, onProgress, memoryBudget, ...own } = settled
  const { shard, checkpoint, checkpointSeconds, resume, excludeSelf, ...rules } = own
  const all = { ...rules, excludeSelf: Boolean(excludeSelf), ...inForce }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) =>
      ['string', 'number', 'boolean'].includes(typeof value) || value === null
        ? [[name, value as string | number | boolean | null] as const]
        : [],
    ),
  )
}

/** The inputs of a job, except numbers and names. */
export interface JobInputs {
  readonly matrices: Readonly<Record<string, NativeSource | NativeCorpus>>
  /** Only options that are arrays, or lists made of arrays, are used. */
  readonly options: object
  run(start: (addon: Addon, control: JobControl) => Promise<string>): Promise<string>
}

/** The arrays among the options, and the arrays of lists, by name. */
const arraysAmong = (options: object): (readonly [string, ArrayBufferView])[] =>
  Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
    if (ArrayBuffer.isView(value)) return [[name, value] as const]
    if (typeof value !== 'object' || value === null) return []
    return arraysAmong(value).map(([part, array]) => [`${name}.${part}`, array] as const)
  })

/** A hash of each input, in hexadecimal digits; two different ones are very unlikely to have the same. */
export async function fingerprintsOf({ matrices, options, run }: JobInputs) {
  const found: Record<string, string> = {}
  for (const [name, matrix] of Object.entries(matrices)) {
    const isEmpty = 'rows' in matrix && matrix.rows === 0
    found[name] = isEmpty
      ? 'none'
      : await run((addon, control) => addon.fingerprint(matrix, control))
  }
  for (const [name, value] of Object.entries(options)) {
    const arrays = arraysAmong({ [name]: value })
    if (arrays.length > 0) found[name] = await hashOf(arrays)
  }
  return found
}

/** A hash of all inputs. */
export const fingerprintOf = async (inputs: JobInputs): Promise<string> =>
  createHash('sha256')
    .update(JSON.stringify(await fingerprintsOf(inputs)))
    .digest('hex')
