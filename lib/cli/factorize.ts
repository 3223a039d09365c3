// gemmine factorize: X ≈ W H, from a file to factors, a model and a summary.
import { Command } from 'commander'
import { checkPlace } from '../data/checkpoint-file'
import { matrixFile, sidesInFile } from '../data/matrix-files'
import { entriesOf, sidesOf, type SourceInput } from '../data/source'
import { invalid, invalidText } from '../errors'
import { entryDefaults } from '../factorization/entry-options'
import { estimateFactorization } from '../factorization/estimate'
import type { Factorization } from '../factorization/fit'
import {
  checkFitOptions,
  checkOwnTerms,
  defaultSolver,
  notOffered,
  withSteps,
} from '../factorization/fit-options'
import { modelNames, models } from '../factorization/models'
import { nmfDefaults } from '../factorization/nmf'
import { checkOneOf, withDefaults } from '../options'
import { budgetOption, helpList, required, withCommonOptions } from './common-options'
import { dryRunOption, estimated, trialOptions } from './dry-run'
import { readArrays, writeFactors } from './factor-files'
import {
  defaultsOf,
  describeFactorize,
  factorizeDefaults,
  familyOf,
  filesOf,
  scalarsOf,
  type FactorizeOptions,
} from './factorize-options'
import { optionOf } from './failure'
import { tellOfCheckpoint } from './interruption'
import { counted, heading, rateOf, runCommand, type Job } from './job'
import { factorizeLayers, type LayeredGiven } from './layered'
import { isLayered, layeredSummaries, namesOfLayers } from './layered-options'
import { matrixFiles, withSource, type Shape } from './load'
import { checkOutside } from './outputs'

/** The options of the model, without arrays. */
const fitOptions = (given: FactorizeOptions) =>
  scalarsOf(Object.keys(familyOf(given).defaults), given)

/** All options for which some model has a default. */
const allNames = new Set(modelNames.flatMap((name) => Object.keys(defaultsOf(name))))

/** Refuses options of other models, which are not passed to lib. */
function checkForeign(given: FactorizeOptions) {
  const { defaults } = familyOf(given)
  for (const name of allNames) {
    const value = given[name as keyof FactorizeOptions]
    if (value === undefined || Object.hasOwn(defaults, name) || value === 'frobenius') continue
    const { model = factorizeDefaults.model } = given
    throw invalid(optionOf(name), `nothing (the model ${model} has no such option)`, value)
  }
}

/** Refuses options of models of layers beside another model, before what that model lacks. */
function checkLayers(given: FactorizeOptions) {
  const entries = Object.entries(namesOfLayers) as [string, readonly string[]][]
  for (const name of new Set(entries.flatMap(([, names]) => names))) {
    if (given[name as keyof FactorizeOptions] === undefined) continue
    const taking = entries.filter(([, names]) => names.includes(name)).map(([model]) => model)
    const { model = factorizeDefaults.model } = given
    throw invalidText(optionOf(name), `--model ${oneOf(taking)} beside it`, `--model ${model}`)
  }
}

const oneOf = (names: readonly string[]) =>
  new Intl.ListFormat('en', { type: 'disjunction' }).format(names)

/** Checks options of some models, and options that need each other. */
function checkTogether(given: FactorizeOptions, out: string | undefined) {
  const { model = factorizeDefaults.model, init } = given
  const entries = Object.keys(entryDefaults) as readonly (keyof typeof entryDefaults)[]
  for (const name of entries) {
    const value = given[name]
    if (Object.hasOwn(defaultsOf(model), name)) continue
    const taking = modelNames.filter((each) => Object.hasOwn(defaultsOf(each), name))
    if (value !== undefined && value !== 'frobenius')
      throw invalidText(`--${name}`, `--model ${oneOf(taking)} beside it`, `--model ${model}`)
  }
  const starts = given.w0 !== undefined || given.h0 !== undefined
  if (starts && init !== 'custom')
    throw invalidText(
      given.w0 === undefined ? '--h0' : '--w0',
      '--init custom beside it',
      init === undefined ? 'none' : `--init ${init}`,
    )
  if (init === 'custom' && !starts)
    throw invalidText('--init custom', '--w0, --h0 or both beside it', 'neither')
  if (given.checkpoint && out) checkOutside('--checkpoint', given.checkpoint, out)
}

/** Checks that need only the shape of X. A start chosen by lib is valid for every rank. */
function checkOptions(given: FactorizeOptions, rank: number, shape: Shape) {
  const { inits, defaults, solvers: known } = familyOf(given)
  const standard = { ...nmfDefaults, ...notOffered, solver: known[0], ...defaults }
  const options = withDefaults<typeof standard, object>(standard, fitOptions(given))
  const masked = { ...options, mask: given.mask === undefined ? undefined : new Uint8Array(0) }
  const { model = factorizeDefaults.model } = given
  const isChosen = known.length > 1 && given.solver === undefined
  const solver = isChosen ? defaultSolver(model, { ...masked, rank }) : options.solver
  const any = inits.find((name) => name === 'random') ?? inits[0]
  const init = given.init === undefined || given.init === 'custom' ? any : given.init
  const { rows, cols } = shape
  const settled = withSteps({ ...masked, solver, rank, init }, { ...shape, entries: rows * cols })
  checkFitOptions(settled, inits, rows, cols, known)
  checkOwnTerms(model, settled)
}

