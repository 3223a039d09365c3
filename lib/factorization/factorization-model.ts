import { fileError, printable } from '../data/file'
import { outputMatrix, toDenseView, type Matrix } from '../data/matrix'
import { packed } from '../data/pieces'
import { readSafetensors, writeSafetensors } from '../data/safetensors'
import { loanOf } from '../data/loan'
import { inSlices } from '../data/slices'
import { arraysOf, toSource, type SourceInput } from '../data/source'
import { checkApart } from '../data/typed-array'
import { invalid, invalidEntry, invalidText, isMistake, type MistakeError } from '../errors'
import { detached } from '../lending'
import { planMemory } from '../memory'
import { checkBound } from './bounds'
import { entryDefaults } from './entry-options'
import { checkLoss, lossesOf, lossOptionsOf, nativeLoss } from './losses'
import { codesBytes, ownNormalsBytes } from './memory'
import { modelNames, models, rowSums, type ModelName, type RowSums } from './models'
import { productOf } from './product'
import { runJob } from '../native'
import {
  checkJob,
  checkNumber,
  checkOneOf,
  jobDefaults,
  memoryDefaults,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
} from '../options'
import { version } from '../version'

export type { ModelName }

/** The options with which a model was fitted, as stored in its file. */
export type ModelOptions = Readonly<Record<string, string | number>>

export interface TransformOptions extends JobOptions, MemoryOptions {
  /** Output of the codes, [n · rank], not overlapping the inputs; a new array unless given. */
  out?: Float32Array | undefined
}

export interface InverseTransformOptions extends JobOptions, MemoryOptions {
  /** Output of the rows, [n · d], not overlapping the inputs; a new array unless given. */
  out?: Float32Array | undefined
}

/** The defaults of both. */
export const outputDefaults = { ...jobDefaults, ...memoryDefaults, out: undefined } as const

export interface Codes {
  /** Codes of the new rows, [n × rank], non-negative. */
  readonly W: Matrix
  /** ‖X − W H‖ / ‖X‖ of the new rows. */
  readonly relativeError: number
  /** Time inside the solver, in seconds. */
  readonly seconds: number
}

/** Marks that distinguish a model file from other safetensors files. */
const format = 'gemmine.factorization'

/** Components H [rank × d] and the options needed to code new rows with them. */
export class FactorizationModel {
  readonly model: ModelName
  /** Components, [rank × d]. */
  readonly H: Matrix
  readonly options: ModelOptions
  /** Whether the entries of H were not checked yet. */
  #isUnchecked: boolean

  /**
   * Creates a model of existing components.
   *
   * @param H [rank × d], of float32, with any stride. Borrowed, not copied (unless its buffer is resizable),
   *   and lent to `transform` and `inverseTransform`: see {@link DenseMatrix}.
   * @param options The penalties on W, `l1W` and `l2W`, 0 if omitted, its bound `upperW`, and the `loss` with
   *   its number; other options are only stored.
   * @throws {TypeError | RangeError} if H is no such matrix, a weight is below 0 or not a number, the model has
   *   no such `loss`, `upperW` or `rowSums`, or `rank` is not that of H. An entry of H that is not finite, or is
   *   below 0 for `nmf`, is named by the first
   *   `transform`, `inverseTransform` or `save`, because a constructor would hold the event loop.
   */
  constructor(model: ModelName, H: Matrix, options: ModelOptions) {
    checkOneOf('model', model, modelNames)
    this.model = model
    this.H = componentsOf('H', H)
    // The H of a fit needs no check.
    this.#isUnchecked = new.target === FactorizationModel
    checkOptions(model, options, this.H.rows)
    checkOffered(model, options)
    this.options = { ...options }
  }

  get rank(): number {
    return this.H.rows
  }

