// The blocks in which a corpus in shards is mined. Small shards are put together, because each block reads the
// queries and the lists of the job.
import type { AbortSignalLike } from '../cancellation'
import type { DenseData, DenseView } from '../data/matrix'
import { joined } from '../data/pieces'
import { invalidText } from '../errors'
import {
  shardsOf,
  type CheckedShard,
  type CorpusShardRows,
  type CorpusStream,
} from './corpus-stream'

/** Rows that are mined at once. */
export interface Block extends CorpusShardRows {
  /** The first row among all rows of the corpus. */
  readonly firstRow: number
  readonly rows: number
}

/** The places of the blocks of a run: those of all runs of a job are the same. */
export type Cut = readonly Pick<Block, 'firstRow' | 'rows'>[]

/** Bytes of small shards that are put together, at most. */
const mostBytes = 2 ** 25

/** A shard in memory, of which a block holds several. */
interface SmallShard {
  readonly view: DenseView & { readonly data: DenseData }
  readonly more: CorpusShardRows
  /** Rows of this kind that a block holds. */
  readonly room: number
}

/** Undefined for a shard that is a block of its own. */
function smallShard({ source, ...more }: CheckedShard, bytes: number): SmallShard | undefined {
  const view = source as DenseView
  const { data, rows, cols, bigEndian } = view
  if (data === undefined || bigEndian) return undefined
  const room = Math.floor(bytes / (cols * data.BYTES_PER_ELEMENT))
  return 2 * rows > room ? undefined : { view: { ...view, data }, more, room }
}

const isAlike = (a: SmallShard, b: SmallShard) =>
  a.view.type === b.view.type &&
  (a.more.corpusTexts === undefined) === (b.more.corpusTexts === undefined) &&
  (a.more.corpusGroups === undefined) === (b.more.corpusGroups === undefined)

/** Small shards of one kind, copied. */
class Gathered {
  readonly #data: DenseData
  readonly #texts: (readonly string[])[] = []
  readonly #groups: Int32Array[] = []
  #rows = 0

  constructor(private readonly first: SmallShard) {
    const { data, cols } = first.view
    const Kind = Buffer.isBuffer(data) ? Uint8Array : data.constructor
    this.#data = new (Kind as new (length: number) => DenseData)(first.room * cols)
    this.add(first)
  }

  hasRoomFor(shard: SmallShard): boolean {
    return isAlike(this.first, shard) && this.#rows + shard.view.rows <= this.first.room
  }

  add({ view: { data, rows, cols, stride }, more: { corpusTexts, corpusGroups } }: SmallShard) {
    for (let row = 0; row < rows; row++) {
      const from = data.subarray(row * stride, row * stride + cols)
      this.#data.set(from as never, (this.#rows + row) * cols)
    }
    if (corpusTexts) this.#texts.push([...corpusTexts])
    if (corpusGroups) this.#groups.push(corpusGroups.slice())
    this.#rows += rows
  }

  async block(): Promise<Omit<Block, 'firstRow'>> {
    const { view, more } = this.first
    const data = this.#data.subarray(0, this.#rows * view.cols) as DenseData
    return {
      rows: this.#rows,
      corpus: { data, rows: this.#rows, cols: view.cols, type: view.type },
      corpusTexts: more.corpusTexts && this.#texts.flat(),
      corpusGroups: more.corpusGroups && (await joined(this.#groups, Int32Array)),
    }
  }
}

/** The blocks of a run, without their places. */
async function* gatheredBlocks(shards: AsyncIterable<CheckedShard>, bytes: number) {
  let gathered: Gathered | undefined
  for await (const shard of shards) {
    if (shard.source.rows === 0) continue
    const small = smallShard(shard, bytes)
    if (small && gathered?.hasRoomFor(small)) {
      gathered.add(small)
      continue
    }
    if (gathered) yield await gathered.block()
    gathered = small && new Gathered(small)
    const { source, ...own } = shard
    if (!small) yield { ...own, rows: source.rows }
  }
  if (gathered) yield await gathered.block()
}

interface BlockRun {
  readonly cols: number
  readonly signal: AbortSignalLike | undefined
  readonly memoryBudget: number | undefined
  /** The cut of an earlier run; undefined in the first one. */
  readonly cut: Cut | undefined
}

const told = (place: Cut[number] | undefined) =>
  place ? `${place.rows} rows from row ${place.firstRow} on` : 'the end'

/**
 * The blocks of one run over a corpus, in the order of their rows.
 *
 * @throws {TypeError | RangeError} naming the shard that is wrong, or if a run has other shards than the first
 *   one, or no rows.
 */
export async function* blocksOf(
  stream: CorpusStream,
  { cols, signal, memoryBudget = Infinity, cut }: BlockRun,
): AsyncGenerator<Block, void> {
  let [firstRow, number] = [0, 0]
  const check = (place: Cut[number] | undefined) => {
    const wanted = cut?.[number++]
    if (cut && (wanted?.firstRow !== place?.firstRow || wanted?.rows !== place?.rows))
      throw invalidText('corpus()', `the shards of the first run, ${told(wanted)},`, told(place))
  }
  const shards = shardsOf(stream, cols, signal)
  for await (const block of gatheredBlocks(shards, Math.min(mostBytes, memoryBudget / 8))) {
    const placed = { ...block, firstRow }
    check(placed)
    yield placed
    firstRow += block.rows
  }
  check(undefined)
  if (firstRow === 0) throw invalidText('corpus()', 'at least one shard with rows', 'none')
}
