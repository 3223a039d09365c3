// Puts the shards of a corpus together: ranks, which only the whole corpus has, are judged here.
import { GrowingArray } from '../data/growing-array'
import { ruleNames, type RuleName } from '../data/mined-lines'
import { joined } from '../data/pieces'
import { inTurns, type Slice } from '../data/slices'
import { detached } from '../lending'
import type { NativeRejected } from '../native'
import { checkAlike, checkParts, inOrder } from './corpus-shard'
import { populationSize, type MinedCorpusShard, type Wanted } from './mine-corpus-shard'
import { minedArrays, summedCounts } from './mined-arrays'
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

/** Work for a query, and for a candidate, of one shard, in the units of a slice. */
const [unitsOfQuery, unitsOfCandidate] = [64, 16]

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

/** The best admissible rows of one query, over all shards, whose lists are ordered. */
function* bestOf(parts: readonly MinedCorpusShard[], query: number): Generator<Candidate> {
  const next = parts.map(({ depth }) => query * depth)
  const end = parts.map(({ counts }, i) => next[i]! + counts[query]!)
  const heads = parts.map((part, i) => headOf(part, next[i]!, end[i]!))
  for (;;) {
    let best: Candidate | undefined
    for (const head of heads) if (head && (!best || byScore(head, best) < 0)) best = head
    if (!best) return
    yield best
    const i = heads.indexOf(best)
    heads[i] = headOf(parts[i]!, ++next[i]!, end[i]!)
  }
}

const headOf = (
  { indices, scores }: MinedCorpusShard,
  at: number,
  end: number,
): Candidate | undefined => (at < end ? { row: indices[at]!, score: scores[at]! } : undefined)

/** The rejected candidates of the mined queries, read in the order of the queries. */
class RejectedReader {
  #place = 0
  readonly #rejected: NativeRejected

  constructor({ rejected }: MinedCorpusShard) {
    this.#rejected = rejected
  }

