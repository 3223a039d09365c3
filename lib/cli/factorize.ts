// gemmine factorize: X ≈ W H, from a file to factors, a model and a summary.
import { Command, Option } from 'commander'
import { sidesOf } from '../data/source'
import { writeNpy } from '../data/npy'
import { checkFitOptions, fitDefaults, solvers, type Factorization } from '../factorization/fit'
import { nmf, nmfDefaultInits, nmfDefaults, nmfInits, type NmfInit } from '../factorization/nmf'
import {
  semiNmf,
  semiNmfDefaultInit,
  semiNmfDefaults,
  semiNmfInits,
  type SemiNmfInit,
} from '../factorization/semi-nmf'
import type { SourceInput } from '../data/source'
import { checkOneOf, withDefaults, type Overrides } from '../options'
import {
  choiceOption,
  countOption,
  numberOption,
  required,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { counted, heading, rateOf, runCommand, type Job } from './job'
import { entriesOf, matrixFiles, withSource, type Shape } from './load'

const models = ['semi-nmf', 'nmf'] as const
const losses = ['frobenius'] as const

/** The only place where the defaults of the command itself are written; others are those of lib. */
const defaults = { model: 'semi-nmf', loss: 'frobenius' } as const

/** What lib takes of the options. */
type FitOptions = Overrides<typeof fitDefaults> & { init?: NmfInit | SemiNmfInit }

type FactorizeOptions = CommonOptions &
  FitOptions & {
    readonly model?: (typeof models)[number]
    readonly rank?: number
  }

/** Those options that lib has a default for, by the names that they have there. */
const fitOptions = (given: FactorizeOptions) =>
  Object.fromEntries(
    Object.keys(semiNmfDefaults).map((name) => [name, given[name as keyof FitOptions]]),
  ) as FitOptions

const families = {
  'semi-nmf': { fit: semiNmf, defaults: semiNmfDefaults, inits: semiNmfInits },
  nmf: { fit: nmf, defaults: nmfDefaults, inits: nmfInits },
} as const

type Fit = (X: SourceInput, options: object) => Promise<Factorization>

/** Checks what can be checked by the shape of X. A start that lib chooses suits every rank. */
function checkOptions(given: FactorizeOptions, rank: number, { rows, cols }: Shape) {
  const { defaults: standard, inits } = families[given.model ?? defaults.model]
  const options = withDefaults(standard, fitOptions(given))
  checkFitOptions({ ...options, rank, init: given.init ?? 'random' }, inits, rows, cols)
}

async function factorize(path: string, given: FactorizeOptions) {
  const rank = required(given.rank, '--rank', 'the number of components')
  const { inits, fit } = families[given.model ?? defaults.model]
  if (given.init !== undefined) checkOneOf('--init', given.init, inits)
  const fitTo = async (X: SourceInput, job: Job) => {
    const found = await job.progress.during('factorize', (onProgress) =>
      (fit as Fit)(X, { ...fitOptions(given), ...job.options, rank, onProgress }),
    )
    await writeFactors(found, job)
    return { summary: summaryOf(X, found, job), outcome: outcomeOf(found) }
  }
  await runCommand(given, { X: path }, (job) =>
    withSource(
      path,
      (shape) => checkOptions(given, rank, shape),
      (X) => fitTo(X, job),
    ),
  )
}

async function writeFactors(found: Factorization, { write }: Job) {
  const { W, H } = found
  await write('W.npy', (path) => writeNpy(path, { data: W.data, shape: [W.rows, W.cols] }))
  await write('H.npy', (path) => writeNpy(path, { data: H.data, shape: [H.rows, H.cols] }))
  await write('model.safetensors', (path) => found.save(path))
}

const outcomeOf = ({ relativeError, iterations, converged }: Factorization) =>
  `relative error ${relativeError.toPrecision(3)} after ${counted(iterations, 'iteration')}, ` +
  (converged ? 'converged' : 'not converged')

function summaryOf(X: SourceInput, found: Factorization, { threads, device, blas }: Job) {
  const { model, rank, options, iterations, seconds } = found
  const shape = sidesOf('X', X)
  const { name, version, core } = blas
  return {
    ...heading('factorize'),
    model,
    solver: options['solver'],
    init: options['init'],
    innerSweeps: options['innerSweeps'],
    shape: [shape.rows, shape.cols],
    rank,
    objective: Array.from(found.objective),
    relativeError: found.relativeError,
    iterations,
    converged: found.converged,
    seconds,
    gflops: rateOf(4 * entriesOf(X, shape) * rank * iterations, seconds),
    threads,
    seed: options['seed'],
    device,
    blas: { name, version, core },
    warnings: found.warnings,
  }
}

const startsDescription =
  `where to start. semi-nmf: ${semiNmfInits.join(', ')} (default: ${semiNmfDefaultInit}, and svd beside it where that may leave less); ` +
  `nmf: ${nmfInits.join(', ')} (default: ${nmfDefaultInits.usual}; ${nmfDefaultInits.wide} where K > min(n, d)). ` +
  'A K above min(n, d) needs random or kmeans'

const footer = `
X has one row a sample: ${matrixFiles}. nmf needs X >= 0 and gives W >= 0 and H >= 0;
semi-nmf takes any sign and gives W >= 0.

Writes W.npy [n x K], H.npy [K x d], model.safetensors (for gemmine transform) and summary.json.

Example:
  $ gemmine factorize embeddings.npy --rank 32 --out topics
  $ gemmine factorize counts.npz --model nmf --rank 20 --out topics
`

const weightOption = (name: string, weighed: string, standard: number) =>
  numberOption(`${name} <WEIGHT>`, `weight of ${weighed} in the objective`, standard)

export function factorizeCommand(): Command {
  const standard = semiNmfDefaults
  const command = new Command('factorize')
    .summary('split a matrix into parts: X ≈ W H')
    .description('Factorize a matrix X [n x d] as X ≈ W H with W [n x K] and H [K x d].')
    .argument('<X>', 'the matrix: a .npy, .npz, .mtx or .safetensors file')
    .addOption(countOption('--rank <K>', 'number of components; required'))
    .addOption(choiceOption('--model <NAME>', 'signs of the factors', models, defaults.model))
    .addOption(
      choiceOption('--solver <NAME>', 'how factors are improved', solvers, standard.solver),
    )
    .addOption(choiceOption('--loss <NAME>', 'what is minimised', losses, defaults.loss))
    .addOption(new Option('--init <NAME>', startsDescription))
    .addOption(countOption('--iterations <N>', 'iterations at most', standard.iterations))
    .addOption(
      numberOption(
        '--tolerance <T>',
        'stop when an iteration lowers the objective by a smaller fraction; 0 runs them all',
        standard.tolerance,
      ),
    )
    .addOption(
      countOption(
        '--inner-sweeps <N>',
        'sweeps in each half of an iteration',
        standard.innerSweeps,
      ),
    )
    .addOption(weightOption('--l1-w', 'Σ|W|', standard.l1W))
    .addOption(weightOption('--l2-w', 'ΣW²', standard.l2W))
    .addOption(weightOption('--l1-h', 'Σ|H|', standard.l1H))
    .addOption(weightOption('--l2-h', 'ΣH²', standard.l2H))
  return withCommonOptions(command)
    .addHelpText('after', footer)
    .action((path: string, options: FactorizeOptions) => factorize(path, options))
}
