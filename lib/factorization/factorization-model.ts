import { outputMatrix, toDenseView, type Matrix, type MatrixInput } from '../data/matrix'
import { readSafetensors, writeSafetensors } from '../data/safetensors'
import { toSource, type SourceInput } from '../data/source'
import { GemmineError, invalid } from '../errors'
import { planMemory } from '../memory'
import { runJob } from '../native'
import { checkJob, type JobOptions } from '../options'
import { version } from '../version'

/** Which signs the factors may have: W ≥ 0 for both, H ≥ 0 for `nmf` only. */
export type ModelName = 'semi-nmf' | 'nmf'

/** The options a model was fitted with, as its file keeps them. */
export type ModelOptions = Readonly<Record<string, string | number>>

export interface TransformOptions extends JobOptions {
  /** Where the codes go, [n · rank]; a new array when left out. */
  out?: Float32Array | undefined
}

export interface Codes {
  /** Codes of the new rows, [n × rank], non-negative. */
  readonly W: Matrix
  /** ‖X − W H‖ / ‖X‖ of the new rows. */
  readonly relativeError: number
  /** Time inside the solver, in seconds. */
  readonly seconds: number
}

/** The marks by which a model file is told from any other safetensors file. */
const format = 'gemmine.factorization'

/** Components H [rank × d] and what is needed to code new rows with them. */
export class FactorizationModel {
  constructor(
    readonly model: ModelName,
    /** Components, [rank × d]. */
    readonly H: Matrix,
    readonly options: ModelOptions,
  ) {}

  get rank(): number {
    return this.H.rows
  }

  /**
   * Codes new rows with the components held fixed: for each row the non-negative least-squares
   * problem, under the model's penalties on W, swept until it stands still.
   *
   * @param X [n × d], dense, a file, or sparse.
   * @throws {TypeError | RangeError} if X is no matrix of d finite columns.
   *
   * @example
   * const { W } = await model.transform(Xnew)
   */
  async transform(X: SourceInput, { out, ...given }: TransformOptions = {}): Promise<Codes> {
    const { device, ...job } = checkJob(given)
    const source = await toSource('X', X)
    if (source.cols !== this.H.cols)
      throw invalid('X.cols', `${this.H.cols} columns, as in H`, source.cols)
    planMemory(`The codes of ${source.rows} rows`, 8 * source.rows * this.rank)
    const W = outputMatrix('out', out, source.rows, this.rank)
    const options = {
      device,
      model: this.model,
      l1W: this.#weight('l1W'),
      l2W: this.#weight('l2W'),
    }
    const result = await runJob(job, (addon, control) =>
      addon.transform(source, this.H, options, W, control),
    )
    return { W, ...result }
  }

  /**
   * Puts rows together again from their codes: W H, [n × d].
   *
   * @param W [n × rank].
   */
  inverseTransform(W: MatrixInput): Matrix {
    const codes = toDenseView('W', W)
    if (!codes.data || codes.type !== 'float32')
      throw invalid('W', 'a matrix of float32 in memory', codes.type)
    if (codes.cols !== this.rank)
      throw invalid('W.cols', `${this.rank} columns, one for each component`, codes.cols)
    return product(codes.data as Float32Array, codes.rows, codes.stride, this.H)
  }

  /**
   * Writes the model to a safetensors file: the tensor `H`, and the options in its metadata. The codes
   * of the training rows are data, not model: save `W` with {@link writeNpy}.
   *
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file cannot be written.
   */
  async save(path: string): Promise<void> {
    const { H } = this
    await writeSafetensors(path, {
      tensors: { H: { data: H.data, shape: [H.rows, H.cols] } },
      metadata: { format, version, model: this.model, options: JSON.stringify(this.options) },
    })
  }

  /**
   * Reads a model that {@link save} wrote.
   *
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file is missing, damaged, or no model of this package.
   */
  static async load(path: string): Promise<FactorizationModel> {
    const { tensors, metadata } = await readSafetensors(path)
    const H = tensors['H']
    const { model } = metadata
    if (
      metadata['format'] !== format ||
      (model !== 'semi-nmf' && model !== 'nmf') ||
      H?.shape.length !== 2
    )
      throw new GemmineError(
        'ERR_GEMMINE_FILE',
        `${path}: expected a model saved by gemmine, with a tensor H of two dimensions`,
      )
    const [rows, cols] = H.shape as [number, number]
    return new FactorizationModel(
      model,
      { data: H.data, rows, cols },
      parsedOptions(path, metadata['options']),
    )
  }

  #weight(name: 'l1W' | 'l2W'): number {
    return Number(this.options[name] ?? 0)
  }
}

function parsedOptions(path: string, text = '{}'): ModelOptions {
  try {
    const options: unknown = JSON.parse(text)
    if (typeof options === 'object' && options !== null && !Array.isArray(options))
      return options as ModelOptions
  } catch {
    // Told below, with what would be right.
  }
  throw new GemmineError(
    'ERR_GEMMINE_FILE',
    `${path}: expected options as a JSON object in the metadata, received ${text.slice(0, 40)}`,
  )
}

function product(W: Float32Array, rows: number, stride: number, H: Matrix): Matrix {
  const { data, rows: rank, cols } = H
  const result = new Float32Array(rows * cols)
  for (let i = 0; i < rows; i++) {
    const row = result.subarray(i * cols, (i + 1) * cols)
    for (let c = 0; c < rank; c++) {
      const weight = W[i * stride + c]!
      if (weight !== 0) for (let j = 0; j < cols; j++) row[j]! += weight * data[c * cols + j]!
    }
  }
  return { data: result, rows, cols }
}
