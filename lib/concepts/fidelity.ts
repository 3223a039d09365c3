import { inTurns } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { invalidText } from '../errors'
import { checkInteger } from '../options'

/** How well predictions of approximate activations agree with those of the activations. */
export interface Fidelity {
  /**
   * Share of the samples whose largest logit has the same class, the lower one of equals; for one class, the
   * same sign.
   */
  readonly agreement: number
  /**
   * Mean |f − f′| / |mean f| of each class over the samples, [classes]: 0 for equal logits, else Infinity where
   * the mean of the logits is 0.
   */
  readonly relativeDifference: Float64Array
}

/** The predicted class of a sample. */
function predicted(logits: ArrayLike<number>, sample: number, classes: number): number {
  const first = sample * classes
  if (classes === 1) return Number(logits[first]! > 0)
  let best = 0
  for (let c = 1; c < classes; c++) if (logits[first + c]! > logits[first + best]!) best = c
  return best
}

export const fidelityOf = (
  logits: ArrayLike<number>,
  approximate: ArrayLike<number>,
  classes: number,
): Promise<Fidelity> =>
  inTurns<Fidelity>(function* (slice) {
    const samples = logits.length / classes
    const means = new Float64Array(classes)
    const relativeDifference = resultArray(Float64Array, classes)
    let agreeing = 0
    for (let i = 0, at = 0; i < samples; i++) {
      agreeing += Number(predicted(logits, i, classes) === predicted(approximate, i, classes))
      for (let c = 0; c < classes; c++, at++) {
        means[c]! += logits[at]! / samples
        relativeDifference[c]! += Math.abs(logits[at]! - approximate[at]!) / samples
      }
      if (slice.spend(4 * classes)) yield
    }
    for (let c = 0; c < classes; c++)
      relativeDifference[c] =
        relativeDifference[c] === 0 ? 0 : relativeDifference[c]! / Math.abs(means[c]!)
    return { agreement: agreeing / samples, relativeDifference }
  })

/**
 * The fidelity of approximate activations under any head, from the logits that it gives to both. 1 and 0 for
 * an exact approximation. {@link linearImportance} has it for a linear head.
 *
 * @param logits [samples × classes], of the activations.
 * @param approximate [samples × classes], of their approximation, such as `inverseTransform` of a `Reducer`.
 * @throws {TypeError | RangeError} if the numbers of logits differ, or are no multiple of `classes`.
 * @see Zhang, Madumal, Miller, Ehinger & Rubinstein (2021), "Invertible Concept-based Explanations", AAAI
 *
 * @example
 * const { agreement } = await fidelity(logits, approximate, 10)
 */
export async function fidelity(
  logits: ArrayLike<number>,
  approximate: ArrayLike<number>,
  classes: number,
): Promise<Fidelity> {
  checkInteger('classes', classes, 1)
  for (const [name, array] of Object.entries({ logits, approximate }))
    if (!(array?.length > 0) || array.length % classes !== 0)
      throw invalidText(name, `samples of ${classes} logits`, `${array?.length} numbers`)
  if (logits.length !== approximate.length)
    throw invalidText('approximate', `${logits.length} logits`, `${approximate.length}`, RangeError)
  return fidelityOf(logits, approximate, classes)
}