  *of(query: number): Generator<RejectedCandidate> {
    const { queries, indptr, rows, scores, rules } = this.#rejected
    while (queries[this.#place]! < query) this.#place++
    if (queries[this.#place] !== query) return
    for (let at = indptr[this.#place]!; at < indptr[this.#place + 1]!; at++)
      yield { row: rows[at]!, score: scores[at]!, rule: rules[at]! }
  }
}

/** The rejected candidates of the answer, query by query. */
class Explained {
  readonly #queries = new GrowingArray(new Int32Array(0))
  readonly #indptr = new GrowingArray(new Int32Array(0))
  readonly #rows = new GrowingArray(new Int32Array(0))
  readonly #scores = new GrowingArray(new Float64Array(0))
  readonly #rules = new GrowingArray(new Uint8Array(0))

  add(query: number, rejected: RejectedCandidate[], most: number) {
    for (const { row, score, rule } of rejected.sort(byScore).slice(0, most)) {
      this.#rows.push(row)
      this.#scores.push(score)
      this.#rules.push(rule)
    }
    this.#queries.push(query)
    this.#indptr.push(this.#rows.length)
  }

  async arrays(): Promise<NativeRejected> {
    return {
      queries: await joined([await this.#queries.joined()], Int32Array),
      indptr: await joined([Int32Array.of(0), await this.#indptr.joined()], Int32Array),
      rows: await joined([await this.#rows.joined()], Int32Array),
      scores: await joined([await this.#scores.joined()], Float64Array),
      rules: await joined([await this.#rules.joined()], Uint8Array),
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
  readonly #rejected: readonly RejectedReader[]

  constructor(
    readonly parts: readonly MinedCorpusShard[],
    readonly options: Judged,
    queries: number,
  ) {
    this.arrays = minedArrays(queries, options.numNegatives)
    this.#rejected = parts.map((part) => new RejectedReader(part))
  }

  /** All queries in ascending order. */
  *add(query: number, isMined: boolean, slice: Slice): Generator<void> {
    const { maxPositiveRank = Infinity, explain } = this.options
    const population = populationOf(this.parts, query)
    const { dropped, admissible, above, aboveReference, isRescanned } = population
    if (slice.spend(unitsOfQuery * this.parts.length)) yield
    this.fallback += Number(isRescanned)
    this.candidatePairs += dropped.reduce((sum, count) => sum + count, admissible)
    const isAnswered = isMined && aboveReference < maxPositiveRank
    const outside = isAnswered ? yield* this.#take(query, above, slice) : []
    yield* this.#pad(query, slice)
    if (!isAnswered) {
      this.inconsistent += Number(isMined)
      return
    }
    dropped[rankRule] = admissible - wantedRanks(above, admissible, this.options)
    for (const [rule, count] of dropped.entries()) this.dropped[rule]! += count
    if (explain === 0) return
    const rejected = this.#rejected.flatMap((reader) => [...reader.of(query)])
    if (slice.spend(unitsOfCandidate * rejected.length)) yield
    this.explained.add(query, [...rejected, ...outside], explain)
  }

  /** Writes the negatives of a query; returns the best candidates that ranks drop. */
  *#take(query: number, above: number, slice: Slice): Generator<void, RejectedCandidate[]> {
    const { numNegatives, skipSurvivors, explain } = this.options
    const { indices, scores, ranks, counts } = this.arrays
    const outside: RejectedCandidate[] = []
    let survivors = 0
    let rank = above
    for (const { row, score } of bestOf(this.parts, query)) {
      if (slice.spend(unitsOfCandidate * this.parts.length)) yield
      if (counts[query]! === numNegatives && outside.length >= explain) break
      if (wantedRanks(rank, 1, this.options) === 0) outside.push({ row, score, rule: rankRule })
      else if (survivors++ >= skipSurvivors && counts[query]! < numNegatives) {
        const at = query * numNegatives + counts[query]!++
        indices[at] = row
        // Adding 0 makes a zero of −0, as in answers over a whole corpus.
        scores[at] = Math.fround(score) + 0
        ranks[at] = rank
      }
      rank++
    }
    return outside
  }

  *#pad(query: number, slice: Slice): Generator<void> {
    const { indices, scores, ranks, counts } = this.arrays
    const { numNegatives } = this.options
    for (let place = counts[query]!; place < numNegatives; place++) {
      if (slice.spend(1)) yield
      const at = query * numNegatives + place
      indices[at] = ranks[at] = -1
      scores[at] = NaN
    }
  }
}

const sum = (parts: readonly MinedCorpusShard[], value: (part: MinedCorpusShard) => number) =>
  parts.reduce((total, part) => total + value(part), 0)

async function merged(parts: readonly MinedCorpusShard[]): Promise<MinedNegatives> {
  const [{ positiveScores: scored, options, ceilings }] = parts as [MinedCorpusShard]
  const { queries, corpusRows, positives } = scored
  const asked = options as unknown as Asked & Judged
  const merger = new Merger(parts, asked, queries)
  let queriesWithoutPositives = 0
  await inTurns(function* (slice) {
    for (let query = 0; query < queries; query++) {
      const hasPositives = positives.indptr[query]! < positives.indptr[query + 1]!
      queriesWithoutPositives += Number(!hasPositives)
      yield* merger.add(query, hasPositives || ceilings.maxScore !== undefined, slice)
    }
  })
  if (parts.some(({ counts }) => counts.length !== queries)) throw detached('parts')
  const { inconsistent, candidatePairs, fallback } = merger
  const run: Omit<MinedRun, 'warnings'> = {
    ...{ queries, firstQuery: 0, shard: undefined, corpus: corpusRows },
    ...{ dimensions: scored.dimensions, numNegatives: asked.numNegatives, metric: scored.metric },
    ...{ ceilings, positives, positiveScores: scored.scores, ...merger.arrays },
    ...(await summedCounts(merger.arrays.counts, asked.numNegatives)),
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
    rejected: await merger.explained.arrays(),
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
export async function mergeCorpusShards(
  parts: readonly MinedCorpusShard[],
): Promise<MinedNegatives> {
  checkParts(parts, 'populations', 'mineCorpusShard')
  checkAlike(parts, ({ options, fingerprint }: MinedCorpusShard) => ({
    ...options,
    'fingerprint of the inputs': fingerprint,
  }))
  return await merged(inOrder(parts))
}
