// Puts the shards of a corpus together: ranks, which only the whole corpus has, are judged here.
import { ruleNames, type RuleName } from '../data/mined-lines'
import { handOut } from '../lending'
import type { NativeRejected } from '../native'
import { checkAlike, checkParts, inOrder } from './corpus-shard'
import { populationSize, type MinedCorpusShard, type Wanted } from './mine-corpus-shard'
import { minedArrays } from './mined-arrays'
import { MinedNegatives, type MinedRun } from './mined-negatives'
import { miningWarnings, type Asked } from './mining-warnings'

interface Candidate {
  readonly row: number
  readonly score: number
}

interface RejectedCandidate extends Candidate {
  readonly rule: number
}

/** Best first, equal scores by lower row. */
const byScore = (a: Candidate, b: Candidate) =>
  a.score === b.score ? a.row - b.row : a.score > b.score ? -1 : 1

type Judged = Wanted & { readonly maxPositiveRank?: number | undefined }

const admissiblePlace = ruleNames.length
const rankRule = ruleNames.indexOf('rank')

/** Numbers of one query, over all shards. */
function populationOf(parts: readonly MinedCorpusShard[], query: number) {
  const sums = new Float64Array(populationSize)
  for (const { populations } of parts)
    for (let i = 0; i < populationSize; i++) sums[i]! += populations[query * populationSize + i]!
  const [admissible, above, aboveReference, rescanned] = sums.subarray(admissiblePlace)
  return {
    dropped: sums.slice(0, ruleNames.length),
    admissible: admissible!,
    above: above!,
    aboveReference: aboveReference!,
    isRescanned: rescanned! > 0,
  }
}

/** The best admissible rows of one query, over all shards. */
function bestOf(parts: readonly MinedCorpusShard[], query: number): Candidate[] {
  const all: Candidate[] = []
  for (const { depth, indices, scores, counts } of parts)
    for (let at = query * depth, end = at + counts[query]!; at < end; at++)
      all.push({ row: indices[at]!, score: scores[at]! })
  return all.sort(byScore)
}

/** Rejected candidates of each query that was mined, from every shard. */
function rejectedOf(parts: readonly MinedCorpusShard[]): Map<number, RejectedCandidate[]> {
  const all = new Map<number, RejectedCandidate[]>()
  for (const { rejected } of parts) {
    const { queries, indptr, rows, scores, rules } = rejected
    for (const [place, query] of queries.entries()) {
      const list = all.get(query) ?? []
      for (let at = indptr[place]!; at < indptr[place + 1]!; at++)
        list.push({ row: rows[at]!, score: scores[at]!, rule: rules[at]! })
      all.set(query, list)
    }
  }
  return all
}

/** The rejected candidates of the answer, query by query. */
class Explained {
  readonly #queries: number[] = []
  readonly #indptr: number[] = [0]
  readonly #listed: RejectedCandidate[] = []

  add(query: number, rejected: RejectedCandidate[], most: number) {
    for (const each of rejected.sort(byScore).slice(0, most)) this.#listed.push(each)
    this.#queries.push(query)
    this.#indptr.push(this.#listed.length)
  }

