// Options for the loss of an entry of X, and for the entries that count.
import { isSparse } from '../data/sparse'
import type { SourceInput } from '../data/source'
import { checkKind, invalidLength } from '../data/typed-array'
import { invalid } from '../errors'
import { checkOneOf, frozen } from '../options'
import { checkLoss, lossParameterDefaults, nativeLoss, type AnyLoss, type Loss } from './losses'

export type { Loss }

/** How missing entries are marked. */
export type Missing = 'nan' | 'implicit'

export const missingKinds = ['nan', 'implicit'] as const

const ownDefaults = frozen({
  /**
   * The loss to minimise: `frobenius` unless given, ‖X − W H‖²; `kullback-leibler` Σ x·ln(x/v) − x + v;
   * `itakura-saito` Σ x/v − ln(x/v) − 1, for X > 0; `beta`: the β-divergence. `poisson`, `gamma`, `tweedie` and
   * `negative-binomial`: the deviance of such entries. For outliers: `huber`, ½(x − v)² up to a residual of
   * `delta` and linear beyond; `l21`, the lengths of the rows of X − W H; `correntropy`, σ²(1 − exp(−(x − v)²/2σ²))
   * with `bandwidth` σ, which is bounded; `row-correntropy`, the same of the lengths of rows. Deviances and
   * divergences are for `nmf` and need the solver `mu`, which is their default and that of all losses of `nmf`
   * but `frobenius`; `frobenius` and the losses for outliers also have `hals` and `anls-bpp`.
   */
  loss: 'frobenius' as Loss,
  /**
   * [n · d]: 0 for a missing entry, which is not read; none unless given. Solvers `hals`, `anls-bpp` and, for
   * `nmf`, `mu`.
   */
  mask: undefined as Uint8Array | undefined,
  /**
   * Which entries are missing: `nan`: those that are NaN; `implicit`: those that a sparse X does not store;
   * none unless given. The solvers of `mask`.
   */
  missing: undefined as Missing | undefined,
})

/** Options of {@link nmf} and {@link semiNmf}; the latter has the losses that squares bound. */
export const entryDefaults: typeof ownDefaults & typeof lossParameterDefaults = frozen({
  ...ownDefaults,
  ...lossParameterDefaults,
})

/** The default shared by all factorizations. */
export const weightDefaults = frozen({
  /**
   * [n] Weights of the rows in the objective, at least 0; all 1 unless given. A row of weight 0 still gets
   * codes.
   */
  sampleWeight: undefined as Float32Array | undefined,
})

export type EntryOptions = { loss: AnyLoss } & {
  -readonly [K in Exclude<keyof typeof entryDefaults, 'loss'>]: (typeof entryDefaults)[K]
} & { -readonly [K in keyof typeof weightDefaults]: (typeof weightDefaults)[K] }

/** Whether some entries may be missing. */
export const isMasked = ({ mask, missing }: Pick<EntryOptions, 'mask' | 'missing'>) =>
  mask !== undefined || missing !== undefined

/** Checks the parts that do not depend on X. */
export function checkKinds(options: EntryOptions) {
  checkLoss(options)
  if (options.missing !== undefined) checkOneOf('missing', options.missing, missingKinds)
}

/**
 * Checks these options against X, after {@link checkKinds}, and returns them in the form for the addon.
 *
 * @throws {TypeError | RangeError} naming the option.
 */
export function checkEntryOptions(X: SourceInput, rows: number, cols: number, given: EntryOptions) {
  const { mask, missing, sampleWeight } = given
  if (mask !== undefined) {
    checkKind('mask', mask, ['Uint8Array', 'Uint8ClampedArray'], 'a Uint8Array')
    if (mask.length !== rows * cols)
      throw invalidLength('mask.length', `${rows * cols} elements (${rows} × ${cols})`, mask)
  }
  if (missing === 'implicit' && !isSparse(X))
    throw invalid('missing', "'nan' for an X that is not sparse", missing)
  if (sampleWeight !== undefined) {
    checkKind('sampleWeight', sampleWeight, ['Float32Array'], 'a Float32Array')
    if (sampleWeight.length !== rows)
      throw invalidLength(
        'sampleWeight.length',
        `${rows} elements, one for each row of X,`,
        sampleWeight,
      )
  }
  return {
    loss: nativeLoss(given),
    mask,
    nanIsMissing: missing === 'nan',
    implicitIsMissing: missing === 'implicit',
    sampleWeight,
  }
}
