// gemmine select-rank: how many components a matrix has; writes the factors of that rank and a summary.
import { Command, Option } from 'commander'
import { matrixFile } from '../data/matrix-files'
import { entriesOf, sidesOf, type SourceInput } from '../data/source'
import { criteria } from '../factorization/rank-criteria'
import { modelDefaults, surveyedInits, surveyedModels } from '../factorization/surveyed-models'
import {
  checkSelectRank,
  selectRank,
  selectRankDefaults,
  type RankSelection,
  type SelectRankOptions,
} from '../factorization/select-rank'
import {
  budgetOption,
  choiceOption,
  countOption,
  numberOption,
  pathOption,
  required,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { readArrays, writeFactors } from './factor-files'
import { filesOf, optionsOf, scalarsOf, type FactorizeOptions } from './factorize-options'
import { heading, rateOf, runCommand, type Job } from './job'
import { matrixFiles, withSource } from './load'
import { ranksOf } from './numbers'
import { tellOfCheckpoint } from './interruption'
import { checkOutside } from './outputs'

type Given = CommonOptions &
  Omit<FactorizeOptions, 'model' | 'init'> &
  Pick<SelectRankOptions, 'model' | 'init' | 'restarts' | 'perturbation'> &
  Pick<SelectRankOptions, 'threshold' | 'criterion' | 'holdOut'> & {
    readonly ranks?: SelectRankOptions['ranks']
  }

async function select(path: string, given: Given) {
  const ranks = required(given.ranks, '--ranks', 'the ranks to survey, such as 2:10')
  const options = { ...scalarsOf(Object.keys(selectRankDefaults), given), ranks }
  if (given.checkpoint && given.out) checkOutside('--checkpoint', given.checkpoint, given.out)
  const masked = given.mask === undefined ? {} : { mask: new Uint8Array(0) }
  await runCommand(given, filesOf(path, given as FactorizeOptions), (job) =>
    withSource(
      path,
      job.options,
      ({ rows, cols }) =>
        checkSelectRank({ rows, cols, entries: rows * cols }, { ...options, ...masked }),
      async (X) => {
        const arrays = await readArrays(given as FactorizeOptions, path, sidesOf('X', X))
        const { init: _, ...files } = arrays
        if (given.checkpoint) tellOfCheckpoint(given.checkpoint)
        const found = await job.progress.during('select-rank', (onProgress) =>
          selectRank(X, { ...options, ...files, ...job.options, onProgress }),
        )
        await writeFactors(found.model, job)
        return { summary: summaryOf(X, found, given, job), outcome: outcomeOf(found) }
      },
    ),
  )
}

function outcomeOf({ chosen, isStable, ranks }: RankSelection) {
  const { minSilhouette, relativeError } = ranks.find(({ rank }) => rank === chosen)!
  const silhouettes = `silhouettes of at least ${minSilhouette.toFixed(2)}`
  const told = isStable ? silhouettes : `${silhouettes}, not stable`
  return `rank ${chosen}, ${told}, relative error ${relativeError.toPrecision(3)}`
}

function summaryOf(X: SourceInput, found: RankSelection, given: Given, job: Job) {
  const { model, chosen, isStable, seconds, warnings } = found
  const shape = sidesOf('X', X)
  const { name, version, core } = job.blas
  const operations = found.ranks.reduce((sum, each) => sum + each.rank * each.iterations, 0)
  return {
    ...heading('select-rank'),
    model: model.model,
    chosen,
    criterion: found.criterion,
    isStable,
    ranks: found.ranks.map(({ silhouettes, restartErrors, heldOutErrors, ...figures }) => ({
      ...figures,
      silhouettes: Array.from(silhouettes),
      restartErrors: Array.from(restartErrors),
      heldOutErrors: Array.from(heldOutErrors),
    })),
    solver: model.options['solver'],
    init: given.init ?? { ...selectRankDefaults, ...modelDefaults(given.model) }.init,
    restarts: given.restarts ?? selectRankDefaults.restarts,
    perturbation: given.perturbation ?? selectRankDefaults.perturbation,
    threshold: given.threshold ?? selectRankDefaults.threshold,
    shape: [shape.rows, shape.cols],
    rank: model.rank,
    objective: Array.from(model.objective),
    relativeError: model.relativeError,
    iterations: model.iterations,
    converged: model.converged,
    seconds,
    gflops: rateOf(4 * entriesOf(X, shape) * operations, seconds),
    threads: job.threads,
    seed: model.options['seed'],
    device: job.device,
    blas: { name, version, core },
    warnings,
  }
}

const footer = `
X has one row a sample: ${matrixFiles}.

Each rank is factorized R times with other noise and other starts. Components that come back each time
have silhouettes near 1. Chosen is the largest rank whose smallest silhouette reaches the threshold and
whose error pays (its AIC is below that of the rank before it). A semi-nmf needs small weights --l1-w
and --l2-h for this; without them the rank of the lowest BIC is chosen. With --criterion hold-out
the smallest rank is chosen whose error on entries that factorizations did not see is
within one standard error of the lowest; --hold-out alone only reports these errors.

For mixtures whose shares sum to 1, such as spectra of several materials, an nmf does not determine
its components: --model min-volume-nmf does, with the start, the steps and the volume of
gemmine factorize --model min-volume-nmf.

Writes summary.json, with the figures of each rank, and W.npy [n x K], H.npy [K x d] and
model.safetensors of the chosen rank, as gemmine factorize does.

Example:
  $ gemmine select-rank counts.npz --model nmf --ranks 2:10 --out topics
`

/** Those that have other texts here. */
const ownNames = ['model', 'init', 'checkpoint', 'resume']

const { model, restarts, perturbation, threshold, init } = selectRankDefaults

export const restartsOption = () =>
  countOption('--restarts <R>', 'factorizations of each rank, at least 2', restarts)

export const perturbationOption = () =>
  numberOption(
    '--perturbation <P>',
    'noise of each restart: an entry x becomes uniform in x·(1 ± P)',
    perturbation,
  )

export function selectRankCommand(): Command {
  const command = new Command('select-rank')
    .summary('find how many components a matrix has')
    .description('Survey the ranks of factorizations X ≈ W H, and choose one.')
    .argument('<X>', `the matrix: ${matrixFile}`)
    .addOption(
      new Option(
        '--ranks <RANKS>',
        'A:B for all ranks from A to B, or a list such as 2,4,8; required',
      ).argParser(ranksOf('--ranks')),
    )
    .addOption(choiceOption('--model <NAME>', 'what the factors obey', surveyedModels, model))
    .addOption(restartsOption())
    .addOption(perturbationOption())
    .addOption(
      numberOption('--threshold <T>', 'smallest silhouette of a stable component', threshold),
    )
    .addOption(choiceOption('--criterion <NAME>', 'what decides, see below', criteria))
    .addOption(
      numberOption(
        '--hold-out <S>',
        'share of the entries that further factorizations do not see, for their errors on them; 0.1 for the criterion hold-out',
      ),
    )
    .addOption(
      choiceOption(
        '--init <NAME>',
        'where each restart starts, see factorize',
        surveyedInits,
        init,
      ),
    )
  for (const option of optionsOf(selectRankDefaults, ownNames)) command.addOption(option)
  command
    .addOption(pathOption('--checkpoint <FILE>', 'where finished ranks are kept, outside --out'))
    .addOption(pathOption('--resume <FILE>', 'a checkpoint whose ranks are not surveyed again'))
  return withCommonOptions(command.addOption(budgetOption()))
    .addHelpText('after', footer)
    .action((path: string, options: Given) => select(path, options))
}
