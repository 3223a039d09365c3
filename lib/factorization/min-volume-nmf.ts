import { sidesOf, type SourceInput } from '../data/source'
import { invalid } from '../errors'
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
import { fitArguments, fitDefaults, notOffered, type FactorOutputs } from './fit-options'
import { models, rowSums as rowSumNames, type RowSums } from './models'

/** A start of minimum-volume NMF. */
export type MinVolumeNmfInit = (typeof models)['min-volume-nmf']['inits'][number]

const ownDefaults = frozen({
  /**
   * The volume's term in the objective at the start, as a share of the loss there, above 0; 0.1 unless given. A
   * smaller one fits X more closely, a larger one keeps components closer together.
   */
  volume: 0.1,
  /**
   * The δ of log det(I + H Hᵀ/(δ s)), above 0, where s is the mean squared length of the rows of X; 0.1 unless
   * given. Components that are shorter than √(δ s) have little volume.
   */
  volumeOffset: 0.1,
  /** What the rows of W sum to: `at-most-one` unless given, or `one`. */
  rowSums: 'at-most-one' as RowSums,
  /**
   * The start of H; `spa` unless given: the rows of {@link separableNmf}. `furthest-sum`: rows far from each
   * other; `random`: rows that are drawn.
   */
  init: 'spa' as MinVolumeNmfInit,
  /** Iterations at most; one iteration reads X once and updates W, then H; 1000 unless given. */
  iterations: 1000,
  /** Stop when an iteration lowers the objective by a smaller fraction, 1e-6 unless given; 0 runs them all. */
  tolerance: 1e-6,
  /** Sweeps over each factor per iteration; they do not read X; 1 unless given. */
  innerSweeps: 1,
  /**
   * Seed of all random numbers; 0 unless given. Equal seeds give equal bits on one device, for any number of
   * threads.
   */
  seed: fitDefaults.seed,
})

/** The defaults of {@link minVolumeNmf}: its own, and those of checkpoints. */
export const minVolumeNmfDefaults: typeof ownDefaults & typeof checkpointDefaults = frozen({
  ...ownDefaults,
  ...checkpointDefaults,
})

export type MinVolumeNmfOptions = {
  /** Number of components, to be given; in 1..min(n, d). */
  rank: number
  /** The caller's arrays for the factors; new ones unless given. */
  out?: FactorOutputs | undefined
} & Overrides<typeof ownDefaults & typeof checkpointDefaults> &
  JobOptions &
  MemoryOptions

/** What the volume and the sums obey. */
export interface VolumeOptions {
  readonly volume: number
  readonly volumeOffset: number
  readonly rowSums: RowSums
}

export function checkVolume({ volume, volumeOffset, rowSums }: VolumeOptions) {
  checkOneOf('rowSums', rowSums, rowSumNames)
  for (const [name, value] of Object.entries({ volume, volumeOffset })) {
    if (!(typeof value === 'number' && Number.isFinite(value) && value > 0))
      throw invalid(name, 'a finite number above 0', value)
  }
}

/**
 * Factorizes X ≥ 0 as W H with H ≥ 0 and rows of W ≥ 0 that sum to at most 1, such that the rows of H span a small
 * volume. Where samples are mixtures and none is pure, this finds the components that plain NMF does not determine.
 *
 * Where X lies far from 0 (column means of 100 times the spread or more), products of float32 hardly tell rows
 * apart and the fit ends far above its minimum; a warning tells of that. Subtract the least of each
 * column from X then, which is the model of other data: the volume is measured from 0.
 *
 * @param X [n × d], one sample per row, no entry below zero: dense, a file, or sparse. Borrowed, not copied (unless
 *   its buffer is resizable): do not write to it or transfer it before the promise settles.
 * @returns The factors, the objective ‖X − W H‖² + λ log det(I + H Hᵀ/(δ s)) before the first and after each
 *   iteration, and `transform`, whose codes have the same sums, `inverseTransform` and `save`.
 * @throws {TypeError | RangeError} if X is no matrix of finite, non-negative numbers, fewer than `rank` of its rows
 *   are linearly independent with `init: 'spa'`, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Leplat, Ang & Gillis (2019), "Minimum-volume rank-deficient nonnegative matrix factorizations"; Ang & Gillis
 *   (2019), "Algorithms and comparisons of nonnegative matrix factorizations with volume regularization for
 *   hyperspectral unmixing"
 *
 * @example
 * const { W, H } = await minVolumeNmf({ data, rows: 10_000, cols: 198 }, { rank: 4 })
 */
export async function minVolumeNmf(
  X: SourceInput,
  options: MinVolumeNmfOptions,
): Promise<Factorization> {
  const { volume, volumeOffset, rowSums, ...given } = withDefaults(
    { ...fitArguments, ...minVolumeNmfDefaults, ...jobDefaults, ...memoryDefaults },
    options,
  )
  const { rows, cols } = sidesOf('X', X)
  checkOneOf('init', given.init, models['min-volume-nmf'].inits)
  checkInteger('rank', given.rank, 1, Math.min(rows, cols))
  checkVolume({ volume, volumeOffset, rowSums })
  return await fit(
    'min-volume-nmf',
    X,
    { ...notOffered, ...given, solver: 'hals' },
    { volume, volumeOffset, rowSums },
  )
}
