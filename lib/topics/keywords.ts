// The keywords of documents, by the embeddings of documents and terms.
import { denseMatrix } from '../concepts/dense'
import type { Matrix, MatrixInput } from '../data/matrix'
import { inTurns } from '../data/slices'
import type { SparseMatrix } from '../data/sparse'
import { invalid } from '../errors'
import { checkInteger, frozen, withDefaults, type Overrides } from '../options'
import { occurrencesView } from './occurrences'
import { SparseRows } from './sparse-rows'

/** The only place where the defaults of {@link keywordMatrix} are written. */
export const keywordMatrixDefaults = frozen({
  /** Keywords of a document at most, at least 1; 25 unless given. */
  topTerms: 25,
})

export type KeywordMatrixOptions = Overrides<typeof keywordMatrixDefaults>

const lengthsOf = ({ data, rows, cols }: Matrix) =>
  Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0
    for (let at = i * cols; at < (i + 1) * cols; at++) sum += data[at]! ** 2
    return Math.sqrt(sum)
  })

/**
 * Weighs the terms of each document by the cosine of its embedding and theirs: of the terms that occur in it, those
 * with the largest cosines above 0, of equal ones the lower term.
 *
 * @param documents Embeddings of the documents [n × d], in memory.
 * @param terms Embeddings of the terms [T × d], in memory.
 * @param occurrences [n × T], not 0 where a term occurs in a document, such as counts. Lent: see {@link
 *   DenseMatrix}.
 * @returns The cosines [n × T], at least 0, at most `topTerms` in a row.
 * @throws {TypeError | RangeError} if shapes disagree, an embedding or an occurrence is not finite, or an option is
 *   wrong or unknown.
 * @see Kristensen-McLachlan, Hicke, Kardos & Thunø (2024), "Context is Key(NMF): Modelling topical information
 *   dynamics in Chinese diaspora media"
 *
 * @example
 * const keywords = await keywordMatrix(documentEmbeddings, termEmbeddings, counts, { topTerms: 25 })
 */
export async function keywordMatrix(
  documents: MatrixInput,
  terms: MatrixInput,
  occurrences: SparseMatrix,
  options: KeywordMatrixOptions = {},
): Promise<SparseMatrix> {
  const { topTerms } = withDefaults(keywordMatrixDefaults, options)
  checkInteger('topTerms', topTerms, 1)
  const D = await denseMatrix('documents', documents)
  const V = await denseMatrix('terms', terms)
  const { rows, cols, indptr, indices, values } = await occurrencesView('occurrences', occurrences)
  if (V.cols !== D.cols)
    throw invalid('terms.cols', `${D.cols} columns, as many as those of documents,`, V.cols)
  if (rows !== D.rows)
    throw invalid('occurrences.rows', `${D.rows} rows, one for each of documents,`, rows)
  if (cols !== V.rows)
    throw invalid('occurrences.cols', `${V.rows} columns, one for each of terms,`, cols)
  const [ofDocuments, ofTerms] = [lengthsOf(D), lengthsOf(V)]
  const cosine = (i: number, term: number) => {
    let product = 0
    for (let t = 0, a = i * D.cols, b = term * D.cols; t < D.cols; t++)
      product += D.data[a + t]! * V.data[b + t]!
    const lengths = ofDocuments[i]! * ofTerms[term]!
    return lengths > 0 ? Math.min(1, product / lengths) : 0
  }
  const keywords = new SparseRows(rows, cols)
  await inTurns(function* (slice) {
    for (let i = 0; i < rows; i++) {
      const found: { term: number; weight: number }[] = []
      for (let at = indptr[i]!; at < indptr[i + 1]!; at++) {
        if (!(values[at] !== 0)) continue
        const term = indices[at]!
        const weight = cosine(i, term)
        if (weight > 0) found.push({ term, weight })
        if (slice.spend(D.cols)) yield
      }
      found.sort((a, b) => b.weight - a.weight || a.term - b.term)
      const kept = found.slice(0, topTerms).sort((a, b) => a.term - b.term)
      for (const { term, weight } of kept) keywords.add(term, weight)
      keywords.endRow()
    }
  })
  return keywords.finish()
}
