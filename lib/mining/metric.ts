/** The metrics, by their names in the addon; a test compares both lists. */
export const metrics = ['cosine', 'dot', 'l2'] as const

/**
 * The similarity of a query and a corpus row; a higher score is closer. `l2` is −‖q − c‖². A zero row has
 * cosine 0 with every row.
 */
export type Metric = (typeof metrics)[number]

/** What a help says of a metric whose name does not say it. */
export const metricTexts: Partial<Record<Metric, string>> = { l2: 'the negative squared distance' }
