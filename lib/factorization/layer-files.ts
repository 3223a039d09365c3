// The files of a model of layers: one of the finished fits, and one of the fit that runs.
import { stat, unlink } from 'node:fs/promises'
import {
  checkCheckpointOptions,
  checkIdentity,
  checkPlace,
  readCheckpoint,
  stamped,
  writeCheckpoint,
  type CheckpointOptions,
  type Identity,
} from '../data/checkpoint-file'
import { fileError } from '../data/file'
import { loanOf } from '../data/loan'
import type { Matrix } from '../data/matrix'
import type { Tensor, Tensors } from '../data/safetensors'
import { toSource, type SourceInput } from '../data/source'
import { runJob, type NativeSource } from '../native'
import { checkJob, type JobOptions } from '../options'
import { parsedOptions } from './factorization-model'
import { Factorization } from './fit'
import type { FitOptions } from './fit-options'
import type { Graph } from './graph'
import type { LayeredOptions } from './layer-options'
import type { LayeredName } from './layered-model'
import type { ModelName } from './models'

type Files = Pick<CheckpointOptions, 'checkpoint' | 'checkpointSeconds' | 'resume'>

async function fingerprintOf(name: string, X: SourceInput, given: JobOptions): Promise<string> {
  const { device: _, ...job } = checkJob({ ...given, onProgress: undefined })
  const { inputs, arrays } = await loanOf({ [name]: await toSource(name, X) })
  return runJob(job, arrays, (addon, control) =>
    addon.fingerprint(inputs[name] as NativeSource, control),
  )
}

/** What decides the factors of a model of layers, besides X and the options of single values. */
interface Deciding {
  /** The options of one value, by their names in messages. */
  readonly options: Readonly<Record<string, unknown>>
  readonly inits: LayeredOptions['inits']
  /** The graph of each layer, and the option that it is from. */
  readonly graphs?: readonly ({ readonly option: string; readonly graph: Graph } | undefined)[]
}

/** What a resumed run must have in common with the one that wrote its checkpoint. */
async function identityOf(
  model: LayeredName,
  X: SourceInput,
  { options, inits = [], graphs = [] }: Deciding,
  job: JobOptions,
): Promise<{ identity: Identity; contents: readonly string[] }> {
  const texts = Object.entries(options).map(([name, value]) => [name, String(value ?? 'none')])
  const ofX = await fingerprintOf('X', X, job)
  const identity: Record<string, string> = { X: ofX, model, ...Object.fromEntries(texts) }
  const contents = ['X']
  for (const [l, init] of inits.entries()) {
    const name = `inits[${l}]`
    if (typeof init === 'string') identity[name] = init
    if (typeof init !== 'object' || init === null) continue
    contents.push(name)
    const { W, H } = init
    const ofW = W && (await fingerprintOf(`${name}.W`, W, job))
    const ofH = H && (await fingerprintOf(`${name}.H`, H, job))
    identity[name] = `${ofW} ${ofH}`
  }
  for (const [l, found] of graphs.entries()) {
    const name = `${found?.option ?? 'graphs'}[${l}]`
    if (!found) continue
    contents.push(name)
    identity[name] = await fingerprintOf(name, found.graph.adjacency, job)
    identity[`${name}.weight`] = String(found.graph.weight)
  }
  return { identity, contents }
}

/** The numbers of a fit, as the file keeps them. */
type Figures = Pick<
  Factorization,
  'model' | 'options' | 'relativeError' | 'iterations' | 'converged' | 'warnings' | 'seconds'
>

const tensorOf = ({ data, rows, cols }: Matrix): Tensor => ({ data, shape: [rows, cols] })

function fitFrom(path: string, l: number, { tensors, metadata }: Tensors): Factorization {
  const [W, H, objective] = ['W', 'H', 'objective'].map((name) => tensors[`${name}.${l}`])
  const matrixOf = (tensor: Tensor | undefined): Matrix => {
    const [rows, cols] = tensor?.shape ?? []
    if (!(tensor?.data instanceof Float32Array) || tensor.shape.length !== 2) throw partial(path, l)
    return { data: tensor.data, rows: rows!, cols: cols! }
  }
  if (!(objective?.data instanceof Float64Array)) throw partial(path, l)
  const figures = parsedOptions(path, metadata[`fit.${l}`]) as unknown as Figures
  return new Factorization(
    figures.model as ModelName,
    matrixOf(W),
    matrixOf(H),
    figures.options as never as FitOptions,
    { ...figures, objective: objective.data },
  )
}

