// gemmine svd: the largest singular values and vectors of a file; writes U, s, V and a summary.
import { Command } from 'commander'
import { matrixFile } from '../data/matrix-files'
import { writeNpy } from '../data/npy'
import { entriesOf, sidesOf } from '../data/source'
import {
  truncatedSvd,
  truncatedSvdDefaults,
  type TruncatedSvd,
} from '../factorization/truncated-svd'
import { checkInteger } from '../options'
import {
  budgetOption,
  countOption,
  required,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { heading, rateOf, runCommand, type Job } from './job'
import { matrixFiles, withSource } from './load'

interface SvdOptions extends CommonOptions {
  readonly rank?: number
  readonly oversamples?: number
  readonly powerIterations?: number
}

async function decompose(path: string, given: SvdOptions) {
  const { oversamples, powerIterations, seed } = given
  const rank = required(given.rank, '--rank', 'the number of singular values')
  await runCommand(given, { X: path }, (job) =>
    withSource(
      path,
      job.options,
      ({ rows, cols }) => checkInteger('rank', rank, 1, Math.min(rows, cols)),
      async (X) => {
        const own = { rank, oversamples, powerIterations, seed }
        const found = await job.progress.during('svd', (onProgress) =>
          truncatedSvd(X, { ...job.options, ...own, onProgress }),
        )
        await writeTriplets(found, job)
        const { rows, cols } = sidesOf('X', X)
        const reads = 1 + (powerIterations ?? truncatedSvdDefaults.powerIterations)
        const operations = 4 * entriesOf(X, { rows, cols }) * rank * reads
        const summary = {
          ...heading('svd'),
          shape: [rows, cols],
          rank,
          relativeError: found.relativeError,
          seconds: found.seconds,
          gflops: rateOf(operations, found.seconds),
          threads: job.threads,
          seed: seed ?? truncatedSvdDefaults.seed,
          device: job.device,
          warnings: found.warnings,
        }
        return { summary, outcome: `relative error ${found.relativeError.toPrecision(3)}` }
      },
    ),
  )
}

async function writeTriplets({ U, s, V }: TruncatedSvd, { write }: Job) {
  await write('U.npy', (to) => writeNpy(to, { data: U.data, shape: [U.rows, U.cols] }))
  await write('s.npy', (to) => writeNpy(to, { data: s, shape: [s.length] }))
  await write('V.npy', (to) => writeNpy(to, { data: V.data, shape: [V.rows, V.cols] }))
}

const footer = `
X has one row a sample: ${matrixFiles}.

X ≈ U diag(s) V. Writes U.npy [n x K], s.npy [K] in float64, descending, V.npy [K x d] and summary.json.

Example:
  $ gemmine svd counts.npz --rank 128 --out svd
`

export const svdCommand = (): Command =>
  withCommonOptions(
    new Command('svd')
      .summary('find the largest singular values with their vectors')
      .description('Find the K largest singular values of a matrix with their vectors.')
      .argument('<X>', `the matrix: ${matrixFile}`)
      .addOption(countOption('--rank <K>', 'number of singular values, 1 to min(n, d); required'))
      .addOption(
        countOption(
          '--oversamples <N>',
          'directions sampled beyond K; more make the last ones more accurate',
          truncatedSvdDefaults.oversamples,
        ),
      )
      .addOption(
        countOption(
          '--power-iterations <N>',
          'times that X is read to sharpen the subspace',
          truncatedSvdDefaults.powerIterations,
        ),
      )
      .addOption(budgetOption()),
  )
    .addHelpText('after', footer)
    .action((path: string, options: SvdOptions) => decompose(path, options))
