import { metrics } from '../names'

/**
 * How close a query and a corpus row are; higher is closer. `l2` is −‖q − c‖². A zero row has cosine 0
 * with everything.
 */
export type Metric = (typeof metrics)[number]

export { metrics }
