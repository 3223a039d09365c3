// Canonical scores by plain loops: docs/math/top-k.md.
import type { Matrix } from '../../lib/data/matrix'
import type { Metric } from '../../lib/mining/metric'

const rowOf = ({ data, cols }: Matrix, i: number) => data.subarray(i * cols, (i + 1) * cols)

/** 8 partial sums over t mod 8, added in a fixed tree. */
function summed(length: number, term: (t: number) => number): number {
  const s = [0, 0, 0, 0, 0, 0, 0, 0] as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  for (let t = 0; t < length; t++) s[t & 7]! += term(t)
  return s[0] + s[1] + (s[2] + s[3]) + (s[4] + s[5] + (s[6] + s[7]))
}

const dot = (a: Float32Array, b: Float32Array) => summed(a.length, (t) => a[t]! * b[t]!)

const distance = (a: Float32Array, b: Float32Array) => summed(a.length, (t) => (a[t]! - b[t]!) ** 2)

function score(metric: Metric, q: Float32Array, c: Float32Array): number {
  if (metric === 'l2') return -distance(q, c) + 0
  if (metric === 'dot') return dot(q, c) + 0
  const lengths = Math.sqrt(dot(q, q)) * Math.sqrt(dot(c, c))
  return lengths === 0 ? 0 : Math.max(-1, Math.min(1, dot(q, c) / lengths)) + 0
}

/** The float64 scores of one query with the whole corpus. */
export const scoresOf = (
  metric: Metric,
  queries: Matrix,
  corpus: Matrix,
  query: number,
): Float64Array =>
  Float64Array.from({ length: corpus.rows }, (_, row) =>
    score(metric, rowOf(queries, query), rowOf(corpus, row)),
  )

/** All rows, best first; equal scores by lower row. */
export const ranking = (scores: Float64Array): number[] =>
  [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b)