async function factorize(path: string, given: FactorizeOptions) {
  checkLayers(given)
  const rank = required(given.rank, '--rank', 'the number of components')
  const { inits, takesFactors, fit, defaults } = familyOf(given)
  const starts = takesFactors ? [...inits, 'custom'] : inits
  if (Object.hasOwn(defaults, 'init') && given.init !== undefined)
    checkOneOf('--init', given.init, starts)
  checkTogether(given, given.out)
  checkForeign(given)
  const fitTo = async (X: SourceInput, job: Job) => {
    const arrays = await readArrays(given, path, sidesOf('X', X))
    const found = await job.progress.during('factorize', (onProgress) =>
      fit(X, { ...fitOptions(given), ...arrays, ...job.options, rank, onProgress }),
    )
    await writeFactors(found, job)
    return { summary: summaryOf(X, found, job), outcome: outcomeOf(found) }
  }
  await runCommand(given, filesOf(path, given), async (job) => {
    if (given.dryRun) return estimate(path, given, rank, job)
    if (given.checkpoint) {
      await checkPlace(given.checkpoint)
      tellOfCheckpoint(given.checkpoint)
    }
    return withSource(
      path,
      job.options,
      (shape) => checkOptions(given, rank, shape),
      (X) => fitTo(X, job),
    )
  })
}

/** Options that depend on the rows of X, or on files. */
const notTried = ['batchSize', 'forgetFactor', 'checkpoint', 'checkpointSeconds', 'resume']

async function estimate(path: string, given: FactorizeOptions, rank: number, job: Job) {
  const { model = factorizeDefaults.model } = given
  const { fit } = familyOf(given)
  if (model === 'separable-nmf')
    throw invalidText('--dry-run', 'a model with iterations', `--model ${model}`)
  const entries = Object.entries(fitOptions(given)).filter(
    ([name, value]) => !notTried.includes(name) && !(name === 'init' && value === 'custom'),
  )
  const sides = await sidesInFile(path)
  checkOptions(given, rank, sides)
  const { isSparse, ...shape } = sides
  const nonzeros = isSparse
    ? await withSource(
        path,
        job.options,
        () => {},
        async (X) => entriesOf(X, sides),
      )
    : undefined
  const options = { ...Object.fromEntries(entries), ...trialOptions(job), rank }
  const { rows, cols } = shape
  return estimated(
    'factorize',
    await estimateFactorization<typeof options>(fit, { rows, cols, nonzeros }, options),
    'iteration',
  )
}

const outcomeOf = ({ relativeError, iterations, converged }: Factorization) =>
  `relative error ${relativeError.toPrecision(3)} after ${counted(iterations, 'iteration')}, ` +
  (converged ? 'converged' : 'not converged')

function summaryOf(X: SourceInput, found: Factorization, { threads, device, blas }: Job) {
  const { model, rank, options, iterations, seconds, anchors } = found
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
    ...(anchors && { anchors: Array.from(anchors) }),
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

const footer = `
X has one row a sample: ${matrixFiles}.

Models (W [n x K] >= 0 in all of them):
${helpList([...modelNames.map((name) => [name, models[name].summary] as const), ...Object.entries(layeredSummaries)])}

Writes W.npy [n x K], H.npy [K x d], model.safetensors (for gemmine transform) and summary.json, for
separable-nmf with the rows that are components (anchors). convex-nmf and archetypal-analysis also write
A.npy [K x n], with H = A X. Models of layers also write codes.safetensors: W.0, W.1, …, the codes of
all layers. H.0, H.1, … in model.safetensors are their components.

Example:
  $ gemmine factorize embeddings.npy --rank 32 --out topics
  $ gemmine factorize counts.npz --model nmf --rank 20 --out topics
  $ gemmine factorize faces.npy --model deep-semi-nmf --layers 64,16 --out faces
`

export function factorizeCommand(): Command {
  const command = new Command('factorize')
    .summary('split a matrix into parts: X ≈ W H')
    .description('Factorize a matrix X [n x d] as X ≈ W H with W [n x K] and H [K x d].')
    .argument('<X>', `the matrix: ${matrixFile}`)
  describeFactorize(command, ', but not for models of layers')
  return withCommonOptions(
    command
      .addOption(budgetOption())
      .addOption(dryRunOption('; not for models of layers and separable-nmf')),
  )
    .addHelpText('after', footer)
    .action((path: string, options: FactorizeOptions | LayeredGiven) =>
      isLayered(options.model)
        ? factorizeLayers(path, options as LayeredGiven)
        : factorize(path, options as FactorizeOptions),
    )
}
