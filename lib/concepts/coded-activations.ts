import type { Matrix, MatrixInput } from '../data/matrix'
import { inTurns } from '../data/slices'
import { invalid } from '../errors'
import { denseMatrix } from './dense'
import { flattenedCodes, type CodesInput } from './tensor'

/** Codes with their components, such as a fitted `Reducer`, or `{ codes: W, components: H }`. */
export interface CodedActivations {
  /** [… × K], of float32 in memory. */
  readonly codes: CodesInput
  /** [K × d], in memory. */
  readonly components: MatrixInput
}

/**
 * Codes as rows, and their components.
 *
 * @throws {TypeError | RangeError} if the codes have not one column for each component, or an entry of the
 *   components is not finite.
 */
export async function checkedModel(model: CodedActivations) {
  if (typeof model !== 'object' || model === null)
    throw invalid('model', 'an object { codes, components }, such as a Reducer', model)
  const { matrix: codes, leading } = await flattenedCodes('codes', model.codes)
  const H = await denseMatrix('components', model.components)
  if (H.rows !== codes.cols)
    throw invalid('components.rows', `${codes.cols} rows, one for each column of the codes`, H.rows)
  return { codes, leading, H }
}

/** The squared norm of each row. */
export const squaredNorms = ({ data, rows, cols }: Matrix): Promise<Float64Array> =>
  inTurns<Float64Array>(function* (slice) {
    const norms = new Float64Array(rows)
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < cols; j++, at++) norms[i]! += data[at]! ** 2
      if (slice.spend(cols)) yield
    }
    return norms
  })
