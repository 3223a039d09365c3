// gemmine mine: hard negatives for each query, from files to training data.
import { Command } from 'commander'
import { checkPlace } from '../data/checkpoint-file'
import { minedLines, rejectedLines, writeLines } from '../data/mined-lines'
import { writeMinedParquet } from '../data/parquet/mined-parquet'
import { estimateMining } from '../mining/estimate'
import { mineHardNegatives } from '../mining/mine-hard-negatives'
import {
  checkMiningOptions,
  mineHardNegativesDefaults,
  type MineHardNegativesOptions,
} from '../mining/mining-options'
import { ceilingNames, type CeilingOptions } from '../mining/ceiling-rules'
import type { MinedNegatives } from '../mining/mined-negatives'
import type { MinedPart } from '../mining/merge-mined'
import type { Asked } from '../mining/mining-warnings'
import { samplingDefaults } from '../mining/samplings'
import { checkInteger, type Overrides } from '../options'
import { required } from './common-options'
import { estimated, trialOptions } from './dry-run'
import { tellOfCheckpoint } from './interruption'
import { runCommand, type Job } from './job'
import { shapesOf, withQueriesAndCorpus } from './load'
import { minedOutcome, minedSummary, writeArrays, type MineRun } from './mined-files'
import { checkPartners, readMiningFiles, type MiningFiles } from './mining-files'
import { describeMine, mineDefaults, type MineOptions } from './mining-options'
import { checkOutside, type ResultFile } from './outputs'
import { digestOf, typesOf, writePart } from './part-files'

/** `none` turns a ceiling off. */
const ceilingsGiven = (given: MineOptions): CeilingOptions =>
  Object.fromEntries(
    ceilingNames.map((name) => [name, given[name] === 'none' ? null : given[name]]),
  )

const samplingGiven = (given: MineOptions) =>
  Object.fromEntries(
    Object.keys(samplingDefaults).map((name) => [name, given[name as keyof MineOptions]]),
  ) as Overrides<typeof samplingDefaults>

/** The rules in the form for lib, except those from files. */
const rulesOf = (given: MineOptions) =>
  ({
    numNegatives: given.numNegatives,
    metric: given.metric,
    minScore: given.minScore,
    ...ceilingsGiven(given),
    reference: given.reference,
    skipRanks: given.skipRanks,
    maxRank: given.maxRank,
    maxPositiveRank: given.maxPositiveRank,
    skipSurvivors: given.skipSurvivors,
    ...samplingGiven(given),
    groups: given.groups,
    nearPositiveScore: given.nearPositiveScore,
    candidateMode: given.candidateMode,
    explain: given.explain,
    shard: given.shard,
    checkpoint: given.checkpoint,
    checkpointSeconds: given.checkpointSeconds,
    resume: given.resume,
  }) satisfies MineHardNegativesOptions

/** The rules that trials follow. */
function triedOf(given: MineOptions, job: Job) {
  const { numNegatives, minScore, skipRanks, maxRank } = rulesOf(given)
  return {
    ...{ numNegatives, minScore, skipRanks, maxRank },
    ...ceilingsGiven(given),
    ...trialOptions(job),
  }
}

/** Unless both sides have ids, `--exclude-self` compares row numbers, so it needs no file of ids. */
const isSelfByRow = ({ excludeSelf, queryIds, corpusIds }: MineOptions) =>
  excludeSelf && (queryIds === undefined || corpusIds === undefined)

