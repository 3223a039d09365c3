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
  'low-rank',
  'spa',
  'furthest-sum',
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
  /**
   * The options of this model alone, as the help shows them: the word for the value, or the values that there
   * are, and the meaning. A value is a count if its default is one, unless it is said to be a number.
   */
  readonly options?: Readonly<
    Record<
      string,
      readonly [value: string | readonly string[], meaning: string, kind?: 'count' | 'number']
    >
  >
}

/** The default start of semi-NMF. */
export const semiNmfDefaultInit = 'kmeans'

/**
 * The default start of NMF for each kind of steps, and the one for rank > min(n, d); decisions 0017, 0023 and 0036
 * have the measurements.
 */
export const nmfDefaultInits = {
  /** Where neither penalties, bounds, weights nor batches are given, and iterations without X are cheaper. */
  'hals without X': 'low-rank',
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

/** Sums of the rows of W in minimum-volume NMF. */
export const rowSums = ['at-most-one', 'one'] as const
export type RowSums = (typeof rowSums)[number]

/** How rows of X are scaled before separable NMF compares them. */
export const rowNorms = ['none', 'l1'] as const
export type RowNorm = (typeof rowNorms)[number]

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
    inits: ['random', 'kmeans', 'nndsvd', 'nndsvda', 'nndsvdar', 'low-rank'],
    takesFactors: true,
    start: `${nmfDefaultInits['hals without X']} where that is cheap, else ${nmfDefaultInits.hals}; with mu ${nmfDefaultInits.mu}, under another loss ${nmfDefaultInits.ratio}; ${nmfDefaultInits.wide} where K > min(n, d) or entries are missing`,
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
      refit: ['', 'at the end, H by least squares over the entries that it keeps, and W again'],
    },
  },
  'separable-nmf': {
    call: 'separableNmf',
    summary: 'X of any sign, W >= 0, and the rows of H are rows of X; K <= min(n, d)',
    isNonnegative: false,
    solvers: ['spa'],
    inits: ['spa'],
    takesFactors: false,
    options: {
      normalize: [rowNorms, 'divide rows by their sums before they are compared'],
    },
  },
  'convex-nmf': {
    call: 'convexNmf',
    summary: 'X of any sign, W >= 0, and the rows of H are weighted means of rows of X; K <= n',
    isNonnegative: false,
    solvers: ['projected-gradient'],
    inits: ['kmeans', 'furthest-sum', 'spa', 'random'],
    takesFactors: false,
  },
  'archetypal-analysis': {
    call: 'archetypalAnalysis',
    summary: 'as convex-nmf, and the rows of W sum to 1; K <= n',
    isNonnegative: false,
    solvers: ['projected-gradient'],
    inits: ['furthest-sum', 'spa', 'random'],
    takesFactors: false,
    options: {
      relaxation: [
        'SHARE',
        'how far from 1 the weights of an archetype may sum, below 1',
        'number',
      ],
    },
  },
  'min-volume-nmf': {
    call: 'minVolumeNmf',
    summary: 'as nmf, the rows of W sum to at most 1, and the rows of H span a small volume',
    isNonnegative: true,
    solvers: ['hals'],
    inits: ['spa', 'furthest-sum', 'random'],
    takesFactors: false,
    options: {
      volume: ['SHARE', 'weight of the volume, as a share of the loss at the start'],
      volumeOffset: ['OFFSET', 'what is added to the squares of lengths in the volume'],
      rowSums: [rowSums, 'what the rows of W sum to'],
    },
  },
  'dictionary-learning': {
    call: 'dictionaryLearning',
    summary: 'as semi-nmf, sparse W, and the rows of H have length 1 at most',
    isNonnegative: false,
    solvers: ['hals'],
    inits: semiNmfInits,
    takesFactors: false,
  },
  'orthogonal-nmf': {
    call: 'orthogonalNmf',
    summary: 'as nmf, and each row of X uses one component; the columns of W are orthonormal',
    isNonnegative: true,
    solvers: ['alt-onmf'],
    inits: ['kmeans', 'nndsvd', 'random'],
    takesFactors: false,
  },
} as const satisfies Readonly<Record<string, Row>>

/** Models by the constraints of their factors: W ≥ 0 for all, H ≥ 0 for `nmf` only. */
export type ModelName = keyof typeof models

export const modelNames = Object.keys(models) as readonly ModelName[]

/** The same row with every field, for code that treats all models alike. */
export const rowOf = (model: ModelName): Row => models[model]

export type SolverName = (typeof models)[ModelName]['solvers'][number]
