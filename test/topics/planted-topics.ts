// Documents over planted topics: each topic has words of its own, each document mixes a few topics.
import type { SparseMatrix } from '../../lib/data/sparse'
import { normal, uniform } from '../matrices'

export const sparseOf = (
  rows: readonly ReadonlyMap<number, number>[],
  cols: number,
): SparseMatrix => {
  const indptr = [0]
  const [indices, values]: [number[], number[]] = [[], []]
  for (const row of rows) {
    for (const column of [...row.keys()].sort((a, b) => a - b)) {
      indices.push(column)
      values.push(row.get(column)!)
    }
    indptr.push(indices.length)
  }
  return {
    rows: rows.length,
    cols,
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
  }
}

export const denseOf = ({ rows, cols, indptr, indices, values }: SparseMatrix) =>
  Array.from({ length: rows }, (_, i) => {
    const row = new Array<number>(cols).fill(0)
    for (let at = Number(indptr[i]); at < Number(indptr[i + 1]); at++)
      row[indices[at]!] = values[at]!
    return row
  })

/**
 * Tokens of `n` documents over `k` topics of `words` terms each. Topic 0 is in half of all documents, as the other
 * topic of a document; runs of five tokens come from one topic.
 */
export function plantedDocuments(n: number, k: number, words: number, seed: number) {
  const next = uniform(seed)
  const below = (limit: number) => Math.floor(next() * limit)
  const main = Array.from({ length: n }, () => 1 + below(k - 1))
  const hasCommon = Array.from({ length: n }, () => next() < 0.5)
  const tokens = main.map((topic, i) =>
    Array.from({ length: 12 }, () => {
      const of = hasCommon[i] && next() < 0.5 ? 0 : topic
      return Array.from({ length: 5 }, () => of * words + Math.floor(words * next() ** 2))
    }).flat(),
  )
  const counts = tokens.map((document) => {
    const row = new Map<number, number>()
    for (const term of document) row.set(term, (row.get(term) ?? 0) + 1)
    return row
  })
  return { tokens, main, hasCommon, counts: sparseOf(counts, k * words) }
}

/** Embeddings: a term is near the direction of its topic, a document near the sum of its terms. */
export function plantedEmbeddings(
  { counts }: ReturnType<typeof plantedDocuments>,
  k: number,
  words: number,
  seed: number,
) {
  const d = 16
  const gauss = normal(seed)
  const topics = Float32Array.from({ length: k * d }, gauss)
  const terms = Float32Array.from(
    { length: k * words * d },
    (_, at) => topics[Math.floor(at / d / words) * d + (at % d)]! + 0.2 * gauss(),
  )
  const documents = new Float32Array(counts.rows * d)
  denseOf(counts).forEach((row, i) =>
    row.forEach((count, term) => {
      for (let t = 0; t < d; t++) documents[i * d + t]! += count * terms[term * d + t]!
    }),
  )
  return {
    documents: { data: documents, rows: counts.rows, cols: d },
    terms: { data: terms, rows: k * words, cols: d },
  }
}
