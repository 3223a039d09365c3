// MaxSim by plain loops: docs/math/max-sim.md.
import type { Matrix } from '../../lib/data/matrix'
import type { Metric } from '../../lib/mining/metric'
import { scoresOf } from './scores'

export interface Texts {
  readonly tokens: Matrix
  readonly starts: readonly number[]
}

/** The float64 score of one query with every document; NaN for a document without tokens. */
export function lateInteraction(metric: Metric, queries: Texts, documents: Texts, query: number) {
  const [first, end] = [queries.starts[query]!, queries.starts[query + 1]!]
  const scores = new Float64Array(documents.starts.length - 1)
  for (let token = first; token < end; token++) {
    const each = scoresOf(metric, queries.tokens, documents.tokens, token)
    scores.forEach((sum, document) => {
      const rows = each.subarray(documents.starts[document], documents.starts[document + 1])
      scores[document] = sum + rows.reduce((a, b) => Math.max(a, b), -Infinity)
    })
  }
  return scores.map((score, document) =>
    documents.starts[document] === documents.starts[document + 1] ? NaN : score,
  )
}
