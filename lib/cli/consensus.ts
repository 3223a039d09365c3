// gemmine consensus: the consensus of the components of many factorizations of a file.
import { Command } from 'commander'
import {
  consensusNmf,
  consensusNmfDefaults,
  type ConsensusNmf,
  type ConsensusNmfOptions,
} from '../concepts/consensus-nmf'
import { matrixFile } from '../data/matrix-files'
import { writeNpy } from '../data/npy'
import { sidesOf, type SourceInput } from '../data/source'
import { nmfInits } from '../factorization/surveyed-models'
import { checkInteger } from '../options'
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
import { tellOfCheckpoint } from './interruption'
import { heading, runCommand, type Job } from './job'
import { matrixFiles, withSource } from './load'
import { checkOutside } from './outputs'
import { perturbationOption, restartsOption } from './select-rank'

type Given = CommonOptions &
  Omit<FactorizeOptions, 'model' | 'init'> &
  Pick<ConsensusNmfOptions, 'init' | 'restarts' | 'perturbation'> &
  Pick<ConsensusNmfOptions, 'densityThreshold' | 'neighbourhood'>

async function find(path: string, given: Given) {
  const rank = required(given.rank, '--rank', 'the number of components')
  const { checkpoint, out } = given
  if (checkpoint && out) checkOutside('--checkpoint', checkpoint, out)
  const options = { ...scalarsOf(Object.keys(consensusNmfDefaults), given), rank }
  await runCommand(given, filesOf(path, given as FactorizeOptions), (job) =>
    withSource(
      path,
      job.options,
      ({ rows, cols }) => checkInteger('rank', rank, 1, Math.min(rows, cols)),
      async (X) => {
        const arrays = await readArrays(given as FactorizeOptions, path, sidesOf('X', X))
        const { init: _, ...files } = arrays
        if (checkpoint) tellOfCheckpoint(checkpoint)
        const found = await job.progress.during('consensus', (onProgress) =>
          consensusNmf(X, { ...options, ...files, ...job.options, onProgress }),
        )
        await writeFactors(found.model, job)
        await writeMembers(found, job)
        return { summary: summaryOf(X, found, given, job), outcome: outcomeOf(found) }
      },
    ),
  )
}

async function writeMembers({ labels, densities }: ConsensusNmf, { write }: Job) {
  await write('labels.npy', (to) => writeNpy(to, { data: labels, shape: [labels.length] }))
  await write('densities.npy', (to) => writeNpy(to, { data: densities, shape: [densities.length] }))
}

const outcomeOf = ({ model, kept, labels }: ConsensusNmf) =>
  `${kept} of ${labels.length} components kept, relative error ${model.relativeError.toPrecision(3)}`

const { restarts, perturbation, densityThreshold, neighbourhood, init } = consensusNmfDefaults

/** What the summary repeats, with the defaults. */
const standard = { restarts, perturbation, densityThreshold, neighbourhood, init }

function summaryOf(X: SourceInput, found: ConsensusNmf, given: Given, job: Job) {
  const { model, kept, silhouettes, labels, warnings, seconds } = found
  const { rows, cols } = sidesOf('X', X)
  const asked = Object.entries(standard).map(([name, value]) => {
    return [name, (given as Readonly<Record<string, unknown>>)[name] ?? value] as const
  })
  return {
    ...heading('consensus'),
    model: model.model,
    solver: model.options['solver'],
    ...Object.fromEntries(asked),
    shape: [rows, cols],
    rank: model.rank,
    components: labels.length,
    kept,
    silhouettes: Array.from(silhouettes),
    relativeError: model.relativeError,
    seconds,
    threads: job.threads,
    seed: model.options['seed'],
    device: job.device,
    warnings,
  }
}

const footer = `
X has one row a sample, no entry below 0: ${matrixFiles}.

X is factorized R times with other starts (and other noise). Components that have near neighbours in
other factorizations are clustered by k-means; the medians of the clusters become H, and W are the codes
of X for them.

Writes W.npy [n x K], H.npy [K x d], model.safetensors (for gemmine transform), labels.npy [R·K], the
component of H that each one belongs to (-1: left out), densities.npy [R·K], the mean distance of each
one to its neighbours, and summary.json.

Example:
  $ gemmine consensus counts.npz --rank 8 --restarts 30 --perturbation 0 --out programs
`

export function consensusCommand(): Command {
  const command = new Command('consensus')
    .summary('find the components on which many factorizations agree')
    .description('Find the consensus of the components of many NMFs X ≈ W H.')
    .argument('<X>', `the matrix: ${matrixFile}`)
    .addOption(countOption('--rank <K>', 'number of components; required'))
    .addOption(restartsOption())
    .addOption(perturbationOption())
    .addOption(
      numberOption(
        '--density-threshold <D>',
        'components further from their neighbours are left out; 1.5 keeps all',
        densityThreshold,
      ),
    )
    .addOption(
      numberOption(
        '--neighbourhood <S>',
        'nearest neighbours of a component, as a share of R',
        neighbourhood,
      ),
    )
    .addOption(
      choiceOption('--init <NAME>', 'where each restart starts, see factorize', nmfInits, init),
    )
  const ownNames = ['rank', 'init', 'checkpoint', 'resume', 'checkpointSeconds']
  for (const option of optionsOf(consensusNmfDefaults, ownNames)) command.addOption(option)
  command
    .addOption(pathOption('--checkpoint <FILE>', 'where the restarts are kept, outside --out'))
    .addOption(
      pathOption('--resume <FILE>', 'a checkpoint, also one of gemmine select-rank, with restarts'),
    )
  return withCommonOptions(command.addOption(budgetOption()))
    .addHelpText('after', footer)
    .action((path: string, options: Given) => find(path, options))
}
