// gemmine mine: hard negatives for each query, from files to training data.
import { Command } from 'commander'
import { minedLines, rejectedLines, writeLines } from '../data/mined-lines'
import { writeNpy } from '../data/npy'
import { mineHardNegatives } from '../mining/mine-hard-negatives'
import { checkMiningOptions, mineHardNegativesDefaults, type MineHardNegativesOptions } from '../mining/mining-options'
import type { CeilingName } from '../mining/ceiling-rules'
import type { MinedNegatives } from '../mining/mined-negatives'
import { miningWarnings } from '../mining/mining-warnings'
import { checkInteger } from '../options'
import { required } from './common-options'
import { optionOf, type Files } from './failure'
import { fileWarnings } from './file-warnings'
import { counted, heading, rateOf, runCommand, type Job } from './job'
import { shapesOf, withQueriesAndCorpus } from './load'
import { checkPartners, readMiningFiles, type MiningFiles } from './mining-files'
import { describeMine, mineDefaults, type MineOptions } from './mining-options'

/** The rules as lib takes them, but for those that come in files. */
const rulesOf = (given: MineOptions) =>
  ({
    numNegatives: given.numNegatives,
    metric: given.metric,
    maxScore: given.maxScore,
    minScore: given.minScore,
    absoluteMargin: given.absoluteMargin,
    relativeMargin: given.relativeMargin === 'none' ? null : given.relativeMargin,
    reference: given.reference,
    skipRanks: given.skipRanks,
    maxRank: given.maxRank,
    maxPositiveRank: given.maxPositiveRank,
    skipSurvivors: given.skipSurvivors,
    sampling: given.sampling,
    pool: given.pool,
    seed: given.seed,
    groups: given.groups,
    explain: given.explain,
  }) satisfies Record<CeilingName, unknown> & MineHardNegativesOptions

/** Without ids on both sides `--exclude-self` means rows, whose numbers are known before any file is read. */
const isSelfByRow = ({ excludeSelf, queryIds, corpusIds }: MineOptions) =>
  excludeSelf && (queryIds === undefined || corpusIds === undefined)

async function mine(given: MineOptions) {
  const queries = required(given.queries, '--queries', 'the file of a matrix')
  const corpus = required(given.corpus, '--corpus', 'the file of a matrix')
  const positives = required(given.positives, '--positives', 'a file of query<TAB>corpus lines')
  checkPartners(given)
  if (given.explain !== undefined) checkInteger('--explain', given.explain, 1)
  const { queryIds, corpusIds, queryTexts, corpusTexts, queryGroups, corpusGroups } = given
  const { exclude, candidates } = given
  const partners = { queryIds, corpusIds, queryTexts, corpusTexts, queryGroups, corpusGroups }
  const named = { ...partners, exclude, candidates }
  await runCommand(given, { queries, corpus, positives, ...named }, async (job) => {
    const shapes = await shapesOf(queries, corpus)
    const counts = { queries: shapes.queries.rows, corpus: shapes.corpus.rows }
    const rules = rulesOf(given)
    const excludeSelf = isSelfByRow(given)
    checkMiningOptions({ ...rules, excludeSelf }, counts.queries, counts.corpus)
    const files = await readMiningFiles(given, positives, counts)
    const options = { ...rules, ...files.rules, ...job.options }
    const mined = await withQueriesAndCorpus(queries, corpus, (Q, C) =>
      job.progress.during('mine', (onProgress) =>
        mineHardNegatives(Q, C, files.positives, { ...options, onProgress }),
      ),
    )
    await writeMined(mined, given, files, job)
    const summary = summaryOf(mined, given, files, job)
    return { summary, outcome: outcomeOf(mined) }
  })
}

async function writeMined(mined: MinedNegatives, given: MineOptions, files: MiningFiles, job: Job) {
  const { queries, numNegatives, indices, scores, counts, rejected } = mined
  const shape = [queries, numNegatives]
  const { words } = files
  const lines = minedLines(given.format ?? mineDefaults.format, mined, words)
  const { signal } = job.options
  await job.write('indices.npy', (path) => writeNpy(path, { data: indices, shape }))
  await job.write('scores.npy', (path) => writeNpy(path, { data: scores, shape }))
  await job.write('counts.npy', (path) => writeNpy(path, { data: counts, shape: [queries] }))
  await job.write('negatives.jsonl', (path) => writeLines(path, lines, { signal }))
  if (given.explain !== undefined)
    await job.write('rejected.jsonl', (path) =>
      writeLines(path, rejectedLines(rejected, words), { signal }),
    )
}

/** What the warnings of lib speak of, as it was typed or is written. */
function namingOf({ positives }: MineOptions) {
  const files: Files = { positives, 'triplets()': 'negatives.jsonl' }
  return (argument: string) => files[argument] ?? optionOf(argument)
}

function outcomeOf({ found, counts, queries, shortfall, numNegatives, dropped }: MinedNegatives) {
  const served = counts.reduce((sum, count) => sum + Number(count > 0), 0)
  return (
    `${counted(found, 'negative')} for ${served} of ${counted(queries, 'query', 'queries')}, ` +
    `${shortfall} with fewer than ${numNegatives}, ` +
    `${counted(dropped.ceiling, 'candidate')} above the ceiling`
  )
}

function warningsOf(mined: MinedNegatives, given: MineOptions): string[] {
  const { relativeMargin } = rulesOf(given)
  const asked = { ...mineHardNegativesDefaults, ...given, relativeMargin }
  return [...miningWarnings(mined, asked, namingOf(given)), ...fileWarnings(mined, given)]
}

function summaryOf(
  mined: MinedNegatives,
  given: MineOptions,
  { unknownIds }: MiningFiles,
  { threads, device, precision }: Job,
) {
  const { queries, corpus, dimensions, seconds, ceilings, candidatePairs } = mined
  return {
    ...heading('mine'),
    queries,
    corpus,
    dimensions,
    numNegatives: mined.numNegatives,
    metric: mined.metric,
    found: mined.found,
    shortfall: mined.shortfall,
    queriesWithoutPositives: mined.queriesWithoutPositives,
    inconsistent: mined.inconsistent,
    dropped: mined.dropped,
    ceilings,
    ...mined.statistics(),
    seconds,
    gflops: rateOf(2 * candidatePairs * dimensions, seconds),
    threads,
    seed: given.seed ?? mineHardNegativesDefaults.seed,
    device,
    precision: given.candidates === undefined ? precision : 'canonical',
    certified: mined.certified,
    fallback: mined.fallback,
    unknownIds,
    warnings: warningsOf(mined, given),
  }
}

export const mineCommand = (): Command =>
  describeMine(new Command('mine')).action((options: MineOptions) => mine(options))
