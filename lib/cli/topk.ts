// gemmine topk: the K best corpus rows for each query, exactly.
import { Command } from 'commander'
import { writeNpy } from '../data/npy'
import { estimateTopK } from '../mining/estimate'
import { metrics, metricTexts, type Metric } from '../mining/metric'
import type { Neighbours } from '../mining/neighbours'
import { prepareCorpusDefaults } from '../mining/prepare-corpus'
import { checkedSelf } from '../mining/self-rows'
import { topK, topKWarnings } from '../mining/top-k'
import { checkInteger } from '../options'
import {
  budgetOption,
  choiceOption,
  countOption,
  drawsNothing,
  idleWarnings,
  numberOption,
  pathOption,
  required,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { dryRunOption, estimated, trialOptions } from './dry-run'
import { optionOf } from './failure'
import { counted, heading, rateOf, runCommand, type Job } from './job'
import { matrixFiles, shapesOf, withQueriesAndCorpus } from './load'
import { dimsOption, rowFileOptions } from './row-files'
import {
  excludeSelfOption,
  idOptions,
  PairFiles,
  unknownIdsOption,
  type PairOptions,
} from './pair-files'

interface TopKOptions extends CommonOptions, PairOptions {
  readonly queries?: string
  readonly corpus?: string
  readonly k?: number
  readonly metric?: Metric
  readonly minScore?: number
  readonly dims?: number
}

async function topk(given: TopKOptions) {
  const { metric, minScore, dims, queryIds, corpusIds, exclude, allow, excludeRows } = given
  const queries = required(given.queries, '--queries', 'the file of a matrix')
  const corpus = required(given.corpus, '--corpus', 'the file of a matrix')
  const k = required(given.k, '--k', 'the number of rows wanted for each query')
  const lists = { queryIds, corpusIds, exclude, allow, excludeRows }
  await runCommand(given, { queries, corpus, ...lists }, async (job) => {
    const shapes = await shapesOf(queries, corpus)
    const counts = { queries: shapes.queries.rows, corpus: shapes.corpus.rows }
    checkInteger('k', k, 1)
    if (given.dryRun) {
      const shape = { ...counts, cols: shapes.corpus.cols }
      return estimated('topk', await estimateTopK(shape, { k, ...trialOptions(job) }), 'scan')
    }
    const pairs = await PairFiles.open(given, counts)
    const excludeSelf = checkedSelf(pairs.self(), counts.queries, counts.corpus)
    const excluded = await pairs.excluded()
    const options = {
      ...{ ...job.options, k, metric, minScore, dims, excludeSelf },
      ...{ exclude: excluded, allow: await pairs.allowed() },
    }
    const found = await withQueriesAndCorpus(queries, corpus, options, (Q, C) =>
      job.progress.during('topk', (onProgress) => topK(Q, C, { ...options, onProgress })),
    )
    await writeNeighbours(found, job)
    const warnings = [
      ...topKWarnings({ ...found, corpus: counts.corpus }, k, optionOf),
      ...idleWarnings('topk', given),
    ]
    const summary = {
      ...summaryOf(found, counts.corpus, dims ?? shapes.corpus.cols, job),
      unknownIds: excluded?.unknownIds ?? 0,
      warnings,
    }
    const outcome = `${counted(counts.queries, 'query', 'queries')} × ${k} of ${counted(counts.corpus, 'row')}`
    return { summary, outcome }
  })
}

async function writeNeighbours({ queries, k, indices, scores }: Neighbours, { write }: Job) {
  const shape = [queries, k]
  await write('indices.npy', (path) => writeNpy(path, { data: indices, shape }))
  await write('scores.npy', (path) => writeNpy(path, { data: scores, shape }))
}

function summaryOf(found: Neighbours, corpus: number, dimensions: number, job: Job) {
  const { queries, k, metric, seconds, certified, fallback } = found
  return {
    ...heading('topk'),
    queries,
    corpus,
    dimensions,
    k,
    metric,
    seconds,
    gflops: rateOf(2 * queries * corpus * dimensions, seconds),
    threads: job.threads,
    device: job.device,
    precision: job.precision,
    certified,
    fallback,
  }
}

const metricMeanings = Object.entries(metricTexts)
  .map(([name, text]) => `and ${name} is ${text}`)
  .join(', ')

/** The metric of topk and mine. */
export const metricOption = () =>
  choiceOption(
    '--metric <NAME>',
    `score; higher is closer, ${metricMeanings}`,
    metrics,
    prepareCorpusDefaults.metric,
  )

const footer = `
FILE is ${matrixFiles}.

Writes indices.npy [queries x K] and scores.npy [queries x K], best first, equal scores by lower row,
-1 and NaN where fewer than K rows are left, and summary.json. The answer is exact.

Example:
  $ gemmine topk --queries questions.npy --corpus docs.npy --k 10 --out neighbours
`

export const topkCommand = (): Command =>
  withCommonOptions(
    new Command('topk')
      .summary('find the K nearest corpus rows of each query, exactly')
      .description('Find the K best corpus rows for each query, exactly.')
      .addOption(pathOption('--queries <FILE>', 'dense matrix, one query a row; required'))
      .addOption(pathOption('--corpus <FILE>', 'dense matrix, one document a row; required'))
      .addOption(countOption('--k <K>', 'rows wanted for each query; required'))
      .addOption(metricOption())
      .addOption(numberOption('--min-score <S>', 'an answer scores at least S'))
      .addOption(
        pathOption('--exclude <FILE>', 'rows a query must not get: lines of query<TAB>corpus'),
      )
      .addOption(rowFileOptions()[0]!)
      .addOption(rowFileOptions()[1]!)
      .addOption(dimsOption())
      .addOption(excludeSelfOption())
      .addOption(idOptions()[0]!)
      .addOption(idOptions()[1]!)
      .addOption(unknownIdsOption())
      .addOption(budgetOption())
      .addOption(dryRunOption()),
    drawsNothing,
  )
    .addHelpText('after', footer)
    .action((options: TopKOptions) => topk(options))
