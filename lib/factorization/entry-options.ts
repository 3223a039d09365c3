// Options for the loss of an entry of X, and for the entries that count.
import { isSparse } from '../data/sparse'
import type { SourceInput } from '../data/source'
import { checkKind, invalidLength } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import { checkNumber, checkOneOf, frozen } from '../options'

/** The loss that is minimised, in addition to the penalties. */
export type Loss = (typeof losses)[number]

export const losses = ['frobenius', 'kullback-leibler', 'itakura-saito', 'beta'] as const

/** How missing entries are marked. */
export type Missing = 'nan' | 'implicit'

export const missingKinds = ['nan', 'implicit'] as const

/** Options only of {@link nmf}: they need ratio steps, which keep both factors non-negative. */
export const entryDefaults = frozen({
  /**
   * The loss to minimise: `frobenius` unless given, ‖X − W H‖²; `kullback-leibler` Σ x·ln(x/v) − x + v;
   * `itakura-saito` Σ x/v − ln(x/v) − 1, for X > 0; `beta`: the β-divergence. All except `frobenius` need the
   * solver `mu`, which is their default.
   */
  loss: 'frobenius' as Loss,
  /**
   * β of the loss `beta`, to be given with it: 2 is ½(x − v)², 1 Kullback–Leibler, 0 Itakura–Saito; β ≤ 0
   * requires X > 0.
   */
  beta: undefined as number | undefined,
  /** [n · d]: 0 for a missing entry, which is not read; none unless given. Solver `mu`. */
  mask: undefined as Uint8Array | undefined,
  /**
   * Which entries are missing: `nan`: those that are NaN; `implicit`: those that a sparse X does not store;
   * none unless given. Solver `mu`.
   */
  missing: undefined as Missing | undefined,
})

/** The default shared by all factorizations. */
export const weightDefaults = frozen({
  /**
   * [n] Weights of the rows in the objective, at least 0; all 1 unless given. A row of weight 0 still gets
   * codes.
   */
  sampleWeight: undefined as Float32Array | undefined,
})

export type EntryOptions = {
  -readonly [K in keyof typeof entryDefaults]: (typeof entryDefaults)[K]
} & { -readonly [K in keyof typeof weightDefaults]: (typeof weightDefaults)[K] }

const betas = { 'kullback-leibler': 1, 'itakura-saito': 0 } as const

/** β of a loss that is a divergence; undefined for `frobenius`. */
export const betaOf = ({ loss, beta }: Pick<EntryOptions, 'loss' | 'beta'>): number | undefined =>
  loss === 'frobenius' ? undefined : loss === 'beta' ? beta : betas[loss]

/** Whether some entries may be missing. */
export const isMasked = ({ mask, missing }: Pick<EntryOptions, 'mask' | 'missing'>) =>
  mask !== undefined || missing !== undefined

/** Whether multiplicative steps are required. */
export const needsRatios = (options: EntryOptions) =>
  options.loss !== 'frobenius' || isMasked(options)

/** @throws {TypeError | RangeError} naming the option. */
export function checkLoss({ loss, beta }: Pick<EntryOptions, 'loss' | 'beta'>) {
  checkOneOf('loss', loss, losses)
  if (loss !== 'beta' && beta !== undefined)
    throw invalid('beta', `no number beside the loss ${loss}`, beta)
  if (loss !== 'beta') return
  if (beta === undefined) throw invalidText('beta', 'a number beside the loss beta', 'none')
  checkNumber('beta', beta)
}

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
    beta: betaOf(given),
    mask,
    nanIsMissing: missing === 'nan',
    implicitIsMissing: missing === 'implicit',
    sampleWeight,
  }
}
