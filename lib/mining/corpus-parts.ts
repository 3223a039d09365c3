// The parts of a corpus that one shard mines: its own rows, and for the shard that has row 0 also the rows of
// all shards with shared texts. Rows with equal texts are always in one part.
import { loanOf } from '../data/loan'
import { mapped } from '../data/pieces'
import { toRowLists, type RowLists } from '../data/row-lists'
import { inSlices } from '../data/slices'
import { toQueries } from '../data/source'
import type { NamedArrays } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import { detached } from '../lending'
import type { NativeMineOptions, NativeMineRules, NativePart, NativeSource } from '../native'
import { listsWithin, placeIn, type CorpusRange, type PlaceOf } from './corpus-shard'
import { excludedLists } from './mined-rows'
import { nativeOptions, type SettledMining } from './mining-options'
import { scanned, type Scanned } from './prepare-corpus'
import type { PositiveScores } from './score-positives'
import { checkedSelf, type SelfRows } from './self-rows'
import { lowerBound, type SharedRows } from './shared-rows'
import { textAt } from './text-classes'
import { digestBytes, digestNames, digestsOf } from './text-digests'

/** A call on a shard, as it was checked. */
export interface ShardCall {
  readonly settled: SettledMining
  readonly source: ReturnType<typeof toQueries>
  readonly target: Scanned
  readonly range: CorpusRange
  readonly scores: PositiveScores
}

/** Rows that one scan has, and what is known of them alone. */
interface Held {
  readonly target: Scanned
  readonly placeOf: PlaceOf
  readonly numbers: Int32Array
  readonly absent: Int32Array
  readonly own: Pick<SettledMining, 'corpusGroups' | 'queryTexts' | 'corpusTexts'>
}

/** A part in the form for the addon. */
export interface Part {
  readonly queries: NativeSource
  readonly target: Scanned
  readonly options: NativeMineOptions
  readonly rows: Omit<NativePart, keyof NativeMineRules | 'references'>
  readonly arrays: NamedArrays
}

/** Lists of the whole corpus as they were given, and digests of the texts of the queries. */
export interface WholeInputs {
  readonly exclude: RowLists | undefined
  readonly candidates: RowLists | undefined
  readonly excludeSelf: SelfRows
  readonly queryGroups: Int32Array | undefined
  readonly queryTexts: Uint8Array | undefined
}

/** @throws {TypeError | RangeError} naming the list with an invalid length, or the text that is none. */
export async function wholeInputs({ settled, range, scores }: ShardCall): Promise<WholeInputs> {
  const { queries } = scores
  const { candidates, excludeSelf, queryGroups, queryTexts } = settled
  const exclude = excludedLists(settled)
  const lists = (name: string, given: typeof exclude) =>
    given && toRowLists(name, given, queries, range.corpusRows)
  const self = checkedSelf(excludeSelf, queries, range.corpusRows)
  // All start at the same time, so that a resizable buffer is copied before the caller can shrink it.
  const [excluded, only, texts] = await Promise.all([
    lists('exclude', exclude),
    lists('candidates', candidates),
    queryTexts && digestsOf('queryTexts', queryTexts, queries),
  ])
  return {
    exclude: excluded,
    candidates: only,
    excludeSelf: self,
    queryGroups,
    queryTexts: texts,
  }
}

/** The place in a scan of the row that each query is, −1 for none. */
export async function selfWithin(
  self: SelfRows,
  queries: number,
  corpusRows: number,
  placeOf: PlaceOf,
): Promise<SelfRows> {
  if (self === false) return false
  const local = new Int32Array(queries)
  await inSlices(queries, (begin, end) => {
    for (let q = begin; q < end; q++) {
      const row = self === true ? q : self[q]
      if (row === undefined) throw detached('excludeSelf')
      if (row < -1 || row >= corpusRows)
        throw invalid(
          `excludeSelf[${q}]`,
          `a corpus row in 0..${corpusRows - 1}, or -1 for none`,
          row,
        )
      local[q] = row >= 0 ? placeOf(row) : -1
    }
  })
  return local
}

const hasTexts = ({ queryTexts, corpusTexts }: SettledMining) =>
  queryTexts !== undefined || corpusTexts !== undefined

/** The shared rows of a call with texts. */
function sharedOf({ settled, scores }: ShardCall): SharedRows | undefined {
  if (!hasTexts(settled)) return undefined
  const { shared } = scores
  if (!shared)
    throw invalidText(
      'positives',
      'scores with sharedTexts, which mergeTextDigests() gives, beside texts',
      'scores without',
    )
  if (settled.groups !== undefined && shared.groups === undefined && shared.rows.length > 0)
    throw invalidText(
      'positives',
      'scores with corpusGroups, as some rows with shared texts are in other shards',
      'scores without',
    )
  return { ...shared, groups: settled.groups && shared.groups }
}

/**
 * Takes the texts of the absent rows out of the texts of a shard.
 *
 * @throws {TypeError} if such a row has another text than its digest says.
 */
