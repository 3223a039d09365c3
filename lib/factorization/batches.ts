// Batches of rows between which H is improved.
import { invalid, invalidText } from '../errors'
import { checkInteger, checkNumber, frozen } from '../options'

/** The `forgetFactor` of batches, unless given. */
export const defaultForgetFactor = 0.7

/** The defaults of the factorizations that take batches. */
export const batchDefaults = frozen({
  /**
   * Rows of a batch; none unless given. H is then improved after each batch, from sums over all batches so far that
   * are forgotten exponentially, and each iteration ends with a step of all of W: it reads X twice. Iterations may
   * raise the objective; the best pair is returned. For the loss `frobenius` without missing entries, and
   * `acceleration` none, its default then.
   */
  batchSize: undefined as number | undefined,
  /**
   * Share of older sums that is left after all rows were read, above 0 and at most 1; 0.7 unless given. Refused
   * without `batchSize`.
   */
  forgetFactor: undefined as number | undefined,
})

export interface BatchOptions {
  readonly batchSize: number | undefined
  readonly forgetFactor: number | undefined
}

/** Checks these options; `why` says why rows or entries have terms of their own, if they do. */
export function checkBatches(
  { batchSize, forgetFactor }: Partial<BatchOptions>,
  { acceleration, why }: { readonly acceleration: string; readonly why: string | undefined },
) {
  if (forgetFactor !== undefined) {
    checkNumber('forgetFactor', forgetFactor, 0, 1)
    if (forgetFactor === 0) throw invalid('forgetFactor', 'a number above 0', forgetFactor)
    if (batchSize === undefined)
      throw invalid('forgetFactor', 'none without batchSize', forgetFactor)
  }
  if (batchSize === undefined) return
  checkInteger('batchSize', batchSize, 1)
  if (why !== undefined) throw invalid('batchSize', `none ${why}`, batchSize)
  if (acceleration !== 'none')
    throw invalidText('acceleration', 'none beside batchSize', `'${acceleration}'`)
}
