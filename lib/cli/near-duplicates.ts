// gemmine near-duplicates: all pairs of rows of a file that score at least a threshold.
import { Command } from 'commander'
import { matrixFile } from '../data/matrix-files'
import { sidesOf } from '../data/source'
import type { Metric } from '../mining/metric'
import { nearDuplicates, nearDuplicatesDefaults } from '../mining/near-duplicates'
import { checkNumber } from '../options'
import {
  budgetOption,
  drawsNothing,
  idleWarnings,
  numberOption,
  required,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { counted, heading, rateOf, runCommand } from './job'
import { matrixFiles, withRows } from './load'
import { writeFound } from './range'
import { metricOption } from './topk'

interface NearDuplicatesOptions extends CommonOptions {
  readonly threshold?: number
  readonly metric?: Metric
}

async function search(path: string, given: NearDuplicatesOptions) {
  const { metric = nearDuplicatesDefaults.metric } = given
  const threshold = required(given.threshold, '--threshold', 'the lowest score wanted')
  checkNumber('--threshold', threshold)
  await runCommand(given, { X: path }, (job) =>
    withRows(
      path,
      async (X) => {
        const found = await job.progress.during('near-duplicates', (onProgress) =>
          nearDuplicates(X, { ...job.options, threshold, metric, onProgress }),
        )
        await writeFound(found, job)
        const { rows, cols } = sidesOf('X', X)
        const { seconds, certified, fallback } = found
        const summary = {
          ...heading('near-duplicates'),
          shape: [rows, cols],
          threshold,
          metric,
          found: found.indices.length,
          seconds,
          gflops: rateOf(rows * (rows - 1) * cols, seconds),
          threads: job.threads,
          device: job.device,
          precision: job.precision,
          certified,
          fallback,
          warnings: [...found.warnings, ...idleWarnings('near-duplicates', given)],
        }
        const outcome = `${counted(found.indices.length, 'pair')} at ${threshold} or above among ${counted(rows, 'row')}`
        return { summary, outcome }
      },
      given.memoryBudget,
    ),
  )
}

const footer = `
X has one row a sample: ${matrixFiles}.

Writes indptr.npy [n + 1], indices.npy and scores.npy [found], each pair once: the rows after row i that
are near it stand at indptr[i] .. indptr[i + 1] - 1, best first, equal scores by lower row; and
summary.json. The answer is exact: a pair is found if its score in float64 is the threshold or more.

Example:
  $ gemmine near-duplicates docs.npy --threshold 0.95 --out near
`

export const nearDuplicatesCommand = (): Command =>
  withCommonOptions(
    new Command('near-duplicates')
      .summary('find all pairs of rows at a score or above it, exactly')
      .description(
        'Find all pairs of rows that score at least a threshold with each other, exactly.',
      )
      .argument('<X>', `the matrix: ${matrixFile}`)
      .addOption(
        numberOption(
          '--threshold <T>',
          'the lowest score wanted; a pair of exactly this score is found; required',
        ),
      )
      .addOption(metricOption())
      .addOption(budgetOption()),
    drawsNothing,
  )
    .addHelpText('after', footer)
    .action((path: string, options: NearDuplicatesOptions) => search(path, options))
