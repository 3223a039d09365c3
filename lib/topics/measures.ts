// How well words of topics belong together, and how topics of documents change in time.
import { checkAttached } from '../concepts/dense'
import type { Matrix } from '../data/matrix'
import { inTurns, type Slice } from '../data/slices'
import type { SparseMatrix, SparseView } from '../data/sparse'
import { resultArray } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import { checkInteger, checkOneOf, frozen, withDefaults, type Overrides } from '../options'
import { occurrencesView } from './occurrences'
import { nonnegativeMatrix } from './reading'

/** The terms of words that are each once in the vocabulary, and at most once in a topic. */
function termsOf(words: readonly (readonly string[])[], vocabulary: readonly string[]) {
  const terms = new Map<string, number>()
  for (const [term, word] of vocabulary.entries()) {
    if (terms.has(word))
      throw invalidText(`vocabulary[${term}]`, 'a word that no earlier term has', String(word))
    terms.set(word, term)
  }
  return words.map((ofTopic, j) => {
    const found = new Set<number>()
    for (const [i, word] of ofTopic.entries()) {
      const term = terms.get(word)
      const wrong = (expected: string) => invalidText(`words[${j}][${i}]`, expected, String(word))
      if (term === undefined) throw wrong('a word of the vocabulary')
      if (found.has(term)) throw wrong('a word that is not in the topic already')
      found.add(term)
    }
    return [...found]
  })
}

/** The documents of each listed term, in ascending order. */
function* documentsOf(
  { rows, indptr, indices, values }: SparseView,
  listed: ReadonlySet<number>,
  slice: Slice,
) {
  const documents = new Map<number, number[]>()
  for (const term of listed) documents.set(term, [])
  for (let i = 0; i < rows; i++) {
    for (let at = indptr[i]!; at < indptr[i + 1]!; at++) {
      const own = values[at] === 0 ? undefined : documents.get(indices[at]!)
      // A term may be stored twice in a document.
      if (own && own.at(-1) !== i) own.push(i)
    }
    if (slice.spend(1 + indptr[i + 1]! - indptr[i]!)) yield
  }
  return documents
}

function commonOf(a: readonly number[], b: readonly number[]): number {
  let [common, i, j] = [0, 0, 0]
  while (i < a.length && j < b.length) {
    const [left, right] = [a[i]!, b[j]!]
    if (left === right) common++
    if (left <= right) i++
    if (right <= left) j++
  }
  return common
}

/** Normalised pointwise mutual information of two words, from −1 to 1. */
function npmi(a: number, b: number, common: number, n: number): number {
  if (common === 0) return -1
  // Its two logarithms may differ by rounding.
  if (common === a && common === b) return 1
  return Math.min(1, Math.log((common * n) / (a * b)) / -Math.log(common / n))
}

/**
 * The coherence of each topic: the mean over pairs of its words of ln(p(a, b) / (p(a) p(b))) / −ln p(a, b), where p is
 * the share of documents with a word, or with both. From −1, of words that never are in one document, over 0, of
 * independent ones, to 1, of words that are in the same documents. NaN for a topic of fewer than two words.
 *
 * @param words Those of each topic, such as {@link topWords} gives; none twice in a topic.
 * @param occurrences [n × T], not 0 where a term is in a document. Lent: see {@link DenseMatrix}.
 * @param vocabulary The word of each term, T, all different.
 * @throws {TypeError | RangeError} if a word is not in the vocabulary, or twice in it or in a topic, there is not one
 *   word for each term, or `occurrences` is no sparse matrix of finite numbers.
 * @see Bouma (2009), "Normalized (pointwise) mutual information in collocation extraction", GSCL; Lau, Newman &
 *   Baldwin (2014), "Machine reading tea leaves", EACL
 *
 * @example
 * const coherence = await topicCoherence(await topWords(model.H, vocabulary), counts, vocabulary)
 */
export async function topicCoherence(
  words: readonly (readonly string[])[],
  occurrences: SparseMatrix,
  vocabulary: readonly string[],
): Promise<Float64Array> {
  if (!Array.isArray(words)) throw invalid('words', 'an array with the words of each topic', words)
  for (const [j, ofTopic] of words.entries())
    if (!Array.isArray(ofTopic)) throw invalid(`words[${j}]`, 'an array of words', ofTopic)
  const counts = await occurrencesView('occurrences', occurrences)
  const { rows: n, cols } = counts
  if (!Array.isArray(vocabulary) || vocabulary.length !== cols)
    throw invalid('vocabulary', `${cols} words, one for each column of occurrences,`, vocabulary)
  const topics = termsOf(words, vocabulary)
  return inTurns<Float64Array>(function* (slice) {
    const documents = yield* documentsOf(counts, new Set(topics.flat()), slice)
    const coherence = resultArray(Float64Array, topics.length)
    for (const [j, terms] of topics.entries()) {
      let [sum, pairs] = [0, 0]
      for (let b = 1; b < terms.length; b++)
        for (let a = 0; a < b; a++) {
          const [first, second] = [documents.get(terms[a]!)!, documents.get(terms[b]!)!]
          sum += npmi(first.length, second.length, commonOf(first, second), n)
          pairs++
          if (slice.spend(first.length + second.length)) yield
        }
      coherence[j] = sum / pairs
    }
    return coherence
  })
}

