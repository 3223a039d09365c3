// Reading topics: their words, and how many documents they are in.
import { checkAttached, denseMatrix } from '../concepts/dense'
import type { Matrix } from '../data/matrix'
import { inSlices, inTurns } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { invalid, invalidEntry } from '../errors'
import { checkInteger, frozen, withDefaults, type Overrides } from '../options'

/** The only place where the defaults of {@link topWords} are written. */
export const topWordsDefaults = frozen({
  /** Words wanted for each topic; 10 unless given. */
  count: 10,
})

export type TopWordsOptions = Overrides<typeof topWordsDefaults>

/**
 * The words of each topic with the largest weights above 0, largest first, equal ones by lower term.
 *
 * @param topics [K × T], such as the `H` of a model.
 * @param vocabulary The word of each term, T.
 * @throws {TypeError | RangeError} if `topics` is no matrix of finite numbers in memory, there is not one word for
 *   each term, or an option is wrong or unknown.
 *
 * @example
 * const words = await topWords(model.H, vocabulary, { count: 5 })
 */
export async function topWords(
  topics: Matrix,
  vocabulary: readonly string[],
  options: TopWordsOptions = {},
): Promise<string[][]> {
  const { count } = withDefaults(topWordsDefaults, options)
  checkInteger('count', count, 1)
  const { data, rows, cols } = await denseMatrix('topics', topics)
  if (!Array.isArray(vocabulary) || vocabulary.length !== cols)
    throw invalid('vocabulary', `${cols} words, one for each column of topics,`, vocabulary)
  return inTurns<string[][]>(function* (slice) {
    const words: string[][] = []
    for (let j = 0; j < rows; j++) {
      checkAttached('topics', data, rows * cols)
      const weights = data.subarray(j * cols, (j + 1) * cols)
      const terms = Array.from(weights.keys()).filter((term) => weights[term]! > 0)
      terms.sort((a, b) => weights[b]! - weights[a]! || a - b)
      words.push(terms.slice(0, count).map((term) => vocabulary[term]!))
      if (slice.spend(16 * cols)) yield
    }
    return words
  })
}

/** In how many documents each topic is. */
export interface TopicUbiquity {
  /** [K] The share of the documents in which the topic has the largest part; they sum to 1 over documents with one. */
  readonly dominant: Float64Array
  /** [K] The mean part of the topic in a document, over documents with any topic; they sum to 1. */
  readonly mean: Float64Array
}

/** A matrix in memory, without gaps, whose entries are finite and at least 0. */
export async function nonnegativeMatrix(name: string, input: Matrix): Promise<Matrix> {
  const matrix = await denseMatrix(name, input)
  const { data, cols } = matrix
  await inSlices(data.length, (begin, end) => {
    for (let at = begin; at < end; at++)
      if (!(data[at]! >= 0))
        throw invalidEntry(
          name,
          'a number of at least 0',
          data[at]!,
          Math.floor(at / cols),
          at % cols,
        )
  })
  return matrix
}

/**
 * How ubiquitous each topic is. The part of topic j in document i is W_ij·Σ_t H_jt as a share of all topics of the
 * document. Documents without any topic do not count; of equal parts the lower topic is the largest.
 *
 * @param documents Codes [n × K], at least 0, such as the `W` of a model.
 * @param topics [K × T], at least 0, such as its `H`.
 * @throws {TypeError | RangeError} if the numbers of topics differ, or an entry is below 0 or not finite.
 * @see Vangara et al. (2021), "Finding the number of latent topics with semantic non-negative matrix
 *   factorization", IEEE Access 9
 *
 * @example
 * const { dominant } = await topicUbiquity(model.W, model.H)
 */
export async function topicUbiquity(documents: Matrix, topics: Matrix): Promise<TopicUbiquity> {
  const codes = await nonnegativeMatrix('documents', documents)
  const H = await nonnegativeMatrix('topics', topics)
  const K = H.rows
  if (codes.cols !== K)
    throw invalid('documents.cols', `${K} columns, one for each topic,`, codes.cols)
  const sizes = Float64Array.from({ length: K }, (_, j) =>
    H.data.subarray(j * H.cols, (j + 1) * H.cols).reduce((sum, x) => sum + x, 0),
  )
  const [dominant, mean] = [resultArray(Float64Array, K), resultArray(Float64Array, K)]
  let counted = 0
  await inTurns(function* (slice) {
    const parts = new Float64Array(K)
    for (let i = 0; i < codes.rows; i++) {
      checkAttached('documents', codes.data, codes.rows * K)
      for (let j = 0; j < K; j++) parts[j] = codes.data[i * K + j]! * sizes[j]!
      const sum = parts.reduce((total, part) => total + part, 0)
      if (sum > 0) {
        counted++
        dominant[parts.indexOf(parts.reduce((most, part) => Math.max(most, part)))]!++
        for (let j = 0; j < K; j++) mean[j]! += parts[j]! / sum
      }
      if (slice.spend(4 * K)) yield
    }
  })
  for (const shares of [dominant, mean])
    for (let j = 0; j < K; j++) shares[j] = counted === 0 ? 0 : shares[j]! / counted
  return { dominant, mean }
}

/**
 * The share of different words among those of all topics, in (0, 1]; 1 if no two topics have a word in common.
 *
 * @param words Those of each topic, such as {@link topWords} gives.
 * @throws {TypeError} if there are no words.
 * @see Dieng, Ruiz & Blei (2020), "Topic modeling in embedding spaces", TACL 8
 *
 * @example
 * const diversity = topicDiversity(await topWords(model.H, vocabulary, { count: 25 }))
 */
export function topicDiversity(words: readonly (readonly string[])[]): number {
  const all = Array.isArray(words) ? words.flat() : []
  if (all.length === 0) throw invalid('words', 'the words of one topic or more', words)
  return new Set(all).size / all.length
}
