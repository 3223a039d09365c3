// The options of gemmine concepts, and their conversion to options of lib.
import type { Command } from 'commander'
import { describeConceptsDefaults } from '../concepts/describe-concepts'
import { reducerDefaults, reducerNames, type ReducerName } from '../concepts/reducer'
import { invalid } from '../errors'
import { kmeansDefaults } from '../factorization/kmeans'
import { truncatedSvdDefaults } from '../factorization/truncated-svd'
import {
  choiceOption,
  countOption,
  flagOption,
  numberOption,
  pathOption,
  type CommonOptions,
} from './common-options'
import { defaultsOf } from './factorize-options'
import { optionOf } from './failure'

/** Options of the models that are offered here, each with the word for its value and its meaning. */
const fitOptions = {
  iterations: ['N', 'iterations at most'],
  tolerance: ['T', 'stop when an iteration gains a smaller fraction; 0 runs them all'],
  sparsity: ['SHARE', 'share of the features that each component keeps'],
  l1W: ['WEIGHT', 'weight of Σ|codes| in the objective, for codes with more zeros'],
  l2H: ['WEIGHT', 'weight of Σ(components)², which --l1-w needs beside it'],
  restarts: ['R', 'runs from other centres, of which the best is kept'],
} as const

type FitOption = keyof typeof fitOptions

export type ConceptsOptions = CommonOptions & {
  readonly [Name in FitOption]?: number
} & {
  readonly rank?: number
  readonly model?: ReducerName
  readonly contexts?: string
  readonly count?: number
  readonly window?: number
  readonly repeatSamples?: boolean
  readonly features?: number
  readonly collinearAt?: number
  readonly unembedding?: string
  readonly vocabulary?: string
  readonly outputWeights?: string
}

/** The defaults of a model's function. */
export function fitDefaultsOf(model: ReducerName): Readonly<Record<string, unknown>> {
  if (model === 'kmeans') return kmeansDefaults
  return model === 'svd' ? truncatedSvdDefaults : defaultsOf(model)
}

/** The defaults of an option by model, as shown in the help: `200; snmf: 500`. */
function standardOf(name: FitOption): string {
  const having = reducerNames.filter((model) => Object.hasOwn(fitDefaultsOf(model), name))
  const standard = fitDefaultsOf(having[0]!)[name]
  const others = having.filter((model) => fitDefaultsOf(model)[name] !== standard)
  return [
    standard,
    ...others.map((model) => `${model}: ${String(fitDefaultsOf(model)[name])}`),
  ].join('; ')
}

/** The models that have an option, if not all of them do. */
function havingOf(name: FitOption): string {
  const having = reducerNames.filter((model) => Object.hasOwn(fitDefaultsOf(model), name))
  return having.length === reducerNames.length ? '' : `, for ${having.join(', ')}`
}

/**
 * The given options of the model.
 *
 * @throws {TypeError} naming an option of other models.
 */
export function fitOf(given: ConceptsOptions): Record<string, number | undefined> {
  const { model = reducerDefaults.model, seed } = given
  const own = Object.entries(fitOptions).flatMap(([name]) => {
    const value = given[name as FitOption]
    if (value === undefined) return []
    if (Object.hasOwn(fitDefaultsOf(model), name)) return [[name, value] as const]
    throw invalid(optionOf(name), `nothing (the model ${model} has no such option)`, value)
  })
  // A model that draws nothing has no seed, which every command takes.
  const drawn = Object.hasOwn(fitDefaultsOf(model), 'seed') ? { seed } : {}
  return { ...Object.fromEntries(own), ...drawn }
}

const whole = new Set<string>(['iterations', 'restarts'])

function describeFit(command: Command) {
  command
    .addOption(countOption('--rank <K>', 'number of concepts; required'))
    .addOption(
      choiceOption('--model <NAME>', 'how they are found', reducerNames, reducerDefaults.model),
    )
  for (const [name, [value, meaning]] of Object.entries(fitOptions)) {
    const make = whole.has(name) ? countOption : numberOption
    const text = `${meaning}${havingOf(name as FitOption)}`
    command.addOption(make(`${optionOf(name)} <${value}>`, text, standardOf(name as FitOption)))
  }
}

export function describeOptions(command: Command) {
  const standard = describeConceptsDefaults
  describeFit(command)
  command
    .addOption(pathOption('--contexts <FILE>', 'what each row stands for; see below'))
    .addOption(countOption('--count <N>', 'rows, and words, shown of each concept', standard.count))
    .addOption(
      countOption('--window <N>', 'tokens shown on either side of a token', standard.window),
    )
    .addOption(
      flagOption(
        '--repeat-samples',
        'show a sample again with another token (otherwise only its best token)',
      ),
    )
    .addOption(
      countOption('--features <N>', 'features (neurons) shown of each concept', standard.features),
    )
    .addOption(
      numberOption(
        '--collinear-at <C>',
        'cosine, of either sign, at which concepts are called collinear',
        standard.collinearAt,
      ),
    )
    .addOption(pathOption('--unembedding <FILE>', '[V x m]: a row for each token of a vocabulary'))
    .addOption(pathOption('--vocabulary <FILE>', 'the tokens of --unembedding, one a line'))
    .addOption(
      pathOption(
        '--output-weights <FILE>',
        '[m x d]: how features write to the space of --unembedding, where m is not d',
      ),
    )
}
