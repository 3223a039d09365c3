// The candidates of several shards of a corpus as those of one, without the rows on which no answer depends.
// So the memory of a job does not grow with the number of shards.
import { GrowingArray } from '../data/growing-array'
import { ruleNames } from '../data/mined-lines'
import { inTurns, type Slice } from '../data/slices'
import { handOut } from '../lending'
import type { NativeCandidates } from '../native'

/** Position in `rules` of a row that no rule drops. */
const admissible = ruleNames.length

/** How many rows of a list are kept. */
export interface KeptRows {
  /**
   * All rows up to the last of so many admissible ones are kept, so that their ranks are those in the whole
   * list.
   */
  readonly admissible: number
  /** Rejected rows after them, the best ones. */
  readonly rejected: number
}

/** A list of one shard, and the place up to which it was read. */
interface Cursor {
  readonly from: NativeCandidates
  at: number
  readonly end: number
}

/** The cursor at the best row: the highest score, then the lowest row. Undefined at the end of all lists. */
function bestOf(cursors: readonly Cursor[]): Cursor | undefined {
  let best: Cursor | undefined
  for (const cursor of cursors) {
    if (cursor.at === cursor.end) continue
    const isBetter = (than: Cursor) => {
      const ahead = cursor.from.scores[cursor.at]! - than.from.scores[than.at]!
      return ahead > 0 || (ahead === 0 && cursor.from.rows[cursor.at]! < than.from.rows[than.at]!)
    }
    if (best === undefined || isBetter(best)) best = cursor
  }
  return best
}

class Kept {
  readonly indptr: Float64Array
  readonly rows = new GrowingArray(new Int32Array(0))
  readonly scores = new GrowingArray(new Float64Array(0))
  readonly rules = new GrowingArray(new Uint8Array(0))

  constructor(
    lists: number,
    readonly most: KeptRows,
  ) {
    this.indptr = handOut(new Float64Array(lists + 1))
  }

  *add(list: number, cursors: readonly Cursor[], slice: Slice) {
    let [taken, rejected] = [0, 0]
    for (let best = bestOf(cursors); best !== undefined; best = bestOf(cursors)) {
      const rule = best.from.rules[best.at]!
      const isOpen = taken < this.most.admissible
      const isWanted = rule === admissible ? isOpen : isOpen || rejected < this.most.rejected
      if (isWanted) this.#push(best, rule)
      if (rule === admissible) taken++
      else rejected++
      best.at++
      if (slice.spend(8)) yield
    }
    this.indptr[list + 1] = this.rows.length
  }

  #push({ from, at }: Cursor, rule: number) {
    this.rows.push(from.rows[at]!)
    this.scores.push(from.scores[at]!)
    this.rules.push(rule)
  }
}

/** The sums of the counts of all shards, [lists × counts]. */
function* summedPopulations(candidates: readonly NativeCandidates[], slice: Slice) {
  const sums = handOut(new Int32Array(candidates[0]!.populations.length))
  for (const { populations } of candidates)
    for (let i = 0; i < sums.length; i++) {
      sums[i]! += populations[i]!
      if (slice.spend(1)) yield
    }
  return sums
}

/**
 * @param candidates Of each part of a corpus; every list is best first.
 * @param most With these rows a merge gives the answer of all rows, bit for bit.
 */
export async function compacted(
  candidates: readonly NativeCandidates[],
  most: KeptRows,
): Promise<NativeCandidates> {
  const lists = candidates[0]!.indptr.length - 1
  const kept = new Kept(lists, most)
  const populations = await inTurns(function* (slice) {
    for (let list = 0; list < lists; list++) {
      const cursors = candidates.map((from) => ({
        from,
        at: from.indptr[list]!,
        end: from.indptr[list + 1]!,
      }))
      yield* kept.add(list, cursors, slice)
      if (slice.spend(16)) yield
    }
    return yield* summedPopulations(candidates, slice)
  })
  return {
    indptr: kept.indptr,
    rows: handOut(await kept.rows.joined()),
    scores: handOut(await kept.scores.joined()),
    rules: handOut(await kept.rules.joined()),
    populations,
  }
}
