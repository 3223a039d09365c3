// The files that `mine` writes, and that `merge` writes from the parts of a job.
import { writeNpy } from '../data/npy'
import type { IncompleteMode, MinedFormat } from '../data/mined-layouts'
import type { MinedNegatives } from '../mining/mined-negatives'
import { miningWarnings, type Asked } from '../mining/mining-warnings'
import { optionOf, type Files } from './failure'
import { fileWarnings } from './file-warnings'
import { counted, heading, rateOf, type Job } from './job'

/** Data of a run for the summary, besides the results. */
export interface MineRun {
  readonly seed: number
  readonly unknownIds: number
  readonly threads: number
  readonly device: string
  readonly precision: string
  /** The path of the positives as typed. */
  readonly positives: string
  readonly format?: MinedFormat | undefined
  readonly incomplete?: IncompleteMode | undefined
  /** Whether the examples are written as Parquet. */
  readonly parquet?: boolean | undefined
  readonly explain?: number | undefined
}

export async function writeArrays(mined: MinedNegatives, { write }: Job) {
  const { lists, numNegatives, indices, scores, counts } = mined
  const shape = [lists, numNegatives]
  await write('indices.npy', (path) => writeNpy(path, { data: indices, shape }))
  await write('scores.npy', (path) => writeNpy(path, { data: scores, shape }))
  await write('counts.npy', (path) => writeNpy(path, { data: counts, shape: [lists] }))
}

/** Names for lib's warnings: as the user typed them, or as in the output. */
function namingOf({ positives }: MineRun) {
  const files: Files = { positives, 'triplets()': 'negatives.jsonl' }
  return (argument: string) => files[argument] ?? optionOf(argument)
}

/** The counters, without those of optional rules that were not asked for. */
function droppedOf(
  { dropped }: MinedNegatives,
  { nearPositiveScore, nearDuplicateScore, hubCap }: Asked,
) {
  const { nearPositive, nearDuplicate, hub, ...others } = dropped
  return {
    ...others,
    ...(nearPositiveScore !== undefined && { nearPositive }),
    ...(nearDuplicateScore !== undefined && { nearDuplicate }),
    ...(hubCap !== undefined && { hub }),
  }
}

/** @param out Path of the files, if any are written. */
export async function minedSummary(
  mined: MinedNegatives,
  run: MineRun,
  asked: Asked,
  out: string | undefined,
) {
  const { queries, corpus, dimensions, seconds, shard } = mined
  const warnings = miningWarnings(mined, asked, namingOf(run))
  return {
    ...heading('mine'),
    queries,
    ...(mined.listStarts && { lists: mined.lists }),
    corpus,
    dimensions,
    ...(shard && { shard: { index: shard.index, count: shard.count, queries: shard.queries } }),
    numNegatives: mined.numNegatives,
    metric: mined.metric,
    found: mined.found,
    shortfall: mined.shortfall,
    queriesWithoutPositives: mined.queriesWithoutPositives,
    inconsistent: mined.inconsistent,
    dropped: droppedOf(mined, asked),
    ceilings: mined.ceilings,
    ...(await mined.statistics()),
    seconds,
    gflops: rateOf(2 * mined.candidatePairs * dimensions, seconds),
    threads: run.threads,
    seed: run.seed,
    device: run.device,
    precision: run.precision,
    certified: mined.certified,
    fallback: mined.fallback,
    unknownIds: run.unknownIds,
    warnings: [...warnings, ...fileWarnings(mined, { ...run, out })],
  }
}

export function minedOutcome({
  found,
  served,
  queries,
  lists,
  listStarts,
  shortfall,
  numNegatives,
  dropped,
}: MinedNegatives) {
  const asked = listStarts
    ? counted(lists, 'pair of query and positive', 'pairs of query and positive')
    : counted(queries, 'query', 'queries')
  return (
    `${counted(found, 'negative')} for ${served} of ${asked}, ` +
    `${shortfall} with fewer than ${numNegatives}, ` +
    `${counted(dropped.ceiling, 'candidate')} above the ceiling`
  )
}
