// The choice of negatives among the survivors of a query by plain loops: docs/math/mining.md.
import type { SamplingChoice } from '../../lib/mining/samplings'
import { counterBits } from './counter-random'

/** Keeps the keys of draws apart from other uses of the generator. */
const drawStream = 0x6d696e65
const binStream = 0x62696e73

/** With the columns of both sides. */
export type Choice = SamplingChoice & { readonly pool: number; readonly dimensions: number }

export interface Survivor {
  readonly row: number
  readonly rank: number
  readonly score: number
}

/** The rows that a query would take, in its order, and its near-duplicates with the rows taken before them. */
export interface Preferred {
  readonly rows: readonly Survivor[]
  readonly near: readonly { readonly row: number; readonly after: number }[]
}

const order = <T>(values: readonly T[], smaller: (a: T, b: T) => boolean): number[] =>
  [...values.keys()].sort(
    (a, b) =>
      Number(smaller(values[b]!, values[a]!)) - Number(smaller(values[a]!, values[b]!)) || a - b,
  )

const ofNumbers = (values: readonly number[]) => order(values, (a, b) => a < b)

/** Places in the pool, in the order in which they are taken. */
function places(choice: Choice, query: number, p: number | undefined, pool: readonly Survivor[]) {
  const keys = pool.map(({ row }) => counterBits(choice.seed, drawStream, query, row))
  /** Exponential race: an exponential variable over the weight, smallest first. */
  const races = (logWeight: (score: number) => number) =>
    ofNumbers(
      pool.map(({ score }, i) => {
        const u = (Number(keys[i]! >> 12n) + 0.5) * 2 ** -52
        return Math.log(-Math.log1p(-u)) - logWeight(score)
      }),
    )
  const byKeys = (from: readonly number[]) =>
    [...from].sort((a, b) => Number(keys[a]! > keys[b]!) - Number(keys[a]! < keys[b]!))
  const all = pool.map((_, i) => i)
  const { simansA, simansB, temperature, stride, numNegatives, dimensions } = choice
  const { distanceCutoff, distanceLimit } = choice
  switch (choice.sampling) {
    case 'random':
    case 'band':
      return byKeys(all)
    case 'top1-random':
      return [...all.slice(0, 1), ...byKeys(all.slice(1))]
    case 'weighted':
      return races((score) => score / temperature)
    case 'simans':
      return races((score) => (p === undefined ? 0 : -simansA * (score - p - simansB) ** 2))
    case 'distance-weighted': {
      const distances = pool.map(({ score }) => Math.max(Math.sqrt(2 - 2 * score), distanceCutoff))
      const drawn = races((score) => {
        const distance = Math.max(Math.sqrt(2 - 2 * score), distanceCutoff)
        return (
          (2 - dimensions) * Math.log(distance) -
          ((dimensions - 3) / 2) * Math.log(1 - distance ** 2 / 4)
        )
      })
      return drawn.filter((i) => distances[i]! < distanceLimit)
    }
    case 'stride':
      return ofNumbers(all.map((i) => (i % stride) * pool.length + i))
    case 'quantiles': {
      const runs = Array.from({ length: numNegatives }, (_, run) =>
        byKeys(
          all.slice(
            Math.floor((run * pool.length) / numNegatives),
            Math.floor(((run + 1) * pool.length) / numNegatives),
          ),
        ),
      )
      return all.flatMap((turn) => runs.flatMap((run) => run.slice(turn, turn + 1)))
    }
    case 'bins':
      return fromBins(choice, query, pool, byKeys)
    default:
      return all
  }
}

function fromBins(
  { bins, seed }: Choice,
  query: number,
  pool: readonly Survivor[],
  byKeys: (from: readonly number[]) => number[],
): number[] {
  const low = pool.at(-1)?.score ?? 0
  const width = (pool[0]?.score ?? 0) - low
  const members = new Map<number, number[]>()
  pool.forEach(({ score }, i) => {
    const bin = width > 0 ? Math.min(Math.floor(((score - low) / width) * bins), bins - 1) : 0
    members.set(bin, [...(members.get(bin) ?? []), i])
  })
  const filled = [...members].sort(([a], [b]) => a - b).map(([, each]) => byKeys(each))
  const taken: number[] = []
  for (let draw = 0; filled.length > 0; draw++) {
    const word = counterBits(seed, binStream, query, draw) >> 32n
    const bin = Number((word * BigInt(filled.length)) >> 32n)
    taken.push(filled[bin]!.shift()!)
    if (filled[bin]!.length === 0) filled.splice(bin, 1)
  }
  return taken
}

/**
 * @param similarity Score of two rows of the corpus.
 * @param beside Rows of a list that join the pool.
 */
export function preferred(
  choice: Choice,
  query: number,
  p: number | undefined,
  survivors: readonly Survivor[],
  similarity: (a: number, b: number) => number,
  beside: readonly number[] = [],
): Preferred {
  const isPooled = choice.sampling !== 'top' && choice.sampling !== 'band'
  const pool = isPooled
    ? survivors.filter(({ row }, i) => i < choice.pool || beside.includes(row))
    : survivors
  const rest = places(choice, query, p, pool).map((i) => pool[i]!)
  const rows: Survivor[] = []
  const near: { row: number; after: number }[] = []
  const nearest = ({ row }: Survivor) =>
    rows.reduce((highest, taken) => Math.max(highest, similarity(taken.row, row)), -Infinity)
  const enough = choice.hubCap === undefined ? choice.numNegatives : Infinity
  while (rest.length > 0 && rows.length < enough) {
    let next = 0
    if (choice.sampling === 'mmr' && rows.length > 0) {
      const { mmrLambda: lambda } = choice
      const values = rest.map((each) => lambda * each.score - (1 - lambda) * nearest(each))
      next = values.indexOf(Math.max(...values))
    }
    const [each] = rest.splice(next, 1) as [Survivor]
    const isNear =
      choice.nearDuplicateScore !== undefined && nearest(each) >= choice.nearDuplicateScore
    if (isNear) near.push({ row: each.row, after: rows.length })
    else rows.push(each)
  }
  return { rows, near }
}

/**
 * Which of its rows each query keeps: in turns, every query that lacks rows asks for the next one of its list,
 * and a row that has more than `cap` queries leaves the one that scores it lowest.
 */
export function shared(lists: readonly Preferred[], count: number, cap = Infinity): boolean[][] {
  const holds = lists.map((): boolean[] => [])
  const held = (query: number) => holds[query]!.filter(Boolean).length
  for (let again = true; again;) {
    again = false
    lists.forEach(({ rows }, query) => {
      if (held(query) >= count || holds[query]!.length === rows.length) return
      again = true
      const { row } = rows[holds[query]!.length]!
      holds[query]!.push(true)
      const holders = lists.flatMap((other, i) =>
        other.rows
          .slice(0, holds[i]!.length)
          .flatMap((each, place) =>
            each.row === row && holds[i]![place] ? [{ query: i, place, score: each.score }] : [],
          ),
      )
      holders.sort((a, b) => b.score - a.score || a.query - b.query)
      for (const last of holders.slice(cap)) holds[last.query]![last.place] = false
    })
  }
  return holds
}
