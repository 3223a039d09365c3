// Documents of a training split that are near-duplicates of positives of a test split.
import { loanOf } from '../data/loan'
import type { DenseMatrix, MatrixInput } from '../data/matrix'
import type { RowLists } from '../data/row-lists'
import { inTurns } from '../data/slices'
import { toDenseSource } from '../data/source'
import { invalid, invalidEntry } from '../errors'
import { handOut } from '../lending'
import { availableMemory } from '../memory'
import { runJob, type NativeSource } from '../native'
import { checkJob, type JobOptions, type MemoryOptions } from '../options'
import type { LeakingDocuments } from './find-leakage'
import type { Metric } from './metric'
import { rangeSearch, type FoundRows } from './range-search'

type SearchOptions = { readonly threshold: number; readonly metric: Metric } & JobOptions &
  MemoryOptions

/** A corpus of the right number of rows. */
function corpusSource(corpus: MatrixInput, corpusRows: number): NativeSource {
  const source = toDenseSource('corpus', corpus)
  if (source.rows !== corpusRows)
    throw invalid('corpus.rows', `${corpusRows}, as corpusRows says`, source.rows)
  return source
}

/** Room for copies of some rows of the corpus, as float32. It is shared memory, which jobs use in place. */
class CopiedRows {
  readonly #room: Float32Array

  constructor(
    private readonly source: NativeSource,
    private readonly options: SearchOptions,
    rows: number,
  ) {
    this.#room = new Float32Array(new SharedArrayBuffer(4 * rows * source.cols))
  }

  /** Copies rows over those before. */
  async take(rows: Int32Array) {
    const { cols } = this.source
    const data = this.#room.subarray(0, rows.length * cols)
    const { device, ...job } = checkJob({ ...this.options, onProgress: undefined })
    const { inputs, arrays } = await loanOf({ corpus: this.source })
    await runJob(job, arrays, (addon, control) =>
      addon.takeRows(inputs.corpus, { device, metric: this.options.metric }, rows, data, control),
    )
    await inTurns<void>(function* (slice) {
      for (const [i, row] of rows.entries())
        for (let j = 0; j < cols; j++) {
          const value = data[i * cols + j]!
          if (!Number.isFinite(value))
            throw invalidEntry('corpus', 'a finite number', value, row, j)
          if (slice.spend(1)) yield
        }
    })
    return { data, rows: rows.length, cols }
  }
}

/** Distinct rows of some lists, ascending. */
const distinct = (lists: readonly RowLists[], corpusRows: number) =>
  inTurns<Int32Array>(function* (slice) {
    const named = new Uint8Array(corpusRows)
    let count = 0
    for (const { indices } of lists)
      for (const row of indices) {
        count += 1 - named[row]!
        named[row] = 1
        if (slice.spend(1)) yield
      }
    const rows = new Int32Array(count)
    for (let row = 0, at = 0; at < count; row++) {
      if (named[row]) rows[at++] = row
      if (slice.spend(1)) yield
    }
    return rows
  })

/** For each row of a list, the places of the rows of another one with its identity. */
const equalRows = (asked: Int32Array, known: Int32Array, identity: Int32Array) =>
  inTurns<number[][]>(function* (slice) {
    const places = new Map<number, number[]>()
    for (const [place, row] of known.entries()) {
      const own = places.get(identity[row]!)
      if (own) own.push(place)
      else places.set(identity[row]!, [place])
      if (slice.spend(8)) yield
    }
    const equal: number[][] = []
    for (const row of asked) {
      equal.push(places.get(identity[row]!) ?? [])
      if (slice.spend(8)) yield
    }
    return equal
  })

interface Lists {
  /** Positives of the test queries. */
  readonly asked: RowLists
  /** Positives and negatives of the training queries. */
  readonly known: readonly RowLists[]
  /** The first training query that has each document, by the document's identity; −1 for none. */
  readonly firsts: readonly Int32Array[]
  readonly identity: Int32Array
}

/** Copies of documents on each side take at most this part of the memory, as a divisor. */
const copyShare = 32

/** The nearest other document of each document that asks, found part by part: both sides are copied. */
class NearestDocuments {
  /** Places of the nearest among the documents that answer, or −1, and their scores. */
  readonly places: Int32Array
  readonly scores: Float32Array
  readonly #most: number
  readonly #asking: CopiedRows
  readonly #answering: CopiedRows

  constructor(
    private readonly source: NativeSource,
    private readonly own: Int32Array,
    private readonly others: Int32Array,
    private readonly identity: Int32Array,
    private readonly options: SearchOptions,
  ) {
    const { memoryBudget = Infinity } = options
    const room = Math.min(memoryBudget, availableMemory()) / copyShare / (4 * source.cols)
    this.#most = Math.max(1, Math.floor(room))
    this.places = new Int32Array(own.length).fill(-1)
    this.scores = new Float32Array(own.length)
    this.#asking = new CopiedRows(source, options, Math.min(own.length, this.#most))
    this.#answering = new CopiedRows(source, options, Math.min(others.length, this.#most))
  }

