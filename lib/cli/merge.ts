// gemmine merge: merges the parts of a mining job into the files of a single run.
import { join } from 'node:path'
import { Command } from 'commander'
import { fileError, writePieces } from '../data/file'
import { joinParts, partComplaint } from '../mining/merge-mined'
import type { Asked } from '../mining/mining-warnings'
import type { Progress } from '../options'
import {
  computesNothing,
  idleWarnings,
  required,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { runCommand, type Job } from './job'
import { writeMergedParquet } from './merged-parquet'
import { minedOutcome, minedSummary, writeArrays, type MineRun } from './mined-files'
import type { ResultFile } from './outputs'
import { linesOfParts, readPart, type Part } from './part-files'

/** The parts in the order of their queries. */
async function readParts(
  folders: readonly string[],
  onProgress: (progress: Progress) => void,
): Promise<[Part, ...Part[]]> {
  const parts: Part[] = []
  for (const folder of folders) {
    parts.push(await readPart(folder))
    onProgress({ phase: 'read', done: parts.length, total: folders.length })
  }
  const complaint = partComplaint(
    parts.map(({ mined }) => mined),
    folders,
  )
  if (complaint) {
    const { part, expected, received } = complaint
    throw fileError(folders[part]!, `expected ${expected}, received ${received}`)
  }
  const ordered = parts.sort((a, b) => a.mined.shard.index - b.mined.shard.index)
  return ordered as [Part, ...Part[]]
}

/** The report of a single run; threads is the largest number among the parts. */
const runOf = (parts: readonly [Part, ...Part[]]): MineRun => ({
  ...parts[0].run,
  threads: Math.max(...parts.map(({ run }) => run.threads)),
})

async function writeLinesOf(parts: readonly Part[], name: ResultFile, { write }: Job) {
  await write(name, (path) => writePieces(path, linesOfParts(parts, name)))
}

async function merge(folders: readonly string[], given: CommonOptions) {
  for (const folder of folders) required(folder, 'PART', 'a folder that gemmine mine --shard wrote')
  const inputs = Object.fromEntries(
    folders.map((folder, i) => [`part ${i}`, join(folder, 'part.safetensors')]),
  )
  await runCommand(given, inputs, async (job) => {
    const parts = await job.progress.during('merge', (onProgress) => readParts(folders, onProgress))
    const run = runOf(parts)
    const mined = await joinParts(parts.map((part) => part.mined))
    await writeArrays(mined, job)
    if (run.parquet)
      await job.write('negatives.parquet', (path) => writeMergedParquet(path, parts, mined))
    else await writeLinesOf(parts, 'negatives.jsonl', job)
    if (run.explain !== undefined) await writeLinesOf(parts, 'rejected.jsonl', job)
    const asked = parts[0].mined.shard.options as unknown as Asked
    const summary = await minedSummary(mined, run, asked, given.out)
    const warnings = [...summary.warnings, ...idleWarnings('merge', given, computesNothing)]
    return { summary: { ...summary, warnings }, outcome: minedOutcome(mined) }
  })
}

const footer = `
Takes the folders that gemmine mine --shard 0/n to n-1/n wrote, in any order, each once, and writes the
files of one run for all queries, byte for byte. In summary.json seconds, certified and fallback are
sums, and threads are those of the part that had most.

--threads, --device and --seed are accepted, as by every command, and have no effect.

Example:
  $ for i in 0 1 2 3; do gemmine mine --queries q.npy --corpus c.npy --positives p.tsv \\
      --shard $i/4 --out part$i; done
  $ gemmine merge part0 part1 part2 part3 --out mined
`

export const mergeCommand = (): Command =>
  withCommonOptions(
    new Command('merge')
      .summary('put the parts of a mining job together')
      .description('Put the parts of a mining job together, as one run would have written it.')
      .argument('<part...>', 'folders that gemmine mine --shard wrote'),
    computesNothing,
  )
    .addHelpText('after', footer)
    .action((folders: string[], options: CommonOptions) => merge(folders, options))
