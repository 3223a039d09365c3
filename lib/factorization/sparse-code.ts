import type { Matrix } from '../data/matrix'
import type { SourceInput } from '../data/source'
import {
  checkNumber,
  frozen,
  jobDefaults,
  memoryDefaults,
  required,
  withDefaults,
  type Overrides,
} from '../options'
import { FactorizationModel, type Codes, type TransformOptions } from './factorization-model'

const ownDefaults = frozen({
  /** Weight of Σw²; 0 unless given. */
  l2: 0,
})

/** The defaults of {@link sparseCode}. */
export const sparseCodeDefaults: typeof ownDefaults = ownDefaults

export type SparseCodeOptions = {
  /**
   * Weight of Σ|w|, at least 0, to be given: twice the α of a lasso whose error has a factor ½, as in
   * scikit-learn. From 2·max(X Hᵀ) on, all codes are 0.
   */
  l1: number
} & Overrides<typeof ownDefaults> &
  TransformOptions

/**
 * Codes rows with a fixed dictionary: for each row x the w ≥ 0 that minimises ‖x − w H‖² + l1·Σ|w| + l2·Σw², a
 * lasso with positive codes. Coordinate descent solves most rows; an active set in float64 solves the others, so
 * that each is the minimum within the precision of float32. No random numbers: codes have the same bits for any
 * number of threads.
 *
 * @param X [n × d], dense, a file, or sparse. Lent, not copied, and not transferable afterwards: see {@link
 *   DenseMatrix}. Do not write to it before the promise settles.
 * @param H The dictionary, [K × d], of any sign and any lengths of rows, such as `H` of {@link
 *   dictionaryLearning} or {@link semiNmf}; K may exceed d. Lent like X.
 * @returns Codes W [n × K]; one of several solutions if components are dependent and l2 is 0.
 * @throws {TypeError | RangeError} if X is no matrix of d finite columns, H none of finite numbers, or an option
 *   is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`.
 * @see Tibshirani (1996), "Regression shrinkage and selection via the lasso", J. R. Statist. Soc. B 58(1);
 *   Friedman, Hastie & Tibshirani (2010), "Regularization paths for generalized linear models via coordinate
 *   descent"
 *
 * @example
 * const { W } = await sparseCode(activations, dictionary, { l1: 0.5 })
 */
export async function sparseCode(
  X: SourceInput,
  H: Matrix,
  options: SparseCodeOptions,
): Promise<Codes> {
  const { l1, l2, ...job } = withDefaults(
    { l1: required, ...ownDefaults, ...jobDefaults, ...memoryDefaults, out: undefined },
    options,
  )
  checkNumber('l1', l1, 0)
  checkNumber('l2', l2, 0)
  const model = new FactorizationModel('dictionary-learning', H, { l1W: l1, l2W: l2 })
  return await model.transform(X, job)
}