  /**
   * Codes new rows with fixed components: for each row the solution of the non-negative least-squares problem
   * with the model's penalties on W; one of several if components are dependent. Where the rows of W sum to 1, or
   * at most 1, those of the codes do too. For a `loss` other
   * than `frobenius`, multiplicative steps start from equal codes and end when fifty of them gain less than a
   * millionth.
   *
   * @param X [n × d], dense, a file, or sparse. Lent, not copied, and not transferable afterwards: see {@link
   *   DenseMatrix}. Do not write to it before the promise settles.
   * @throws {TypeError | RangeError} if X is no matrix of d finite columns, H has an entry that is wrong for
   *   the model, or an option is wrong or unknown.
   * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`.
   *
   * @example
   * const { W } = await model.transform(Xnew)
   */
  async transform(X: SourceInput, given?: TransformOptions): Promise<Codes> {
    const { out, ...rest } = withDefaults(outputDefaults, given)
    const { device, ...job } = checkJob(rest)
    const { memoryBudget } = job
    const source = await toSource('X', X)
    if (source.cols !== this.H.cols)
      throw invalid('X.cols', `${this.H.cols} columns, as in H`, source.cols)
    await this.#check()
    const { loss } = lossOf(this.options)
    const hasOwnNormals = loss !== 'frobenius' && !models[this.model].isNonnegative
    planMemory(
      `The codes of ${source.rows} rows`,
      codesBytes(source, this.rank) + (hasOwnNormals ? ownNormalsBytes(source, this.rank) : 0),
      memoryBudget,
    )
    const W = outputMatrix('out', out, source.rows, this.rank)
    checkApart({ out: W.own }, { ...arraysOf(source), H: this.H.data })
    const options = {
      device,
      model: this.model,
      loss: nativeLoss(lossOf(this.options)),
      l1W: this.#weight('l1W'),
      l2W: this.#weight('l2W'),
      upperW: this.options['upperW'] as number | undefined,
      rowSums: this.options['rowSums'] as RowSums | undefined,
    }
    const { inputs, arrays } = await loanOf({ X: source, H: this.H })
    const result = await runJob(job, { ...arrays, out }, (addon, control) =>
      addon.transform(inputs.X, inputs.H, options, W.matrix, control),
    )
    return { W: await W.settle(), ...result }
  }

  /**
   * Computes rows from their codes: W H, [n × d], in float32. An entry of W H beyond the range of float32 is
   * ±Infinity.
   *
   * @param W [n × rank], of any sign: dense, a file, or sparse. Lent, not copied, and not
   *   transferable afterwards: see {@link DenseMatrix}. Do not write to it before the promise settles.
   * @throws {TypeError | RangeError} if W is no matrix of `rank` finite columns, H has an entry that
   *   is wrong for the model, or an option is wrong or unknown.
   * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`.
   *
   * @example
   * const { W } = await model.transform(X)
   * const approximation = await model.inverseTransform(W)
   */
  async inverseTransform(W: SourceInput, given?: InverseTransformOptions): Promise<Matrix> {
    const options = withDefaults(outputDefaults, given)
    const { H } = this
    await this.#check()
    const wanted = `${H.rows} columns, one for each component`
    return productOf({ name: 'W', matrix: W }, { name: 'H', matrix: H }, { wanted, ...options })
  }

  /**
   * Writes the model to a safetensors file: the tensor `H`, and the options in its metadata. The codes
   * of the training rows are data, not model: save `W` with {@link writeNpy}.
   *
   * @throws {TypeError | RangeError} if H has an entry that is wrong for the model.
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file cannot be written.
   */
  async save(path: string): Promise<void> {
    await this.#check()
    const { rows, cols } = this.H
    await writeSafetensors(path, {
      tensors: { H: { data: await packed('H.data', this.H), shape: [rows, cols] } },
      metadata: { format, version, model: this.model, options: JSON.stringify(this.options) },
    })
  }

  /**
   * Reads a model written by {@link save}.
   *
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file is missing, damaged, or no model of this package;
   *   also if H has an entry that is not finite, or is below 0 in an `nmf`, or a weight is wrong.
   */
  static async load(path: string): Promise<FactorizationModel> {
    const { tensors, metadata } = await readSafetensors(path)
    const tensor = tensors['H']
    const data = tensor?.data
    const model = modelNames.find((name) => name === metadata['model'])
    const isModel = metadata['format'] === format && tensor?.shape.length === 2
    if (!isModel || !model || !(data instanceof Float32Array))
      throw fileError(
        path,
        'expected a model saved by gemmine, with a tensor H of float32 and two dimensions',
      )
    const [rows, cols] = tensor.shape as [number, number]
    const H = { data, rows, cols }
    const options = parsedOptions(path, metadata['options'])
    try {
      const loaded = new FactorizationModel(model, H, options)
      await loaded.#check()
      return loaded
    } catch (error) {
      throw isMistake(error) ? damaged(path, error) : error
    }
  }