async function mine(given: MineOptions) {
  const queries = required(given.queries, '--queries', 'the file of a matrix')
  const corpus = required(given.corpus, '--corpus', 'the file of a matrix')
  const positives = required(given.positives, '--positives', 'a file of query<TAB>corpus lines')
  checkPartners(given)
  if (given.explain !== undefined) checkInteger('--explain', given.explain, 1)
  const { queryIds, corpusIds, queryTexts, corpusTexts, queryGroups, corpusGroups } = given
  const { exclude, allow, excludeRows, candidates, checkpoint, resume } = given
  if (checkpoint && given.out) checkOutside('--checkpoint', checkpoint, given.out)
  const partners = { queryIds, corpusIds, queryTexts, corpusTexts, queryGroups, corpusGroups }
  const named = { ...partners, exclude, allow, excludeRows, candidates, resume }
  await runCommand(given, { queries, corpus, positives, ...named }, async (job) => {
    if (checkpoint && !given.dryRun) {
      await checkPlace(checkpoint)
      tellOfCheckpoint(checkpoint)
    }
    const shapes = await shapesOf(queries, corpus)
    const counts = { queries: shapes.queries.rows, corpus: shapes.corpus.rows }
    const rules = rulesOf(given)
    const excludeSelf = isSelfByRow(given)
    checkMiningOptions({ ...rules, excludeSelf }, counts.queries, counts.corpus)
    if (given.dryRun) {
      const shape = { ...counts, cols: shapes.corpus.cols }
      return estimated('mine', await estimateMining(shape, triedOf(given, job)), 'scan')
    }
    const files = await readMiningFiles(given, positives, counts)
    const options = { ...rules, ...files.rules, ...job.options }
    const mined = await withQueriesAndCorpus(queries, corpus, options, (Q, C) =>
      job.progress.during('mine', (onProgress) =>
        mineHardNegatives(Q, C, files.positives, { ...options, onProgress }),
      ),
    )
    const run = runOf(given, positives, files, job)
    await writeMined(mined, run, files, job)
    const summary = await minedSummary(mined, run, askedOf(given), given.out)
    return { summary, outcome: minedOutcome(mined) }
  })
}

async function writeMined(mined: MinedNegatives, run: MineRun, files: MiningFiles, job: Job) {
  const { words } = files
  const { format = mineDefaults.format, incomplete } = run
  const { signal } = job.options
  const lines: Partial<Record<ResultFile, number>> = {}
  const writeCounted = (name: ResultFile, from: Iterable<string>) =>
    job.write(name, (path) =>
      writeLines(
        path,
        counted(from, (n) => (lines[name] = n)),
        { signal },
      ),
    )
  const examples = minedLines(format, mined, words, { incomplete })
  await writeArrays(mined, job)
  // Parts hold lines, from which the merge writes columns.
  if (run.parquet && !mined.shard)
    await job.write('negatives.parquet', (path) =>
      writeMinedParquet(path, format, mined, words, { incomplete, signal }),
    )
  else await writeCounted('negatives.jsonl', examples)
  if (run.explain !== undefined)
    await writeCounted('rejected.jsonl', rejectedLines(mined.rejected, words))
  const { shard, corpus } = mined
  if (shard)
    await job.write('part.safetensors', (path) =>
      writePart(path, mined as MinedPart, run, {
        words: digestOf(words, shard.queries, corpus),
        lines,
        types: typesOf(words),
      }),
    )
}

function* counted(lines: Iterable<string>, tell: (count: number) => void): Generator<string> {
  let count = 0
  for (const line of lines) {
    yield line
    count++
  }
  tell(count)
}

const runOf = (
  given: MineOptions,
  positives: string,
  { unknownIds }: MiningFiles,
  { threads, device, precision }: Job,
): MineRun => ({
  seed: given.seed ?? mineHardNegativesDefaults.seed,
  unknownIds,
  threads,
  device,
  precision:
    given.candidates === undefined || given.candidateMode === 'beside' ? precision : 'canonical',
  positives,
  format: given.format,
  incomplete: given.incomplete,
  parquet: given.parquet,
  explain: given.explain,
})

function askedOf(given: MineOptions): Asked {
  const { relativeMargin } = rulesOf(given)
  return { ...mineHardNegativesDefaults, ...given, relativeMargin }
}

export const mineCommand = (): Command =>
  describeMine(new Command('mine')).action((options: MineOptions) => mine(options))
