// gemmine transform: codes of new rows for a model of gemmine factorize.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { matrixFile } from '../data/matrix-files'
import { systemFailure } from '../data/file'
import { writeNpy } from '../data/npy'
import { entriesOf, sidesOf } from '../data/source'
import { GemmineError, invalid } from '../errors'
import { FactorizationModel } from '../factorization/factorization-model'
import { isLayeredFile, LayeredModel } from '../factorization/layered-model'
import { checkInteger } from '../options'
import {
  budgetOption,
  countOption,
  drawsNothing,
  idleWarnings,
  pathOption,
  required,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { counted, heading, rateOf, runCommand } from './job'
import { checkWidth, matrixFiles, withSource } from './load'

interface TransformOptions extends CommonOptions {
  readonly model?: string
  readonly layer?: number
}

/** The file of a model, given as a file or as its folder. */
async function modelFile(path: string): Promise<string> {
  try {
    return (await stat(path)).isDirectory() ? join(path, 'model.safetensors') : path
  } catch (error) {
    throw systemFailure(path, error)
  }
}

const expectedModel = 'the folder that factorize wrote, or its model.safetensors'

async function loadModel(file: string): Promise<FactorizationModel | LayeredModel> {
  try {
    if (await isLayeredFile(file)) return await LayeredModel.load(file)
    return await FactorizationModel.load(file)
  } catch (error) {
    // A system error, such as a missing permission, is not a wrong --model.
    if (!(error instanceof GemmineError) || error.cause !== undefined) throw error
    throw new GemmineError(error.code, `${error.message}; --model takes ${expectedModel}`)
  }
}

/** The layer whose components code, of a model of layers, and how many there are. */
function chosenLayer(model: FactorizationModel | LayeredModel, given: number | undefined) {
  if (!(model instanceof LayeredModel)) {
    if (given === undefined) return { layer: {}, rank: model.rank }
    throw invalid('--layer', `nothing (the model ${model.model} has one layer)`, given)
  }
  const last = model.components.length - 1
  checkInteger('layer', given ?? last, 0, last)
  return { layer: { layer: given ?? last }, rank: model.ranks[given ?? last]! }
}

async function transform(path: string, given: TransformOptions) {
  const place = required(given.model, '--model', expectedModel)
  const file = await modelFile(place)
  const files = { X: path, model: file }
  await runCommand(given, files, async ({ options, progress, write, threads, device }) => {
    const model = await loadModel(file)
    const { layer, rank } = chosenLayer(model, given.layer)
    return withSource(
      path,
      options,
      ({ cols }) => checkWidth(path, cols, model.H.cols, file),
      async (X) => {
        const { W, relativeError, seconds } = await progress.during('transform', (onProgress) =>
          model.transform(X, { ...options, onProgress, ...layer }),
        )
        await write('W.npy', (to) => writeNpy(to, { data: W.data, shape: [W.rows, W.cols] }))
        const shape = sidesOf('X', X)
        const summary = {
          ...heading('transform'),
          model: model.model,
          shape: [shape.rows, shape.cols],
          ...layer,
          rank,
          relativeError,
          seconds,
          // The one product that defines the codes, X Hᵀ.
          gflops: rateOf(2 * entriesOf(X, shape) * rank, seconds),
          threads,
          device,
          warnings: idleWarnings('transform', given),
        }
        const rows = counted(shape.rows, 'row')
        return { summary, outcome: `${rows}, relative error ${relativeError.toPrecision(3)}` }
      },
    )
  })
}

const footer = `
X has as many columns as the matrix that the model was made from:
${matrixFiles}.

Writes W.npy [n x K], W >= 0, and summary.json.

Example:
  $ gemmine factorize train.npy --rank 32 --out topics
  $ gemmine transform new.npy --model topics --out codes
`

export const transformCommand = (): Command =>
  withCommonOptions(
    new Command('transform')
      .summary('code new rows with a model that factorize wrote')
      .description('Find W for new rows: X ≈ W H with H fixed, under the penalties of the model.')
      .argument('<X>', `the new rows: ${matrixFile}`)
      .addOption(pathOption('--model <PATH>', `${expectedModel}; required`))
      .addOption(countOption('--layer <L>', 'of a model of layers: which, from 0 on', 'the last'))
      .addOption(budgetOption()),
    drawsNothing,
  )
    .addHelpText('after', footer)
    .action((path: string, options: TransformOptions) => transform(path, options))
