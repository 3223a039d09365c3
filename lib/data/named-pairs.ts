import { readRecords } from './records'
import { PairsReader, type Pairs, type UnknownIds } from './pairs'
import { TextNumbers } from './text-numbers'

/** Pairs whose queries have no rows of their own: their rows are the order in which they appear. */
interface NamedPairs extends Pairs {
  /** The row of each query in the pairs. */
  readonly queryIds: ReadonlyMap<string, number>
}

/** Gives each new id the next row. */
const newRows = (ids: TextNumbers) => ({ get: (id: string) => ids.add(id) })

class NamedPairsReader extends PairsReader {
  constructor(
    path: string,
    private readonly seen: TextNumbers,
    options: NamedPairsOptions,
  ) {
    super(path, { queries: Number.MAX_SAFE_INTEGER, queryIds: newRows(seen), ...options })
  }

  protected override get queries(): number {
    return this.seen.size
  }
}

interface NamedPairsOptions {
  readonly corpus: number
  readonly corpusIds: ReadonlyMap<string, number> | undefined
  readonly unknownIds: UnknownIds | undefined
}

/** Reads pairs without a list of queries; the format is that of {@link readPairs}. */
export async function readNamedPairs(
  path: string,
  options: NamedPairsOptions,
): Promise<NamedPairs> {
  const queryIds = new TextNumbers()
  const pairs = await readRecords(path, new NamedPairsReader(path, queryIds, options))
  return { ...pairs, queryIds }
}
