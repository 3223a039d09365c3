// TypeScript types of what the addon tells of itself.

export interface NativeDevice {
  readonly name: string
  readonly available: boolean
  /** Why it cannot be used. */
  readonly reason?: string
}

export interface NativeInfo {
  readonly cpu: {
    readonly model: string
    /** Instruction sets that the kernels use. */
    readonly features: string[]
    /** Format of the numbers in the first scan of a search; answers do not depend on it. */
    readonly scan: 'float32' | 'bfloat16'
  }
  readonly blas: { readonly name: string; readonly version: string; readonly core: string }
  readonly threads: number
  readonly threadsReason: string
  readonly devices: NativeDevice[]
  readonly elementTypes: string[]
  /** The addon's lists of the names that lib/ has too; a solver is `model/solver`. */
  readonly models: string[]
  readonly solvers: string[]
  readonly losses: string[]
  readonly starts: string[]
  readonly metrics: string[]
  readonly priorities: string[]
  readonly accelerations: string[]
  readonly ceilings: string[]
  readonly references: string[]
  readonly samplings: string[]
  readonly groupings: string[]
  readonly rules: string[]
}

/** Sizes in the core that decide how much memory a factorization takes. */
export interface NativePlanSizes {
  /** Blocks whose float32 sums exist at the same time, at most. */
  readonly sumsAtOnce: number
  /** Non-zeros of a block of a sparse X, at least, for each of its columns. */
  readonly nonzerosByColumn: number
  /** The columns of a factor are padded to multiples of this, at most. */
  readonly panelColumns: number
  /** Columns beside the rank in the singular vectors of a start. */
  readonly startOversamples: number
  /** Columns of W H that are formed at the same time. */
  readonly columnsAtOnce: number
}

export interface NativeClusteringSizes {
  readonly sampleRows: number
  /** Drawn beside a sample of twice as many, unless seeds come from all rows. */
  readonly farRows: number
  /** Whether a start from clusters iterates on the sample first. */
  readonly sampleIsSmall: boolean
  readonly seedsFromAllRows: boolean
}
