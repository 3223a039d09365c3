import { readLines } from './lines'
import { PairsReader, type Pairs, type UnknownIds } from './pairs'

/** Pairs whose queries have no rows of their own: their rows are the order in which they appear. */
export interface NamedPairs extends Pairs {
  /** The row of each query in the pairs. */
  readonly queryIds: ReadonlyMap<string, number>
}

/** Gives each new id the next row. */
class NewRows extends Map<string, number> {
  override get(id: string): number {
    const row = super.get(id) ?? this.size
    this.set(id, row)
    return row
  }
}

class NamedPairsReader extends PairsReader {
  constructor(
    path: string,
    private readonly seen: NewRows,
    options: NamedPairsOptions,
  ) {
    super(path, { queries: Number.MAX_SAFE_INTEGER, queryIds: seen, ...options })
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
  const queryIds = new NewRows()
  const pairs = await readLines(path, new NamedPairsReader(path, queryIds, options))
  return { ...pairs, queryIds: new Map(queryIds) }
}