  arrays(): NativeRejected {
    return {
      queries: handOut(Int32Array.from(this.#queries)),
      indptr: handOut(Int32Array.from(this.#indptr)),
      rows: handOut(Int32Array.from(this.#listed, ({ row }) => row)),
      scores: handOut(Float64Array.from(this.#listed, ({ score }) => score)),
      rules: handOut(Uint8Array.from(this.#listed, ({ rule }) => rule)),
    }
  }
}

/** How many ranks of begin .. begin + count − 1 the options want. */
const wantedRanks = (begin: number, count: number, { skipRanks, maxRank = Infinity }: Judged) =>
  Math.max(0, Math.min(begin + count, maxRank) - Math.max(begin, skipRanks))

/** The answer as it grows, query by query. */
class Merger {
  readonly arrays: ReturnType<typeof minedArrays>
  readonly dropped = new Float64Array(ruleNames.length)
  readonly explained = new Explained()
  inconsistent = 0
  candidatePairs = 0
  fallback = 0
  readonly #rejected: Map<number, RejectedCandidate[]>

  constructor(
    readonly parts: readonly MinedCorpusShard[],
    readonly options: Judged,
    queries: number,
  ) {
    this.arrays = minedArrays(queries, options.numNegatives)
    this.arrays.indices.fill(-1)
    this.arrays.scores.fill(NaN)
    this.arrays.ranks.fill(-1)
    this.#rejected = rejectedOf(parts)
  }

  add(query: number, isMined: boolean) {
    const { maxPositiveRank = Infinity, explain } = this.options
    const population = populationOf(this.parts, query)
    const { dropped, admissible, above, aboveReference, isRescanned } = population
    this.fallback += Number(isRescanned)
    this.candidatePairs += dropped.reduce((sum, count) => sum + count, admissible)
    if (!isMined) return
    if (aboveReference >= maxPositiveRank) {
      this.inconsistent++
      return
    }
    dropped[rankRule] = admissible - wantedRanks(above, admissible, this.options)
    for (const [rule, count] of dropped.entries()) this.dropped[rule]! += count
    const outside = this.#take(query, above)
    const rejected = this.#rejected.get(query) ?? []
    if (explain > 0) this.explained.add(query, [...rejected, ...outside], explain)
  }

  /** Writes the negatives of a query; returns the candidates that ranks drop. */
  #take(query: number, above: number): RejectedCandidate[] {
    const { numNegatives, skipSurvivors } = this.options
    const { indices, scores, ranks, counts } = this.arrays
    const outside: RejectedCandidate[] = []
    let survivors = 0
    for (const [place, { row, score }] of bestOf(this.parts, query).entries()) {
      const rank = above + place
      if (wantedRanks(rank, 1, this.options) === 0) outside.push({ row, score, rule: rankRule })
      else if (survivors++ >= skipSurvivors && counts[query]! < numNegatives) {
        const at = query * numNegatives + counts[query]!++
        indices[at] = row
        // Adding 0 makes a zero of −0, as in answers over a whole corpus.
        scores[at] = Math.fround(score) + 0
        ranks[at] = rank
      }
    }
    return outside
  }
}

const sum = (parts: readonly MinedCorpusShard[], value: (part: MinedCorpusShard) => number) =>
  parts.reduce((total, part) => total + value(part), 0)

function merged(parts: readonly MinedCorpusShard[]): MinedNegatives {
  const [{ positiveScores: scored, options, ceilings }] = parts as [MinedCorpusShard]
  const { queries, corpusRows, positives } = scored
  const asked = options as unknown as Asked & Judged
  const merger = new Merger(parts, asked, queries)
  let queriesWithoutPositives = 0
  for (let query = 0; query < queries; query++) {
    const hasPositives = positives.indptr[query]! < positives.indptr[query + 1]!
    queriesWithoutPositives += Number(!hasPositives)
    merger.add(query, hasPositives || ceilings.maxScore !== undefined)
  }
  const { inconsistent, candidatePairs, fallback } = merger
  const run: Omit<MinedRun, 'warnings'> = {
    ...{ queries, firstQuery: 0, shard: undefined, corpus: corpusRows },
    ...{ dimensions: scored.dimensions, numNegatives: asked.numNegatives, metric: scored.metric },
    ...{ ceilings, positives, positiveScores: scored.scores, ...merger.arrays },
    dropped: Object.fromEntries(ruleNames.map((rule, i) => [rule, merger.dropped[i]!])) as Record<
      RuleName,
      number
    >,
    ...{ queriesWithoutPositives, inconsistent, candidatePairs },
    ...{ certified: queries - fallback, fallback },
    // A shard without rows has not looked at the queries.
    zeroQueries: Math.max(...parts.map(({ zeroQueries }) => zeroQueries)),
    zeroRows: sum(parts, ({ zeroRows }) => zeroRows),
    seconds: sum(parts, ({ seconds }) => seconds),
    rejected: merger.explained.arrays(),
  }
  return new MinedNegatives({ ...run, warnings: miningWarnings(run, asked, String) })
}

/**
 * Puts together what {@link mineCorpusShard} gave for all shards of a corpus: the answer of
 * {@link mineHardNegatives} over the whole corpus, bit for bit. `seconds` is the sum; `fallback` counts the
 * queries that any shard scanned again.
 *
 * @param parts Each shard once, in any order.
 * @throws {TypeError | RangeError} naming the part that belongs to another job, or rows that no part or
 *   several parts have.
 */
export function mergeCorpusShards(parts: readonly MinedCorpusShard[]): MinedNegatives {
  checkParts(parts, 'populations', 'mineCorpusShard')
  checkAlike(parts, ({ options, fingerprint }: MinedCorpusShard) => ({
    ...options,
    'fingerprint of the inputs': fingerprint,
  }))
  return merged(inOrder(parts))
}
