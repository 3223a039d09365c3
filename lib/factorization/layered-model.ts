// What models of several layers share: one factorization on the factors of another.
import { fileError } from '../data/file'
import { type Matrix } from '../data/matrix'
import { packed } from '../data/pieces'
import { readSafetensors, writeSafetensors } from '../data/safetensors'
import { readHeader } from '../data/safetensors-header'
import { withReader } from '../data/byte-reader'
import type { SourceInput } from '../data/source'
import { invalid, invalidText, isMistake } from '../errors'
import { checkInteger, checkNumber, checkOneOf, frozen, withDefaults } from '../options'
import { version } from '../version'
import {
  checkEntries,
  componentsOf,
  damaged,
  FactorizationModel,
  outputDefaults,
  parsedOptions,
  type Codes,
  type InverseTransformOptions,
  type ModelOptions,
  type TransformOptions,
} from './factorization-model'

/** The models of several layers. */
export const layeredNames = ['hierarchical-semi-nmf', 'deep-semi-nmf'] as const
export type LayeredName = (typeof layeredNames)[number]

/** Which layer; 0 is the nearest to X. The last unless given. */
export interface LayerOption {
  /** The layer, 0 for the one with most components; the last unless given. */
  layer?: number | undefined
}

/** A component of the layer below, and how much a component of this layer is made of it. */
export interface ChildComponent {
  /** Its number in the layer below. */
  readonly component: number
  /** Its weight; of either sign in a deep semi-NMF. */
  readonly weight: number
}

export interface ChildrenOptions {
  /** The layer of the component, at least 1; the last unless given. */
  layer?: number | undefined
  /** The share of the largest weight that a child has at least, in magnitude; 0.15 unless given. */
  share?: number | undefined
  /** Children at most; 4 unless given. */
  most?: number | undefined
}

/** The only place where the defaults of {@link LayeredModel.children} are written. */
export const childrenDefaults = frozen({ share: 0.15, most: 4 })

const format = 'gemmine.layers'

/** Whether a file is that of a model of layers, by its header. */
export const isLayeredFile = async (path: string): Promise<boolean> =>
  (await withReader(path, readHeader)).metadata['format'] === format

/** The defaults of calls that choose a layer. */
const layerDefaults = { layer: undefined as number | undefined }

/** A factor of every layer, checked. */
function factorsOf(name: string, factors: unknown): readonly Matrix[] {
  if (!Array.isArray(factors)) throw invalid(name, 'an array of matrices', factors)
  return factors.map((factor: Matrix, l) => componentsOf(`${name}[${l}]`, factor))
}

/** Components in several layers, from many to few. */
export class LayeredModel {
  /** Which model. */
  readonly model: LayeredName
  /** The components of each layer in the columns of X, [rank × d], from the first layer to the last. */
  readonly components: readonly Matrix[]
  /**
   * What ties layer l + 1 to layer l. Of a hierarchical semi-NMF: W ≥ 0 [ranks[l] × ranks[l + 1]], the codes of
   * the components of layer l. Of a deep one: Z [ranks[l + 1] × ranks[l]], of any sign, whose product with the
   * components of layer l are those of layer l + 1.
   */
  readonly links: readonly Matrix[]
  /** The options with which the layers were fitted. */
  readonly options: ModelOptions
  readonly #layers: readonly FactorizationModel[]
  /** Whether the entries of components and links were not checked yet. */
  #isUnchecked: boolean

  /**
   * Creates a model of existing components and links.
   *
   * @throws {TypeError | RangeError} if they are no matrices of float32 in memory, or their shapes do not fit. An
   *   entry that is not finite, or is below 0 in a link of a hierarchy, is named by the first `transform`,
   *   `inverseTransform` or `save`, because a constructor would hold the event loop.
   */
  constructor(
    model: LayeredName,
    components: readonly Matrix[],
    links: readonly Matrix[],
    options: ModelOptions,
  ) {
    checkOneOf('model', model, layeredNames)
    this.model = model
    this.components = factorsOf('components', components)
    this.links = factorsOf('links', links)
    // The factors of a fit need no check.
    this.#isUnchecked = new.target === LayeredModel
    this.#checkShapes()
    this.#layers = this.components.map((H) => new FactorizationModel('semi-nmf', H, options))
    this.options = { ...options }
  }

