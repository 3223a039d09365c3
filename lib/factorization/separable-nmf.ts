import { sidesOf, type SourceInput } from '../data/source'
import {
  checkInteger,
  checkOneOf,
  frozen,
  jobDefaults,
  memoryDefaults,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import { checkpointDefaults } from './checkpoint'
import { fit, type Factorization } from './fit'
import { fitArguments, notOffered, type FactorOutputs } from './fit-options'
import { rowNorms, type RowNorm } from './models'

/** The only place where the defaults of {@link separableNmf} are written. */
export const separableNmfDefaults = frozen({
  /**
   * What rows are divided by before they are compared; `none` unless given, for data in which no row exceeds a
   * mean of the components by much. `l1`: by their sums, for X ≥ 0 whose rows have any length, as counts of
   * documents. H has the rows of X as they are in both cases.
   */
  normalize: 'none' as RowNorm,
})

export type SeparableNmfOptions = {
  /** Number of components, to be given; in 1..min(n, d). */
  rank: number
  /** The caller's arrays for the factors; new ones unless given. */
  out?: FactorOutputs | undefined
} & Overrides<typeof separableNmfDefaults> &
  JobOptions &
  MemoryOptions

/** A factorization whose components are rows of X. */
export type SeparableNmf = Factorization & {
  /** The rows of X that are the rows of H, [rank], in the order in which they were chosen. */
  readonly anchors: Int32Array
}

/**
 * Factorizes X ≈ W H with W ≥ 0 such that the rows of H are rows of X: the purest samples, found by successive
 * projections. If X is such a product with codes that sum to at most 1, they are found exactly, also under small
 * noise. Nothing is drawn, and nothing is iterated: `objective` has one element.
 *
 * @param X [n × d], one sample per row: dense, a file, or sparse. Borrowed, not copied (unless its
 *   buffer is resizable): do not write to it or transfer it before the promise settles.
 * @returns The factors, `anchors`, the rows of X that are H, and `transform`, `inverseTransform` and `save`. W is
 *   the non-negative least-squares solution for H. Of equally long rests the lower row is taken.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, fewer than `rank` of its rows are linearly
 *   independent, an entry is below 0 with `normalize: 'l1'`, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Araújo et al. (2001), "The successive projections algorithm for variable selection in spectroscopic
 *   multicomponent analysis"; Gillis & Vavasis (2014), "Fast and robust recursive algorithms for separable
 *   nonnegative matrix factorization"
 *
 * @example
 * const { W, H, anchors } = await separableNmf({ data, rows: 1000, cols: 200 }, { rank: 6 })
 */
export async function separableNmf(
  X: SourceInput,
  options: SeparableNmfOptions,
): Promise<SeparableNmf> {
  const { normalize, ...given } = withDefaults(
    { ...fitArguments, ...separableNmfDefaults, ...jobDefaults, ...memoryDefaults },
    options,
  )
  const { rows, cols } = sidesOf('X', X)
  checkOneOf('normalize', normalize, rowNorms)
  checkInteger('rank', given.rank, 1, Math.min(rows, cols))
  const direct = { solver: 'spa', init: 'spa', iterations: 0, tolerance: 0, seed: 0 } as const
  const found = await fit(
    'separable-nmf',
    X,
    { ...notOffered, ...checkpointDefaults, ...direct, ...given },
    { normalize },
  )
  return found as SeparableNmf
}