  async find() {
    const { own, others } = this
    const [most, total] = [this.#most, own.length * Math.ceil(others.length / this.#most)]
    let done = 0
    for (let at = 0; at < others.length; at += most) {
      const answering = others.subarray(at, at + most)
      const answers = await this.#answering.take(answering)
      for (let begin = 0; begin < own.length; begin += most) {
        const asking = own.subarray(begin, begin + most)
        const found = await this.#search(asking, answering, answers)
        await this.#resolve(this.#offer(found, begin, at))
        done += asking.length
        this.options.onProgress?.({ phase: 'documents', done, total })
      }
    }
  }

  async #search(asking: Int32Array, answering: Int32Array, answers: DenseMatrix) {
    const exclude = await equalRows(asking, answering, this.identity)
    const queries = await this.#asking.take(asking)
    const more = { exclude, limit: 1, onProgress: undefined }
    return rangeSearch(queries, answers, { ...this.options, ...more })
  }

  /**
   * Keeps what is nearer than before.
   *
   * @returns Documents that have the same score as before, by their place, with the new place.
   */
  #offer({ indptr, indices, scores }: FoundRows, begin: number, at: number): Map<number, number> {
    const equal = new Map<number, number>()
    for (let i = 0; i + 1 < indptr.length; i++) {
      const found = indptr[i]!
      if (indptr[i + 1] === found) continue
      const [own, place] = [begin + i, at + indices[found]!]
      const isFirst = this.places[own] === -1
      if (!isFirst && scores[found] === this.scores[own]) equal.set(own, place)
      if (!isFirst && scores[found]! <= this.scores[own]!) continue
      this.places[own] = place
      this.scores[own] = scores[found]!
    }
    return equal
  }

  /** Scores that are equal as float32 are compared again, in float64 and then by row. */
  async #resolve(equal: ReadonlyMap<number, number>) {
    if (equal.size === 0) return
    const asking = [...equal.keys()]
    const rivals = [...new Set([...equal.values(), ...asking.map((own) => this.places[own]!)])]
    const places = Int32Array.from(rivals).sort()
    const answering = places.map((place) => this.others[place]!)
    const copies = new CopiedRows(this.source, this.options, answering.length)
    const rows = Int32Array.from(asking, (own) => this.own[own]!)
    const { indices } = await this.#search(rows, answering, await copies.take(answering))
    for (const [i, own] of asking.entries()) this.places[own] = places[indices[i]!]!
  }
}

/** The nearest other training document of each positive of a test query that has one at the threshold. */
async function nearestDocuments(
  source: NativeSource,
  { asked, known, identity }: Lists,
  options: SearchOptions,
): Promise<ReadonlyMap<number, { readonly row: number; readonly score: number }>> {
  const own = await distinct([asked], identity.length)
  const others = await distinct(known, identity.length)
  const nearest = new Map<number, { row: number; score: number }>()
  if (own.length === 0 || others.length === 0) return nearest
  const search = new NearestDocuments(source, own, others, identity, options)
  await search.find()
  await inTurns<void>(function* (slice) {
    for (const [i, row] of own.entries()) {
      const place = search.places[i]!
      if (place >= 0) nearest.set(row, { row: others[place]!, score: search.scores[i]! })
      if (slice.spend(8)) yield
    }
  })
  return nearest
}

/** Each positive of a test query with the nearest other document of the training split. */
export async function nearDocuments(
  corpus: MatrixInput | undefined,
  lists: Lists,
  options: SearchOptions,
): Promise<LeakingDocuments> {
  const { asked, firsts, identity } = lists
  const nearest =
    corpus === undefined
      ? new Map<number, never>()
      : await nearestDocuments(corpusSource(corpus, identity.length), lists, options)
  const firstQuery = (row: number) =>
    firsts.map((first) => first[identity[row]!]!).find((query) => query >= 0)!
  const [test, train, rows]: [number[], number[], number[]] = [[], [], []]
  const [trainRows, scores]: [number[], number[]] = [[], []]
  await inTurns<void>(function* (slice) {
    for (let query = 0; query + 1 < asked.indptr.length; query++)
      for (let t = asked.indptr[query]!; t < asked.indptr[query + 1]!; t++) {
        if (slice.spend(8)) yield
        const other = nearest.get(asked.indices[t]!)
        if (other === undefined) continue
        test.push(query)
        train.push(firstQuery(other.row))
        rows.push(asked.indices[t]!)
        trainRows.push(other.row)
        scores.push(other.score)
      }
  })
  const array = (values: number[]) => handOut(Int32Array.from(values))
  return {
    ...{ test: array(test), train: array(train), rows: array(rows), trainRows: array(trainRows) },
    scores: handOut(Float32Array.from(scores)),
  }
}