  async #check(): Promise<void> {
    if (!this.#isUnchecked) return
    await checkEntries('H', this.H, models[this.model].isNonnegative)
    this.#isUnchecked = false
  }

  #weight(name: 'l1W' | 'l2W'): number {
    return Number(this.options[name] ?? 0)
  }
}

/** A factor in a form for jobs: checked, and not over a buffer that could shrink during a job. */
export function componentsOf(name: string, H: Matrix): Matrix {
  const { data, rows, cols, stride, type } = toDenseView(name, H)
  if (!data || type !== 'float32') throw invalidText(name, 'a matrix of float32 in memory', type)
  const matrix = { data: data as Float32Array, rows, cols }
  return stride === cols ? matrix : { ...matrix, stride }
}

function checkOptions(model: ModelName, options: ModelOptions, rank: number) {
  if (typeof options !== 'object' || options === null)
    throw invalid('options', 'an object', options)
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && typeof value !== 'string' && !Number.isFinite(value))
      throw invalid(`options.${printable(name)}`, 'a text or a finite number', value)
  checkOneOf('options.loss', lossOf(options).loss, lossesOf(model))
  checkLoss(lossOf(options))
  for (const name of ['l1W', 'l2W', 'l1H', 'l2H'])
    if (options[name] !== undefined) checkNumber(`options.${name}`, options[name], 0)
  checkBound('options.upperW', options['upperW'])
  if (options['rowSums'] !== undefined) checkOneOf('options.rowSums', options['rowSums'], rowSums)
  if (options['rank'] !== undefined && options['rank'] !== rank)
    throw invalid('options.rank', `${rank}, the rows of H`, options['rank'])
}

/** Refuses options that change the codes of other models only. */
function checkOffered(model: ModelName, { upperW, rowSums }: ModelOptions) {
  const offered = { upperW: ['nmf', 'semi-nmf'], rowSums: ['min-volume-nmf'] }
  for (const [name, value] of Object.entries({ upperW, rowSums }))
    if (value !== undefined && !offered[name as keyof typeof offered].includes(model))
      throw invalid(`options.${name}`, `no ${name} for the model ${model}`, value)
}

/** The loss of the codes; checked by the constructor. */
const lossOf = (options: ModelOptions) => lossOptionsOf(options, entryDefaults.loss)

/** Throws for entries that no fit produces. */
export async function checkEntries(
  name: string,
  { data, rows, cols, stride = cols }: Matrix,
  isNonnegative: boolean,
) {
  const low = isNonnegative ? 0 : -Number.MAX_VALUE
  const expected = isNonnegative ? 'a finite number of at least 0' : 'a finite number'
  const { length } = data
  await inSlices(rows * cols, (begin, end) => {
    if (data.length !== length || length === 0) throw detached(`${name}.data`)
    let [i, j] = [Math.floor(begin / cols), begin % cols]
    for (let t = begin; t < end; t++) {
      const value = data[i * stride + j]!
      if (!(value >= low && value < Infinity)) throw invalidEntry(name, expected, value, i, j)
      if (++j === cols) [i, j] = [i + 1, 0]
    }
  })
}

/** Converts a mistake in a model to an error of its file. */
export function damaged(path: string, mistake: MistakeError) {
  const { argument, expected, received, row, column } = mistake
  const place =
    row === undefined ? `for ${argument}` : `at row ${row}, column ${column} of ${argument}`
  return fileError(path, `expected ${expected} ${place}, received ${printable(received)}`, {
    cause: mistake,
  })
}

export function parsedOptions(path: string, text = '{}'): ModelOptions {
  try {
    const options: unknown = JSON.parse(text)
    if (typeof options === 'object' && options !== null && !Array.isArray(options))
      return options as ModelOptions
  } catch {
    // Reported below, with correct values.
  }
  throw fileError(
    path,
    `expected options as a JSON object in the metadata, received ${printable(text)}`,
  )
}
