// Merges the parts of a mining job.
import { ruleNames } from '../data/mined-lines'
import { joined, joinedStarts, type Numbers } from '../data/pieces'
import { invalid, invalidText } from '../errors'
import { nothingAsked, type NativeMined, type NativeRejected } from '../native'
import { MinedNegatives, type MinedRun } from './mined-negatives'
import { miningWarnings, type Asked } from './mining-warnings'
import { listStartsOf } from './query-lists'
import { joinedIds } from './row-ids'
import type { MinedShard } from './query-shard'

/** A mined part with the description of its shard. */
export type MinedPart = MinedNegatives & { readonly shard: MinedShard }

/** A fault of one of several parts. */
export interface PartComplaint {
  readonly part: number
  readonly expected: string
  readonly received: string
}

const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** What tells parts of one job from those of others. */
export interface ShardedPart {
  readonly shard: MinedShard
  readonly corpus: number
  readonly numNegatives: number
  readonly dimensions?: number
  readonly metric?: string
  /** Those of negatives and of positives, where the corpus has ids. */
  readonly ids?: unknown
  readonly positiveIds?: unknown
}

/** The fields that all parts of a job share, by their names in messages. */
function identityOf({ shard, ...run }: ShardedPart): Record<string, unknown> {
  const { queries, count, options, fingerprint } = shard
  const { corpus, dimensions, metric, numNegatives } = run
  const ids = run.ids !== undefined || run.positiveIds !== undefined ? 'given' : undefined
  const sizes = { queries, corpus, dimensions, metric, numNegatives, 'parts of the job': count }
  return {
    ...sizes,
    ...options,
    'ids of the corpus': ids,
    'fingerprint of the inputs': fingerprint,
  }
}

function foreign(
  parts: readonly ShardedPart[],
  names: readonly string[],
): PartComplaint | undefined {
  const wanted = identityOf(parts[0]!)
  for (const [part, each] of parts.entries()) {
    const found = identityOf(each)
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(found)]))
      if (found[name] !== wanted[name]) {
        const expected = `a part of the job of ${names[0]}, with ${name} ${shown(wanted[name] ?? 'not given')}`
        return { part, expected, received: shown(found[name] ?? 'none') }
      }
  }
  return undefined
}

/**
 * The first reason why parts cannot be merged, or nothing.
 *
 * @param names Names of the parts in messages.
 */
export function partComplaint(
  parts: readonly ShardedPart[],
  names: readonly string[],
): PartComplaint | undefined {
  const complaint = foreign(parts, names)
  if (complaint) return complaint
  const { count } = parts[0]!.shard
  const holders = new Map<number, number>()
  for (const [part, { shard }] of parts.entries()) {
    const other = holders.get(shard.index)
    if (other !== undefined)
      return {
        part,
        expected: 'every part once',
        received: `part ${shard.index}/${count} again, which ${names[other]} is`,
      }
    holders.set(shard.index, part)
  }
  if (holders.size === count) return undefined
  let missing = 0
  while (holders.has(missing)) missing++
  const received = `no part ${missing}/${count}`
  return { part: 0, expected: `all ${count} parts of the job beside it`, received }
}

export const sumOf = <Part>(parts: readonly Part[], value: (part: Part) => number): number =>
  parts.reduce((total, part) => total + value(part), 0)

const rejectedOf = async (parts: readonly NativeRejected[]): Promise<NativeRejected> => ({
  queries: await joined(
    parts.map(({ queries }) => queries),
    Int32Array,
  ),
  positives: await joined(
    parts.map(({ positives }) => positives),
    Int32Array,
  ),
  indptr: await joinedStarts(parts.map(({ indptr }) => indptr)),
  rows: await joined(
    parts.map(({ rows }) => rows),
    Int32Array,
  ),
  scores: await joined(
    parts.map(({ scores }) => scores),
    Float64Array,
  ),
  rules: await joined(
    parts.map(({ rules }) => rules),
    Uint8Array,
  ),
})

/** The counts of no queries. */
export const nothingMined: NativeMined = {
  ...nothingAsked,
  dropped: new Float64Array(ruleNames.length),
  queriesWithoutPositives: 0,
  inconsistent: 0,
  candidatePairs: 0,
  rejected: {
    queries: new Int32Array(0),
    positives: new Int32Array(0),
    indptr: new Int32Array(1),
    rows: new Int32Array(0),
    scores: new Float64Array(0),
    rules: new Uint8Array(0),
  },
}

/** The counts of consecutive blocks of queries, as one. */
export async function joinMined(blocks: readonly NativeMined[]): Promise<NativeMined> {
  const sum = (value: (block: NativeMined) => number) => sumOf(blocks, value)
  return {
    dropped: Float64Array.from(ruleNames, (_, i) => sum(({ dropped }) => dropped[i]!)),
    queriesWithoutPositives: sum((block) => block.queriesWithoutPositives),
    inconsistent: sum(({ inconsistent }) => inconsistent),
    candidatePairs: sum(({ candidatePairs }) => candidatePairs),
    certified: sum(({ certified }) => certified),
    fallback: sum(({ fallback }) => fallback),
    zeroQueries: sum(({ zeroQueries }) => zeroQueries),
    zeroRows: Math.max(...blocks.map(({ zeroRows }) => zeroRows)),
    seconds: sum(({ seconds }) => seconds),
    rejected: await rejectedOf(blocks.map(({ rejected }) => rejected)),
  }
}

