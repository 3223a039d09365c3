// The known positives of each query, as an audit asks for them.
import { throwIfAborted, type AbortSignalLike } from '../cancellation'
import { PairTable } from '../data/pair-table'
import type { RowLists } from '../data/row-lists'
import { inSlices } from '../data/slices'
import { invalid } from '../errors'
import type { FoundRow, openWords } from './audit-words'

export type AuditWords = Awaited<ReturnType<typeof openWords>>

/** Pairs per slice: about a millisecond of work. */
const slice = 1 << 12

/** Queries with one text share their positives' texts. */
export class KnownPositives {
  /** Pairs of a query and a row. */
  private readonly own = new PairTable()
  /** Pairs of a group of queries and a class of texts. */
  private readonly shared = new PairTable()
  /** Pairs of a group of queries and a row, so that each is counted once. */
  private readonly grouped = new PairTable()
  /** Positive rows of each pair in `shared`. */
  private readonly rowsOfText: number[] = []
  /** Corpus rows of each class. */
  private readonly sizes: Int32Array

  private constructor(private readonly words: AuditWords) {
    this.sizes = new Int32Array(words.classes)
  }

  static async open(
    words: AuditWords,
    { indptr, indices }: RowLists,
    corpus: number,
    signal: AbortSignalLike | undefined,
  ): Promise<KnownPositives> {
    const positives = new KnownPositives(words)
    await inSlices(corpus, (begin, end) => positives.count(begin, end), slice)
    let query = 0
    await inSlices(
      indices.length,
      (begin, end) => {
        throwIfAborted(signal)
        for (let t = begin; t < end; t++) {
          while (t >= indptr[query + 1]!) query++
          const row = indices[t]!
          if (row < 0 || row >= corpus)
            throw invalid(`positives.indices[${t}]`, `a corpus row in 0..${corpus - 1}`, row)
          positives.add(query, row)
        }
      },
      slice,
    )
    return positives
  }

  private count(begin: number, end: number) {
    for (let row = begin; row < end; row++) {
      const textClass = this.words.documents.classOf(row)
      if (textClass !== -1) this.sizes[textClass]!++
    }
  }

  private add(query: number, row: number) {
    this.own.add(query, row)
    const textClass = this.words.documents.classOf(row)
    const group = this.groupOf(query)
    const before = this.grouped.size
    this.grouped.add(group, row)
    if (textClass === -1 || this.grouped.size === before) return
    const pair = this.shared.add(group, textClass)
    this.rowsOfText[pair] = (this.rowsOfText[pair] ?? 0) + 1
  }

  /** Queries with equal texts are one group. */
  private groupOf(query: number): number {
    const textClass = this.words.queries.classOf(query)
    return textClass === -1 ? this.words.classes + query : textClass
  }

  /** Whether a row is a positive of a query; a text stands for every query with it. */
  has({ row: query, byText }: FoundRow, row: number): boolean {
    return byText ? this.grouped.has(this.groupOf(query), row) : this.own.has(query, row)
  }

  /** Positive rows with this text, of the query and of others with its text. */
  rowsWithText(query: number, textClass: number): number {
    const pair = this.shared.find(this.groupOf(query), textClass)
    return pair === -1 ? 0 : this.rowsOfText[pair]!
  }

  /** Corpus rows with this text. */
  sizeOf(textClass: number): number {
    return this.sizes[textClass]!
  }
}