export const divergences = ['jensen-shannon', 'kullback-leibler'] as const
type Divergence = (typeof divergences)[number]

/** The only place where the defaults of {@link topicNovelty} are written. */
export const topicNoveltyDefaults = frozen({
  /** Documents before and after that each document is compared with, at least 1; 10 unless given. */
  window: 10,
  /**
   * How the topics of two documents are compared, in bits: `jensen-shannon` unless given, at most 1;
   * `kullback-leibler`, as Barron et al., Infinity where a document has a topic that the other one lacks.
   */
  divergence: 'jensen-shannon' as Divergence,
})

export type TopicNoveltyOptions = Overrides<typeof topicNoveltyDefaults>

/** How new the topics of each document are, and whether they stay. NaN without enough documents, or topics in them. */
export interface TopicNovelty {
  /** [n] The mean divergence of a document from those before it. */
  readonly novelty: Float64Array
  /** [n] The mean divergence of a document from those after it. */
  readonly transience: Float64Array
  /**
   * [n] Novelty less transience: above 0 where something new stays. NaN where both are Infinity, as
   * `kullback-leibler` may be: their difference is no number.
   */
  readonly resonance: Float64Array
}

/** Σ p log₂(p / q) of rows that sum to 1. */
function relativeEntropy(p: Float64Array, q: Float64Array): number {
  let sum = 0
  for (let j = 0; j < p.length; j++) if (p[j]! !== 0) sum += p[j]! * Math.log2(p[j]! / q[j]!)
  // Rounding may leave less than 0; NaN stays.
  return sum < 0 ? 0 : sum
}

function shannonDivergence(p: Float64Array, q: Float64Array): number {
  const middle = p.map((value, j) => (value + q[j]!) / 2)
  return (relativeEntropy(p, middle) + relativeEntropy(q, middle)) / 2
}

/**
 * Compares the topics of each document with those before it (novelty) and after it (transience).
 *
 * @param documents Codes [n × K], at least 0, in the order of time, such as the `W` of a model. Each row counts as
 *   shares of its sum.
 * @throws {TypeError | RangeError} if an entry is below 0 or not finite, or an option is wrong or unknown.
 * @see Barron, Huang, Spang & DeDeo (2018), "Individuals, institutions, and innovation in the debates of the French
 *   Revolution", PNAS 115(18); Kristensen-McLachlan, Hicke, Kardos & Thunø (2024), "Context is Key(NMF)"
 *
 * @example
 * const { novelty, resonance } = await topicNovelty(model.W, { window: 30 })
 */
export async function topicNovelty(
  documents: Matrix,
  options: TopicNoveltyOptions = {},
): Promise<TopicNovelty> {
  const { window, divergence } = withDefaults(topicNoveltyDefaults, options)
  checkInteger('window', window, 1)
  checkOneOf('divergence', divergence, divergences)
  const { data, rows: n, cols } = await nonnegativeMatrix('documents', documents)
  const apart = divergence === 'jensen-shannon' ? shannonDivergence : relativeEntropy
  const sharesOf = (i: number) => {
    checkAttached('documents', data, n * cols)
    const row = Float64Array.from(data.subarray(i * cols, (i + 1) * cols))
    const sum = row.reduce((total, value) => total + value, 0)
    return row.map((value) => value / sum)
  }
  const [novelty, transience] = [resultArray(Float64Array, n), resultArray(Float64Array, n)]
  const resonance = resultArray(Float64Array, n)
  return inTurns<TopicNovelty>(function* (slice) {
    for (let i = 0; i < n; i++) {
      const own = sharesOf(i)
      const meanTo = function* (step: number) {
        const last = i + step * window
        if (last < 0 || last >= n) return NaN
        let sum = 0
        for (let d = 1; d <= window; d++) {
          sum += apart(own, sharesOf(i + step * d))
          if (slice.spend(16 * cols)) yield
        }
        return sum / window
      }
      novelty[i] = yield* meanTo(-1)
      transience[i] = yield* meanTo(1)
      resonance[i] = novelty[i]! - transience[i]!
      if (slice.spend(cols)) yield
    }
    return { novelty, transience, resonance }
  })
}