  #checkShapes() {
    const { components, links, model } = this
    const [first] = components
    if (!first) throw invalidText('components', 'a matrix for each layer', 'an empty array')
    components.forEach(({ cols }, l) => {
      if (cols !== first.cols)
        throw invalid(`components[${l}].cols`, `${first.cols}, the columns of components[0]`, cols)
    })
    if (links.length !== components.length - 1)
      throw invalid('links', `${components.length - 1} links, one between two layers`, links.length)
    links.forEach(({ rows, cols }, l) => {
      const [lower, upper] = [components[l]!.rows, components[l + 1]!.rows]
      const wanted = model === 'deep-semi-nmf' ? [upper, lower] : [lower, upper]
      if (rows !== wanted[0] || cols !== wanted[1])
        throw invalidText(
          `links[${l}]`,
          `a matrix of ${wanted.join(' × ')}`,
          `${rows} × ${cols}`,
          RangeError,
        )
    })
  }

  async #check(): Promise<void> {
    if (!this.#isUnchecked) return
    for (const [l, H] of this.components.entries()) await checkEntries(`components[${l}]`, H, false)
    const isHierarchy = this.model === 'hierarchical-semi-nmf'
    for (const [l, link] of this.links.entries())
      await checkEntries(`links[${l}]`, link, isHierarchy)
    this.#isUnchecked = false
  }

  /** Numbers of components, from the first layer to the last. */
  get ranks(): readonly number[] {
    return this.components.map(({ rows }) => rows)
  }

  /** The components of the last layer, [rank × d]. */
  get H(): Matrix {
    return this.components.at(-1)!
  }

  /** Components of the last layer. */
  get rank(): number {
    return this.H.rows
  }

  /**
   * Codes new rows in a layer: for each row the non-negative least squares for the components of this layer, with
   * the model's penalties on W.
   *
   * @param X [n × d]; see {@link FactorizationModel.transform}.
   * @throws {TypeError | RangeError} if X is no matrix of d finite columns, there is no such layer, or an option
   *   is wrong or unknown.
   */
  async transform(X: SourceInput, given: TransformOptions & LayerOption = {}): Promise<Codes> {
    const { layer, ...options } = withDefaults({ ...outputDefaults, ...layerDefaults }, given)
    const model = this.#layer(layer)
    await this.#check()
    return model.transform(X, options)
  }

  /**
   * Computes rows from their codes in a layer: W H, [n × d].
   *
   * @param W [n × rank of the layer], of any sign; see {@link FactorizationModel.inverseTransform}.
   */
  async inverseTransform(
    W: SourceInput,
    given: InverseTransformOptions & LayerOption = {},
  ): Promise<Matrix> {
    const { layer, ...options } = withDefaults({ ...outputDefaults, ...layerDefaults }, given)
    const model = this.#layer(layer)
    await this.#check()
    return model.inverseTransform(W, options)
  }

  /**
   * The components of the layer below of which a component is made, largest weights first, equal ones by lower
   * component.
   *
   * @throws {TypeError | RangeError} if there is no such component, no layer below, or an option is wrong or
   *   unknown.
   */
  children(component: number, given: ChildrenOptions = {}): ChildComponent[] {
    const last = this.components.length - 1
    const { layer, share, most } = withDefaults({ layer: last, ...childrenDefaults }, given)
    if (last === 0)
      throw invalidText('layer', 'a layer above another one', 'a model of one layer', RangeError)
    checkInteger('layer', layer, 1, last)
    checkInteger('component', component, 0, this.components[layer]!.rows - 1)
    checkNumber('share', share, 0, 1)
    checkInteger('most', most, 1)
    const { data, rows, cols, stride = cols } = this.links[layer - 1]!
    const isDeep = this.model === 'deep-semi-nmf'
    const weights = Array.from({ length: isDeep ? cols : rows }, (_, child) => ({
      component: child,
      weight: isDeep ? data[component * stride + child]! : data[child * stride + component]!,
    }))
    const size = ({ weight }: ChildComponent) => Math.abs(weight)
    weights.sort((a, b) => size(b) - size(a) || a.component - b.component)
    const least = share * size(weights[0]!)
    return weights.filter((child) => size(child) > 0 && size(child) >= least).slice(0, most)
  }

  /**
   * Writes the model to a safetensors file: the components `H.0`, `H.1`, … and the links `link.0`, …, and the
   * options in its metadata.
   *
   * @throws {TypeError | RangeError} if a component or link has an entry that is wrong for the model.
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file cannot be written.
   */
  async save(path: string): Promise<void> {
    await this.#check()
    const tensors: Record<string, { data: Float32Array; shape: [number, number] }> = {}
    const add = async (name: string, matrix: Matrix) => {
      tensors[name] = { data: await packed(name, matrix), shape: [matrix.rows, matrix.cols] }
    }
    for (const [l, H] of this.components.entries()) await add(`H.${l}`, H)
    for (const [l, link] of this.links.entries()) await add(`link.${l}`, link)
    const options = JSON.stringify(this.options)
    await writeSafetensors(path, {
      tensors,
      metadata: { format, version, model: this.model, options },
    })
  }

  /**
   * Reads a model written by {@link save}.
   *
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file is missing, damaged, or no model of layers; also if
   *   shapes do not fit, an entry is not finite, or an option is wrong.
   */
  static async load(path: string): Promise<LayeredModel> {
    const { tensors, metadata } = await readSafetensors(path)
    const all = (prefix: string) => {
      const found: Matrix[] = []
      for (let l = 0; tensors[`${prefix}.${l}`] !== undefined; l++) {
        const { data, shape } = tensors[`${prefix}.${l}`]!
        if (!(data instanceof Float32Array) || shape.length !== 2) return []
        found.push({ data, rows: shape[0]!, cols: shape[1]! })
      }
      return found
    }
    const model = layeredNames.find((name) => name === metadata['model'])
    const components = all('H')
    if (metadata['format'] !== format || !model || components.length === 0)
      throw fileError(path, 'expected a model of layers saved by gemmine, with tensors H.0, H.1, …')
    const options = parsedOptions(path, metadata['options'])
    try {
      const loaded = new LayeredModel(model, components, all('link'), options)
      await loaded.#check()
      return loaded
    } catch (error) {
      throw isMistake(error) ? damaged(path, error) : error
    }
  }

  #layer(layer = this.components.length - 1): FactorizationModel {
    checkInteger('layer', layer, 0, this.components.length - 1)
    return this.#layers[layer]!
  }
}