/** Joins checked parts, in any order, to one answer. */
export async function joinParts(given: readonly MinedPart[]): Promise<MinedNegatives> {
  const parts = [...given].sort((a, b) => a.shard.index - b.shard.index)
  const [first] = parts as [MinedPart]
  const { corpus, liveRows, dimensions, numNegatives, metric, ceilings, shard } = first
  const all = <Kind extends Numbers>(
    of: (part: MinedPart) => Kind,
    Kind: new (length: number) => Kind,
  ) => joined(parts.map(of), Kind)
  const positives = {
    indptr: await joinedStarts(parts.map((part) => part.positives.indptr)),
    indices: await all((part) => part.positives.indices, Int32Array),
  }
  const run: Omit<MinedRun, 'warnings'> = {
    queries: shard.queries,
    firstQuery: 0,
    shard: undefined,
    corpus,
    liveRows,
    dimensions,
    numNegatives,
    metric,
    ceilings,
    positives,
    listStarts: first.listStarts && (await listStartsOf(positives)),
    positiveScores: await all(({ positiveScores }) => positiveScores, Float64Array),
    indices: await all(({ indices }) => indices, Int32Array),
    scores: await all(({ scores }) => scores, Float32Array),
    counts: await all(({ counts }) => counts, Int32Array),
    ranks: await all(({ ranks }) => ranks, Int32Array),
    sources: first.sources && (await all(({ sources }) => sources!, Uint8Array)),
    ids: first.ids && (await joinedIds(parts.map(({ ids }) => ids!))),
    positiveIds: first.positiveIds && (await joinedIds(parts.map((part) => part.positiveIds!))),
    found: sumOf(parts, ({ found }) => found),
    served: sumOf(parts, ({ served }) => served),
    shortfall: sumOf(parts, ({ shortfall }) => shortfall),
    dropped: Object.fromEntries(
      ruleNames.map((rule) => [rule, sumOf(parts, ({ dropped }) => dropped[rule])]),
    ) as MinedNegatives['dropped'],
    queriesWithoutPositives: sumOf(parts, (part) => part.queriesWithoutPositives),
    inconsistent: sumOf(parts, (part) => part.inconsistent),
    candidatePairs: sumOf(parts, (part) => part.candidatePairs),
    certified: sumOf(parts, (part) => part.certified),
    fallback: sumOf(parts, (part) => part.fallback),
    zeroQueries: sumOf(parts, (part) => part.zeroQueries),
    // A part without queries has not read the corpus.
    zeroRows: Math.max(...parts.map(({ zeroRows }) => zeroRows)),
    seconds: sumOf(parts, (part) => part.seconds),
    rejected: await rejectedOf(parts.map(({ rejected }) => rejected)),
  }
  const asked = shard.options as unknown as Asked
  return new MinedNegatives({ ...run, warnings: miningWarnings(run, asked, String) })
}

/**
 * Merges the answers of {@link mineHardNegatives} for the parts of a job (`shard`). The result is, bit for
 * bit, the answer of one call for all queries; `seconds`, `certified` and `fallback` are sums.
 *
 * @param parts All parts of one job, each once, in any order.
 * @throws {TypeError | RangeError} naming the part that belongs to another job, is given twice or is missing.
 *
 * @example
 * const parts = await Promise.all(
 *   [0, 1].map((index) =>
 *     mineHardNegatives(queries, corpus, positives, { shard: { index, count: 2 } }),
 *   ),
 * )
 * const mined = await mergeMined(parts)
 */
export async function mergeMined(parts: readonly MinedNegatives[]): Promise<MinedNegatives> {
  checkParts(parts, MinedNegatives, 'what mineHardNegatives() gave with shard')
  return joinParts(parts as readonly MinedPart[])
}

/**
 * @param Kind The class of the parts.
 * @throws {TypeError} unless the parts are those of one job, each once.
 */
export function checkParts(
  parts: readonly unknown[],
  Kind: new (run: never) => { readonly shard: MinedShard | undefined },
  expected: string,
) {
  if (!Array.isArray(parts) || parts.length === 0)
    throw invalid('parts', 'the parts of a job, at least one', parts)
  for (const [i, part] of parts.entries())
    if (!(part instanceof Kind && part.shard)) throw invalid(`parts[${i}]`, expected, part)
  const names = parts.map((_, i) => `parts[${i}]`)
  const complaint = partComplaint(parts as readonly ShardedPart[], names)
  if (complaint) throw invalidText(names[complaint.part]!, complaint.expected, complaint.received)
}
