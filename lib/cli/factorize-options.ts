// The options of gemmine factorize, and their conversion to options of lib.
import { Command, Option } from 'commander'
import { defaultForgetFactor } from '../factorization/batches'
import { checkpointDefaults } from '../factorization/checkpoint'
import type { upperHDefaults } from '../factorization/bounds'
import { missingKinds, type entryDefaults } from '../factorization/entry-options'
import {
  anyLosses,
  semiOrthogonalNmfLosses,
  squaresLosses,
  type AnyLoss,
} from '../factorization/losses'
import {
  accelerations,
  defaultSteps,
  solvers,
  type fitDefaults,
} from '../factorization/fit-options'
import { modelNames, models, rowOf, type ModelName, type StartName } from '../factorization/models'
import * as lib from '../index'
import type { Penalties } from '../factorization/penalties'
import type { SourceInput } from '../data/source'
import type { Overrides } from '../options'
import { optionOf } from './failure'
import { layeredNames } from '../factorization/layered-model'
import { layeredOptions } from './layered-options'
import {
  choiceOption,
  countOption,
  flagOption,
  numberOption,
  pathOption,
  type CommonOptions,
} from './common-options'

/** The only place where the command's own defaults are written; all others are those of lib. */
export const factorizeDefaults = { model: 'semi-nmf', loss: 'frobenius' } as const

/** Options without arrays, which are files on the command line. Those of single models are numbers. */
type Scalars = Omit<
  Overrides<typeof fitDefaults & typeof upperHDefaults & typeof entryDefaults>,
  'mask' | 'sampleWeight' | 'loss'
> & { loss?: AnyLoss | undefined }

export type FactorizeOptions = CommonOptions &
  Scalars & {
    readonly model?: ModelName
    readonly rank?: number
    readonly init?: StartName
    readonly w0?: string
    readonly h0?: string
    readonly mask?: string
    readonly sampleWeight?: string
  }

/** The files that the command reads, by the names of their arguments in lib. */
export const filesOf = (X: string, { w0, h0, mask, sampleWeight, resume }: FactorizeOptions) => {
  const files = { X, w0, h0, mask, sampleWeight, resume, 'init.W': w0, 'init.H': h0 }
  return Object.fromEntries(
    Object.entries(files).filter(([, path]) => path !== undefined),
  ) as Record<string, string> & { readonly X: string }
}

/** The options of lib with these names, without arrays, which are files on the command line. */
export const scalarsOf = (names: readonly string[], given: object): Record<string, unknown> =>
  Object.fromEntries(
    names
      .filter((name) => name !== 'mask' && name !== 'sampleWeight')
      .map((name) => [name, (given as Readonly<Record<string, unknown>>)[name]]),
  )

/** A model of the command line: its declaration, and its function and defaults in the package. */
export function familyOf({ model = factorizeDefaults.model }: FactorizeOptions) {
  const declared = models[model]
  return {
    ...declared,
    fit: lib[declared.call] as (X: SourceInput, options: object) => Promise<lib.Factorization>,
    defaults: defaultsOf(model),
  }
}

/** The defaults of a model's function. */
export const defaultsOf = (model: ModelName): Readonly<Record<string, unknown>> =>
  lib[`${models[model].call}Defaults`]

const startsDescription =
  'where to start. ' +
  modelNames
    .filter((model) => Object.hasOwn(defaultsOf(model), 'init'))
    .map((model) => {
      const { inits, start = defaultsOf(model)['init'] } = rowOf(model)
      return `${model}: ${inits.join(', ')} (default: ${String(start)}); `
    })
    .join('') +
  `custom (${modelNames.filter((model) => models[model].takesFactors).join(' and ')}): ` +
  'from --w0, --h0 or both. A K above min(n, d) needs random, kmeans or furthest-sum'

/** The default of `name` in other models, where it differs. */
const ofOthers = (name: string, standard: unknown) =>
  modelNames
    .map((model) => [model, defaultsOf(model)[name]] as const)
    .filter(([, value]) => value !== undefined && value !== standard)
    .map(([model, value]) => `; ${model}: ${String(value)}`)
    .join('')

/** The options of single models: flags, names, counts, or numbers if the default is no whole number. */
const ownOptions = () =>
  modelNames.flatMap((model) => {
    const { options = {} } = rowOf(model)
    return Object.entries(options).map(([name, [value, meaning, kind]]) => {
      const standard = defaultsOf(model)[name] as number | boolean
      const text = `${meaning}, for ${model}`
      if (typeof standard === 'boolean') return flagOption(optionOf(name), text)
      if (typeof value !== 'string')
        return choiceOption(`${optionOf(name)} <NAME>`, text, value, standard)
      const isCount = Number.isInteger(standard) && kind !== 'number'
      const make = isCount ? countOption : numberOption
      return make(`${optionOf(name)} <${value}>`, text, standard)
    })
  })

const weightOption = (flag: string, weighed: string, name: keyof Penalties) => {
  const standard = lib.semiNmfDefaults[name]
  const meaning = `weight of ${weighed} in the objective${ofOthers(name, standard)}`
  return numberOption(`${flag} <WEIGHT>`, meaning, standard)
}

const boundOption = (name: string, bounded: string) =>
  numberOption(
    `${name} <BOUND>`,
    `upper bound of the entries of ${bounded}; hals, projected-gradient`,
  )

