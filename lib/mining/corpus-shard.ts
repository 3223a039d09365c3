// A range of the rows of a corpus that is too large for one machine, and what its lists become.
import type { MatrixInput } from '../data/matrix'
import type { RowLists } from '../data/row-lists'
import { inTurns } from '../data/slices'
import { toQueries } from '../data/source'
import { invalid, invalidText } from '../errors'
import type { NativeSource } from '../native'
import { checkInteger, checkOneOf } from '../options'
import { metrics, type Metric } from './metric'
import { PreparedCorpus, prepareCorpusDefaults, scanned, type CorpusInput } from './prepare-corpus'

/** Rows firstRow to firstRow + rows − 1 of a corpus. */
export interface CorpusRange {
  /** The first row of the shard, among all rows of the corpus. */
  readonly firstRow: number
  /** Rows of the shard. */
  readonly rows: number
  /** Rows of the whole corpus. */
  readonly corpusRows: number
}

/** Rows are numbered in int32. */
const mostRows = 2 ** 31 - 1

/**
 * @param name The argument that has these rows.
 * @throws {TypeError | RangeError} if the rows do not lie within the corpus.
 */
export function checkRange({ firstRow, rows, corpusRows }: CorpusRange, name = 'corpus') {
  checkInteger('corpusRows', corpusRows, 0, mostRows)
  if (rows > corpusRows)
    throw invalidText(name, `at most ${corpusRows} rows, as corpusRows says`, `${rows} rows`)
  checkInteger('firstRow', firstRow, 0, corpusRows - rows)
}

/** The rows of a shard as the addon takes them; a shard may have none, and then the addon is not asked. */
export function shardRows(
  corpus: CorpusInput,
  metric: Metric | undefined,
  queries: NativeSource,
): ReturnType<typeof scanned> {
  const matrix = corpus instanceof PreparedCorpus ? undefined : corpus
  const isEmpty = typeof matrix === 'object' && matrix !== null && hasNoRows(matrix)
  if (!isEmpty) return scanned(corpus, metric, queries)
  const settled = metric ?? prepareCorpusDefaults.metric
  checkOneOf('metric', settled, metrics)
  const source = toQueries(matrix, 'corpus')
  if (source.cols !== queries.cols)
    throw invalid('queries.cols', `${source.cols} columns, as in the corpus`, queries.cols)
  const none = { rows: 0, liveRows: 0, ids: undefined, handle: undefined, memory: {} }
  return { ...none, metric: settled, matrix: source }
}

const hasNoRows = (matrix: MatrixInput) => {
  const { rows, shape, dims } = matrix as Partial<{
    rows: number
    shape: readonly number[]
    dims: readonly number[]
  }>
  return (dims ?? shape ?? [rows])[0] === 0
}

/** @throws {RangeError} if starts do not ascend from 0 to the number of rows. */
export const checkStarts = (name: string, { indptr, indices }: RowLists) =>
  inTurns(function* (slice) {
    for (let q = 0; q < indptr.length; q++) {
      const least = q === 0 ? 0 : indptr[q - 1]!
      const most = q === 0 ? 0 : indices.length
      if (!(indptr[q]! >= least && indptr[q]! <= most))
        throw invalid(`${name}.indptr[${q}]`, `an integer in ${least}..${most}`, indptr[q])
      if (slice.spend(1)) yield
    }
  })

/** The place of a row of the corpus in a scan; −1 for a row that the scan does not have. */
export type PlaceOf = (row: number) => number

export const placeIn =
  ({ firstRow, rows }: CorpusRange): PlaceOf =>
  (row) =>
    row >= firstRow && row < firstRow + rows ? row - firstRow : -1

/**
 * What lists of rows of the whole corpus name within a scan, as places in the scan.
 *
 * @throws {RangeError} naming an entry that is no row of the corpus.
 */
export async function listsWithin(
  name: string,
  lists: RowLists,
  corpusRows: number,
  placeOf: PlaceOf,
): Promise<RowLists> {
  await checkStarts(name, lists)
  const { indptr, indices } = lists
  const starts = new Int32Array(indptr.length)
  const kept = new Int32Array(indices.length)
  let count = 0
  await inTurns(function* (slice) {
    for (let q = 0; q + 1 < indptr.length; q++) {
      for (let t = indptr[q]!; t < indptr[q + 1]!; t++) {
        if (slice.spend(1)) yield
        const row = indices[t]!
        if (!(row >= 0 && row < corpusRows))
          throw invalid(
            `${name}[${q}][${t - indptr[q]!}]`,
            `a corpus row in 0..${corpusRows - 1}`,
            row,
          )
        const place = placeOf(row)
        if (place >= 0) kept[count++] = place
      }
      starts[q + 1] = count
      if (slice.spend(1)) yield
    }
  })
  return { indptr: starts, indices: kept.subarray(0, count) }
}

/** The shards of a whole corpus by their rows, given in any order. */
export function inOrder<Part extends CorpusRange>(
  parts: readonly Part[],
  argument = 'parts',
): Part[] {
  const named = parts.map((part, i) => ({ part, name: `${argument}[${i}]` }))
  named.sort((a, b) => a.part.firstRow - b.part.firstRow || a.part.rows - b.part.rows)
  const { corpusRows } = parts[0]!
  let next = 0
  for (const { part, name } of named) {
    if (part.corpusRows !== corpusRows)
      throw invalidText(
        name,
        `corpusRows ${corpusRows}, as in ${argument}[0]`,
        String(part.corpusRows),
      )
    if (part.firstRow !== next)
      throw invalidText(name, `a shard that begins at row ${next}`, `one at row ${part.firstRow}`)
    next += part.rows
  }
  if (next !== corpusRows)
    throw invalidText(argument, `shards of all ${corpusRows} rows`, `none from row ${next} on`)
  return named.map(({ part }) => part)
}

/** @throws {TypeError} if parts are no array of objects with what tells such a result. */
export function checkParts(parts: unknown, field: string, maker: string, argument = 'parts') {
  if (!Array.isArray(parts) || parts.length === 0)
    throw invalid(argument, 'the results of all shards, at least one', parts)
  for (const [i, part] of parts.entries())
    if (typeof part !== 'object' || part === null || !(field in part))
      throw invalid(`${argument}[${i}]`, `what ${maker}() gave`, part)
}

/** @throws {RangeError} naming the first field in which a part differs from the first one. */
export function checkAlike(
  parts: readonly object[],
  identity: (part: never) => object,
  nameOf = (i: number) => `parts[${i}]`,
) {
  const wanted = identity(parts[0] as never) as Record<string, unknown>
  for (const [i, part] of parts.entries()) {
    const found = identity(part as never) as Record<string, unknown>
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(found)]))
      if (wanted[name] !== found[name])
        throw invalidText(
          nameOf(i),
          `a shard of the job of ${nameOf(0)}, with ${name} ${String(wanted[name])}`,
          String(found[name]),
        )
  }
}
