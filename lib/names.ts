// Names that are also in the addon: it reads options by these names, and info() lists them. A test compares
// both lists. The TypeScript types derive from these lists.

export const modelNames = ['semi-nmf', 'nmf', 'semi-orthogonal-nmf', 'snmf'] as const
/** Models by the constraints of their factors: W ≥ 0 for all, H ≥ 0 for `nmf` only. */
export type ModelName = (typeof modelNames)[number]

export const solverNames = ['hals', 'mu', 'cayley'] as const
export type SolverName = (typeof solverNames)[number]

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

export const metrics = ['cosine', 'dot', 'l2'] as const

/** How an iteration of a factorization uses earlier ones. */
export const accelerations = ['none', 'extrapolated'] as const
export type Acceleration = (typeof accelerations)[number]

/** Which score of several positives the ceilings refer to. */
export const references = ['min', 'max', 'mean'] as const
export type ReferenceName = (typeof references)[number]

/** Which survivors of the rules are taken. */
export const samplings = ['top', 'random', 'top1-random', 'band'] as const
export type SamplingName = (typeof samplings)[number]

/** Which groups a query may get rows of. */
export const groupModes = ['different', 'same'] as const
export type GroupMode = (typeof groupModes)[number]
export const groupings = ['off', ...groupModes] as const
export type Grouping = (typeof groupings)[number]
