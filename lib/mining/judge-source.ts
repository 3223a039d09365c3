// The candidates of a judge: mined or judged negatives, or a caller's own lists.
import { joined } from '../data/pieces'
import { toRowLists, type RowLists, type RowListsInput } from '../data/row-lists'
import { inTurns } from '../data/slices'
import { invalid, invalidText } from '../errors'
import { detached, handOut } from '../lending'
import { planMemory } from '../memory'
import { checkInteger, required, withDefaults } from '../options'
import { checkStarts } from './corpus-shard'
import type { ScoredExtent } from './scorer-options'
import { NegativeLists } from './negative-lists'
import type { MinedShard } from './query-shard'

/** Candidates of queries from anywhere, for example from a lexical search. */
export interface CandidateLists {
  /** Number of queries. */
  readonly queries: number
  /** Number of corpus rows. */
  readonly corpus: number
  /**
   * Rows that each query may get, best first. Repeated rows and positives of the query are passed over.
   */
  readonly rows: RowListsInput
  /** The known positives of each query; none unless given. */
  readonly positives?: RowListsInput | undefined
}

const listNames = {
  queries: required,
  corpus: required,
  rows: required,
  positives: undefined as RowListsInput | undefined,
}

/** The candidates in one form. Arrays of candidates are parallel to `candidates.indices`. */
export interface JudgeSource {
  readonly queries: number
  readonly firstQuery: number
  /** Number of queries of the whole job. */
  readonly allQueries: number
  readonly corpus: number
  readonly shard: MinedShard | undefined
  readonly positives: RowLists
  /** NaN where the candidates are a caller's lists. */
  readonly positiveScores: Float64Array
  readonly candidates: RowLists
  readonly scores: Float32Array
  readonly ranks: Int32Array
  /** Whether there are scores of the mining. */
  readonly isScored: boolean
}

const allQueries = ({ shard, firstQuery, queries }: NegativeLists) =>
  shard?.queries ?? firstQuery + queries

/** Bytes for a candidate. */
const candidateBytes = 12

/** Copies what was mined, because a caller may change it while a scorer works. */
async function fromNegatives(mined: NegativeLists): Promise<JudgeSource> {
  const { queries, firstQuery, corpus, shard, numNegatives: width, counts, found } = mined
  if (mined.listStarts)
    throw invalidText(
      'candidates',
      'what was mined with one list for each query (reference min, max or mean)',
      'a list for each positive (reference each)',
    )
  planMemory(`${found} candidates of a judge`, candidateBytes * found)
  const candidates = {
    indptr: handOut(new Int32Array(queries + 1)),
    indices: new Int32Array(found),
  }
  const [scores, ranks] = [new Float32Array(found), new Int32Array(found)]
  const check = (name: 'indices' | 'scores' | 'ranks' | 'counts', length: number) => {
    if (mined[name].length !== length) throw detached(`candidates.${name}`)
  }
  await inTurns(function* (slice) {
    for (let q = 0; q < queries; q++) {
      for (const name of ['indices', 'scores', 'ranks'] as const) check(name, queries * width)
      check('counts', queries)
      const [start, count, to] = [q * width, counts[q]!, candidates.indptr[q]!]
      candidates.indices.set(mined.indices.subarray(start, start + count), to)
      scores.set(mined.scores.subarray(start, start + count), to)
      ranks.set(mined.ranks.subarray(start, start + count), to)
      candidates.indptr[q + 1] = to + count
      if (slice.spend(64 + count)) yield
    }
  })
  const { indptr, indices } = mined.positives
  return {
    ...{ queries, firstQuery, corpus, shard, candidates, scores, ranks },
    allQueries: allQueries(mined),
    positives: {
      indptr: await joined([indptr], Int32Array),
      indices: await joined([indices], Int32Array),
    },
    positiveScores: await joined([mined.positiveScores], Float64Array),
    isScored: true,
  }
}

