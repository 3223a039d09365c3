import { checkNumber } from '../options'

/** Weights of `l1·Σ|·| + l2·Σ(·)²` of each factor, added to ‖X − W H‖² (without ½). */
export interface Penalties {
  readonly l1W: number
  readonly l2W: number
  readonly l1H: number
  readonly l2H: number
}

/** @throws {RangeError} for a negative weight, {TypeError} for one that is not a finite number. */
export function checkPenalties({ l1W, l2W, l1H, l2H }: Penalties) {
  for (const [name, weight] of Object.entries({ l1W, l2W, l1H, l2H })) checkNumber(name, weight, 0)
}

/** For models without penalties. */
export const noPenalties: Penalties = { l1W: 0, l2W: 0, l1H: 0, l2H: 0 }