async function takeTexts(texts: string[], absent: Int32Array, digests: Uint8Array) {
  const taken: string[] = []
  await inSlices(absent.length, (begin, end) => {
    for (const row of absent.subarray(begin, end)) {
      taken.push(textAt('corpusTexts', texts, row))
      texts[row] = ''
    }
  })
  const found = await digestsOf('corpusTexts', taken)
  await inSlices(found.length, (begin, end) => {
    for (let at = begin; at < end; at++) {
      if (found[at] === digests[at]) continue
      const i = Math.floor(at / digestBytes)
      const wanted = 'the text that digestTexts() was given'
      throw invalid(`corpusTexts[${absent[i]}]`, wanted, taken[i])
    }
  })
}

/** The rows of the shard, without those whose texts are shared. */
async function ownRows({ settled, target, range }: ShardCall, shared?: SharedRows): Promise<Held> {
  const { firstRow, rows } = range
  const { corpusGroups, queryTexts, corpusTexts } = settled
  const numbers = new Int32Array(rows)
  await inSlices(rows, (first, last) => {
    for (let i = first; i < last; i++) numbers[i] = firstRow + i
  })
  const begin = shared ? lowerBound(shared.rows, firstRow) : 0
  const end = shared ? lowerBound(shared.rows, firstRow + rows) : 0
  const absent = shared
    ? await mapped(shared.rows.subarray(begin, end), (row) => row - firstRow)
    : new Int32Array(0)
  const placeOf = placeIn(range)
  if (absent.length === 0) return { target, placeOf, numbers, absent, own: settled }
  const isAbsent = new Uint8Array(rows)
  await inSlices(absent.length, (first, last) => {
    for (const row of absent.subarray(first, last)) isAbsent[row] = 1
  })
  const texts = [...(corpusTexts ?? [])]
  if (texts.length === rows)
    await takeTexts(texts, absent, shared!.digests.subarray(begin * digestBytes, end * digestBytes))
  const placeOfPresent = (row: number) => {
    const place = placeOf(row)
    return place >= 0 && isAbsent[place] === 1 ? -1 : place
  }
  const own = { corpusGroups, queryTexts, corpusTexts: corpusTexts && texts }
  return { target, placeOf: placeOfPresent, numbers, absent, own }
}

/** The rows of all shards whose texts are shared. Their texts are known by digests. */
async function rowsOfSharedTexts(
  { source, target }: ShardCall,
  { rows, vectors, digests, groups }: SharedRows,
  queryTexts: Uint8Array,
): Promise<Held> {
  const matrix = { data: vectors, rows: rows.length, cols: source.cols }
  return {
    target: scanned(matrix, target.metric, source, 'positives.shared'),
    placeOf: (row) => {
      const place = lowerBound(rows, row)
      return rows[place] === row ? place : -1
    },
    numbers: rows,
    absent: new Int32Array(0),
    own: {
      corpusGroups: groups,
      queryTexts: await digestNames(queryTexts),
      corpusTexts: await digestNames(digests),
    },
  }
}

async function partOf(
  { settled, source, range, scores }: ShardCall,
  whole: WholeInputs,
  { target, placeOf, numbers, absent, own }: Held,
  device: string,
): Promise<Part> {
  const { queries } = scores
  const within = (name: string, lists: RowLists | undefined) =>
    lists && listsWithin(name, lists, range.corpusRows, placeOf)
  const local = {
    ...settled,
    ...own,
    exclude: await within('exclude', whole.exclude),
    candidates: await within('candidates', whole.candidates),
    excludeSelf: await selfWithin(whole.excludeSelf, queries, range.corpusRows, placeOf),
  }
  const positives = await listsWithin('positives', scores.positives, range.corpusRows, placeOf)
  const all = await nativeOptions(local, positives, queries, target, device)
  // A list of candidates names no absent row, so nothing bars these.
  const rows = { rowNumbers: numbers, absent: whole.candidates ? new Int32Array(0) : absent }
  const { exclude, candidates, excludeSelf, queryGroups, corpusGroups, queryTexts, corpusTexts } =
    all
  const { inputs, arrays } = await loanOf({
    ...{ queries: source, corpus: target.matrix, positives: all.positives, exclude, candidates },
    ...{ excludeSelf, queryGroups, corpusGroups, queryTexts, corpusTexts, rows },
  })
  const { queries: asked, corpus, rows: lentRows, ...lent } = inputs
  const lentTarget = { ...target, matrix: corpus }
  return {
    queries: asked,
    target: lentTarget,
    options: { ...all, ...lent },
    rows: lentRows,
    arrays,
  }
}

/** The parts that a shard mines; none if it has no rows. */
export async function partsOf(
  call: ShardCall,
  whole: WholeInputs,
  device: string,
): Promise<Part[]> {
  const { range, scores } = call
  const shared = sharedOf(call)
  const held = [await ownRows(call, shared)]
  if (shared && whole.queryTexts && range.firstRow === 0 && shared.rows.length > 0)
    held.push(await rowsOfSharedTexts(call, shared, whole.queryTexts))
  // The options are checked in any case.
  const parts: Part[] = []
  for (const each of held) parts.push(await partOf(call, whole, each, device))
  return scores.queries === 0 || range.rows === 0 ? [] : parts
}