/**
 * Lists whose rows exist, each once.
 *
 * @param barred Rows of each query that are left out.
 */
async function uniqueLists(
  name: string,
  lists: RowLists,
  corpus: number,
  { isSorted, barred }: { readonly isSorted: boolean; readonly barred?: RowLists },
): Promise<RowLists> {
  await checkStarts(name, lists)
  const { indptr, indices } = lists
  if (indptr.at(-1) !== indices.length)
    throw invalid(
      `${name}.indptr[${indptr.length - 1}]`,
      `${indices.length}, the number of rows listed`,
      indptr.at(-1),
    )
  const starts = new Int32Array(indptr.length)
  const rows = new Int32Array(indices.length)
  let count = 0
  await inTurns(function* (slice) {
    for (let q = 0; q + 1 < indptr.length; q++) {
      const begin = count
      const seen = new Set(barred?.indices.subarray(barred.indptr[q], barred.indptr[q + 1]))
      for (let t = indptr[q]!; t < indptr[q + 1]!; t++) {
        const row = indices[t]!
        if (!(row >= 0 && row < corpus))
          throw invalid(`${name}.indices[${t}]`, `a corpus row in 0..${corpus - 1}`, row)
        if (seen.has(row)) continue
        seen.add(row)
        rows[count++] = row
        if (slice.spend(16)) yield
      }
      if (isSorted) rows.subarray(begin, count).sort()
      starts[q + 1] = count
      if (slice.spend(16)) yield
    }
  })
  return { indptr: handOut(starts), indices: rows.slice(0, count) }
}

async function fromLists(given: CandidateLists): Promise<JudgeSource> {
  const { queries, corpus } = given
  const nothing = { indptr: new Int32Array(queries + 1), indices: new Int32Array(0) }
  const [rows, known] = await Promise.all([
    toRowLists('candidates.rows', given.rows, queries, corpus),
    toRowLists('candidates.positives', given.positives ?? nothing, queries, corpus),
  ])
  const positives = await uniqueLists('candidates.positives', known, corpus, { isSorted: true })
  const candidates = await uniqueLists('candidates.rows', rows, corpus, {
    isSorted: false,
    barred: positives,
  })
  const { indptr, indices } = candidates
  const ranks = new Int32Array(indices.length)
  await inTurns(function* (slice) {
    for (let q = 0; q < queries; q++)
      for (let t = indptr[q]!; t < indptr[q + 1]!; t++) {
        ranks[t] = t - indptr[q]!
        if (slice.spend(1)) yield
      }
  })
  return {
    ...{ queries, firstQuery: 0, allQueries: queries, corpus, shard: undefined },
    ...{ positives, candidates, ranks },
    positiveScores: new Float64Array(positives.indices.length).fill(NaN),
    scores: new Float32Array(indices.length).fill(NaN),
    isScored: false,
  }
}

/**
 * The number of queries of the whole job, and of corpus rows.
 *
 * @throws {TypeError | RangeError} unless the candidates have the form of candidates.
 */
export function judgedExtent(given: NegativeLists | CandidateLists): ScoredExtent {
  if (given instanceof NegativeLists) return { queries: allQueries(given), corpus: given.corpus }
  if (typeof given !== 'object' || given === null || !('rows' in given))
    throw invalid(
      'candidates',
      'what mineHardNegatives() or judgeNegatives() gave, or an object of queries, corpus, rows and positives',
      given,
    )
  const { queries, corpus } = withDefaults<typeof listNames, CandidateLists>(
    listNames,
    given,
    'candidates',
  )
  checkInteger('candidates.queries', queries, 0)
  checkInteger('candidates.corpus', corpus, 0)
  return { queries, corpus }
}

/** @throws {TypeError | RangeError} naming a row that is none. */
export const judgeSource = (given: NegativeLists | CandidateLists): Promise<JudgeSource> =>
  given instanceof NegativeLists ? fromNegatives(given) : fromLists(given)
