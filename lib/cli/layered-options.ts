// The options of gemmine factorize for models of several layers alone.
import { Option } from 'commander'
import { invalid } from '../errors'
import { deepSemiNmfDefaults } from '../factorization/deep-semi-nmf'
import { hierarchicalSemiNmfDefaults, levelModels } from '../factorization/hierarchical-semi-nmf'
import type { LevelModel } from '../factorization/hierarchical-semi-nmf'
import { layeredNames, type LayeredName } from '../factorization/layered-model'
import { choiceOption, countOption, numberOption } from './common-options'
import { countsOf } from './numbers'

/** A file for a layer. */
export interface LayerFile {
  readonly layer: number
  readonly path: string
}

export interface LayeredOptions {
  readonly layers?: readonly number[]
  readonly levelModel?: LevelModel
  readonly fineTuneIterations?: number
  readonly labelWeight?: number
  readonly labels?: readonly LayerFile[]
  readonly graph?: readonly LayerFile[]
  readonly graphWeight?: number
}

/** The constraints of the models, for a list of models. */
export const layeredSummaries: Readonly<Record<LayeredName, string>> = {
  'deep-semi-nmf':
    'semi-nmf of the codes of the layer before, then fine-tuned on X: --layers 64,16; W and H are those of the last',
  'hierarchical-semi-nmf':
    'semi-nmf or snmf of the components of the level before: --layers 64,16; W and H are those of the last',
}

/** The options of a model of layers alone. */
export const namesOfLayers = {
  'deep-semi-nmf': [
    'layers',
    'fineTuneIterations',
    'labels',
    'labelWeight',
    'graph',
    'graphWeight',
  ],
  'hierarchical-semi-nmf': ['layers', 'levelModel'],
} as const satisfies Readonly<Record<LayeredName, readonly (keyof LayeredOptions)[]>>

export const isLayered = (model: string | undefined): model is LayeredName =>
  layeredNames.some((name) => name === model)

const layerFiles =
  (option: string, example: string) =>
  (text: string, before: readonly LayerFile[] = []): readonly LayerFile[] => {
    const [, layer, path] = /^(\d{1,15})=(.+)$/s.exec(text) ?? []
    if (path === undefined)
      throw invalid(option, `LAYER=FILE with a layer from 0 on, such as ${example}`, text)
    return [...before, { layer: Number(layer), path }]
  }

export const layeredOptions = (): readonly Option[] => [
  new Option(
    '--layers <LIST>',
    'numbers of components of the layers, such as 64,16, each smaller than the one before; in place of --rank, for deep-semi-nmf, hierarchical-semi-nmf',
  ).argParser(countsOf('--layers')),
  choiceOption(
    '--level-model <NAME>',
    'the model of every level, for hierarchical-semi-nmf',
    levelModels,
    hierarchicalSemiNmfDefaults.model,
  ),
  countOption(
    '--fine-tune-iterations <N>',
    'iterations of the last layer on X at most, for deep-semi-nmf; 0 leaves the layers as they were found',
    deepSemiNmfDefaults.fineTuneIterations,
  ),
  new Option(
    '--labels <LAYER=FILE>',
    '.npy [n] int32: classes of the rows from 0 on, -1 where unknown, for a layer (0: the first) of deep-semi-nmf; once for each layer',
  ).argParser(layerFiles('--labels', '1=poses.npy')),
  numberOption(
    '--label-weight <WEIGHT>',
    'how much rows of one class are to have similar codes, for deep-semi-nmf',
    deepSemiNmfDefaults.labelWeight,
  ),
  new Option(
    '--graph <LAYER=FILE>',
    'a sparse [n x n] file, such as .npz or .mtx: weights >= 0 of the edges between rows, symmetric, for a layer of deep-semi-nmf in place of labels; once for each layer',
  ).argParser(layerFiles('--graph', '1=neighbours.npz')),
  numberOption(
    '--graph-weight <WEIGHT>',
    'how much rows with an edge are to have similar codes, for deep-semi-nmf; required beside --graph',
  ),
]
