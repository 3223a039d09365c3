// Names that the addon knows too: it reads them by name, and info() lists them. A test compares both; the
// types of either side are these lists.

export const modelNames = ['semi-nmf', 'nmf', 'semi-orthogonal-nmf', 'snmf'] as const
/** Which constraints the factors obey: W ≥ 0 for all, H ≥ 0 for `nmf` only. */
export type ModelName = (typeof modelNames)[number]

export const solverNames = ['hals', 'mu', 'cayley'] as const
export type SolverName = (typeof solverNames)[number]

/** Where factors start; `custom` is from those that are given. */
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
