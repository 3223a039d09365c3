// log Σ exp(score / temperature) in float64: docs/math/log-sum-exp.md.
export function logSum(scores: Float64Array, temperature: number): number {
  const largest = scores.reduce((a, b) => Math.max(a, b))
  const sum = scores.reduce((so, score) => so + Math.exp((score - largest) / temperature), 0)
  return largest / temperature + Math.log(sum)
}
