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
