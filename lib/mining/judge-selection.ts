// The negatives and new positives among judged candidates.
import { joined } from '../data/pieces'
import type { RowLists } from '../data/row-lists'
import { inTurns } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { handOut } from '../lending'
import type { JudgeSettings } from './judge-options'
import { keep, positive, type JudgeRounds } from './judge-rounds'
import { outcomeNames, type Outcome } from './judge-rules'
import type { JudgeSource } from './judge-source'
import type { JudgedCandidates } from './judged-negatives'
import type { JudgedPairs } from './judged-pairs'
import { minedArrays } from './mined-arrays'

/** A judge's candidates, its answers, and what became of them. */
export interface Judged {
  readonly source: JudgeSource
  readonly pairs: JudgedPairs
  readonly rounds: JudgeRounds
  readonly options: JudgeSettings
}

/** Work for a query, and for a candidate, in the units of a slice. */
const unitsOfQuery = 32
const unitsOfCandidate = 8

/** The first `count` of the places 0, stride, 2 · stride, …, then 1, 1 + stride, …; in ascending order. */
export function strided(length: number, stride: number, count: number): number[] {
  const places: number[] = []
  for (let start = 0; start < Math.min(stride, length); start++)
    for (let place = start; place < length; place += stride) {
      if (places.length === count) return places.sort((a, b) => a - b)
      places.push(place)
    }
  return places.sort((a, b) => a - b)
}

/** Candidates of a query with an outcome, as positions in `source.candidates.indices`. */
function* withOutcome(place: number, wanted: number, { source, rounds }: Judged) {
  const from = source.candidates.indptr[place]!
  for (let t = from; t < from + rounds.asked[place]!; t++)
    if (rounds.outcomes[t] === wanted) yield t
}

/** Whether a query has no negatives because a candidate is relevant. */
export const isRemoved = (place: number, judged: Judged): boolean =>
  judged.options.falseNegatives === 'remove-query' &&
  !withOutcome(place, positive, judged).next().done

/** The negatives of a query, best first, as positions in `source.candidates.indices`. */
function chosen(place: number, judged: Judged): number[] {
  const { pairs, options } = judged
  if (isRemoved(place, judged)) return []
  const survivors = [...withOutcome(place, keep, judged)]
  const scoreOf = (t: number) => {
    const score = pairs.scores[pairs.firstCandidate + t]!
    return Number.isNaN(score) ? -Infinity : score
  }
  // Not a difference, which is NaN for two infinities. The sort is stable, so ties stay in order.
  if (options.rankBy === 'judge')
    survivors.sort((a, b) => Number(scoreOf(b) > scoreOf(a)) - Number(scoreOf(b) < scoreOf(a)))
  return strided(survivors.length, options.stride, options.numNegatives).map((i) => survivors[i]!)
}

/** The arrays of negatives. */
export async function judgedArrays(judged: Judged) {
  const { source, pairs, options } = judged
  const { numNegatives: width } = options
  const arrays = {
    ...minedArrays(source.queries, width),
    judgeScores: resultArray(Float64Array, source.queries * width),
  }
  await inTurns(function* (slice) {
    for (let place = 0; place < source.queries; place++) {
      const [start, end] = [place * width, (place + 1) * width]
      arrays.indices.fill(-1, start, end)
      arrays.ranks.fill(-1, start, end)
      arrays.scores.fill(NaN, start, end)
      arrays.judgeScores.fill(NaN, start, end)
      const negatives = chosen(place, judged)
      arrays.counts[place] = negatives.length
      negatives.forEach((t, i) => {
        const score = pairs.scores[pairs.firstCandidate + t]!
        arrays.indices[start + i] = source.candidates.indices[t]!
        arrays.ranks[start + i] = source.ranks[t]!
        arrays.scores[start + i] = source.isScored ? source.scores[t]! : score
        arrays.judgeScores[start + i] = score
      })
      if (slice.spend(unitsOfQuery + unitsOfCandidate * judged.rounds.asked[place]!)) yield
    }
  })
  return arrays
}

