import { resultMatrix, type Matrix, type MatrixInput } from '../data/matrix'
import { inTurns } from '../data/slices'
import type { SourceInput } from '../data/source'
import { productOf } from '../factorization/product'
import { frozen, jobDefaults, withDefaults, type JobOptions, type Overrides } from '../options'
import { denseMatrix, transposedMatrix } from './dense'

/** The only place where the defaults of {@link steeringVectors} are written. */
export const steeringVectorsDefaults = frozen({
  /**
   * The weights by which the features write to another space, [m × d], such as those of the output layer of an
   * MLP with d neurons (the weight of a `Linear` of PyTorch as it is): the vectors are then of that space;
   * none unless given.
   */
  output: undefined as SourceInput | undefined,
})

export type SteeringVectorsOptions = Overrides<typeof steeringVectorsDefaults> & JobOptions

/** The rows of a matrix, each with length 1; a row of zeros stays. */
async function unitRows({ data, rows, cols }: Matrix): Promise<Matrix> {
  const unit = resultMatrix(rows, cols)
  await inTurns(function* (slice) {
    for (let i = 0, at = 0; i < rows; i++) {
      let squares = 0
      for (let j = 0; j < cols; j++) squares += data[at + j]! ** 2
      const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares)
      for (let j = 0; j < cols; j++, at++) unit.data[at] = data[at]! * scale
      if (slice.spend(2 * cols)) yield
    }
  })
  return unit
}

/** H Aᵀ of components H and the weights A of an output, by A Hᵀ, whose large factor may have any form. */
async function written(H: Matrix, output: SourceInput, job: JobOptions): Promise<Matrix> {
  const wanted = `${H.cols} columns, as in the components`
  const Ht = { name: 'componentsᵀ', matrix: await transposedMatrix(H) }
  const AHt = await productOf({ name: 'output', matrix: output }, Ht, { ...job, wanted })
  return transposedMatrix(AHt)
}

/**
 * The direction of each component, of length 1: f / ‖f‖ of a component f, or of `output` · f. Adding a multiple
 * of it to activations steers a model towards the concept.
 *
 * @param components [K × d], in memory, such as the H of a factorization.
 * @returns [K × d], or [K × m] with an `output`. A component of zeros gives zeros.
 * @throws {TypeError | RangeError} if the components are no such matrix of finite numbers, or `output` has not d
 *   columns.
 * @see Shafran, Geiger & Geva (2025), arXiv 2506.10920: α f / ‖f‖ is added at every token
 *
 * @example
 * const vectors = await steeringVectors(model.H, { output: W_out })
 */
export async function steeringVectors(
  components: MatrixInput,
  given?: SteeringVectorsOptions,
): Promise<Matrix> {
  const { output, ...job } = withDefaults({ ...steeringVectorsDefaults, ...jobDefaults }, given)
  const H = await denseMatrix('components', components)
  return unitRows(output === undefined ? H : await written(H, output, job))
}