/** A default that depends on the solver, as shown in the help. */
function bySolver(name: 'innerSweeps' | 'acceleration') {
  const { mu, ratio, plain, ...others } = defaultSteps
  const ofMu = { ...mu, innerSweeps: `${mu.fewestSweeps} to ${mu.mostSweeps} by the size of X` }
  const solvers = Object.entries({ mu: ofMu, ...others }).map(
    ([solver, steps]) => `${solver}: ${steps[name]}`,
  )
  return `${solvers.join(', ')}, mu under another loss or with missing entries: ${ratio[name]}, else, and for mu from --init custom: ${plain[name]}`
}

function describeSteps(command: Command) {
  const standard = lib.semiNmfDefaults
  command
    .addOption(
      choiceOption(
        '--solver <NAME>',
        'how factors are improved',
        solvers,
        `${standard.solver}; without bounds anls-bpp where entries are missing; mu for another loss of nmf`,
      ),
    )
    .addOption(
      countOption(
        '--iterations <N>',
        `iterations at most${ofOthers('iterations', standard.iterations)}`,
        standard.iterations,
      ),
    )
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
        `sweeps in each half of an iteration${ofOthers('innerSweeps', 1)}`,
        bySolver('innerSweeps'),
      ),
    )
    .addOption(
      choiceOption(
        '--acceleration <NAME>',
        'how iterations build on each other',
        accelerations,
        bySolver('acceleration'),
      ),
    )
  for (const option of ownOptions()) command.addOption(option)
}

function describeTerms(command: Command) {
  command
    .addOption(weightOption('--l1-w', 'Σ|W|', 'l1W'))
    .addOption(weightOption('--l2-w', 'ΣW²', 'l2W'))
    .addOption(weightOption('--l1-h', 'Σ|H|', 'l1H'))
    .addOption(weightOption('--l2-h', 'ΣH²', 'l2H'))
    .addOption(boundOption('--upper-w', 'W'))
    .addOption(
      countOption(
        '--batch-size <N>',
        'rows after which H is improved, for semi-nmf and nmf',
        'all',
      ),
    )
    .addOption(
      numberOption(
        '--forget-factor <F>',
        'share of older sums that is left after all rows, beside --batch-size',
        defaultForgetFactor,
      ),
    )
    .addOption(boundOption('--upper-h', 'H, for nmf'))
}

function describeEntries(command: Command) {
  command
    .addOption(
      choiceOption(
        '--loss <NAME>',
        `what is minimised. semi-nmf: ${squaresLosses.join(', ')}; semi-orthogonal-nmf: ${semiOrthogonalNmfLosses.join(', ')}, of entries 0 and 1; nmf: all but logistic; other models: frobenius`,
        anyLosses,
        factorizeDefaults.loss,
      ),
    )
    .addOption(numberOption('--beta <B>', 'β of the loss beta'))
    .addOption(numberOption('--power <P>', 'p of the variance v^p of the loss tweedie'))
    .addOption(
      numberOption(
        '--dispersion <PHI>',
        'φ of the variance v + φ·v² of the loss negative-binomial',
      ),
    )
    .addOption(numberOption('--delta <D>', 'residual from which the loss huber is linear'))
    .addOption(
      numberOption('--bandwidth <S>', 'σ of the kernel of the losses correntropy, row-correntropy'),
    )
    .addOption(pathOption('--mask <FILE>', '.npy [n x d]: 0 where an entry was not seen'))
    .addOption(
      new Option('--missing <KIND>', 'entries that were not seen').choices([...missingKinds]),
    )
    .addOption(pathOption('--sample-weight <FILE>', '.npy [n]: weights of the rows, at least 0'))
}

function describeCheckpoints(command: Command, ofResume: string) {
  command
    .addOption(
      pathOption(
        '--checkpoint <FILE>',
        'where the run keeps itself, outside --out: after the start, from time to time, when interrupted and at the end',
      ),
    )
    .addOption(
      numberOption(
        '--checkpoint-seconds <S>',
        'seconds between two checkpoints',
        checkpointDefaults.checkpointSeconds,
      ),
    )
    .addOption(
      pathOption(
        '--resume <FILE>',
        `a checkpoint to go on from; --iterations may be larger${ofResume}`,
      ),
    )
}

/** @param ofResume What the command has to add to the text of --resume. */
export function describeFactorize(command: Command, ofResume = '') {
  command
    .addOption(
      countOption(
        '--rank <K>',
        'number of components; required, but --layers in its place for models of layers',
      ),
    )
    .addOption(
      choiceOption(
        '--model <NAME>',
        'what the factors obey',
        [...modelNames, ...layeredNames],
        factorizeDefaults.model,
      ),
    )
    .addOption(new Option('--init <NAME>', startsDescription))
    .addOption(pathOption('--w0 <FILE>', '.npy [n x K]: codes to start from'))
    .addOption(pathOption('--h0 <FILE>', '.npy [K x d]: components to start from'))
  for (const option of layeredOptions()) command.addOption(option)
  describeSteps(command)
  describeTerms(command)
  describeEntries(command)
  describeCheckpoints(command, ofResume)
}

/** The options of gemmine factorize that a function with these defaults has too, but for some. */
export function optionsOf(defaults: object, except: readonly string[]): readonly Option[] {
  const factorize = new Command()
  describeFactorize(factorize)
  return factorize.options.filter((option) => {
    const name = option.attributeName()
    return Object.hasOwn(defaults, name) && !except.includes(name)
  })
}