/** The candidates that were asked about, and how often each outcome is among them. */
export async function judgedCandidates(
  judged: Judged,
): Promise<{ judged: JudgedCandidates; outcomes: Record<Outcome, number> }> {
  const { source, pairs, rounds } = judged
  const counts = new Array<number>(outcomeNames.length).fill(0)
  const indptr = resultArray(Int32Array, source.queries + 1)
  for (let q = 0; q < source.queries; q++) indptr[q + 1] = indptr[q]! + rounds.asked[q]!
  const count = indptr[source.queries]!
  const rows = resultArray(Int32Array, count)
  const scores = resultArray(Float64Array, count)
  const outcomes = resultArray(Uint8Array, count)
  await inTurns(function* (slice) {
    for (let q = 0; q < source.queries; q++) {
      const from = source.candidates.indptr[q]!
      const [to, end] = [indptr[q]!, from + rounds.asked[q]!]
      const base = pairs.firstCandidate
      rows.set(source.candidates.indices.subarray(from, end), to)
      scores.set(pairs.scores.subarray(base + from, base + end), to)
      outcomes.set(rounds.outcomes.subarray(from, end), to)
      for (let t = from; t < end; t++) counts[rounds.outcomes[t]!]!++
      if (slice.spend(unitsOfQuery + unitsOfCandidate * (end - from))) yield
    }
  })
  const named = Object.fromEntries(outcomeNames.map((name, i) => [name, counts[i]!]))
  return {
    judged: { indptr, rows, scores, outcomes },
    outcomes: named as Record<Outcome, number>,
  }
}

/** Positives of queries with their scores; lists ascend. */
interface ScoredPositives {
  readonly positives: RowLists
  readonly positiveScores: Float64Array
  readonly judgePositiveScores: Float64Array
}

/** The known positives, with the candidates that are relevant if they are to be positives. */
export async function judgedPositives(
  judged: Judged,
): Promise<ScoredPositives & { readonly newPositives: RowLists }> {
  const { source, pairs, options } = judged
  const known = pairs.scores.subarray(0, pairs.firstCandidate)
  const found: number[] = []
  const starts = handOut(new Int32Array(source.queries + 1))
  await inTurns(function* (slice) {
    for (let place = 0; place < source.queries; place++) {
      const begin = found.length
      for (const t of withOutcome(place, positive, judged)) found.push(t)
      starts[place + 1] = found.length
      const rows = source.candidates.indices
      const own = found.slice(begin).sort((a, b) => rows[a]! - rows[b]!)
      own.forEach((t, i) => (found[begin + i] = t))
      if (slice.spend(unitsOfQuery + unitsOfCandidate * judged.rounds.asked[place]!)) yield
    }
  })
  const rows = handOut(Int32Array.from(found, (t) => source.candidates.indices[t]!))
  const newPositives = { indptr: starts, indices: rows }
  const old = {
    positives: source.positives,
    positiveScores: source.isScored ? source.positiveScores : await joined([known], Float64Array),
    judgePositiveScores: await joined([known], Float64Array),
  }
  if (options.falseNegatives !== 'relabel' || found.length === 0) return { ...old, newPositives }
  const scores = Float64Array.from(found, (t) => pairs.scores[pairs.firstCandidate + t]!)
  const added = {
    positives: newPositives,
    positiveScores: source.isScored ? Float64Array.from(found, (t) => source.scores[t]!) : scores,
    judgePositiveScores: scores,
  }
  return { ...(await mergedPositives(old, added)), newPositives }
}

/** Two sets of positives of the same queries, without a row in common. */
async function mergedPositives(
  old: ScoredPositives,
  added: ScoredPositives,
): Promise<ScoredPositives> {
  const count = old.positives.indices.length + added.positives.indices.length
  const queries = old.positives.indptr.length - 1
  const indptr = resultArray(Int32Array, queries + 1)
  const indices = resultArray(Int32Array, count)
  const positiveScores = resultArray(Float64Array, count)
  const judgePositiveScores = resultArray(Float64Array, count)
  let at = 0
  const take = (from: ScoredPositives, t: number) => {
    indices[at] = from.positives.indices[t]!
    positiveScores[at] = from.positiveScores[t]!
    judgePositiveScores[at++] = from.judgePositiveScores[t]!
  }
  await inTurns(function* (slice) {
    for (let q = 0; q < queries; q++) {
      let [i, j] = [old.positives.indptr[q]!, added.positives.indptr[q]!]
      const [end, last] = [old.positives.indptr[q + 1]!, added.positives.indptr[q + 1]!]
      while (i < end || j < last) {
        const isOld =
          j === last || (i < end && old.positives.indices[i]! < added.positives.indices[j]!)
        if (isOld) take(old, i++)
        else take(added, j++)
        if (slice.spend(unitsOfCandidate)) yield
      }
      indptr[q + 1] = at
      if (slice.spend(unitsOfQuery)) yield
    }
  })
  return { positives: { indptr, indices }, positiveScores, judgePositiveScores }
}
