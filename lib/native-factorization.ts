// Types of the addon's factorizations, as in native-types.ts.
import type { Matrix } from './data/matrix'
import type { NativeSource } from './native-types'
/** The same fields as `Loss` of native/backend/loss.h. */
export interface NativeLoss {
  readonly kind:
    | 'frobenius'
    | 'divergence'
    | 'negative-binomial'
    | 'huber'
    | 'row-length'
    | 'correntropy'
    | 'row-correntropy'
    | 'logistic'
  readonly beta: number
  readonly multiple: number
  readonly parameter: number
}

/** The same fields as `FitOptions` of native/factorization/fit.h. */
export interface NativeFitOptions {
  readonly device: string
  readonly model: string
  readonly solver: string
  readonly init: string
  /** The factors of `custom`. */
  readonly givenW: Matrix | undefined
  readonly givenH: Matrix | undefined
  /** Whether to start again from svd if that may give a lower objective, and to keep the better pair. */
  readonly triesSvd: boolean
  readonly maxIterations: number
  readonly tolerance: number
  readonly innerSweeps: number
  readonly acceleration: string
  readonly loss: NativeLoss
  readonly mask: Uint8Array | undefined
  readonly nanIsMissing: boolean
  readonly implicitIsMissing: boolean
  readonly sampleWeight: Float32Array | undefined
  readonly checkpoint: string | undefined
  readonly checkpointSeconds: number
  readonly resume: string | undefined
  /** A JSON object of texts that a checkpoint stores. */
  readonly identity: string
  readonly resumeObjectives: number
  readonly l1W: number
  readonly l2W: number
  readonly l1H: number
  readonly l2H: number
  /** Upper bounds of the factors' entries. */
  readonly upperW: number | undefined
  readonly upperH: number | undefined
  readonly seed: number
  /** The graph of a term on W, and its weight. */
  readonly adjacency?: NativeSource | undefined
  readonly graphWeight?: number | undefined
  /** Rows of a batch; all unless given. */
  readonly batchSize?: number | undefined
  readonly forgetFactor?: number | undefined
  /** Only for snmf. */
  readonly sparsity?: number | undefined
  readonly patience?: number | undefined
  /** Only for models of hulls and simplices. */
  readonly normalize?: string | undefined
  readonly rowSums?: string | undefined
  readonly relaxation?: number | undefined
  readonly volume?: number | undefined
  readonly volumeOffset?: number | undefined
  /** [rank × n], filled with the weights of rows in components. */
  readonly combinations?: Matrix | undefined
  readonly refit?: boolean | undefined
  /** Whether H stays as given. */
  readonly keepsH?: boolean | undefined
}

export interface NativeConvergence {
  readonly objective: Float64Array
  readonly iterations: number
  readonly converged: boolean
  readonly relativeError: number
  /** The start of the returned pair; all other fields belong to that run. */
  readonly init: NativeFitOptions['init']
  readonly warnings: string[]
  /** The rows that are the components of separable NMF; else empty. */
  readonly anchors: Int32Array
  /** Time inside the solver, in seconds. */
  readonly seconds: number
}

/** The same fields as `AskedRank` of native/factorization/survey/survey.h. */
export interface NativeAskedRank {
  readonly fit: NativeFitOptions
  /** A fit that does not see a share of the entries. */
  readonly heldOut: (NativeFitOptions & { readonly share: number }) | undefined
  /** [rank × d], becomes the mean components. */
  readonly consensus: Matrix
  /** [restarts · rank × d], become the components of one restart after the other. */
  readonly components: Matrix
}

/** The same fields as `Survey` of native/factorization/survey/survey.h. */
export interface NativeSurvey {
  readonly silhouettes: Float64Array
  readonly relativeErrors: Float64Array
  /** Mean loss of the entries that each restart held out; empty if none was. */
  readonly heldOutErrors: Float64Array
  /** Of all restarts. */
  readonly iterations: number
  readonly entries: number
  readonly logMeanSquare: number
  readonly seconds: number
}
