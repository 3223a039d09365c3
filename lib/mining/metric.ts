/**
 * How close a query and a corpus row are; higher is closer. `l2` is −‖q − c‖². A zero row has cosine 0
 * with everything.
 */
export type Metric = 'cosine' | 'dot' | 'l2'

export const metrics = ['cosine', 'dot', 'l2'] as const
