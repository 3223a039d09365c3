// Upper bounds of the entries of factors.
import { invalid } from '../errors'
import { checkNumber, frozen } from '../options'
import type { SolverName } from './models'

/** The default shared by all factorizations with a choice of solver. */
export const upperWDefaults = frozen({
  /**
   * Upper bound of the entries of W, as a float32; none unless given. At 1, W is in [0, 1]. Solvers `hals` and
   * `projected-gradient`. `transform` keeps codes below it too.
   */
  upperW: undefined as number | undefined,
})

/** The same for an H that is not negative. */
export const upperHDefaults = frozen({
  /**
   * Upper bound of the entries of H, as a float32; none unless given. Solvers `hals` and
   * `projected-gradient`. With both bounds, W H is at most rank·upperW·upperH.
   */
  upperH: undefined as number | undefined,
})

export interface Bounds {
  readonly upperW: number | undefined
  readonly upperH: number | undefined
}

/** For models without bounds. */
export const noBounds: Bounds = { ...upperWDefaults, ...upperHDefaults }

/** Float32 still resolves the entries below such a bound at every scale of X. */
const lowestBound = 1e-30

const bounded: readonly SolverName[] = ['hals', 'projected-gradient']

/** @throws {TypeError | RangeError} for a bound that is no positive number. */
export function checkBound(name: string, bound: unknown) {
  if (bound !== undefined) checkNumber(name, bound, lowestBound)
}

/**
 * @param why Why only multiplicative steps exist, where that is so.
 * @throws {TypeError | RangeError} for a bound that is no positive number, or that the solver does not keep.
 */
export function checkBounds(
  { upperW, upperH }: Bounds,
  solver: SolverName,
  why: string | undefined,
) {
  for (const [name, bound] of Object.entries({ upperW, upperH })) {
    checkBound(name, bound)
    if (bound === undefined) continue
    if (why !== undefined) throw invalid(name, `no bound ${why}`, bound)
    if (!bounded.includes(solver))
      throw invalid('solver', `${bounded.join(' or ')} beside ${name}`, solver)
  }
}
