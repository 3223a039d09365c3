// gemmine range: all corpus rows with at least a given score for each query, exactly.
import { Command } from 'commander'
import { writeNpy } from '../data/npy'
import type { Metric } from '../mining/metric'
import { checkRange, rangeSearch, rangeWarnings, type FoundRows } from '../mining/range-search'
import { checkedSelf } from '../mining/self-rows'
import {
  budgetOption,
  countOption,
  drawsNothing,
  idleWarnings,
  numberOption,
  pathOption,
  required,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { counted, heading, rateOf, runCommand, type Job } from './job'
import { matrixFiles, shapesOf, withQueriesAndCorpus } from './load'
import { rowFileOptions } from './row-files'
import {
  excludeSelfOption,
  idOptions,
  PairFiles,
  unknownIdsOption,
  type PairOptions,
} from './pair-files'
import { metricOption } from './topk'

interface RangeOptions extends CommonOptions, PairOptions {
  readonly queries?: string
  readonly corpus?: string
  readonly threshold?: number
  readonly limit?: number
  readonly metric?: Metric
}

async function range(given: RangeOptions) {
  const { metric, limit, queryIds, corpusIds, exclude, allow, excludeRows } = given
  const queries = required(given.queries, '--queries', 'the file of a matrix')
  const corpus = required(given.corpus, '--corpus', 'the file of a matrix')
  const threshold = required(given.threshold, '--threshold', 'the lowest score wanted')
  const lists = { queryIds, corpusIds, exclude, allow, excludeRows }
  await runCommand(given, { queries, corpus, ...lists }, async (job) => {
    checkRange(threshold, limit)
    const shapes = await shapesOf(queries, corpus)
    const counts = { queries: shapes.queries.rows, corpus: shapes.corpus.rows }
    const pairs = await PairFiles.open(given, counts)
    const excludeSelf = checkedSelf(pairs.self(), counts.queries, counts.corpus)
    const excluded = await pairs.excluded()
    const options = {
      ...{ ...job.options, threshold, limit, metric, excludeSelf },
      ...{ exclude: excluded, allow: await pairs.allowed() },
    }
    const found = await withQueriesAndCorpus(queries, corpus, options, (Q, C) =>
      job.progress.during('range', (onProgress) => rangeSearch(Q, C, { ...options, onProgress })),
    )
    await writeFound(found, job)
    const summary = {
      ...summaryOf(found, given, shapes.corpus, job),
      unknownIds: excluded?.unknownIds ?? 0,
      warnings: [
        ...rangeWarnings({ ...found, corpus: counts.corpus }, limit),
        ...idleWarnings('range', given),
      ],
    }
    const outcome = `${counted(found.indices.length, 'row')} at ${threshold} or above for ${counted(counts.queries, 'query', 'queries')}`
    return { summary, outcome }
  })
}

/** Writes lists of rows in the layout of the help. */
export async function writeFound({ indptr, indices, scores }: FoundRows, { write }: Job) {
  const starts = BigInt64Array.from(Array.from(indptr, BigInt))
  await write('indptr.npy', (path) => writeNpy(path, { data: starts, shape: [starts.length] }))
  await write('indices.npy', (path) => writeNpy(path, { data: indices, shape: [indices.length] }))
  await write('scores.npy', (path) => writeNpy(path, { data: scores, shape: [scores.length] }))
}

function summaryOf(
  found: FoundRows,
  { threshold, limit }: RangeOptions,
  corpus: { rows: number; cols: number },
  job: Job,
) {
  const { queries, metric, seconds, certified, fallback } = found
  return {
    ...heading('range'),
    queries,
    corpus: corpus.rows,
    dimensions: corpus.cols,
    threshold,
    ...(limit !== undefined && { limit }),
    metric,
    found: found.indices.length,
    seconds,
    gflops: rateOf(2 * queries * corpus.rows * corpus.cols, seconds),
    threads: job.threads,
    device: job.device,
    precision: job.precision,
    certified,
    fallback,
  }
}

const footer = `
FILE is ${matrixFiles}.

Writes indptr.npy [queries + 1], indices.npy and scores.npy [found]: the rows of query i stand at
indptr[i] .. indptr[i + 1] - 1, best first, equal scores by lower row; and summary.json. The answer is
exact: a row is found if its score in float64 is the threshold or more.

Example:
  $ gemmine range --queries docs.npy --corpus docs.npy --exclude-self --threshold 0.95 --out near
`

export const rangeCommand = (): Command =>
  withCommonOptions(
    new Command('range')
      .summary('find all corpus rows at a score or above it, exactly')
      .description('Find all corpus rows that score at least a threshold for each query, exactly.')
      .addOption(pathOption('--queries <FILE>', 'dense matrix, one query a row; required'))
      .addOption(pathOption('--corpus <FILE>', 'dense matrix, one document a row; required'))
      .addOption(
        numberOption(
          '--threshold <T>',
          'the lowest score wanted; a row of exactly this score is found; required',
        ),
      )
      .addOption(
        countOption('--limit <N>', 'rows for a query at most, the best of them (default: all)'),
      )
      .addOption(metricOption())
      .addOption(
        pathOption('--exclude <FILE>', 'rows a query must not get: lines of query<TAB>corpus'),
      )
      .addOption(rowFileOptions()[0]!)
      .addOption(rowFileOptions()[1]!)
      .addOption(excludeSelfOption())
      .addOption(idOptions()[0]!)
      .addOption(idOptions()[1]!)
      .addOption(unknownIdsOption())
      .addOption(budgetOption()),
    drawsNothing,
  )
    .addHelpText('after', footer)
    .action((options: RangeOptions) => range(options))
