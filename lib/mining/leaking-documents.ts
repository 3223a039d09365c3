// Documents of a training split that are near-duplicates of positives of a test split.
import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import type { RowLists } from '../data/row-lists'
import { inTurns } from '../data/slices'
import { toDenseSource } from '../data/source'
import { resultArray } from '../data/typed-array'
import { invalid, invalidEntry } from '../errors'
import { handOut } from '../lending'
import { planMemory } from '../memory'
import { runJob, type NativeSource } from '../native'
import { checkJob, type JobOptions, type MemoryOptions } from '../options'
import type { LeakingDocuments } from './find-leakage'
import type { Metric } from './metric'
import { rangeSearch } from './range-search'

type SearchOptions = { readonly threshold: number; readonly metric: Metric } & JobOptions &
  MemoryOptions

/** A corpus of the right number of rows. */
function corpusSource(corpus: MatrixInput, corpusRows: number): NativeSource {
  const source = toDenseSource('corpus', corpus)
  if (source.rows !== corpusRows)
    throw invalid('corpus.rows', `${corpusRows}, as corpusRows says`, source.rows)
  return source
}

/** Copies of some rows of the corpus, as float32. */
async function copied(source: NativeSource, rows: Int32Array, options: SearchOptions) {
  const { cols } = source
  planMemory(`Copies of ${rows.length} documents`, 4 * rows.length * cols)
  const data = resultArray(Float32Array, rows.length * cols)
  const { device, ...job } = checkJob({ ...options, onProgress: undefined })
  const { inputs, arrays } = await loanOf({ corpus: source })
  await runJob(job, arrays, (addon, control) =>
    addon.takeRows(inputs.corpus, { device, metric: options.metric }, rows, data, control),
  )
  await inTurns<void>(function* (slice) {
    for (const [i, row] of rows.entries())
      for (let j = 0; j < cols; j++) {
        const value = data[i * cols + j]!
        if (!Number.isFinite(value)) throw invalidEntry('corpus', 'a finite number', value, row, j)
        if (slice.spend(1)) yield
      }
  })
  return { data, rows: rows.length, cols }
}

/** Distinct rows of some lists, ascending. */
const distinct = (lists: readonly RowLists[], corpusRows: number) =>
  inTurns<Int32Array>(function* (slice) {
    const named = new Uint8Array(corpusRows)
    for (const { indices } of lists)
      for (const row of indices) {
        named[row] = 1
        if (slice.spend(1)) yield
      }
    const rows: number[] = []
    for (let row = 0; row < corpusRows; row++) {
      if (named[row]) rows.push(row)
      if (slice.spend(1)) yield
    }
    return Int32Array.from(rows)
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
  const sides = [await copied(source, own, options), await copied(source, others, options)] as const
  const exclude = await equalRows(own, others, identity)
  const { indptr, indices, scores } = await rangeSearch(...sides, { ...options, exclude, limit: 1 })
  await inTurns<void>(function* (slice) {
    for (const [i, row] of own.entries()) {
      const at = indptr[i]!
      if (indptr[i + 1]! > at) nearest.set(row, { row: others[indices[at]!]!, score: scores[at]! })
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
