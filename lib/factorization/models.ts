// The models of factorizations, each declared once: the checks, the files of models and the command line are
// derived from these rows. A test compares their names with those of the addon.

/** Starts of factors; `custom` means given factors. */
export const startNames = [
  'random',
  'kmeans',
  'svd',
  'nndsvd',
  'nndsvda',
  'nndsvdar',
  'custom',
] as const
export type StartName = (typeof startNames)[number]

/** How each factor is improved while the other is fixed. */
export type Solver = (typeof solvers)[number]

/** The solvers of a model that offers a choice. The first solver of a model is its default. */
export const solvers = ['hals', 'mu', 'anls-bpp', 'projected-gradient'] as const

interface Row {
  /** The function of the package; its defaults have the same name with `Defaults`. */
  readonly call: string
  /** The constraints, for a list of models. */
  readonly summary: string
  /** Whether X and H must be at least 0; W always is. */
  readonly isNonnegative: boolean
  readonly solvers: readonly string[]
  readonly inits: readonly StartName[]
  /** Whether the factors themselves may be given to start from. */
  readonly takesFactors: boolean
  /** What decides the start, if the function has no default for it. */
  readonly start?: string
  /** The options of this model alone, as the help shows them: the word for the value, and the meaning. */
  readonly options?: Readonly<Record<string, readonly [value: string, meaning: string]>>
}

/** The default start of semi-NMF. */
export const semiNmfDefaultInit = 'kmeans'

/** The default start of NMF for each kind of steps, and the one for rank > min(n, d). */
export const nmfDefaultInits = {
  hals: 'nndsvdar',
  mu: 'random',
  ratio: 'nndsvda',
  'hals with missing entries': 'nndsvdar',
  'hals under a robust loss': 'nndsvda',
  'anls-bpp': 'nndsvdar',
  'projected-gradient': 'nndsvdar',
  plain: 'nndsvda',
  wide: 'random',
} as const

const semiNmfInits = ['random', 'kmeans', 'svd'] as const

export const models = {
  'semi-nmf': {
    call: 'semiNmf',
    summary: 'X and H of any sign, W >= 0',
    isNonnegative: false,
    solvers,
    inits: semiNmfInits,
    takesFactors: true,
    start: `${semiNmfDefaultInit}, and svd beside it where that may leave less`,
  },
  nmf: {
    call: 'nmf',
    summary: 'X, W and H >= 0',
    isNonnegative: true,
    solvers,
    inits: ['random', 'kmeans', 'nndsvd', 'nndsvda', 'nndsvdar'],
    takesFactors: true,
    start: `${nmfDefaultInits.hals}, with mu ${nmfDefaultInits.mu}, under another loss ${nmfDefaultInits.ratio}; ${nmfDefaultInits.wide} where K > min(n, d) or entries are missing`,
  },
  'semi-orthogonal-nmf': {
    call: 'semiOrthogonalNmf',
    summary: 'as semi-nmf, and the rows of H are orthonormal; K <= min(n, d)',
    isNonnegative: false,
    solvers: ['cayley'],
    inits: ['svd', 'random'],
    takesFactors: false,
  },
  snmf: {
    call: 'snmf',
    summary:
      'as semi-nmf, and the rows of H keep a share of their entries; gives the best pair of the run',
    isNonnegative: false,
    solvers: ['mu'],
    inits: semiNmfInits,
    takesFactors: false,
    options: {
      sparsity: ['SHARE', 'share of the entries that each row of H keeps'],
      patience: ['N', 'stop after so many iterations without a better pair'],
    },
  },
} as const satisfies Readonly<Record<string, Row>>

/** Models by the constraints of their factors: W ≥ 0 for all, H ≥ 0 for `nmf` only. */
export type ModelName = keyof typeof models

export const modelNames = Object.keys(models) as readonly ModelName[]

/** The same row with every field, for code that treats all models alike. */
export const rowOf = (model: ModelName): Row => models[model]

export type SolverName = (typeof models)[ModelName]['solvers'][number]
