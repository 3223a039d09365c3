// What the order of words says of their meaning: counts of pairs, and shifted positive mutual information.
import { inTurns } from '../data/slices'
import { toSparseView, type SparseMatrix } from '../data/sparse'
import { isList } from '../data/typed-array'
import { invalid, invalidEntry } from '../errors'
import { planMemory } from '../memory'
import {
  checkInteger,
  checkNumber,
  frozen,
  required,
  withDefaults,
  type Overrides,
} from '../options'
import { SparseRows } from './sparse-rows'

/** The only place where the defaults of {@link cooccurrences} are written. */
export const cooccurrencesDefaults = frozen({
  /** Two tokens of a document are a pair if their positions differ by at most this; 20 unless given. */
  window: 20,
})

export type CooccurrencesOptions = {
  /** Size of the vocabulary, T, to be given. */
  terms: number
} & Overrides<typeof cooccurrencesDefaults>

/** Terms without counts that are passed between two pauses for the event loop. */
const emptyAtOnce = 1 << 16

/** Counts of pairs, by the first term. Only terms that occur have a map: there may be 2³¹ − 1 of them. */
class CountsOfTerms {
  /** [terms] The number of the map, from 1 on; 0: none. */
  readonly #places: Int32Array
  readonly #maps: Map<number, number>[] = []

  constructor(terms: number) {
    planMemory(`Counts of pairs of ${terms} terms`, 8 * (terms + 1))
    this.#places = new Int32Array(terms)
  }

  count(i: number, j: number) {
    const place = (this.#places[i] ||= this.#maps.push(new Map()))
    const row = this.#maps[place - 1]!
    row.set(j, (row.get(j) ?? 0) + 1)
  }

  of(i: number): ReadonlyMap<number, number> {
    return this.#maps[this.#places[i]! - 1]!
  }

  /** The first term of begin..end − 1 that has counts; `end` if none has. */
  next(begin: number, end: number): number {
    const places = this.#places
    let at = begin
    while (at < end && places[at] === 0) at++
    return at
  }
}

/**
 * Counts how often two terms are near each other.
 *
 * @param documents The tokens of each document in reading order, as numbers of terms in 0..terms − 1. Borrowed
 *   until the promise settles.
 * @returns Symmetric counts [T × T]: a pair of tokens counts in both orders, also two tokens of one term.
 * @throws {TypeError | RangeError} if a token is no term, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` if there is no memory for the rows of `terms`: 8 bytes each.
 *
 * @example
 * const counts = await cooccurrences([[0, 1, 2], [2, 1]], { terms: 3 })
 */
export async function cooccurrences(
  documents: readonly ArrayLike<number>[],
  options: CooccurrencesOptions,
): Promise<SparseMatrix> {
  const { terms, window } = withDefaults({ terms: required, ...cooccurrencesDefaults }, options)
  checkInteger('terms', terms, 1, 2 ** 31 - 1)
  checkInteger('window', window, 1)
  if (!Array.isArray(documents))
    throw invalid('documents', 'an array with the tokens of each document', documents)
  for (const [at, tokens] of documents.entries())
    if (!isList(tokens)) throw invalid(`documents[${at}]`, 'an array of terms', tokens)
  const counts = new CountsOfTerms(terms)
  await inTurns(function* (slice) {
    for (const [at, tokens] of documents.entries())
      for (let q = 0; q < tokens.length; q++) {
        const term = tokens[q]!
        if (!Number.isInteger(term) || term < 0 || term >= terms)
          throw invalid(`documents[${at}][${q}]`, `a term in 0..${terms - 1}`, term)
        for (let p = Math.max(0, q - window); p < q; p++) {
          counts.count(tokens[p]!, term)
          counts.count(term, tokens[p]!)
        }
        if (slice.spend(16 * Math.min(q + 1, window))) yield
      }
  })
  const rows = new SparseRows(terms, terms)
  await inTurns(function* (slice) {
    for (let begin = 0; begin < terms;) {
      const end = Math.min(terms, begin + emptyAtOnce)
      const term = counts.next(begin, end)
      rows.endEmptyRows(term - begin)
      if (slice.spend(term - begin)) yield
      begin = term
      if (term === end) continue
      const row = counts.of(term)
      for (const column of Int32Array.from(row.keys()).sort()) rows.add(column, row.get(column)!)
      rows.endRow()
      begin++
      if (slice.spend(16 * row.size)) yield
    }
  })
  return rows.finish()
}

/** The only place where the defaults of {@link shiftedPpmi} are written. */
export const shiftedPpmiDefaults = frozen({
  /** Information that is taken away, in nats: ln k for k negative samples, at least 0; 0 unless given. */
  shift: 0,
})

export type ShiftedPpmiOptions = Overrides<typeof shiftedPpmiDefaults>

/**
 * Turns counts of pairs into shifted positive pointwise mutual information: max(0, ln(c_ij·N / (c_i·c_j)) − shift),
 * with N the sum of all counts, and c_i and c_j those of row i and column j. Pairs without information are not
 * stored.
 *
 * @param counts [T × C], at least 0, such as those of {@link cooccurrences}. Lent: see {@link DenseMatrix}.
 * @throws {TypeError | RangeError} if a count is below 0 or not finite, or an option is wrong or unknown.
 * @see Levy & Goldberg (2014), "Neural word embedding as implicit matrix factorization", NeurIPS 27
 *
 * @example
 * const semantics = await shiftedPpmi(counts, { shift: Math.log(4) })
 */
export async function shiftedPpmi(
  counts: SparseMatrix,
  options: ShiftedPpmiOptions = {},
): Promise<SparseMatrix> {
  const { shift } = withDefaults(shiftedPpmiDefaults, options)
  checkNumber('shift', shift, 0)
  const { rows, cols, indptr, indices, values } = await toSparseView('counts', counts)
  const [ofRows, ofColumns] = [new Float64Array(rows), new Float64Array(cols)]
  let all = 0
  const eachRow = (visit: (i: number, at: number) => void, end: () => void = () => {}) =>
    inTurns(function* (slice) {
      for (let i = 0; i < rows; i++) {
        for (let at = indptr[i]!; at < indptr[i + 1]!; at++) visit(i, at)
        end()
        if (slice.spend(8 * (indptr[i + 1]! - indptr[i]!) + 1)) yield
      }
    })
  await eachRow((i, at) => {
    const value = values[at]!
    if (!(value >= 0 && value < Infinity))
      throw invalidEntry('counts', 'a finite number of at least 0', value, i, indices[at]!)
    ofRows[i]! += value
    ofColumns[indices[at]!]! += value
    all += value
  })
  const found = new SparseRows(rows, cols)
  await eachRow(
    (i, at) => {
      const column = indices[at]!
      if (values[at] === 0) return
      const information = Math.log((values[at]! * all) / (ofRows[i]! * ofColumns[column]!)) - shift
      if (information > 0) found.add(column, information)
    },
    () => found.endRow(),
  )
  return found.finish()
}