const partial = (path: string, l: number) =>
  fileError(path, `expected the factors of layer ${l}, received a part of them`)

const exists = (path: string) =>
  stat(path).then(
    ({ ino, dev }) => `${dev} ${ino}`,
    () => undefined,
  )

/** The fits of layers that are finished, in memory and, if asked for, in files. */
export class LayerFiles {
  readonly #finished: Factorization[] = []
  /** The fit that was interrupted. */
  #interrupted = 0

  private constructor(
    private readonly files: Files,
    private readonly stages: readonly string[],
    private readonly identity: Identity,
  ) {}

  /**
   * @param stages The names of the fits, in their order.
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if the checkpoint cannot be written, or the file to resume from is
   *   damaged or that of another run.
   */
  static async open(
    model: LayeredName,
    X: SourceInput,
    { files, stages, deciding }: { files: Files; stages: readonly string[]; deciding: Deciding },
    job: JobOptions,
  ): Promise<LayerFiles> {
    checkCheckpointOptions(files)
    const { checkpoint, resume } = files
    if (checkpoint === undefined && resume === undefined) return new LayerFiles(files, stages, {})
    if (checkpoint !== undefined) await checkPlace(checkpoint)
    const { identity, contents } = await identityOf(model, X, deciding, job)
    const opened = new LayerFiles(files, stages, identity)
    if (resume !== undefined) {
      await checkIdentity(resume, identity, contents)
      const all = await readCheckpoint(resume)
      for (let l = 0; all.metadata[`fit.${l}`] !== undefined; l++)
        opened.#finished.push(fitFrom(resume, l, all))
      opened.#interrupted = opened.#finished.length
    }
    const isSame =
      checkpoint !== undefined &&
      resume !== undefined &&
      (await exists(checkpoint)) === (await exists(resume))
    if (!isSame) await opened.#write()
    return opened
  }

  /** The fit of layer l: from the file, or by `run`, which gets the options of its files. */
  async layer(l: number, run: (files: Files) => Promise<Factorization>): Promise<Factorization> {
    const before = this.#finished[l]
    if (before) return before
    const fit = await run(await this.filesOf(l))
    this.#finished.push(fit)
    await this.#write()
    const own = this.#fileOf(l)
    if (own !== undefined) await unlink(own).catch(() => {})
    return fit
  }

  /** The options of the files of a fit. That of a stage that was interrupted is resumed. */
  async filesOf(stage: number): Promise<Files> {
    const { checkpointSeconds, resume } = this.files
    const before = `${resume}.${this.stages[stage]!}`
    const isResumed = resume !== undefined && stage === this.#interrupted
    const isThere = isResumed && (await exists(before)) !== undefined
    const checkpoint = this.#fileOf(stage)
    return { checkpoint, checkpointSeconds, resume: isThere ? before : undefined }
  }

  #fileOf(stage: number): string | undefined {
    const { checkpoint } = this.files
    return checkpoint === undefined ? undefined : `${checkpoint}.${this.stages[stage]!}`
  }

  /**
   * Writes the finished fits. The file of the next fit, which another run may have left, goes before: a resumed run
   * would take it for that of this one.
   */
  async #write() {
    const { checkpoint } = this.files
    if (checkpoint === undefined) return
    const next = this.#finished.length < this.stages.length && this.#fileOf(this.#finished.length)
    if (next && (await exists(next)) !== undefined) {
      await checkPlace(next)
      await unlink(next)
    }
    const tensors: Record<string, Tensor> = {}
    const figures: Record<string, string> = {}
    for (const [l, fit] of this.#finished.entries()) {
      const { model, options, objective, relativeError, iterations, converged } = fit
      const { warnings, seconds } = fit
      tensors[`W.${l}`] = tensorOf(fit.W)
      tensors[`H.${l}`] = tensorOf(fit.H)
      tensors[`objective.${l}`] = { data: objective, shape: [objective.length] }
      const kept: Figures = {
        ...{ model, options, relativeError, iterations, converged, warnings, seconds },
      }
      figures[`fit.${l}`] = JSON.stringify(kept)
    }
    const metadata = { ...stamped(this.identity), objectives: '0', ...figures }
    await writeCheckpoint(checkpoint, { tensors, metadata })
  }
}
