import type { SparseMatrix } from '../../data/sparse'

const stopWords = new Set(
  (
    'a about above after all also an and any are as at be because been before being below between both but by can ' +
    'could did do does doing done down during each either else etc few first for from further get gets got had has have ' +
    'having he her here how however if in into is it its itself just know let like made make makes many may me might more ' +
    'most much must my need needs new no not now of off on once one only or other our out over own per please same see ' +
    'should since so some still such than that the their them then there these they thing this those through to too under ' +
    'until up us use used useful uses using very via want was way we well were what when where whether which while who why ' +
    'will with within without would yes you your ' +
    'api bar baz code docs documentation example examples file files foo github http https install installation javascript js ' +
    'lib license mit module modules node nodejs note npm option options org package packages readme return returns support ' +
    'supported true false undefined null usage version versions www yarn default defaults method methods function functions ' +
    'following value values set sets name names com released'
  ).split(' '),
)

/** The words of a text that may describe its topic. */
const wordsOf = (text: string) =>
  (text.toLowerCase().match(/[a-z][a-z]{2,}/g) ?? []).filter((word) => !stopWords.has(word))

function countsOf(
  words: readonly string[],
  columns: ReadonlyMap<string, number>,
): [number, number][] {
  const counts = new Map<number, number>()
  for (const word of words) {
    const column = columns.get(word)
    if (column !== undefined) counts.set(column, (counts.get(column) ?? 0) + 1)
  }
  return [...counts].sort(([a], [b]) => a - b)
}

/**
 * Smallest number of documents with a word. Three would leave many texts without a word if texts are few and
 * short.
 */
const fewestDocuments = (documents: number) => (documents > 120 ? 3 : 2)

/** Words that occur in several documents but not in most, in alphabetical order. */
function vocabularyOf(documents: readonly (readonly string[])[]): string[] {
  const frequency = new Map<string, number>()
  for (const words of documents)
    for (const word of new Set(words)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const fewest = fewestDocuments(documents.length)
  return [...frequency]
    .filter(([, count]) => count >= fewest && count <= 0.4 * documents.length)
    .map(([word]) => word)
    .sort()
}

/**
 * Weights of words in texts: (1 + ln count) · (1 + ln((1 + n) / (1 + document frequency))), rows of length 1.
 * The vocabulary and the frequencies are those of the documents of the constructor.
 */
export class TfIdf {
  readonly vocabulary: readonly string[]
  readonly documents: SparseMatrix
  readonly #columns: ReadonlyMap<string, number>
  readonly #idf: Float64Array

  constructor(texts: readonly string[]) {
    const words = texts.map(wordsOf)
    this.vocabulary = vocabularyOf(words)
    this.#columns = new Map(this.vocabulary.map((word, column) => [word, column]))
    this.#idf = new Float64Array(this.vocabulary.length)
    const counts = words.map((each) => countsOf(each, this.#columns))
    for (const [column] of counts.flat()) this.#idf[column]!++
    this.#idf.forEach((frequency, column) => {
      this.#idf[column] = 1 + Math.log((1 + texts.length) / (1 + frequency))
    })
    this.documents = this.#weighed(counts)
  }

  /** Other texts in the same vocabulary, [texts × words]. */
  transform(texts: readonly string[]): SparseMatrix {
    return this.#weighed(texts.map((text) => countsOf(wordsOf(text), this.#columns)))
  }

  #weighed(rows: readonly (readonly [number, number])[][]): SparseMatrix {
    const entries = rows.reduce((sum, row) => sum + row.length, 0)
    const indptr = new Int32Array(rows.length + 1)
    const indices = new Int32Array(entries)
    const values = new Float32Array(entries)
    let at = 0
    rows.forEach((row, i) => {
      const weights = row.map(([column, count]) => (1 + Math.log(count)) * this.#idf[column]!)
      const length = Math.hypot(...weights) || 1
      row.forEach(([column], t) => {
        indices[at] = column
        values[at++] = weights[t]! / length
      })
      indptr[i + 1] = at
    })
    return { rows: rows.length, cols: this.vocabulary.length, indptr, indices, values }
  }
}
