// Reads files that refer to queries and corpus rows by ids, for topk and mine.
import { readIds, type IdRows } from '../data/ids-and-texts'
import {
  readPairs,
  readPairsDefaults,
  unknownIdsModes,
  type Pairs,
  type PairValue,
  type UnknownIds,
} from '../data/pairs'
import type { SelfRows } from '../mining/self-rows'
import { choiceOption, flagOption, pathOption } from './common-options'
import { readAllowed, type RowFileOptions } from './row-files'

export interface PairOptions extends RowFileOptions {
  readonly queryIds?: string
  readonly corpusIds?: string
  readonly exclude?: string
  readonly excludeSelf?: boolean
  readonly unknownIds?: UnknownIds
}

export const idOptions = () => [
  pathOption('--query-ids <FILE>', 'ids of the queries, one a line, or .jsonl with _id'),
  pathOption('--corpus-ids <FILE>', 'ids of the corpus rows'),
]

export const excludeSelfOption = () =>
  flagOption(
    '--exclude-self',
    "queries and corpus are the same rows: row i is no answer to query i; with ids: the row of the query's own id",
  )

export const unknownIdsOption = () =>
  choiceOption(
    '--unknown-ids <NAME>',
    'pairs of which one side does not exist',
    unknownIdsModes,
    readPairsDefaults.unknownIds,
  )

interface Counts {
  readonly queries: number
  readonly corpus: number
}

type Ids = IdRows

/** Reads ids, and pairs of ids or of rows. */
export class PairFiles {
  private constructor(
    private readonly counts: Counts,
    private readonly given: PairOptions,
    readonly queryIds: Ids | undefined,
    readonly corpusIds: Ids | undefined,
  ) {}

  static async open(given: PairOptions, counts: Counts): Promise<PairFiles> {
    const { queryIds, corpusIds } = given
    return new PairFiles(
      counts,
      given,
      queryIds === undefined ? undefined : await readIds(queryIds, counts.queries, 'query'),
      corpusIds === undefined ? undefined : await readIds(corpusIds, counts.corpus, 'corpus'),
    )
  }

  read(path: string, value: PairValue = readPairsDefaults.value): Promise<Pairs> {
    const { counts, queryIds, corpusIds } = this
    const { unknownIds } = this.given
    return readPairs(path, { ...counts, queryIds, corpusIds, unknownIds, value })
  }

  async excluded(): Promise<Pairs | undefined> {
    return this.given.exclude === undefined ? undefined : this.read(this.given.exclude)
  }

  /** The rows that all queries may get, as a bitmap. */
  allowed(): Promise<Uint32Array | undefined> {
    return readAllowed(this.given, this.counts.corpus, this.corpusIds)
  }

  /** With ids on both sides a query is the corpus row with its id, otherwise the row with its index. */
  self(): SelfRows {
    const { queryIds, corpusIds } = this
    if (!this.given.excludeSelf) return false
    if (!queryIds || !corpusIds) return true
    return Int32Array.from(queryIds.keys(), (id) => corpusIds.get(id) ?? -1)
  }
}
