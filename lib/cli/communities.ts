// gemmine communities: groups of rows that are near a common centre.
import { Command } from 'commander'
import { matrixFile } from '../data/matrix-files'
import { writeNpy } from '../data/npy'
import { sidesOf } from '../data/source'
import { communities, communitiesDefaults, type Communities } from '../mining/communities'
import type { Metric } from '../mining/metric'
import { checkInteger, checkNumber } from '../options'
import {
  budgetOption,
  countOption,
  drawsNothing,
  idleWarnings,
  numberOption,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { counted, heading, rateOf, runCommand, type Job } from './job'
import { matrixFiles, withRows } from './load'
import { metricOption } from './topk'

interface CommunitiesOptions extends CommonOptions {
  readonly threshold?: number
  readonly minSize?: number
  readonly metric?: Metric
}

async function detect(path: string, given: CommunitiesOptions) {
  const { threshold, minSize, metric } = { ...communitiesDefaults, ...given }
  checkNumber('--threshold', threshold)
  checkInteger('--min-size', minSize, 1)
  await runCommand(given, { X: path }, (job) =>
    withRows(
      path,
      async (X) => {
        const found = await job.progress.during('communities', (onProgress) =>
          communities(X, { ...job.options, threshold, minSize, metric, onProgress }),
        )
        await writeCommunities(found, job)
        const { rows, cols } = sidesOf('X', X)
        const { count, indices, seconds } = found
        const summary = {
          ...heading('communities'),
          shape: [rows, cols],
          threshold,
          minSize,
          metric,
          communities: count,
          members: indices.length,
          seconds,
          gflops: rateOf(2 * rows * rows * cols, seconds),
          threads: job.threads,
          device: job.device,
          warnings: [...found.warnings, ...idleWarnings('communities', given)],
        }
        const outcome = `${counted(count, 'community', 'communities')} with ${indices.length} of ${counted(rows, 'row')}`
        return { summary, outcome }
      },
      given.memoryBudget,
    ),
  )
}

async function writeCommunities({ indptr, indices, labels }: Communities, { write }: Job) {
  const starts = BigInt64Array.from(Array.from(indptr, BigInt))
  await write('labels.npy', (to) => writeNpy(to, { data: labels, shape: [labels.length] }))
  await write('indptr.npy', (to) => writeNpy(to, { data: starts, shape: [starts.length] }))
  await write('indices.npy', (to) => writeNpy(to, { data: indices, shape: [indices.length] }))
}

const footer = `
X has one row a sample: ${matrixFiles}.

Writes labels.npy [n], the community of each row (-1 for none), indptr.npy [communities + 1] and
indices.npy: the members of community c, the largest first, stand at indptr[c] .. indptr[c + 1] - 1,
its centre first, then best first; and summary.json. The algorithm is community_detection of
sentence-transformers, with exact scores and ties by row.

Example:
  $ gemmine communities questions.npy --threshold 0.8 --min-size 5 --out groups
`

export const communitiesCommand = (): Command =>
  withCommonOptions(
    new Command('communities')
      .summary('group rows that are near a common centre')
      .description('Find groups of rows that score at least a threshold with a common centre.')
      .argument('<X>', `the matrix: ${matrixFile}`)
      .addOption(
        numberOption(
          '--threshold <T>',
          'a member scores at least T with its centre',
          communitiesDefaults.threshold,
        ),
      )
      .addOption(countOption('--min-size <N>', 'rows at least', communitiesDefaults.minSize))
      .addOption(metricOption())
      .addOption(budgetOption()),
    drawsNothing,
  )
    .addHelpText('after', footer)
    .action((path: string, options: CommunitiesOptions) => detect(path, options))
