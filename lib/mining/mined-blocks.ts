// Mines the queries of a job block by block, so that a checkpoint can keep the answers of finished blocks.
import { checkPlace, type CheckpointOptions, type Identity } from '../data/checkpoint-file'
import { holding } from '../jobs'
import { availableMemory } from '../memory'
import {
  runJob,
  type CheckedJob,
  type NativeCorpus,
  type NativeMined,
  type NativeMineOptions,
  type NativePositiveArrays,
  type NativeSource,
} from '../native'
import type { NamedArrays } from '../data/typed-array'
import { arraysWithin, MinedSoFar, type Answered } from './mining-checkpoint'
import { packedBytes } from './prepare-corpus'
import { hold } from './shared-scan'

/** One mining job in the form for the addon. */
export interface MiningCall {
  readonly queries: NativeSource
  readonly corpus: NativeSource | NativeCorpus
  readonly options: NativeMineOptions
  readonly positives: NativePositiveArrays
  readonly answers: readonly Answered[]
  readonly job: CheckedJob
  /** The caller's arrays, by their names in messages. */
  readonly arrays: NamedArrays
}

/** Mines some of the queries of a call, or all of them. */
export const mineQueries = (
  { queries, corpus, options, positives, answers, job, arrays }: MiningCall,
  onProgress = job.onProgress,
): Promise<NativeMined[]> =>
  runJob({ ...job, onProgress }, arrays, (addon, control) =>
    addon.mine(queries, corpus, options, positives, answers, control),
  )

/** The call for the next queries. How many lists they have is known when they are mined. */
function blockOf(call: MiningCall, { done, lists }: MinedSoFar, count: number): MiningCall {
  const { options, answers } = call
  return {
    ...call,
    options: { ...options, firstQuery: options.firstQuery + done, queryCount: count },
    answers: answers.map((answer, i) => ({
      options: answer.options,
      out: arraysWithin(answer, lists[i]!, answer.out.counts.length),
    })),
  }
}

/** Multiplications of a block. They take some seconds to a minute on two cores. */
const blockWork = 2 ** 40

/** Queries of a block, at least: each block reads the lists of the job, and the corpus if it is not kept. */
const leastQueries = { kept: 256, read: 4096 } as const

/** Blocks of a job, about, if they are not limited by their work. */
const usualBlocks = 64

interface Sides {
  readonly rows: number
  readonly cols: number
}

export function blockQueries(queries: number, { rows, cols }: Sides, isKept: boolean): number {
  const byWork = Math.ceil(blockWork / (rows * cols))
  const least = isKept ? leastQueries.kept : leastQueries.read
  return Math.max(least, Math.min(Math.ceil(queries / usualBlocks), byWork))
}

interface BlockCorpus {
  readonly corpus: NativeSource | NativeCorpus
  /** Whether the blocks share a packed copy. */
  readonly isKept: boolean
  release(): void
}

/** Prepares the corpus for all blocks, unless its packed copy takes too much memory. */
async function corpusForBlocks({ corpus, options, job, arrays }: MiningCall): Promise<BlockCorpus> {
  if (!('rows' in corpus)) return { corpus, isKept: true, release: hold(corpus) }
  if (packedBytes(corpus) > availableMemory() / 2)
    return { corpus, isKept: false, release: () => {} }
  const { device, metric } = options
  const handle = await runJob(job, arrays, (addon, control) =>
    addon.prepareCorpus(corpus, { device, metric, own: false, verify: false }, control),
  )
  return { corpus: handle, isKept: true, release: () => handle.dispose() }
}

/** Progress in queries of the whole job, from that of the scan of one block. */
function progressWithin(
  { onProgress }: CheckedJob,
  { done, count, total }: { done: number; count: number; total: number },
): CheckedJob['onProgress'] {
  let reached = done
  return (
    onProgress &&
    ((progress) => {
      if (progress.phase === 'scan')
        reached = Math.max(reached, done + Math.floor((count * progress.done) / progress.total))
      onProgress({ phase: 'mine', done: reached, total })
    })
  )
}

async function mineBlocks(call: MiningCall, sides: Sides, sofar: MinedSoFar) {
  const { corpus, isKept, release } = await corpusForBlocks(call)
  try {
    const { queryCount: total } = call.options
    const size = blockQueries(total, sides, isKept)
    while (sofar.done < total) {
      const count = Math.min(size, total - sofar.done)
      const block = blockOf({ ...call, corpus }, sofar, count)
      const tell = progressWithin(call.job, { done: sofar.done, count, total })
      await sofar.add(count, await mineQueries(block, tell))
      await sofar.writeIfDue()
    }
  } finally {
    release()
  }
}

/** The files of a run, and its identity. */
export interface CheckpointedRun {
  readonly files: CheckpointOptions
  readonly identity: Identity
}

/**
 * Mines the queries that a checkpoint does not hold, and writes checkpoints.
 *
 * @param sides Rows and columns of the corpus.
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if a checkpoint cannot be written, or the file to resume from is
 *   damaged or that of another job.
 */
export const mineWithCheckpoints = (call: MiningCall, sides: Sides, run: CheckpointedRun) =>
  holding(call.job.entry, () => mineAndWrite(call, sides, run))

async function mineAndWrite(
  call: MiningCall,
  sides: Sides,
  { files, identity }: CheckpointedRun,
): Promise<NativeMined[]> {
  if (files.checkpoint !== undefined) await checkPlace(files.checkpoint)
  const { firstQuery, queryCount } = call.options
  const sofar = new MinedSoFar(files, identity, call.positives, call.answers, firstQuery)
  if (files.resume !== undefined) await sofar.read(files.resume, queryCount)
  try {
    await sofar.write()
    if (sofar.done < queryCount) await mineBlocks(call, sides, sofar)
  } catch (error) {
    await sofar.write()
    throw error
  }
  await sofar.write()
  return sofar.sums()
}
