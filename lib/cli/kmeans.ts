// gemmine kmeans: k-means of a file; writes labels, centres and a summary.
import { Command } from 'commander'
import { matrixFile } from '../data/matrix-files'
import { writeNpy } from '../data/npy'
import { entriesOf, sidesOf } from '../data/source'
import { kmeans, kmeansDefaults, type Clustering } from '../factorization/kmeans'
import { checkInteger } from '../options'
import {
  budgetOption,
  countOption,
  numberOption,
  required,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { counted, heading, rateOf, runCommand, type Job } from './job'
import { matrixFiles, withSource } from './load'

interface KmeansOptions extends CommonOptions {
  readonly clusters?: number
  readonly iterations?: number
  readonly tolerance?: number
  readonly restarts?: number
}

async function cluster(path: string, given: KmeansOptions) {
  const { iterations, tolerance, restarts, seed } = given
  const clusters = required(given.clusters, '--clusters', 'the number of clusters')
  await runCommand(given, { X: path }, (job) =>
    withSource(
      path,
      job.options,
      ({ rows }) => checkInteger('clusters', clusters, 1, rows),
      async (X) => {
        const own = { clusters, iterations, tolerance, restarts, seed }
        const found = await job.progress.during('kmeans', (onProgress) =>
          kmeans(X, { ...job.options, ...own, onProgress }),
        )
        await writeClusters(found, job)
        const shape = sidesOf('X', X)
        const summary = {
          ...heading('kmeans'),
          shape: [shape.rows, shape.cols],
          clusters,
          inertia: found.inertia,
          iterations: found.iterations,
          converged: found.converged,
          restarts: restarts ?? kmeansDefaults.restarts,
          seconds: found.seconds,
          // Counts the products of rows and centres in the iterations of all restarts.
          gflops: rateOf(2 * entriesOf(X, shape) * clusters * found.totalIterations, found.seconds),
          threads: job.threads,
          seed: seed ?? kmeansDefaults.seed,
          device: job.device,
          warnings: found.warnings,
        }
        const outcome =
          `inertia ${found.inertia.toPrecision(6)} after ${counted(found.iterations, 'iteration')}, ` +
          (found.converged ? 'converged' : 'not converged')
        return { summary, outcome }
      },
    ),
  )
}

async function writeClusters({ labels, centers }: Clustering, { write }: Job) {
  const { data, rows, cols } = centers
  await write('labels.npy', (to) => writeNpy(to, { data: labels, shape: [labels.length] }))
  await write('centers.npy', (to) => writeNpy(to, { data, shape: [rows, cols] }))
}

const footer = `
X has one row a sample: ${matrixFiles}.

Writes labels.npy [n], the nearest centre of each row, centers.npy [K x d] and summary.json.

Example:
  $ gemmine kmeans embeddings.npy --clusters 100 --out clusters
`

export const kmeansCommand = (): Command =>
  withCommonOptions(
    new Command('kmeans')
      .summary('cluster the rows of a matrix around means')
      .description(
        'Find K centres so that the squared distances of rows to their nearest are small.',
      )
      .argument('<X>', `the matrix: ${matrixFile}`)
      .addOption(countOption('--clusters <K>', 'number of clusters, 1 to n; required'))
      .addOption(countOption('--iterations <N>', 'iterations at most', kmeansDefaults.iterations))
      .addOption(
        numberOption(
          '--tolerance <T>',
          'stop when an iteration lowers the inertia by a smaller fraction; 0: when nothing moves',
          kmeansDefaults.tolerance,
        ),
      )
      .addOption(
        countOption(
          '--restarts <R>',
          'runs from other centres, of which the best is kept',
          kmeansDefaults.restarts,
        ),
      )
      .addOption(budgetOption()),
  )
    .addHelpText('after', footer)
    .action((path: string, options: KmeansOptions) => cluster(path, options))
