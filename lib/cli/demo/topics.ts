import type { Factorization } from '../../factorization/fit'
import { largest } from './embeddings'
import type { DemoText } from './texts'
import type { TfIdf } from './tf-idf'

export interface Topic {
  readonly words: readonly string[]
  /** The names of the texts that this topic describes best. */
  readonly texts: readonly string[]
  /** Share of this topic in the weight of all documents. */
  readonly share: number
}

function columnOf({ W }: Factorization, column: number): Float32Array {
  const values = new Float32Array(W.rows)
  for (let i = 0; i < W.rows; i++) values[i] = W.data[i * W.cols + column]!
  return values
}

const total = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0)

/**
 * The topic of each component, heaviest first: its heaviest words, and the texts with the largest weights on
 * it.
 */
export function topicsOf(
  model: Factorization,
  { vocabulary }: TfIdf,
  texts: readonly DemoText[],
): Topic[] {
  const { H, W } = model
  const weights = Array.from({ length: H.rows }, (_, topic) => {
    const words = H.data.subarray(topic * H.cols, (topic + 1) * H.cols)
    return {
      words,
      loads: columnOf(model, topic),
      weight: total(words) * total(columnOf(model, topic)),
    }
  })
  const all = weights.reduce((sum, { weight }) => sum + weight, 0) || 1
  return weights
    .sort((a, b) => b.weight - a.weight)
    .map(({ words, loads, weight }) => ({
      words: largest(words, 8).map((word) => vocabulary[word]!),
      texts: largest(loads, Math.min(5, W.rows)).map((row) => texts[row]!.name),
      share: weight / all,
    }))
}

export function describeTopics(topics: readonly Topic[]): string[] {
  return topics.flatMap(({ words, texts, share }, i) => [
    `  topic ${String(i + 1).padStart(2)} (${(100 * share).toFixed(0).padStart(2)} %)  ${words.join(', ')}`,
    `                   ${texts.join(', ')}`,
  ])
}
