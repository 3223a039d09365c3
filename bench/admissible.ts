// Checks that mining returned every admissible negative, by a search in float64 that shares no code with the
// library.
import type { Matrix, MinedNegatives, RowLists } from '../lib/index'

/** Maximum difference of two float64 sums of the same dot product. */
const tolerance = 1e-12

const rowOf = ({ data, cols }: Matrix, row: number) => data.subarray(row * cols, (row + 1) * cols)

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!
  return sum
}

const norms = (matrix: Matrix) =>
  Float64Array.from({ length: matrix.rows }, (_, row) =>
    Math.sqrt(dot(rowOf(matrix, row), rowOf(matrix, row))),
  )

/** Compares results with those of a plain search with a relative margin, by cosine. */
export class AdmissibleSearch {
  readonly #corpusNorms: Float64Array

  constructor(
    readonly queries: Matrix,
    readonly corpus: Matrix,
    readonly positives: RowLists,
    readonly relativeMargin: number,
  ) {
    this.#corpusNorms = norms(corpus)
  }

  /** Whether the negatives of a query are the best admissible rows, as many as exist up to `numNegatives`. */
  isComplete(mined: MinedNegatives, query: number): boolean {
    const scores = this.#scores(query)
    const { indptr, indices } = this.positives
    const own = indices.subarray(indptr[query], indptr[query + 1])
    const reference = Math.min(...Array.from(own, (row) => scores[row]!))
    const ceiling = reference - this.relativeMargin * Math.abs(reference)
    const returned = new Set(mined.negativesOf(query))
    const admitted = [...returned].every(
      (row) => scores[row]! <= ceiling + tolerance && !own.includes(row),
    )
    const worst = Math.min(...Array.from(returned, (row) => scores[row]!))
    // If fewer than `numNegatives` were returned, no admissible row may be missing.
    const bar = returned.size < mined.numNegatives ? -Infinity : worst + tolerance
    const missing = scores.some(
      (score, row) =>
        score <= ceiling - tolerance && score > bar && !returned.has(row) && !own.includes(row),
    )
    return admitted && !missing
  }

  #scores(query: number): Float64Array {
    const row = rowOf(this.queries, query)
    const norm = Math.sqrt(dot(row, row))
    return this.#corpusNorms.map((other, c) => dot(row, rowOf(this.corpus, c)) / (norm * other))
  }
}
